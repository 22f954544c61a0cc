"""What a leaf holds, and the rule by which entries continue their journals: exactly once, by position and chain."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from hub.ledger.faults import Refusal, RefusedEntryError
from hub.ledger.tree import HASH_BYTES
from metip.journal import chain
from metip.ledger.v1 import entry_pb2

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LONGEST_RECORD: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its place in its journal."""

    journal: str
    position: int
    """From 1."""
    record: bytes
    chain: bytes
    """The journal's chain as of this record, 32 bytes."""

    def leaf(self) -> bytes:
        """The bytes that the ledger keeps."""
        said = entry_pb2.Entry(journal=self.journal, position=self.position, record=self.record, chain=self.chain)
        return said.SerializeToString(deterministic=True)


def read(leaf: bytes) -> Entry:
    """The entry in a leaf. Raises `ValueError` for what is none."""
    try:
        said = entry_pb2.Entry.FromString(leaf)
    except DecodeError as error:
        raise ValueError("the leaf is no entry") from error
    return Entry(said.journal, said.position, said.record, said.chain)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the ledger has a journal."""

    position: int
    chain: bytes
    index: int
    """The leaf that holds that position."""


def continued(reached: Mapping[str, Reached], entries: Iterable[Entry], first: int) -> dict[str, Reached]:
    """How far the ledger has each journal that the entries, leaves from index `first`, continue. Raises `RefusedEntryError`."""
    found: dict[str, Reached] = {}
    for index, one in enumerate(entries, first):
        before = found.get(one.journal) or reached.get(one.journal)
        position, link = (before.position, before.chain) if before else (0, chain.start(one.journal))
        reason, text = _refusal(one, position, link)
        if reason is not None:
            raise RefusedEntryError(reason, one.journal[:63], one.position, text)
        found[one.journal] = Reached(one.position, one.chain, index)
    return found


def _refusal(one: Entry, position: int, link: bytes) -> tuple[Refusal | None, str]:
    if not NAME.fullmatch(one.journal):
        return Refusal.MALFORMED, "no journal has such a name"
    if not one.record or len(one.record) > LONGEST_RECORD:
        return Refusal.MALFORMED, f"a record has 1 to {LONGEST_RECORD} bytes, and this one has {len(one.record)}"
    if len(one.chain) != HASH_BYTES:
        return Refusal.MALFORMED, f"a chain has {HASH_BYTES} bytes, and this one has {len(one.chain)}"
    if one.position <= position:
        return Refusal.KNOWN, f"the ledger has this journal up to {position}"
    if one.position != position + 1:
        return Refusal.GAP, f"the ledger has this journal up to {position}, and {position + 1} must come next"
    if chain.after(link, one.record) != one.chain:
        return Refusal.CHAIN, f"its chain does not follow from position {position}"
    return None, ""
