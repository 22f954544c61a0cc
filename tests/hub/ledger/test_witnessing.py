"""The witness's rule and memory: what begins with the last checkpoint is taken, and nothing else ever is."""

import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ORIGIN, Leaves, signer

from hub.ledger import notes, tree
from hub.ledger.notes import Checkpoint, Signer
from hub.ledger.witnessing import Memory, Reason, RefusedCheckpointError, judge

LOG = signer()
OTHER = signer("metip.local/other", seed=3)
TRUSTED = (LOG.verifier, OTHER.verifier)
DATA = [b"leaf %d" % number for number in range(40)]
READER = Leaves(DATA)


def checkpoint(size: int, data: list[bytes] | None = None) -> Checkpoint:
    """The checkpoint of the first leaves."""
    return Checkpoint(ORIGIN, size, tree.root(size, Leaves(data) if data else READER))


def note(said: Checkpoint, by: Signer = LOG) -> str:
    """A checkpoint as a log signs it."""
    return str(notes.signed(str(said), by))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """The memory of a witness that knows nothing yet."""
    opened = Memory(tmp_path / "state" / "witness.sqlite")
    yield opened
    opened.close()


def refused(memory: Memory, content: str, old: int, proof: tuple[bytes, ...] = ()) -> RefusedCheckpointError:
    """How a checkpoint is refused; what was known is still known."""
    before = memory.known(ORIGIN)
    with pytest.raises(RefusedCheckpointError) as caught:
        memory.add(content, old, proof, TRUSTED)
    assert memory.known(ORIGIN) == before
    return caught.value


def test_the_first_checkpoint_begins_with_nothing_and_each_next_one_with_the_last(memory: Memory, tmp_path: Path) -> None:
    assert memory.known(ORIGIN) == (Checkpoint(ORIGIN, 0, tree.EMPTY), "")
    for old, new in ((0, 5), (5, 5), (5, 8), (8, 13), (13, 40)):
        said = checkpoint(new)
        assert memory.add(note(said), old, tree.consistency(old, new, READER), TRUSTED) == said
        assert memory.known(ORIGIN) == (said, note(said))
    assert stat.S_IMODE((tmp_path / "state" / "witness.sqlite").stat().st_mode) == 0o600


def test_what_was_taken_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "witness.sqlite"
    memory = Memory(path)
    memory.add(note(checkpoint(7)), 0, (), TRUSTED)
    copy = tmp_path / "killed.sqlite"  # as a kill leaves it: nothing was closed
    for one in tmp_path.glob("witness.sqlite*"):
        (tmp_path / one.name.replace("witness", "killed")).write_bytes(one.read_bytes())
    again = Memory(copy)
    assert again.known(ORIGIN)[0] == checkpoint(7)
    assert refused(again, note(checkpoint(6)), 6).reason is Reason.ROLLBACK
    again.close()
    memory.close()


def test_two_logs_are_told_apart(memory: Memory) -> None:
    memory.add(note(checkpoint(7)), 0, (), TRUSTED)
    other = Checkpoint(OTHER.name, 3, tree.root(3, READER))
    memory.add(note(other, OTHER), 0, (), TRUSTED)
    assert (memory.known(ORIGIN)[0].size, memory.known(OTHER.name)[0].size) == (7, 3)


FORKED = [b"another leaf %d" % number for number in range(40)]
TEN = tree.consistency(5, 10, READER)
REFUSED: dict[str, tuple[str, int, tuple[bytes, ...], Reason, str]] = {
    "a rollback": (note(checkpoint(4)), 4, (), Reason.ROLLBACK, "it has 4 records, and one of 5 is known"),
    "a rollback to nothing": (note(checkpoint(0)), 0, (), Reason.ROLLBACK, "it has 0 records, and one of 5 is known"),
    "a fork of the same size": (note(checkpoint(5, FORKED)), 5, (), Reason.FORK, "another checkpoint of 5 records is known"),
    "a fork that grew": (
        note(checkpoint(10, FORKED)),
        5,
        tree.consistency(5, 10, Leaves(FORKED)),
        Reason.FORK,
        "does not begin with that of 5",
    ),
    "a fork that hides its beginning": (
        note(checkpoint(10, FORKED)),
        0,
        (),
        Reason.STALE,
        "the proof leads from 0, and one of 5 records is known",
    ),
    "no proof": (note(checkpoint(10)), 5, (), Reason.FORK, "the proof is empty"),
    "another proof": (note(checkpoint(10)), 5, TEN[:-1], Reason.FORK, "too few"),
    "a proof from elsewhere": (note(checkpoint(10)), 4, tree.consistency(4, 10, READER), Reason.STALE, "the proof leads from 4"),
    "a proof of something for the same": (note(checkpoint(5)), 5, TEN, Reason.FORK, "there is nothing to prove"),
    "no note": ("x", 5, (), Reason.MALFORMED, "no empty line"),
    "no checkpoint": (str(notes.signed("x\n", LOG)), 5, (), Reason.MALFORMED, "three lines"),
    "an unknown log": (
        note(Checkpoint("metip.local/third", 1, bytes(32)), signer("metip.local/third")),
        0,
        (),
        Reason.UNKNOWN_LOG,
        "no log of that origin",
    ),
    "not signed by the log": (note(checkpoint(10), signer(seed=9)), 5, TEN, Reason.UNSIGNED, "no trusted key"),
    "signed by another log": (note(checkpoint(10), OTHER), 5, TEN, Reason.UNSIGNED, "no trusted key"),
    "a broken signature": (note(checkpoint(10)).replace("\n10\n", "\n11\n"), 5, TEN, Reason.UNSIGNED, "is not of this text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_begin_with_the_last_checkpoint_is_refused_with_why(memory: Memory, name: str) -> None:
    content, old, proof, reason, words = REFUSED[name]
    memory.add(note(checkpoint(5)), 0, (), TRUSTED)
    found = refused(memory, content, old, proof)
    assert found.reason is reason
    assert words in str(found)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=12))
def test_whatever_is_offered_the_witness_only_ever_grows_along_one_history(offers: list[tuple[int, bool]]) -> None:
    known, history = Checkpoint(ORIGIN, 0, tree.EMPTY), list[Checkpoint]()
    for size, forked in offers:
        leaves = Leaves(FORKED) if forked else READER
        offered = Checkpoint(ORIGIN, size, tree.root(size, leaves))
        proof = tree.consistency(known.size, size, leaves) if size >= known.size else ()
        try:
            judge(known, known.size, proof, offered)
        except RefusedCheckpointError:
            continue
        known = offered
        history.append(offered)
    sizes = [one.size for one in history]
    assert sizes == sorted(sizes)
    assert len({one.root == checkpoint(one.size).root for one in history if one.size}) <= 1


def test_a_second_witness_on_one_file_does_not_start(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(apsw.BusyError):
        Memory(tmp_path / "state" / "witness.sqlite")
