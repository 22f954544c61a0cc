"""Reads the ledger through a connection of its own, which sees only what is durable; and opens the embedded one's file for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import apsw

from hub.ledger import notes, tiles
from hub.ledger.entries import Reached
from hub.ledger.faults import BrokenLedgerError, Code
from hub.ledger.port import Head, Statements

VERSION: Final = 1
SCHEMA: Final = """
create table if not exists meta (name text primary key, value any) strict;
create table if not exists leaves (idx integer primary key, leaf blob not null) strict;
create table if not exists tiles (level integer not null, idx integer not null, hashes blob not null, primary key (level, idx)) strict;
create table if not exists checkpoints (size integer primary key, note text not null, cosigned text) strict;
create table if not exists journals (name text primary key, position integer not null, chain blob not null, idx integer not null) strict;
"""
TILES_KEPT: Final = 256
"""Whole tiles that a reader remembers; 8 KiB each."""


class LedgerReader:
    """A `Reader` of any engine."""

    def __init__(self, database: Statements, close: Callable[[], None] = lambda: None) -> None:
        """Reads by a connection to a ledger, which `close` closes; see `opened`."""
        self._database, self._close = database, close
        self._tiles: dict[tuple[int, int], bytes] = {}

    def head(self) -> Head:
        """See the port."""
        found = self._head("order by size desc limit 1")
        if found is None:
            raise BrokenLedgerError(Code.CHECKPOINT_MISSING, "there is no checkpoint")
        return found

    def checkpoint(self, size: int) -> Head | None:
        """See the port."""
        return self._head("where size = ?", size)

    def cosigned(self) -> Head | None:
        """See the port."""
        return self._head("where cosigned is not null order by size desc limit 1")

    def leaves(self, first: int, count: int) -> list[bytes]:
        """See the port."""
        rows = self._all("select idx, leaf from leaves where idx >= ? order by idx limit ?", first, count)
        for place, (index, _) in enumerate(rows, first):
            if index != place:
                raise BrokenLedgerError(Code.LEAVES_BROKEN, f"leaf {place} is missing")
        return [leaf for _, leaf in rows]

    def reached(self) -> dict[str, Reached]:
        """See the port."""
        return {name: Reached(*found) for name, *found in self._all("select name, position, chain, idx from journals")}

    def subtree(self, level: int, index: int) -> bytes:
        """See the port."""
        return tiles.subtree(self.tile, level, index)

    def tile(self, level: int, index: int) -> bytes | None:
        """The hashes of a tile, whole or partial; None where there is none."""
        known = self._tiles.get((level, index))
        if known is not None:
            return known
        rows = self._all("select hashes from tiles where level = ? and idx = ?", level, index)
        hashes: bytes | None = rows[0][0] if rows else None
        if hashes is not None and len(hashes) == tiles.TILE_BYTES:
            if len(self._tiles) >= TILES_KEPT:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[level, index] = hashes
        return hashes

    def close(self) -> None:
        """See the port."""
        self._close()

    def _head(self, where: str, *values: int) -> Head | None:
        rows = self._all(f"select size, note, cosigned from checkpoints {where}", *values)
        if not rows:
            return None
        size, note, cosigned = rows[0]
        try:
            checkpoint = notes.parsed_checkpoint(notes.parsed(note).text)
        except notes.NoteError as error:
            raise BrokenLedgerError(Code.CHECKPOINT_UNREADABLE, f"the checkpoint of {size}: {error}") from error
        if checkpoint.size != size:
            raise BrokenLedgerError(Code.CHECKPOINT_UNREADABLE, f"the checkpoint kept for {size} leaves is of {checkpoint.size}")
        return Head(checkpoint, note, cosigned or "")

    def _all(self, statement: str, *values: Any) -> list[Any]:
        return self._database.execute(statement, values).fetchall()


def opened(path: Path) -> LedgerReader:
    """A reader of a ledger's file. Raises `BrokenLedgerError` NOT_A_LEDGER for a file that is none, `apsw.Error` where it can't be read."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    database.set_busy_timeout(5000)
    try:
        found: Any = database.execute("select value from meta where name = 'version'").fetchone()
    except (apsw.SQLError, apsw.NotADBError) as error:
        database.close()
        raise BrokenLedgerError(Code.NOT_A_LEDGER, f"{path} is no ledger") from error
    if found != (VERSION,):
        database.close()
        raise BrokenLedgerError(Code.NOT_A_LEDGER, f"{path} is not of version {VERSION}")
    return LedgerReader(database, database.close)
