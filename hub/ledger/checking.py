"""What is checked when a ledger is opened: the tree's right edge, the newest checkpoints and each journal's last record agree."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.ledger import entries as entry_rules
from hub.ledger import notes, reading, tree
from hub.ledger.entries import Reached
from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.growing import Left
from hub.ledger.notes import Verifier
from hub.ledger.port import Head, Statements
from hub.ledger.tiles import Edge, edge

CHECKED: Final = 16
"""Newest checkpoints that are checked at opening; `metip ledger verify` checks all."""


def left(db: Statements, trusted: Sequence[Verifier]) -> Left:
    """The ledger as it was left. Raises `BrokenLedgerError` for one that contradicts itself, or that nobody trusted signed."""
    reader = reading.LedgerReader(db)
    head, reached = reader.head(), reader.reached()
    _check_size(db, head)
    grown = _checked_edge(reader, head)
    _check_checkpoints(db, reader, trusted)
    _check_leaves(reader, head.size, grown)
    _check_journals(reader, reached)
    return Left(head, reached, grown)


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    """What a ledger says of itself is as it must be. Raises `BrokenLedgerError` NOT_A_LEDGER."""
    for name, value in wanted.items():
        if found.get(name) != value:
            raise BrokenLedgerError(Code.NOT_A_LEDGER, f"the {name} of {where} is {found.get(name)}, not {value}")


def _check_size(db: Statements, head: Head) -> None:
    row: Any = db.execute("select coalesce(max(idx) + 1, 0) from leaves").fetchone()
    if row[0] > head.size:
        raise BrokenLedgerError(Code.CHECKPOINT_MISSING, f"the newest checkpoint is of {head.size} leaves, and there are {row[0]}")
    if row[0] < head.size:
        raise BrokenLedgerError(Code.LEAVES_BROKEN, f"leaf {row[0]} is missing: the newest checkpoint is of {head.size}")


def _check_checkpoints(db: Statements, reader: reading.LedgerReader, trusted: Sequence[Verifier]) -> None:
    """The newest checkpoints are signed, and each is the root of the tree as the tiles have it: so each begins the next."""
    sizes: Any = db.execute("select size from checkpoints order by size desc limit ?", (CHECKED,)).fetchall()
    for (size,) in sizes:
        head = reader.checkpoint(size)
        assert head is not None
        try:
            notes.opened_checkpoint(head.note, trusted)
        except notes.NoteError as error:
            raise BrokenLedgerError(Code.CHECKPOINT_UNREADABLE, f"the checkpoint of {size}: {error}") from error
        if tree.root(size, reader.subtree) != head.checkpoint.root:
            raise BrokenLedgerError(Code.ROOT_MISMATCH, f"the tiles give another root for {size} leaves than its checkpoint")


def _checked_edge(reader: reading.LedgerReader, head: Head) -> Edge:
    grown = edge(head.size, tree.frontier(head.size, reader.subtree), reader.tile)
    if grown.frontier.root() != head.checkpoint.root:
        raise BrokenLedgerError(Code.ROOT_MISMATCH, f"the tiles give another root for {head.size} leaves than the newest checkpoint")
    return grown


def _check_leaves(reader: reading.LedgerReader, size: int, grown: Edge) -> None:
    """The leaves of the last tile are those that it says."""
    hashes = bytes(grown.last[0]) if grown.last else b""
    first = size - len(hashes) // tree.HASH_BYTES
    for index, leaf in enumerate(reader.leaves(first, size - first)):
        if tree.leaf_hash(leaf) != hashes[index * tree.HASH_BYTES : (index + 1) * tree.HASH_BYTES]:
            raise BrokenLedgerError(Code.LEAVES_BROKEN, f"leaf {first + index} is not the one that its tile says")


def _check_journals(reader: reading.LedgerReader, reached: Mapping[str, Reached]) -> None:
    """Each journal's position is that of the leaf that it names."""
    for name, one in reached.items():
        leaves = reader.leaves(one.index, 1)
        try:
            found = entry_rules.read(leaves[0]) if leaves else None
        except ValueError:
            found = None
        if found is None or (found.journal, found.position, found.chain) != (name, one.position, one.chain):
            raise BrokenLedgerError(Code.JOURNALS_BROKEN, f"leaf {one.index} is not position {one.position} of journal {name}")
