"""Ledgers to be altered behind their back, every way of altering one, and which record is the first bad one then."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
from ledgers import Journal, signer

from hub.ledger import tree, verifier
from hub.ledger.entries import Entry, read
from hub.ledger.notes import Kind
from hub.ledger.store import LedgerStore
from hub.ledger.tiles import Edge
from hub.ledger.verifier import Fault, Key, Report

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


def relinked(entries: list[Entry]) -> list[bytes]:
    """Leaves with their chains made anew: what somebody does who knows how a journal is made."""
    chains = {name: Journal(name) for name in {one.journal for one in entries}}
    return [chains[one.journal].entry(one.record).leaf() for one in entries]


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
