"""The verifier: a clean ledger verifies; whatever is altered, the first bad record is named; it runs alone."""

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ORIGIN, Journal, signer

from hub.ledger import notes, tree, verifier
from hub.ledger.entries import Entry
from hub.ledger.notes import Checkpoint, Kind
from hub.ledger.store import LedgerStore
from hub.ledger.verifier import Fault, Key, Report, UnverifiableError

SIGNER = signer()
WITNESS = signer("metip.local/witness", seed=2, kind=Kind.COSIGNATURE)
TRUSTED = [Key.parsed(str(SIGNER.verifier))]
WITNESSES = [Key.parsed(str(WITNESS.verifier))]
SIZE = 700
GROUPS = (1, 99, 200, 300, 100)
"""Leaves of each group: checkpoints at 1, 100, 300, 600 and 700; two whole tiles and a partial one."""


class Clean:
    """A ledger's file, and what is in it."""

    def __init__(self, path: Path, entries: list[Entry]) -> None:
        self.path, self.entries = path, entries


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """A ledger of three journals, closed; each checkpoint but the last is cosigned."""
    path = tmp_path_factory.mktemp("clean") / "ledger.sqlite"
    return Clean(path, written(path, GROUPS))


def written(path: Path, groups: tuple[int, ...]) -> list[Entry]:
    """Makes a ledger; its entries."""
    store, journals, entries = LedgerStore(path, SIGNER), [Journal(name) for name in ("example-0", "example-1", "hub")], list[Entry]()
    chance = random.Random(3)
    for number, count in enumerate(groups):
        group = [chance.choice(journals).entry() for _ in range(count)]
        entries += group
        head = store.append(group)
        if number + 1 < len(groups):
            store.cosign(head.size, head.note + WITNESS.sign(str(head.checkpoint), time=1))
    store.close()
    return entries


@pytest.fixture
def copy(clean: Clean, tmp_path: Path) -> Path:
    """A copy to be altered."""
    return Path(shutil.copy(clean.path, tmp_path))


def checked(path: Path, **more: Any) -> Report:
    """What the verifier finds."""
    return verifier.verify_ledger(path, TRUSTED, WITNESSES, **more)


def fault(path: Path, **more: Any) -> Fault:
    """The first thing that the verifier finds wrong."""
    found = checked(path, **more)
    assert not found.verified
    assert found.fault is not None
    return found.fault


def alter(path: Path, *statements: str, **values: Any) -> None:
    """Alters a ledger behind its back."""
    database = apsw.Connection(str(path))
    for one in statements:
        database.execute(one, values)
    database.close()


def test_a_clean_ledger_verifies(clean: Clean) -> None:
    found = checked(clean.path)
    assert (found.verified, found.fault, found.records, found.size, found.checkpoints) == (True, None, SIZE, SIZE, 6)
    assert (found.origin, found.cosigned) == (ORIGIN, 600)
    assert sum(found.journals.values()) == SIZE
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


def relinked(entries: list[Entry]) -> list[bytes]:
    """Leaves with their chains made anew: what somebody does who knows how a journal is made."""
    chains = {name: Journal(name) for name in {one.journal for one in entries}}
    return [chains[one.journal].entry(one.record).leaf() for one in entries]


@settings(max_examples=100, deadline=None)
@given(index=st.integers(0, SIZE - 1), name=st.deferred(lambda: st.sampled_from(sorted(ALTERATIONS))), seed=st.integers(0, 1 << 32))
def test_whatever_happens_to_records_the_first_bad_one_is_named(
    clean: Clean, index: int, name: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = Path(shutil.copy(clean.path, tmp_path_factory.mktemp("altered")))
    bad, words = ALTERATIONS[name](copy, clean.entries, index, random.Random(seed))
    found = fault(copy)
    assert (found.index, found.what[: len(words)]) == (bad, words)
    if 0 <= bad < SIZE and found.journal is not None:
        assert (found.journal, found.position) == (clean.entries[bad].journal, clean.entries[bad].position) or name in AMBIGUOUS


AMBIGUOUS = ("inserted", "swapped", "moved")
"""Where the leaf that stands at the place is a good one of another place, and names itself."""


def flip(path: Path, entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """One bit of a leaf."""
    leaf = bytearray(entries[index].leaf())
    bit = chance.randint(0, len(leaf) * 8 - 1)
    leaf[bit // 8] ^= 1 << bit % 8
    alter(path, "update leaves set leaf = :leaf where idx = :index", leaf=bytes(leaf), index=index)
    return index, "it is not what its tile says, and was changed"


def delete(path: Path, _entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """A leaf is gone."""
    alter(path, "delete from leaves where idx = :index", index=index)
    return index, "it is missing"


def close_up(path: Path, _entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """A leaf is gone and the others have moved up."""
    alter(
        path,
        "delete from leaves where idx = :index",
        "update leaves set idx = -idx where idx > :index",
        "update leaves set idx = -idx - 1 where idx < 0",
        index=index,
    )
    return index, "it is missing" if index == SIZE - 1 else "it is not what its tile says, and "


def insert(path: Path, entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """A leaf more: a copy of another, or one that is made up."""
    other = entries[chance.randint(0, SIZE - 1)]
    leaf = chance.choice((other.leaf(), Journal("made-up").entry().leaf()))
    if leaf == entries[index].leaf():
        leaf = Journal("made-up").entry().leaf()
    alter(path, "update leaves set idx = -idx - 1 where idx >= :index", "update leaves set idx = -idx where idx < 0", index=index)
    alter(path, "insert into leaves values (:index, :leaf)", index=index, leaf=leaf)
    return index, "it is not what its tile says, and was changed"


def swap(path: Path, entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """Two leaves change places."""
    other = (index + chance.randrange(1, SIZE)) % SIZE
    for one, leaf in ((index, entries[other].leaf()), (other, entries[index].leaf())):
        alter(path, "update leaves set leaf = :leaf where idx = :index", leaf=leaf, index=one)
    return min(index, other), "it is not what its tile says, and was changed"


def move(path: Path, entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """A leaf is moved elsewhere, and those between close up."""
    to = (index + chance.randrange(1, SIZE)) % SIZE
    moved = list(entries)
    moved.insert(to, moved.pop(index))
    replace(path, [one.leaf() for one in moved])
    return min(index, to), "it is not what its tile says, and was changed"


def truncate(path: Path, _entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """Everything from a leaf on is gone."""
    alter(path, "delete from leaves where idx >= :index", index=index)
    return index, "it is missing"


def append(path: Path, entries: list[Entry], _index: int, _chance: random.Random) -> tuple[int, str]:
    """A leaf that nobody signed."""
    alter(path, "insert into leaves values (:index, :leaf)", index=SIZE, leaf=entries[0].leaf())
    return SIZE, "it is beyond the newest checkpoint"


def before(path: Path, entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """A leaf before the first."""
    alter(path, "insert into leaves values (:index, :leaf)", index=-1 - index, leaf=entries[0].leaf())
    return -1 - index, "it has no place in the ledger"


def overwrite(path: Path, entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """Another record under the same name and position, with its tile."""
    record = chance.randbytes(chance.randrange(100))
    one = entries[index]
    forged = Entry(one.journal, one.position, record + b"!", one.chain)
    alter(path, "update leaves set leaf = :leaf where idx = :index", leaf=forged.leaf(), index=index)
    tile = bytearray(rows(path, "select hashes from tiles where level = 0 and idx = ?", index // 256)[0][0])
    tile[index % 256 * 32 : index % 256 * 32 + 32] = tree.leaf_hash(forged.leaf())
    alter(path, "update tiles set hashes = :tile where level = 0 and idx = :index", tile=bytes(tile), index=index // 256)
    return index, "its chain does not follow"


def flip_tile(path: Path, _entries: list[Entry], index: int, chance: random.Random) -> tuple[int, str]:
    """One bit of a leaf's hash in its tile."""
    tile = bytearray(rows(path, "select hashes from tiles where level = 0 and idx = ?", index // 256)[0][0])
    tile[index % 256 * 32 + chance.randint(0, 31)] ^= 1 << chance.randint(0, 7)
    alter(path, "update tiles set hashes = :tile where level = 0 and idx = :index", tile=bytes(tile), index=index // 256)
    return index, "it is not what its tile says; by the checkpoint the record is as it was signed, and the tile is wrong"


def cut_tile(path: Path, _entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """The end of a leaf's tile is gone."""
    alter(
        path,
        "update tiles set hashes = substr(hashes, 1, :length) where level = 0 and idx = :index",
        length=index % 256 * 32 + 31,
        index=index // 256,
    )
    return index, "its tile is missing or ends before it; by the checkpoint the record is as it was signed"


def drop_tile(path: Path, _entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """A leaf's tile is gone."""
    alter(path, "delete from tiles where level = 0 and idx = :index", index=index // 256)
    return index // 256 * 256, "its tile is missing or ends before it; by the checkpoint the record is as it was signed"


def forge_everything(path: Path, entries: list[Entry], index: int, _chance: random.Random) -> tuple[int, str]:
    """Another record, and chains and tiles made anew by somebody who has everything but the signing key."""
    one = entries[index]
    forged = [*entries[:index], Entry(one.journal, one.position, b"never happened", one.chain), *entries[index + 1 :]]
    retiled(path, relinked(forged))
    checkpoints = [0, 1, 100, 300, 600, 700]
    return max(size for size in checkpoints if size <= index), "one of the records"


ALTERATIONS: dict[str, Callable[[Path, list[Entry], int, random.Random], tuple[int, str]]] = {
    "a bit flipped": flip,
    "deleted": delete,
    "deleted and closed up": close_up,
    "inserted": insert,
    "swapped": swap,
    "moved": move,
    "truncated": truncate,
    "one more at the end": append,
    "one before the first": before,
    "record and tile overwritten": overwrite,
    "a bit of the tile flipped": flip_tile,
    "the tile cut": cut_tile,
    "the tile gone": drop_tile,
    "all made anew but the signatures": forge_everything,
}


def rows(path: Path, statement: str, *values: Any) -> list[Any]:
    """What is in a file."""
    database = apsw.Connection(str(path))
    found = database.execute(statement, values).fetchall()
    database.close()
    return found


def replace(path: Path, leaves: list[bytes]) -> None:
    """Other leaves."""
    database = apsw.Connection(str(path))
    with database:
        database.execute("delete from leaves")
        database.executemany("insert into leaves values (?, ?)", enumerate(leaves))
    database.close()


def retiled(path: Path, leaves: list[bytes]) -> None:
    """Other leaves, with tiles and table of journals that fit."""
    from hub.ledger.entries import read
    from hub.ledger.tiles import Edge

    replace(path, leaves)
    grown, database = Edge(), apsw.Connection(str(path))
    for leaf in leaves:
        grown.append(tree.leaf_hash(leaf))
    with database:
        database.execute("delete from tiles")
        changed = ((level, index, bytes(hashes)) for (level, index), hashes in grown.changed.items())
        database.executemany("insert into tiles values (?, ?, ?)", changed)
        database.execute("delete from journals")
        last = ((one.journal, one.position, one.chain, index) for index, one in enumerate(map(read, leaves)))
        database.executemany("insert or replace into journals values (?, ?, ?, ?)", last)
    database.close()


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


@pytest.fixture(scope="module")
def proof(clean: Clean) -> dict[str, Any]:
    """A proof of one record."""
    store = LedgerStore(clean.path, SIGNER)
    reader = store.reader()
    head = reader.head()
    path = tree.inclusion(123, head.size, reader.subtree)
    leaf = {"index": 123, "leaf": encoded(clean.entries[123].leaf()), "proof": [encoded(one) for one in path], "particulars": ""}
    reader.close()
    store.close()
    return {"format": "metip-ledger-proof/1", "checkpoint": head.note, "cosigned": "", "leaves": [leaf]}


def encoded(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode()


def test_a_proof_verifies(proof: dict[str, Any]) -> None:
    found = verifier.verify_document(json.dumps(proof), TRUSTED)
    assert (found.verified, found.kind, found.records, found.size) == (True, "proof", 1, SIZE)


def changed(document: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """A document with one thing otherwise."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    at: Any = found
    for one in path[:-1]:
        at = at[one]
    at[path[-1]] = value
    return found


WRONG_PROOFS: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("another index", ("leaves", 0, "index"), 124, "record 124 (journal"),
    ("an index beyond", ("leaves", 0, "index"), 700, "record 700 (journal"),
    ("a negative index", ("leaves", 0, "index"), -1, "record -1 (journal"),
    ("no hashes", ("leaves", 0, "proof"), [], "does not lead to the root"),
    ("a hash too many", ("leaves", 0, "proof", 0), encoded(bytes(64)), "does not lead to the root"),
    (
        "another leaf",
        ("leaves", 0, "leaf"),
        encoded(Journal().entry().leaf()),
        "record 123 (journal example-0, position 1): its proof does not lead",
    ),
    ("no leaf", ("leaves", 0, "leaf"), encoded(b"x"), "record 123: it is no entry"),
    ("no base64", ("leaves", 0, "leaf"), "?", "it is not of the format: Error"),
    (
        "another checkpoint",
        ("checkpoint",),
        str(notes.signed(str(Checkpoint(ORIGIN, 700, bytes(32))), SIGNER)),
        "does not lead to the root",
    ),
    (
        "a stranger's checkpoint",
        ("checkpoint",),
        str(notes.signed(str(Checkpoint(ORIGIN, 700, bytes(32))), signer(seed=9))),
        "the checkpoint: no trusted key",
    ),
    ("no list", ("leaves",), 7, "it is not of the format: TypeError"),
    ("another's cosignature", ("cosigned",), str(notes.signed(OTHER_TEXT, SIGNER)), "the checkpoint: its cosigned form has another text"),
]


@pytest.mark.parametrize(("name", "path", "value", "words"), WRONG_PROOFS, ids=[case[0] for case in WRONG_PROOFS])
def test_a_wrong_proof_does_not_verify_and_says_why(
    proof: dict[str, Any], name: str, path: tuple[str | int, ...], value: Any, words: str
) -> None:
    found = verifier.verify_document(json.dumps(changed(proof, *path, value=value)), TRUSTED)
    assert not found.verified
    assert words in verifier.told(found)


@pytest.fixture
def bundle(proof: dict[str, Any]) -> dict[str, Any]:
    """A signed bundle of one record, with something in clear."""
    import hashlib

    made = changed(proof, "format", value="metip-ledger-bundle/1")
    made["leaves"][0]["particulars"] = '{"reference": "synthetic"}'
    one = made["leaves"][0]
    leaf = base64.b64decode(one["leaf"])
    parts = (
        made["checkpoint"].encode(),
        (123).to_bytes(8),
        hashlib.sha256(leaf).digest(),
        hashlib.sha256(one["particulars"].encode()).digest(),
    )
    text = f"metip-ledger-bundle/1\n1\n{encoded(hashlib.sha256(b''.join(parts)).digest())}\n"
    return made | {"signature": str(notes.signed(text, SIGNER))}


def test_a_bundle_verifies_and_nothing_of_it_can_be_left_out_added_or_changed(bundle: dict[str, Any]) -> None:
    assert verifier.verify_document(json.dumps(bundle), TRUSTED).verified
    wrong = (
        changed(bundle, "leaves", value=[]),
        changed(bundle, "leaves", value=bundle["leaves"] * 2),
        changed(bundle, "leaves", 0, "particulars", value="{}"),
    )
    for one in wrong:
        found = verifier.verify_document(json.dumps(one), TRUSTED)
        assert (
            verifier.told(found) == "NOT VERIFIED: the bundle's signature is of another content: something was left out, added or changed"
        )
    stranger = str(notes.signed(bundle["signature"].rpartition("\n\n")[0] + "\n", signer(seed=9)))
    assert "no trusted key of the ledger signed the bundle" in verifier.told(
        verifier.verify_document(json.dumps(changed(bundle, "signature", value=stranger)), TRUSTED)
    )


@pytest.mark.parametrize(
    "content",
    ["", "[]", "7", '{"format": "other"}', '{"format": []}', "[" * 100_000],
    ids=["nothing", "a list", "a number", "other", "unhashable", "deep"],
)
def test_what_is_no_document_is_unverifiable(content: str) -> None:
    with pytest.raises(UnverifiableError, match="neither a ledger nor JSON"):
        verifier.verify_document(content, TRUSTED)


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The verifier as a file of its own, run where nothing of ours can be imported."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    (folder / "ledger.vkey").write_text(f"{SIGNER.verifier}\n")
    (folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(hub=None, metip=None, adapters=None, apsw=None, google=None)\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
        return subprocess.run(
            [sys.executable, "verifier.py", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_it_runs_alone_on_another_machine(
    alone: Callable[..., subprocess.CompletedProcess[str]], clean: Clean, copy: Path, proof: dict[str, Any], tmp_path: Path
) -> None:
    done = alone(str(clean.path), "--vkey", "ledger.vkey", "--witness-vkey", str(WITNESS.verifier))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified: 700 records of metip.local/ledger, 6 checkpoints, signed up to 700, a witness up to 600, in ")
    alter(copy, "update leaves set leaf = zeroblob(9) where idx = 321")
    done = alone(str(copy), "--vkey", str(SIGNER.verifier), "--json")
    found = json.loads(done.stdout)
    one = clean.entries[321]
    assert (done.returncode, found["verified"], found["records"]) == (1, False, 600)
    assert found["fault"] == {
        "what": "it is not what its tile says, and was changed",
        "index": 321,
        "journal": one.journal,
        "position": one.position,
    }
    document = tmp_path / "proof.json"
    document.write_text(json.dumps(proof))
    assert alone(str(document), "--vkey", "ledger.vkey").returncode == 0
    known = tmp_path / "known.txt"
    known.write_text(str(notes.signed(str(Checkpoint(ORIGIN, 900, bytes(32))), SIGNER)))
    done = alone(str(clean.path), "--vkey", "ledger.vkey", "--known", str(known))
    assert (done.returncode, done.stdout) == (
        1,
        "NOT VERIFIED: record 700: it is missing: a checkpoint of 900 records was signed, and here are 700\n",
    )


UNUSABLE = [
    (("nowhere.sqlite", "--vkey", "ledger.vkey"), "nowhere.sqlite can't be read: No such file or directory"),
    (("ledger.vkey", "--vkey", "ledger.vkey"), "that is neither a ledger nor JSON"),
    (("verifier.py", "--vkey", "nothing"), "nothing is neither a verifier key nor a file of them"),
    (("verifier.py", "--vkey", "a+00000000+AAAA"), "that is no verifier key"),
    (("verifier.py", "--vkey", str(SIGNER.verifier).replace("metip", "metep")), "not the one that is stated"),
    (
        ("verifier.py", "--vkey", "ledger.vkey", "--known", "ledger.vkey"),
        "ledger.vkey is no checkpoint of the ledger: it is no signed note",
    ),
]


@pytest.mark.parametrize(("arguments", "words"), UNUSABLE, ids=[words for _, words in UNUSABLE])
def test_what_can_not_be_verified_ends_with_two(
    alone: Callable[..., subprocess.CompletedProcess[str]], arguments: tuple[str, ...], words: str
) -> None:
    done = alone(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_copy_in_a_folder_that_nobody_may_write_verifies(clean: Clean, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    copy = Path(shutil.copy(clean.path, folder))
    copy.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert checked(copy).verified
    finally:
        folder.chmod(0o700)


def test_twenty_thousand_records_verify_within_a_fiftieth_of_a_minute_or_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    written(path, (1000,) * 20)
    found = []
    for _ in range(3):
        began = time.process_time()
        assert checked(path).verified
        found.append(time.process_time() - began)
    assert min(found) < 60 / 50, "a million would take more than a minute of this processor"
