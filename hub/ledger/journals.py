"""Reads journals' files, each checked link by link while it is read; what does not follow is named, and nothing of it is taken.

The law: a journal continues where the ledger has it. Its record at that position, if it is still kept, has the chain that the ledger has;
every next position is one more; every chain follows from the one before it. Anything else is a gap.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import apsw
from google.protobuf.message import DecodeError

from hub.ledger.entries import NAME, Entry, Reached
from hub.ledger.index import WrappedKey
from metip.journal import chain
from metip.ledger.v1 import record_pb2

SUFFIX: Final = ".sqlite"
GATHERED: Final = ".gathered"
PATIENCE: Final = 200
"""Milliseconds that a look waits for a journal that is locked."""
MOST_MISSED: Final = 25
"""Looks in a row that may find a journal locked or not to be opened, as one is for a moment that its process opens or closes."""


class Trouble(StrEnum):
    """What is wrong with a journal."""

    SHORTER = "SHORTER"
    """It ends before what was gathered: it was cut or set back."""
    MISSING = "MISSING"
    """Positions are left out."""
    CHAIN = "CHAIN"
    """A link does not follow from the one before it: a record or a link was changed."""
    DIFFERS = "DIFFERS"
    """Its last gathered record is another than the ledger has: it was replaced."""
    GONE = "GONE"
    """The file is not there any more."""
    REFUSED = "REFUSED"
    """The ledger does not take the record: it is empty or too large."""
    UNREADABLE = "UNREADABLE"
    """The file can't be read, is no journal, or is another's."""


@dataclass(frozen=True)
class Gap:
    """Where a journal does not follow."""

    trouble: Trouble
    position: int
    """The first one that is wrong; 0 where none can be named."""


@dataclass(frozen=True)
class Look:
    """What one look at a journal found."""

    entries: tuple[Entry, ...] = ()
    records: tuple[record_pb2.Record, ...] = ()
    """The same read; an empty one for bytes that are no record."""
    keys: tuple[WrappedKey, ...] = ()
    """Data keys that these records are sealed with."""
    gap: Gap | None = None
    waiting: record_pb2.Record | None = None
    """The first record that was not taken; None where all were."""
    missed: bool = False
    """Whether nothing could be seen this time, so that what was known stands."""


class Journals:
    """The journals of a folder. Of one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, tuple[tuple[int, int], apsw.Connection]] = {}
        self._missed: dict[str, int] = {}

    def names(self) -> tuple[str, ...]:
        """Names of the journals that there are, in order."""
        found = (path.name.removesuffix(SUFFIX) for path in self._folder.glob(f"*{SUFFIX}"))
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def look(self, name: str, reached: Reached | None, limit: int) -> Look:
        """The next records of a journal, at most `limit`, as far as they follow from what the ledger has."""
        position, link = (reached.position, reached.chain) if reached else (0, chain.start(name))
        try:
            db = self._connection(name)
            if db is None:
                return Look(gap=Gap(Trouble.GONE, position))
            with db:  # one snapshot
                found = _looked(db, name, position, link, limit)
        except (apsw.BusyError, apsw.CantOpenError):
            self._close(name)
            self._missed[name] = self._missed.get(name, 0) + 1
            return Look(missed=True) if self._missed[name] <= MOST_MISSED else Look(gap=Gap(Trouble.UNREADABLE, position + 1))
        except apsw.Error:
            self._close(name)
            return Look(gap=Gap(Trouble.UNREADABLE, position + 1))
        self._missed.pop(name, None)
        return found

    def holds(self, name: str, key_ids: frozenset[bytes]) -> bool:
        """Whether a journal still has one of those keys; also where it can't be read, since nobody knows then."""
        try:
            db = self._connection(name)
            return db is not None and any(bytes(row[0]) in key_ids for row in db.execute("SELECT id FROM keys"))
        except apsw.Error:
            return True

    def tell(self, name: str, position: int) -> None:
        """Writes beside a journal how far it is gathered; its process may prune as far. Raises `OSError`."""
        path = self._folder / f"{name}{GATHERED}"
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(f"{position}\n", encoding="ascii")
        unfinished.replace(path)

    def close(self) -> None:
        """Closes all files."""
        for name in tuple(self._open):
            self._close(name)

    def _connection(self, name: str) -> apsw.Connection | None:
        path = self._folder / f"{name}{SUFFIX}"
        try:
            status = path.stat()
        except FileNotFoundError:
            self._close(name)
            return None
        file = (status.st_dev, status.st_ino)
        known = self._open.get(name)
        if known is not None and known[0] == file:
            return known[1]
        self._close(name)
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(PATIENCE)
        self._open[name] = (file, db)
        return db

    def _close(self, name: str) -> None:
        known = self._open.pop(name, None)
        if known is not None:
            known[1].close()


def _looked(db: apsw.Connection, name: str, position: int, link: bytes, limit: int) -> Look:
    named = db.execute("SELECT value FROM meta WHERE name = 'journal'").fetchone()
    if named is None or named[0] != name:
        return Look(gap=Gap(Trouble.UNREADABLE, position + 1))
    rows: Any = db.execute(
        "SELECT position, record, chain FROM records WHERE position >= ? ORDER BY position LIMIT ?", (position, limit + 2)
    ).fetchall()
    if rows and rows[0][0] == position:
        if rows[0][2] != link:
            return Look(gap=Gap(Trouble.DIFFERS, position))
        rows = rows[1:]
    elif position and not rows:
        last: Any = db.execute("SELECT coalesce(max(position), 0) FROM records").fetchone()
        return Look(gap=Gap(Trouble.SHORTER, last[0] + 1))
    entries, gap = [], None
    for at, record, stored in rows[:limit]:
        if at != position + 1:
            gap = Gap(Trouble.MISSING, position + 1)
            break
        link = chain.after(link, record)
        if stored != link:
            gap = Gap(Trouble.CHAIN, at)
            break
        position = at
        entries.append(Entry(name, at, record, stored))
    records = tuple(read(one.record) for one in entries)
    waiting = read(rows[len(entries)][1]) if len(rows) > len(entries) else None
    return Look(tuple(entries), records, _keys(db, name, (one.key_id for one in records)), gap, waiting)


def read(content: bytes) -> record_pb2.Record:
    """A record; an empty one for bytes that are none, whose leaf is kept all the same."""
    try:
        return record_pb2.Record.FromString(content)
    except DecodeError:
        return record_pb2.Record()


def _keys(db: apsw.Connection, name: str, key_ids: Iterable[bytes]) -> tuple[WrappedKey, ...]:
    found = []
    for key_id in sorted({one for one in key_ids if one}):
        row = db.execute("SELECT interface, month, wrapped FROM keys WHERE id = ?", (key_id,)).fetchone()
        if row is not None:
            found.append(WrappedKey(key_id, name, str(row[0]), str(row[1]), bytes(row[2])))
    return tuple(found)
