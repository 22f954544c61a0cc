"""The short form of a fuzz run, and whether the harness would notice anything."""

import random
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT

from tests.fuzz import command, corpora, running, trying
from tests.fuzz.corpora import Target
from tests.fuzz.declaring import Decoder
from tests.fuzz.mutating import mutated
from tests.fuzz.working import document, finding

SECONDS, SEED, CASES = 6.0, 7, 5
"""Of the wall, for all decoders together; recording some cases of each system takes about as long."""


class NoNumberError(ValueError):
    """A decoder's own refusal."""


def number(data: bytes) -> int:
    """A decoder with everything that could be wrong with one."""
    if data == b"crash":
        raise KeyError
    if data == b"slow":
        while True:
            pass
    if data == b"swell":
        return len(bytearray(1 << 40))
    if not data.isdigit():
        raise NoNumberError
    return int(data)


def decoder(**more: Any) -> Decoder:
    """One decoder."""
    return Decoder(**{"name": "x", "decode": number, "refuses": (NoNumberError,), "seeds": lambda: [b"1", b"23"], **more})


PROBLEMS: dict[str, tuple[bytes, dict[str, Any], str, str]] = {
    "an exception that is not declared": (b"crash", {}, "decode", "KeyError"),
    "an execution without end": (b"slow", {}, "decode", "TooSlowError"),
    "memory without bound": (b"swell", {}, "decode", "MemoryError"),
    "an encoder that crashes": (b"1", {"encode": lambda record: record.nothing}, "encode", "AttributeError"),
    "what is written can't be read": (b"1", {"encode": lambda record: b"x"}, "read again", "NoNumberError"),
    "what is written is something else": (b"1", {"encode": lambda record: b"%d" % (record + 1)}, "read again", trying.DIFFERENCE),
    "a translation that crashes": (b"1", {"translate": lambda record: record["x"]}, "translate", "TypeError"),
}


@pytest.mark.parametrize(("data", "more", "step", "kind"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_with_a_decoder_is_found(
    monkeypatch: pytest.MonkeyPatch, data: bytes, more: dict[str, Any], step: str, kind: str
) -> None:
    monkeypatch.setattr(trying, "SECONDS", 0.2)
    trying.be_interrupted()
    _, problem = trying.attempt(decoder(**more), data)
    assert problem is not None
    assert (problem.step, problem.kind.partition(" at ")[0]) == (step, kind.partition(" at ")[0])


def test_a_refusal_and_a_record_are_no_findings() -> None:
    assert trying.attempt(decoder(), b"x") == (False, None)
    assert trying.attempt(decoder(encode=lambda record: b"%d" % record), b"12") == (True, None)


def test_the_same_seed_makes_the_same_documents() -> None:
    target = Target("x", decoder(), (b"1", b"<a b='1'>c</a>", b'{"a": [1, 2]}', b"a,b\r\n1,2\r\n"))
    made = [document(1, target, place) for place in range(300)]
    assert made == [document(1, target, place) for place in range(300)]
    assert len(set(made)) > 200
    assert made != [document(2, target, place) for place in range(300)]


def test_every_change_can_be_made_to_every_kind_of_document() -> None:
    seeds = (b"<a b='1'><c>2</c></a>", b'{"a": [1, {"b": "c"}]}', b"a,b\r\n1,2\r\n", b"\x00\x00\x00\x01A", b"")
    assert len({mutated(random.Random(place), seeds) for place in range(2000)}) > 1000


@pytest.mark.parametrize("system", corpora.systems())
def test_a_corpus_has_decoders_of_different_names_and_seeds_that_they_read(system: str) -> None:
    known = corpora.corpus(system)
    names = [one.name for one in known.decoders]
    assert names
    assert len(set(names)) == len(names)
    for target in corpora.targets({system: ()}):
        assert all(trying.attempt(target.decoder, seed) == (True, None) for seed in target.seeds), target.name


def test_a_finding_is_written_down_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = corpora.systems()[0]
    bad = decoder()
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(command, "corpus", lambda name: corpora.Corpus(name, (bad,), recorded=False))
    monkeypatch.setattr(command, "bound_memory", lambda: None)
    found = finding(Target(system, bad, ()), 1, 2, b"crash", "decode", "KeyError")
    assert command.repeat(command.keep(found)) == 1
    assert "KeyError" in capsys.readouterr().out
    mended = finding(Target(system, bad, ()), 1, 2, b"1", "decode", "KeyError")
    assert command.repeat(command.keep(mended)) == 0


@pytest.mark.timeout(110)
def test_a_short_run_over_all_decoders_finds_nothing() -> None:
    outcome = running.run(corpora.systems(), SECONDS, SEED, lambda text: None, cases=CASES)
    told = [f"{one['decoder']}: {one['step']}: {one['kind']}: {command.keep(one).relative_to(ROOT)}" for one in outcome.findings]
    assert told == []
    assert all(count["executions"] > 0 for count in outcome.counts.values())
