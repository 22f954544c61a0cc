"""Finds what systems declare, by their folders; nothing is registered anywhere."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fuzz.declaring import Decoder

FOLDER = Path(__file__).parents[1] / "adapters"


@dataclass(frozen=True)
class Corpus:
    """What one system declares."""

    system: str
    decoders: tuple[Decoder, ...]
    recorded: bool


@dataclass(frozen=True)
class Target:
    """One decoder with its seeds."""

    system: str
    decoder: Decoder
    seeds: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """`<system>/<decoder>`."""
        return f"{self.system}/{self.decoder.name}"


def systems() -> tuple[str, ...]:
    """Systems that have a corpus."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/corpus.py")))


@cache
def corpus(system: str) -> Corpus:
    """The corpus of a system."""
    module = importlib.import_module(f"tests.adapters.{system}.corpus")
    return Corpus(system, tuple(module.DECODERS), getattr(module, "RECORDED", True))


MOST_SEEDS, LARGEST_SEED = 60, 200_000
"""Of those that are declared, and of those that are recorded; bytes."""


def targets(recordings: Mapping[str, Sequence[bytes]]) -> tuple[Target, ...]:
    """Every decoder of the systems that were recorded. A seed is what the decoder declares, or what it can read of the recordings."""
    return tuple(
        Target(system, decoder, _seeds(decoder, recorded)) for system, recorded in recordings.items() for decoder in corpus(system).decoders
    )


def planted(seeds: Mapping[str, tuple[bytes, ...]]) -> tuple[Target, ...]:
    """Every decoder that has an entry by its name, with those seeds; the same in each process, and made once."""
    every = [Target(system, one, ()) for system in systems() for one in corpus(system).decoders]
    return tuple(Target(one.system, one.decoder, seeds[one.name]) for one in every if one.name in seeds)


def _seeds(decoder: Decoder, recorded: Sequence[bytes]) -> tuple[bytes, ...]:
    declared = sorted(one for one in set(decoder.seeds()) if len(one) <= LARGEST_SEED)
    read = sorted(one for one in set(recorded) - set(declared) if len(one) <= LARGEST_SEED and _reads(decoder, one))
    return (*_some(declared), *_some(read))


def _some(seeds: Sequence[bytes]) -> Sequence[bytes]:
    """At most so many, from short ones to long ones."""
    ordered = sorted(seeds, key=len)
    return ordered if len(ordered) <= MOST_SEEDS else [ordered[place * len(ordered) // MOST_SEEDS] for place in range(MOST_SEEDS)]


def _reads(decoder: Decoder, data: bytes) -> bool:
    try:
        decoder.decode(data)
    except decoder.refuses:
        return False
    return True
