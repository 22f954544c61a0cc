"""A ledger that is not as it was left is not opened: what was altered, and the code with which the process halts."""

from pathlib import Path

import apsw
import pytest
from ledgers import ORIGIN, Journal, signer

from hub.ledger import notes, reading
from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.store import LedgerStore

SIGNER = signer()
TAMPERED = [
    (
        "the last leaf changed",
        "update leaves set leaf = x'00' where idx = 299",
        Code.LEAVES_BROKEN,
        "leaf 299 is not the one that its tile says",
    ),
    ("the last leaf deleted", "delete from leaves where idx = 299", Code.LEAVES_BROKEN, "leaf 299 is missing"),
    ("a late leaf deleted", "delete from leaves where idx = 290", Code.LEAVES_BROKEN, "leaf 290 is missing"),
    ("a leaf added", "insert into leaves values (300, x'00')", Code.CHECKPOINT_MISSING, "of 300 leaves, and there are 301"),
    (
        "the newest checkpoint deleted",
        "delete from checkpoints where size = 300",
        Code.CHECKPOINT_MISSING,
        "of 200 leaves, and there are 300",
    ),
    ("all checkpoints deleted", "delete from checkpoints", Code.CHECKPOINT_MISSING, "there is no checkpoint"),
    ("a checkpoint that is none", "update checkpoints set note = 'x' where size = 300", Code.CHECKPOINT_UNREADABLE, "no empty line"),
    (
        "a checkpoint of another size",
        "update checkpoints set size = 299 where size = 300",
        Code.CHECKPOINT_UNREADABLE,
        "kept for 299 leaves is of 300",
    ),
    ("a checkpoint of another root", "update checkpoints set note = {forged} where size = 300", Code.ROOT_MISMATCH, "for 300 leaves"),
    ("an earlier one of another root", "update checkpoints set note = {earlier} where size = 100", Code.ROOT_MISMATCH, "for 100 leaves"),
    (
        "a checkpoint of a stranger",
        "update checkpoints set note = {strange} where size = 300",
        Code.CHECKPOINT_UNREADABLE,
        "no trusted key",
    ),
    ("the partial tile deleted", "delete from tiles where level = 0 and idx = 1", Code.TILES_BROKEN, "tile 1 of level 0 is missing"),
    ("the partial tile cut", "update tiles set hashes = substr(hashes, 1, 64) where level = 0 and idx = 1", Code.TILES_BROKEN, "is short"),
    ("the partial tile longer", "update tiles set hashes = zeroblob(1440) where idx = 1", Code.TILES_BROKEN, "instead of 1408"),
    ("the partial tile changed", "update tiles set hashes = zeroblob(1408) where level = 0 and idx = 1", Code.ROOT_MISMATCH, "300 leaves"),
    (
        "a whole tile changed",
        "update tiles set hashes = zeroblob(8192) where level = 0 and idx = 0",
        Code.TILES_BROKEN,
        "is not what level 1 says",
    ),
    ("the upper tile changed", "update tiles set hashes = zeroblob(32) where level = 1", Code.TILES_BROKEN, "is not what level 1 says"),
    ("the upper tile deleted", "delete from tiles where level = 1", Code.TILES_BROKEN, "tile 0 of level 1 is missing"),
    ("a journal put back", "update journals set position = position - 1", Code.JOURNALS_BROKEN, "leaf 299 is not position 299"),
    ("a journal pointed elsewhere", "update journals set idx = 5", Code.JOURNALS_BROKEN, "leaf 5 is not position 300"),
    ("a journal pointed beyond", "update journals set idx = 900", Code.JOURNALS_BROKEN, "leaf 900 is not position 300"),
    ("another version", "update meta set value = 2 where name = 'version'", Code.NOT_A_LEDGER, "the version of"),
    ("another origin", "update meta set value = 'metip.local/other' where name = 'origin'", Code.NOT_A_LEDGER, "the origin of"),
    ("a table dropped", "drop table tiles", Code.NOT_A_LEDGER, "is no ledger"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A ledger's file of 300 leaves in three groups."""
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
    store, journal = LedgerStore(path, SIGNER), Journal()
    for _ in range(3):
        store.append(journal.entries(100))
    store.close()
    return path.read_bytes()


@pytest.mark.parametrize(("name", "statement", "code", "words"), TAMPERED, ids=[case[0] for case in TAMPERED])
def test_a_ledger_that_is_not_as_it_was_left_halts_at_opening_with_a_code(
    tmp_path: Path, whole: bytes, name: str, statement: str, code: Code, words: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(whole)
    LedgerStore(path, SIGNER).close()
    forged = notes.signed(str(notes.Checkpoint(ORIGIN, 300, bytes(32))), SIGNER)
    earlier = notes.signed(str(notes.Checkpoint(ORIGIN, 100, bytes(32))), SIGNER)
    strange = notes.signed(reading.opened(path).head().checkpoint.__str__(), signer(seed=9))
    database = apsw.Connection(str(path))
    for one in statement.format(forged=f"'{forged}'", earlier=f"'{earlier}'", strange=f"'{strange}'").split("; "):
        database.execute(one)
    database.close()
    before = path.read_bytes()
    with pytest.raises(BrokenLedgerError, match=words) as halted:
        LedgerStore(path, SIGNER)
    assert halted.value.code is code
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 300, b"\0" * 5000], ids=["words", "zeros"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(BrokenLedgerError, match="NOT_A_LEDGER"):
        LedgerStore(path, SIGNER)
    with pytest.raises(BrokenLedgerError, match="NOT_A_LEDGER"):
        reading.opened(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_by_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    database = apsw.Connection(str(path))
    database.execute("create table other (x)")
    database.close()
    with pytest.raises(BrokenLedgerError, match="NOT_A_LEDGER"):
        reading.opened(path)
