"""The embedded engine of the ledger: one SQLite file (WAL, synchronous=FULL); leaves, tiles, checkpoint and whatever belongs to them are
written in one transaction.

The law: at opening, the tree's right edge is recomputed from the tiles and must be what the newest checkpoints signed; otherwise nothing is
opened. What is told is on disk, and a failed transaction takes everything back with it, in memory too.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import apsw

from hub.ledger import entries as entry_rules
from hub.ledger import notes, reading, tree
from hub.ledger.entries import Entry, Reached
from hub.ledger.faults import BrokenLedgerError, Code, FullLedgerError
from hub.ledger.notes import Checkpoint, Signer, Verifier
from hub.ledger.port import Fill, Head
from hub.ledger.tiles import Edge, edge
from hub.ledger.tree import Frontier

R = TypeVar("R")
MOST_BETWEEN: Final = 1000
"""Leaves between two checkpoints at most."""
CHECKED: Final = 16
"""Newest checkpoints that are checked at opening; `metip ledger verify` checks all."""
LONGEST_LOG: Final = 1000
"""Pages of the log after which it is copied into the file."""


class LedgerStore:
    """The `Ledger` of one file; its transaction is an `apsw.Connection`."""

    def __init__(self, path: Path, signer: Signer, trusted: Sequence[Verifier] = (), *, vfs: str | None = None) -> None:
        """Opens the ledger, or makes it. `signer` signs from now on and names the origin; `trusted` are keys that signed before.

        Raises `FullLedgerError`, and `BrokenLedgerError` for a ledger that is not as it was left: the process halts with its code. `vfs`
        names a file system for faults.
        """
        self._path, self._signer = path, signer
        self._trusted = (signer.verifier, *(one for one in trusted if one != signer.verifier))
        self._lock = threading.Lock()
        self._broken = False
        self._log = 0
        self._head: Head
        self._reached: dict[str, Reached]
        self._edge: Edge
        _made(path)
        try:
            self._database = apsw.Connection(str(path), vfs=vfs)
        except apsw.Error as error:
            raise BrokenLedgerError(Code.STORE_FAILED, f"{path} can't be opened: {type(error).__name__}") from error
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> Head:
        """See the port."""
        return self._head

    @property
    def reached(self) -> Mapping[str, Reached]:
        """See the port."""
        return MappingProxyType(self._reached)

    def append(self, entries: Sequence[Entry], fill: Fill[apsw.Connection] | None = None) -> Head:
        """See the port. Checkpoints are signed at the end and after every 1,000 leaves."""
        if not entries:
            return self._head
        with self._lock:
            self._check_whole()
            first = self._head.size
            moved = entry_rules.continued(self._reached, entries, first)
            leaves = [one.leaf() for one in entries]
            grown, heads = self._edge.copy(), []
            for count, leaf in enumerate(leaves, 1):
                grown.append(tree.leaf_hash(leaf))
                if count % MOST_BETWEEN == 0 or count == len(leaves):
                    heads.append(self._signed(grown.frontier))
            with self._transaction():
                self._check_alone(first)
                self._many("insert into leaves values (?, ?)", enumerate(leaves, first))
                changed = ((level, index, bytes(hashes)) for (level, index), hashes in grown.changed.items())
                self._many("insert into tiles values (?, ?, ?) on conflict do update set hashes = excluded.hashes", changed)
                self._many("insert into checkpoints (size, note) values (?, ?)", ((one.size, one.note) for one in heads))
                rows = ((name, one.position, one.chain, one.index) for name, one in moved.items())
                self._many("insert or replace into journals values (?, ?, ?, ?)", rows)
                if fill is not None:
                    fill(self._database, first, entries)
            grown.changed.clear()
            self._edge, self._head = grown, heads[-1]
            self._reached |= moved
            self._copy_log()
            return self._head

    def change(self, work: Callable[[apsw.Connection], R]) -> R:
        """See the port."""
        with self._lock, self._transaction():
            return work(self._database)

    def sign_with(self, signer: Signer) -> None:
        """Signs with another key from the next checkpoint on. Raises `ValueError` for one of another origin."""
        if signer.name != self._signer.name:
            raise ValueError("a ledger keeps its origin")
        with self._lock:
            self._signer = signer

    def cosign(self, size: int, note: str) -> None:
        """See the port."""
        with self._lock:
            row: Any = self._database.execute("select note from checkpoints where size = ?", (size,)).fetchone()
            if row is None or notes.parsed(row[0]).text != notes.parsed(note).text:
                raise ValueError(f"there is no checkpoint of {size} with such a text")
            with self._transaction():
                self._database.execute("update checkpoints set cosigned = ? where size = ?", (note, size))

    def reader(self) -> reading.LedgerReader:
        """See the port."""
        return reading.opened(self._path)

    def close(self) -> None:
        """Closes the file. On a disk that fails nothing is lost by it."""
        with self._lock, suppress(apsw.Error):
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One durable transaction, of which nothing is left if its body raises. Raises `FullLedgerError` and `BrokenLedgerError`."""
        self._check_whole()
        try:
            self._database.execute("begin immediate")
            yield
            if not self._database.in_transaction:
                raise BrokenLedgerError(Code.STORE_FAILED, "the transaction was ended by what it was lent to")
            self._database.execute("commit")
        except apsw.FullError as error:
            self._take_back()
            raise FullLedgerError("the disk is full") from error
        except (apsw.IOError, apsw.CorruptError, apsw.CantOpenError) as error:
            self._broken = True
            self._take_back()
            raise BrokenLedgerError(Code.STORE_FAILED, f"the ledger failed: {type(error).__name__}") from error
        except BaseException as error:
            self._broken = self._broken or isinstance(error, BrokenLedgerError)
            self._take_back()
            raise

    def _take_back(self) -> None:
        if self._database.in_transaction:
            try:
                self._database.execute("rollback")
            except apsw.Error:
                self._broken = True

    def _check_whole(self) -> None:
        if self._broken:
            raise BrokenLedgerError(Code.STORE_FAILED, "the ledger failed before")

    def _check_alone(self, size: int) -> None:
        row: Any = self._database.execute("select max(size) from checkpoints").fetchone()
        if row[0] != size:
            raise BrokenLedgerError(Code.SECOND_WRITER, f"the ledger has {row[0]} leaves, and this process left it at {size}")

    def _signed(self, grown: Frontier) -> Head:
        checkpoint = Checkpoint(self._signer.name, grown.size, grown.root())
        return Head(checkpoint, str(notes.signed(str(checkpoint), self._signer)))

    def _many(self, statement: str, rows: Any) -> None:
        self._database.executemany(statement, rows)

    def _logged(self, _database: apsw.Connection, _name: str, pages: int) -> int:
        self._log = pages
        return apsw.SQLITE_OK

    def _copy_log(self) -> None:
        """Copies a long log into the file. No room for it is no harm, since the log stays."""
        if self._log < LONGEST_LOG:
            return
        try:
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.FullError, apsw.BusyError, apsw.LockedError):
            pass
        except apsw.Error as error:
            self._broken = True
            raise BrokenLedgerError(Code.STORE_FAILED, f"the ledger's log could not be copied: {type(error).__name__}") from error

    def _open(self) -> None:
        try:
            self._database.set_busy_timeout(5000)
            self._database.pragma("journal_mode", "wal")
            self._database.pragma("synchronous", "full")
            self._database.set_wal_hook(self._logged)
            with self._transaction():
                self._begin()
            reader = reading.LedgerReader(self._database)
            self._head, self._reached = reader.head(), reader.reached()
            self._check_size()
            self._edge = _checked_edge(reader, self._head)
            self._check_checkpoints(reader)
            _check_leaves(reader, self._head.size, self._edge)
            _check_journals(reader, self._reached)
        except (apsw.NotADBError, apsw.SQLError) as error:
            raise BrokenLedgerError(Code.NOT_A_LEDGER, f"{self._path} is no ledger") from error
        except apsw.FullError as error:
            raise FullLedgerError("the disk is full") from error
        except apsw.Error as error:
            raise BrokenLedgerError(Code.STORE_FAILED, f"{self._path} can't be read: {type(error).__name__}") from error

    def _begin(self) -> None:
        """Makes the tables and the checkpoint of the empty ledger, where there is nothing yet."""
        found: Any = self._database.execute("select name from sqlite_schema where name in ('meta', 'leaves')").fetchall()
        if not found:
            self._database.execute(reading.SCHEMA)
            self._database.execute("insert into meta values ('version', ?), ('origin', ?)", (reading.VERSION, self._signer.name))
            self._database.execute("insert into checkpoints (size, note) values (0, ?)", (self._signed(Frontier()).note,))
        rows: Any = self._database.execute("select name, value from meta where name in ('version', 'origin')").fetchall()
        said = dict(rows)
        for name, wanted in (("version", reading.VERSION), ("origin", self._signer.name)):
            if said.get(name) != wanted:
                raise BrokenLedgerError(Code.NOT_A_LEDGER, f"the {name} of {self._path} is {said.get(name)}, not {wanted}")

    def _check_size(self) -> None:
        row: Any = self._database.execute("select coalesce(max(idx) + 1, 0) from leaves").fetchone()
        if row[0] > self._head.size:
            raise BrokenLedgerError(
                Code.CHECKPOINT_MISSING, f"the newest checkpoint is of {self._head.size} leaves, and there are {row[0]}"
            )
        if row[0] < self._head.size:
            raise BrokenLedgerError(Code.LEAVES_BROKEN, f"leaf {row[0]} is missing: the newest checkpoint is of {self._head.size}")

    def _check_checkpoints(self, reader: reading.LedgerReader) -> None:
        """The newest checkpoints are signed, and each is the root of the tree as the tiles have it: so each begins the next."""
        sizes: Any = self._database.execute("select size from checkpoints order by size desc limit ?", (CHECKED,)).fetchall()
        for (size,) in sizes:
            head = reader.checkpoint(size)
            assert head is not None
            try:
                notes.opened_checkpoint(head.note, self._trusted)
            except notes.NoteError as error:
                raise BrokenLedgerError(Code.CHECKPOINT_UNREADABLE, f"the checkpoint of {size}: {error}") from error
            if tree.root(size, reader.subtree) != head.checkpoint.root:
                raise BrokenLedgerError(Code.ROOT_MISMATCH, f"the tiles give another root for {size} leaves than its checkpoint")


def _made(path: Path) -> None:
    """Makes the file, readable by nobody else, and its name durable."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
