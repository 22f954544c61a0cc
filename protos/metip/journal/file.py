"""The file of a journal: opened by one process at a time, checked, appended to in whole transactions, pruned of what the hub has.

Tables, which the hub reads over connections of its own: `meta(name, value)` with the journal's name under `journal`; `records(position,
record, chain)` at positions 1, 2, 3, … without gaps, of which the oldest may have been pruned; `keys(id, interface, month, wrapped)`.
"""

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import apsw

from metip.journal import chain
from metip.journal.records import CLEAN, RECOVERED, Draft
from metip.journal.sealing import Sealer
from metip.ledger.v1 import record_pb2 as ledger

SCHEMA: Final = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists records (position integer primary key, record blob not null, chain blob not null) strict;
create table if not exists keys (id blob primary key, interface text not null, month text not null, wrapped blob not null) strict;
"""
APPEND: Final = "insert into records select ? + rowid, substr(value, 33), substr(value, 1, 32) from carray(?)"
"""One statement for a whole group, which is its own transaction: between statements the interpreter's lock would be waited for."""
LONGEST_LOG: Final = 1000
"""Pages of the log after which it is copied into the file: a long one would need its own size again on a disk that has been full."""
CHECKED: Final = 1000
"""Records at the end of a journal whose chain is checked when it is opened; the hub checks all of it."""
KEPT_FOR: Final = 7 * 86_400
"""Seconds for which a record stays after the hub has it."""
PRUNED_AT_ONCE: Final = 2000
GATHERED: Final = ".gathered"
"""Suffix of the file beside a journal in which the hub says how far it got: a position in decimal digits."""


class BrokenError(Exception):
    """A journal that must not be written any more; the process ends. `code` says why, for people and for tests."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class FullError(Exception):
    """There was no room on the disk; nothing of the group is kept, and the next one may fare better."""


def gathered_file(path: Path) -> Path:
    """Where the hub says how far it gathered the journal at `path`."""
    return path.with_suffix(GATHERED)


class JournalFile:
    """One open file; it belongs to one thread."""

    def __init__(self, path: Path, name: str, sealer: Sealer, *, vfs: str | None = None) -> None:
        """Raises `BrokenError`: IN_USE, UNREADABLE, OTHER_JOURNAL, CHAIN_BROKEN."""
        self._path, self._name, self._sealer = path, name, sealer
        self._month, self._log = (0, 0, ""), 0
        self.position, self._link = 0, chain.start(name)
        self._claim = _claimed(path.with_suffix(".lock"))
        try:
            self._database = _opened(path, vfs)
            try:
                self.recovered = self._begin()
            except BaseException:
                with suppress(apsw.Error):
                    self._database.close()
                raise
        except apsw.Error as error:
            os.close(self._claim)
            raise BrokenError("UNREADABLE", f"{path.name} can't be opened ({type(error).__name__})") from error
        except BaseException:
            os.close(self._claim)
            raise
        self._database.set_wal_hook(self._logged)  # in place of SQLite's own checkpoints, which say nothing when they fail

    @property
    def opened_as(self) -> str:
        """`CLEAN`, or `RECOVERED` when the last process did not close it."""
        return RECOVERED if self.recovered else CLEAN

    def append(self, drafts: Sequence[Draft]) -> None:
        """Seals, chains and keeps drafts, all or none. Raises `FullError`, `BrokenError` DISK, and `SecretError` before it writes."""
        link, rows = self._link, []
        for draft in drafts:
            record = self._sealed(draft)
            link = chain.after(link, record)
            rows.append(link + record)
        self._keep(rows)
        self.position += len(rows)
        self._link = link
        if self._log >= LONGEST_LOG:
            self._shorten()

    def prune(self, now: float) -> int:
        """Deletes some of what the hub has and is older than `KEPT_FOR`, and keys of months that are gone; how many records.

        The last record always stays, since the next one is chained to it. Raises `BrokenError` DISK.
        """
        try:
            first: Any = self._database.execute("select min(position) from records").get
            last = self._last_old(first, min(_gathered(gathered_file(self._path)), self.position - 1, first + PRUNED_AT_ONCE - 1), now)
            if last < first:
                return 0
            with self._database:
                self._database.execute("delete from records where position <= ?", (last,))
                self._database.execute("delete from keys where month < ?", (_month(self._recorded(last + 1)),))
        except apsw.FullError:
            return 0
        except apsw.Error as error:
            raise BrokenError("DISK", f"the journal can't be pruned ({type(error).__name__})") from error
        return int(last - first + 1)

    def _last_old(self, first: int, last: int, now: float) -> int:
        """The last position from `first` to `last` whose record is old enough; `first` less 1 when none is. They are in order of time."""
        if last < first or self._recorded(first) >= now - KEPT_FOR:
            return first - 1
        while first < last:
            middle = (first + last + 1) // 2
            if self._recorded(middle) < now - KEPT_FOR:
                first = middle
            else:
                last = middle - 1
        return first

    def _recorded(self, position: int) -> int:
        """Unix time of the record there."""
        record: Any = self._database.execute("select record from records where position = ?", (position,)).get
        return ledger.Record.FromString(record).at.seconds

    def close(self, *, clean: bool) -> None:
        """Closes the file; `clean` when nothing failed. If the disk fails now, all that was told is in the log."""
        with suppress(apsw.Error):
            if clean:
                self._database.execute("delete from meta where name = 'open'")
        with suppress(apsw.Error):
            self._database.close()
        os.close(self._claim)

    def _begin(self) -> bool:
        """Checks what is there and marks it open; whether the last process had not closed it."""
        known: dict[str, Any] = dict(self._database.execute("select name, value from meta"))
        if known.setdefault("journal", self._name) != self._name:
            raise BrokenError("OTHER_JOURNAL", f"{self._path.name} is the journal of another process")
        self.position, self._link = self._end()
        with self._database:
            self._database.execute("insert or replace into meta values ('journal', ?), ('open', 1)", (self._name,))
        return "open" in known

    def _end(self) -> tuple[int, bytes]:
        """Position and link of the last record, once the last ones have been found to chain."""
        rows: list[Any] = list(
            self._database.execute("select position, record, chain from records order by position desc limit ?", (CHECKED + 1,))
        )[::-1]
        if not rows:
            return 0, chain.start(self._name)
        position, link = 0, chain.start(self._name)
        if rows[0][0] != 1:  # what lies before it was checked by the hub, or at an earlier opening
            position, _, link = rows.pop(0)
        broken = chain.first_break(position, link, rows)
        if broken is not None:
            raise BrokenError("CHAIN_BROKEN", f"record {broken} of {self._name} does not follow the one before it")
        return (rows[-1][0], rows[-1][2]) if rows else (position, link)

    def _sealed(self, draft: Draft) -> bytes:
        record = draft.record
        if draft.particulars is not None:
            interface = record.operation.partition("/")[0]
            record.key_id, record.sealed = self._sealer.seal(
                interface, self._month_of(record.at.seconds), draft.particulars.SerializeToString()
            )
        return record.SerializeToString()

    def _keep(self, rows: Sequence[bytes]) -> None:
        database, keys = self._database, self._sealer.unsaved
        array = apsw.carray(tuple(rows))
        try:
            if not keys:
                database.execute(APPEND, (self.position, array))
                return
            with database:
                database.executemany(
                    "insert into keys values (?, ?, ?, ?)", [(one.id, one.interface, one.month, one.wrapped) for one in keys]
                )
                database.execute(APPEND, (self.position, array))
            keys.clear()
        except apsw.FullError as error:
            self._sealer.forget()
            raise FullError from error
        except apsw.Error as error:
            raise BrokenError("DISK", f"the journal can't be written ({type(error).__name__})") from error

    def _logged(self, _database: apsw.Connection, _name: str, pages: int) -> int:
        self._log = pages
        return apsw.SQLITE_OK

    def _shorten(self) -> None:
        """Copies a long log into the file. No room for it is no harm, since the log stays; that it can't be synced ends the process."""
        try:
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.FullError, apsw.BusyError):
            return
        except apsw.Error as error:
            raise BrokenError("DISK", f"the journal can't be synced ({type(error).__name__})") from error

    def _month_of(self, seconds: int) -> str:
        start, end, month = self._month
        if not start <= seconds < end:
            month = _month(seconds)
            start = seconds - seconds % 3600
            self._month = start, start + 3600, month
        return month


def _month(seconds: int) -> str:
    """`YYYY-MM` in UTC."""
    return time.strftime("%Y-%m", time.gmtime(seconds))


def _claimed(path: Path) -> int:
    """A lock that the system frees when its holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BrokenError("IN_USE", f"another process writes {path.stem}") from None
    return descriptor


def _opened(path: Path, vfs: str | None) -> apsw.Connection:
    path.touch(mode=0o600)
    database = apsw.Connection(str(path), vfs=vfs)
    try:
        database.set_busy_timeout(5000)
        database.pragma("journal_mode", "wal")
        database.pragma("synchronous", "full")
        database.pragma("secure_delete", "on")
        with database:
            database.execute(SCHEMA)
    except apsw.Error:
        with suppress(apsw.Error):
            database.close()
        raise
    return database


def _gathered(path: Path) -> int:
    """How far the hub got; 0 when it says nothing that can be read."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
