"""A group of entries made into what is written of it: leaves, tiles, checkpoints, how far each journal is. The same for every engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.ledger import entries as entry_rules
from hub.ledger import notes, tree
from hub.ledger.entries import Entry, Reached
from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.notes import Checkpoint, Signer
from hub.ledger.port import Head, Statements
from hub.ledger.tiles import Edge
from hub.ledger.tree import Frontier

MOST_BETWEEN: Final = 1000
"""Leaves between two checkpoints at most."""


@dataclass(frozen=True)
class Left:
    """The ledger as its last transaction left it."""

    head: Head
    reached: dict[str, Reached]
    edge: Edge


@dataclass(frozen=True)
class Group:
    """What is written of a group, and how the ledger is afterwards."""

    first: int
    leaves: Sequence[bytes]
    heads: Sequence[Head]
    moved: Mapping[str, Reached]
    after: Left


def grown(left: Left, entries: Sequence[Entry], signer: Signer) -> Group:
    """The group that continues a ledger. Raises `RefusedEntryError`."""
    first = left.head.size
    moved = entry_rules.continued(left.reached, entries, first)
    leaves = [one.leaf() for one in entries]
    edge, heads = left.edge.copy(), list[Head]()
    for count, leaf in enumerate(leaves, 1):
        edge.append(tree.leaf_hash(leaf))
        if count % MOST_BETWEEN == 0 or count == len(leaves):
            heads.append(signed(edge.frontier, signer))
    return Group(first, leaves, heads, moved, Left(heads[-1], left.reached | moved, edge))


def signed(frontier: Frontier, signer: Signer) -> Head:
    """The checkpoint of a tree."""
    checkpoint = Checkpoint(signer.name, frontier.size, frontier.root())
    return Head(checkpoint, str(notes.signed(str(checkpoint), signer)))


def write(db: Statements, group: Group) -> None:
    """Writes a group within a transaction. Raises `BrokenLedgerError` SECOND_WRITER where somebody else appended before."""
    row: Any = db.execute("select max(size) from checkpoints").fetchone()
    if row[0] != group.first:
        raise BrokenLedgerError(Code.SECOND_WRITER, f"the ledger has {row[0]} leaves, and this process left it at {group.first}")
    db.executemany("insert into leaves (idx, leaf) values (?, ?)", enumerate(group.leaves, group.first))
    changed = ((level, index, bytes(hashes)) for (level, index), hashes in group.after.edge.changed.items())
    statement = "insert into tiles (level, idx, hashes) values (?, ?, ?) on conflict (level, idx) do update set hashes = excluded.hashes"
    db.executemany(statement, changed)
    db.executemany("insert into checkpoints (size, note) values (?, ?)", ((one.size, one.note) for one in group.heads))
    rows = ((name, one.position, one.chain, one.index) for name, one in group.moved.items())
    statement = (
        "insert into journals (name, position, chain, idx) values (?, ?, ?, ?)"
        " on conflict (name) do update set position = excluded.position, chain = excluded.chain, idx = excluded.idx"
    )
    db.executemany(statement, rows)
