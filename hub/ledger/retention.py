"""How long particulars are kept, and how they are erased when their time is over: their keys are destroyed, leaves and tree stay.

The law: what is erased is a whole month of one interface, once every day of it is older than the interface's time. Its wrapped keys are
overwritten, its rows leave the blind index, and nothing else changes: the ledger verifies as before. `docs/decisions/0015-erasure.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import apsw

from hub.ledger.port import Statements
from metip.hub.v1 import settings_pb2
from metip.settings import SettingsError, read_settings

DEFAULT_MONTHS: Final = 72
"""Six years: the general floor of the police's management of information (NPCC retention guidance)."""

LIVE: Final = "FROM keys WHERE interface = ? AND month = ? AND wrapped IS NOT NULL"


@dataclass(frozen=True)
class Retention:
    """Whole months for which particulars are kept after the month that they belong to."""

    months: int = DEFAULT_MONTHS
    of_interfaces: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def kept(self, interface: str) -> int:
        """Months of one interface."""
        return self.of_interfaces.get(interface, self.months)

    def over(self, interface: str, month: str, today: date) -> bool:
        """Whether the time of a month, `2020-11`, is over. Raises `ValueError` for what is no month."""
        return today >= months_after(month, self.kept(interface) + 1)


@dataclass(frozen=True)
class Erasure:
    """What is erased of one interface and month."""

    interface: str
    month: str
    keys: int
    records: int
    tokens: int = 0


def read(path: Path | None) -> Retention:
    """Reads the retention file; the default where there is none. Raises `SettingsError`."""
    if path is None:
        return Retention()
    message = read_settings(path, settings_pb2.Retention)
    names = [one.interface for one in message.interfaces]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise SettingsError(str(path), tuple(f"interfaces: {name} is there twice" for name in twice))
    return Retention(message.months or DEFAULT_MONTHS, MappingProxyType({one.interface: one.months for one in message.interfaces}))


def months_after(month: str, count: int) -> date:
    """The first day of the month that comes so many months after another, `2020-11`. Raises `ValueError`."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
    years, rest = divmod(first.month - 1 + count, 12)
    return date(first.year + years, rest + 1, 1)


def due(db: Statements, retention: Retention, before: date, today: date) -> tuple[Erasure, ...]:
    """What may be erased: months that ended before a day, and whose time is over today. Counts keys and records; tokens are 0."""
    groups: Any = db.execute("SELECT interface, month, count(*) FROM keys WHERE wrapped IS NOT NULL GROUP BY interface, month").fetchall()
    found = []
    for interface, month, keys in groups:
        if months_after(month, 1) <= before and retention.over(interface, month, today):
            found.append(Erasure(interface, month, keys, _count(db, interface, month)))
    return tuple(sorted(found, key=lambda one: (one.interface, one.month)))


def erase(db: apsw.Connection, groups: Iterable[Erasure], now: int) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
    """Erases within the caller's transaction, which must be on a connection with `secure_delete`; what, and the ids of the keys.

    `now` is in milliseconds since 1970. One pass over the index serves all groups.
    """
    groups = tuple(groups)
    db.execute("CREATE TEMP TABLE IF NOT EXISTS erased(idx INTEGER PRIMARY KEY, part INTEGER NOT NULL)")
    db.execute("DELETE FROM temp.erased")
    ids: set[bytes] = set()
    for part, one in enumerate(groups):
        numbers: Any = db.execute(f"SELECT number, id {LIVE}", (one.interface, one.month)).fetchall()
        for number, key_id in numbers:
            ids.add(key_id)
            db.execute("INSERT OR IGNORE INTO temp.erased SELECT idx, ? FROM facts WHERE key = ?", (part, number))
            db.execute("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE number = ?", (now, number))
    rows: Any = db.execute("SELECT e.part, count(*) FROM tokens t CROSS JOIN temp.erased e ON e.idx = t.idx GROUP BY e.part")
    counts: dict[int, int] = dict(rows)
    db.execute("DELETE FROM tokens WHERE idx IN (SELECT idx FROM temp.erased)")
    db.execute("DELETE FROM temp.erased")
    done = (Erasure(one.interface, one.month, one.keys, one.records, counts.get(part, 0)) for part, one in enumerate(groups))
    return tuple(done), frozenset(ids)


def truncate_log(path: Path) -> None:
    """Copies the write-ahead log into the file and empties it, so that no erased page lingers there. Raises `apsw.Error`."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(5000)
        db.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # before its first read, a connection takes the log for none
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        db.close()


def _count(db: Statements, interface: str, month: str) -> int:
    row: Any = db.execute(f"SELECT count(*) FROM facts WHERE key IN (SELECT number {LIVE})", (interface, month)).fetchone()
    return int(row[0])
