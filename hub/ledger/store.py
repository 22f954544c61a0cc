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

from hub.ledger import checking, growing, notes, reading
from hub.ledger.entries import Entry, Reached
from hub.ledger.faults import BrokenLedgerError, Code, FullLedgerError
from hub.ledger.growing import Left
from hub.ledger.notes import Signer, Verifier
from hub.ledger.port import Fill, Head
from hub.ledger.tree import Frontier

R = TypeVar("R")
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
        self._left: Left
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
        return self._left.head

    @property
    def reached(self) -> Mapping[str, Reached]:
        """See the port."""
        return MappingProxyType(self._left.reached)

    def append(self, entries: Sequence[Entry], fill: Fill[apsw.Connection] | None = None) -> Head:
        """See the port. Checkpoints are signed at the end and after every 1,000 leaves."""
        if not entries:
            return self.head
        with self._lock:
            self._check_whole()
            group = growing.grown(self._left, entries, self._signer)
            with self._transaction():
                growing.write(self._database, group)
                if fill is not None:
                    fill(self._database, group.first, entries)
            self._left = group.after
            self._copy_log()
            return self._left.head

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
            self._left = checking.left(self._database, self._trusted)
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
            self._database.execute("insert into checkpoints (size, note) values (0, ?)", (growing.signed(Frontier(), self._signer).note,))
        rows: Any = self._database.execute("select name, value from meta where name in ('version', 'origin')").fetchall()
        checking.check_same(dict(rows), {"version": reading.VERSION, "origin": self._signer.name}, str(self._path))


def _made(path: Path) -> None:
    """Makes the file, readable by nobody else, and its name durable."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
