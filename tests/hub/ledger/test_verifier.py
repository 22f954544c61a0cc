"""The verifier on ledgers: a clean one verifies, and whatever is altered, the first bad record is named."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from altering import ALTERATIONS, AMBIGUOUS, SIGNER, SIZE, Clean, alter, checked, fault, retiled, rows, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledgers import ORIGIN, Journal, signer

from hub.ledger import notes, tree
from hub.ledger.notes import Checkpoint
from hub.ledger.store import LedgerStore
from hub.ledger.verifier import Fault, UnverifiableError

LAST_OF_A_JOURNAL = SIZE - 6


def test_a_clean_ledger_verifies(clean: Clean) -> None:
    found = checked(clean.path)
    assert (found.verified, found.fault, found.records, found.size, found.checkpoints) == (True, None, SIZE, SIZE, 6)
    assert (found.origin, found.cosigned) == (ORIGIN, 600)
    assert sum(found.journals.values()) == SIZE
    assert clean.entries[LAST_OF_A_JOURNAL].journal not in {one.journal for one in clean.entries[LAST_OF_A_JOURNAL + 1 :]}
    assert found.journals["hub"] == max(one.position for one in clean.entries if one.journal == "hub")


def test_an_empty_ledger_verifies(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    LedgerStore(path, SIGNER).close()
    assert checked(path).verified


def test_a_ledger_verifies_while_it_grows(tmp_path: Path) -> None:
    store, journal = LedgerStore(tmp_path / "ledger.sqlite", SIGNER), Journal()
    store.append(journal.entries(300))
    found = checked(tmp_path / "ledger.sqlite", progress=lambda _done, _total: store.append(journal.entries(10)) and None)
    assert (found.verified, found.records) == (True, 300)
    assert checked(tmp_path / "ledger.sqlite").records == 310
    store.close()


@settings(max_examples=100, deadline=None)
@example(index=SIZE - 2, name="deleted and closed up", seed=0)  # of the same journal as the one behind it, which alone shows the gap
@example(index=LAST_OF_A_JOURNAL, name="deleted and closed up", seed=0)  # nothing behind it shows a gap
@given(index=st.integers(0, SIZE - 1), name=st.sampled_from(sorted(ALTERATIONS)), seed=st.integers(0, 1 << 32))
def test_whatever_happens_to_records_the_first_bad_one_is_named(
    clean: Clean, index: int, name: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = Path(shutil.copy(clean.path, tmp_path_factory.mktemp("altered")))
    bad, words = ALTERATIONS[name](copy, clean.entries, index, random.Random(seed))
    found = fault(copy)
    assert (found.index, found.what[: len(words)]) == (bad, words)
    if 0 <= bad < SIZE and found.journal is not None:
        assert (found.journal, found.position) == (clean.entries[bad].journal, clean.entries[bad].position) or name in AMBIGUOUS


OTHER_TEXT = str(Checkpoint(ORIGIN, 300, bytes(32)))
CHECKPOINTS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("no text", "update checkpoints set note = 'x' where size = 300", {}, 299, "the checkpoint of 300 records: it is no signed note"),
    (
        "of a stranger",
        "update checkpoints set note = :value where size = 300",
        {"value": str(notes.signed(OTHER_TEXT, signer(seed=9)))},
        299,
        "the checkpoint of 300 records: no trusted key",
    ),
    (
        "of another root",
        "update checkpoints set note = :value where size = 300",
        {"value": str(notes.signed(OTHER_TEXT, SIGNER))},
        299,
        "the checkpoint of 300 records: its cosigned form has another text",
    ),
    (
        "of another root, not cosigned",
        "update checkpoints set cosigned = null, note = :value where size = 300",
        {"value": str(notes.signed(OTHER_TEXT, SIGNER))},
        100,
        "one of the records 100 to 299 is not as it was signed",
    ),
    ("moved", "update checkpoints set size = 299 where size = 300", {}, 298, "the checkpoint of 299 records: it is of 300 records"),
    (
        "one more",
        "insert into checkpoints (size, note) select 50, note from checkpoints where size = 100",
        {},
        49,
        "the checkpoint of 50 records: it is of 100 records",
    ),
    (
        "of another origin",
        "update checkpoints set cosigned = null, note = :value where size = 300",
        {"value": str(notes.signed(str(Checkpoint("other", 300, bytes(32))), signer("other")))},
        299,
        "the checkpoint of 300 records: no trusted key of its origin",
    ),
    ("the newest gone", "delete from checkpoints where size = 700", {}, 600, "it is beyond the newest checkpoint, which is of 600 records"),
    ("all gone", "delete from checkpoints", {}, 0, "there is no checkpoint"),
    (
        "cosigned by a stranger",
        "update checkpoints set cosigned = note where size = 300",
        {},
        299,
        "the checkpoint of 300 records: its cosigned form is not signed by a trusted witness",
    ),
    (
        "cosignature of another text",
        "update checkpoints set cosigned = (select cosigned from checkpoints where size = 100) where size = 300",
        {},
        299,
        "the checkpoint of 300 records: its cosigned form has another text",
    ),
    (
        "upper tile changed",
        "update tiles set hashes = zeroblob(64) where level = 1",
        {},
        0,
        "tile 0 of level 1 says otherwise of the records 0 to 255; by the checkpoint",
    ),
    (
        "upper tile gone",
        "delete from tiles where level = 1",
        {},
        0,
        "tile 0 of level 1 says otherwise of the records 0 to 255; by the checkpoint",
    ),
    ("a tile beyond", "insert into tiles values (0, 3, zeroblob(32))", {}, 768, "tile 3 of level 0 is of 32 bytes, which it can't be"),
    ("a tile longer", "update tiles set hashes = zeroblob(96) where level = 1", {}, 0, "tile 0 of level 1 says otherwise"),
    ("a level beyond", "insert into tiles values (2, 0, zeroblob(32))", {}, 0, "tile 0 of level 2 is of 32 bytes, which it can't be"),
    (
        "a journal put back",
        "update journals set position = position - 1 where name = 'hub'",
        {},
        -1,
        "the table of journals says otherwise",
    ),
    ("a journal more", "insert into journals values ('more', 1, zeroblob(32), 0)", {}, -2, "the table of journals says otherwise"),
    ("a journal less", "delete from journals where name = 'hub'", {}, -1, "the table of journals says otherwise"),
]


@pytest.mark.parametrize(("name", "statement", "values", "index", "words"), CHECKPOINTS, ids=[case[0] for case in CHECKPOINTS])
def test_whatever_happens_to_checkpoints_and_tables_is_named(
    copy: Path, clean: Clean, name: str, statement: str, values: dict[str, Any], index: int, words: str
) -> None:
    alter(copy, statement, **values)
    found = fault(copy)
    last = max(place for place, one in enumerate(clean.entries) if one.journal == "hub")
    assert found.index == {-1: last, -2: None}.get(index, index)
    assert found.what.startswith(words)


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, 5), place=st.integers(0, 10_000))
def test_no_bit_of_a_checkpoint_can_be_flipped(clean: Clean, tmp_path_factory: pytest.TempPathFactory, which: int, place: int) -> None:
    copy = Path(shutil.copy(clean.path, tmp_path_factory.mktemp("altered")))
    size = (0, 1, 100, 300, 600, 700)[which]
    note = bytearray(rows(copy, "select note from checkpoints where size = ?", size)[0][0].encode())
    bit = place % (len(note) * 8)
    note[bit // 8] ^= 1 << bit % 8
    alter(copy, "update checkpoints set note = cast(:note as text) where size = :size", note=bytes(note), size=size)
    assert fault(copy).index == max(size - 1, 0)


def test_too_many_records_without_a_checkpoint_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    written(path, (2500,))
    assert checked(path).checkpoints == 4
    alter(path, "delete from checkpoints where size = 2000")
    found = fault(path)
    assert (found.index, found.what[:26]) == (2000, "no checkpoint is of it: th")


def test_a_ledger_cut_off_at_an_earlier_checkpoint_shows_against_one_that_is_known_elsewhere(clean: Clean, copy: Path) -> None:
    at = notes.opened_checkpoint(rows(copy, "select note from checkpoints where size = 700")[0][0], [SIGNER.verifier])[0]
    known = [(at.origin, at.size, at.root)]
    assert checked(copy, known=known).verified
    alter(copy, "delete from checkpoints where size > 600")
    retiled(copy, [one.leaf() for one in clean.entries[:600]])
    assert checked(copy).verified, "nothing within the file can tell"
    assert fault(copy, known=known) == Fault("it is missing: a checkpoint of 700 records was signed, and here are 600", 600)


def test_a_ledger_that_its_own_key_rewrote_shows_against_a_checkpoint_that_is_known_elsewhere(clean: Clean, tmp_path: Path) -> None:
    other = tmp_path / "ledger.sqlite"
    written(other, (100, 200, 400))
    at = notes.opened_checkpoint(rows(clean.path, "select note from checkpoints where size = 300")[0][0], [SIGNER.verifier])[0]
    store = LedgerStore(other, SIGNER)
    store.append(Journal("late").entries(1))
    store.close()
    known = [(at.origin, at.size, bytes(32))]
    assert fault(other, known=known) == Fault("the ledger was rewritten: another checkpoint of 300 records is known elsewhere", 299)


def test_a_damaged_database_is_not_verified_and_no_crash(clean: Clean, tmp_path: Path) -> None:
    chance, whole = random.Random(11), clean.path.read_bytes()
    for _ in range(40):
        damaged = bytearray(whole)
        at = chance.randrange(100, len(damaged) - 64)
        damaged[at : at + 64] = chance.randbytes(64)
        path = tmp_path / "damaged.sqlite"
        path.write_bytes(damaged)
        try:
            found = checked(path)
        except UnverifiableError:
            continue
        if found.verified:  # it was a place that holds nothing: then all of it reads as it did
            assert rows(path, "select * from leaves") == rows(clean.path, "select * from leaves")
            assert found.records == SIZE


def test_a_size_that_is_known_elsewhere_is_checked_where_there_is_no_checkpoint(clean: Clean) -> None:
    grown = tree.Frontier()
    for one in clean.entries[:250]:
        grown.append(tree.leaf_hash(one.leaf()))
    assert checked(clean.path, known=[(ORIGIN, 250, grown.root())]).verified
    assert fault(clean.path, known=[(ORIGIN, 250, bytes(32))]).index == 249
    assert fault(clean.path, known=[("metip.local/other", 250, grown.root())]).index == 249
