"""What Envoy itself saw, beside what was recorded: its refusals become records, and each call that was answered must have one.

The law: Envoy's log is read once, by its place in the file. A refusal is kept in the hub's journal together with the place up to which the
log was read. Lines of answered calls wait, a lot at a time, until their records are gathered; a call without one after `GRACE` is missing
and stays so on the books. The place from which a new process reads on is that of the oldest lot which still waits.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

from hub.ledger.following import LogFile
from hub.ledger.port import Statements
from metip.contracts import Operation
from metip.journal.records import Draft, Recording

GRACE: Final = 60.0
"""Seconds after which the record of an answered call is missing: Envoy's log, the journal and its gathering are all behind it by then."""
MOST_LOTS: Final = 50
"""Lots that may wait for records before no more is read."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS edge(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS missing(
  call_id TEXT NOT NULL, operation TEXT NOT NULL, at INTEGER NOT NULL, lines INTEGER NOT NULL, needed INTEGER NOT NULL,
  found INTEGER NOT NULL, PRIMARY KEY(call_id, operation)
) WITHOUT ROWID;
"""
"""`missing.found` is 1 for a call whose records came after all, if late."""
MISSED: Final = """
INSERT INTO missing(call_id, operation, at, lines, needed, found) VALUES(?, ?, ?, ?, ?, 0) ON CONFLICT(call_id, operation)
DO UPDATE SET at = excluded.at, lines = excluded.lines, needed = excluded.needed, found = 0
"""
TOGETHER: Final = 1000
"""Calls that one statement asks for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the log, as far as it concerns the ledger."""

    answered: bool
    """Whether an adapter answered it with OK."""
    refused: str
    """Why Envoy answered by itself, a reason; empty where it did not."""
    call_id: str
    consumer: str
    path: str
    at: float
    delivery: bool = False
    """Whether the hub handed a message to a subscriber, under the id of the call by which the message came."""


Read = Callable[[str], Seen | None]
"""Reads a line; None for one that says nothing here. Raises ValueError for what is no line."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How the books stand."""

    answered: int = 0
    """Calls on personal data that an adapter answered with OK."""
    recorded: int = 0
    missing: int = 0
    """Answered, and without a record; 0 is the only good number."""
    refused: int = 0
    """Calls and connections that Envoy refused."""
    waiting: int = 0
    """Answered so lately that their records may still come."""
    behind: float = 0.0
    """Seconds since the oldest of them was answered."""


Key = tuple[str, str]
"""Call id and operation."""


@dataclass(slots=True)
class _Waiting:
    """An answered call without its records so far, and deliveries of the message that it brought."""

    at: float
    calls: int = 0
    deliveries: int = 0

    @property
    def lines(self) -> int:
        return self.calls + self.deliveries

    @property
    def needed(self) -> int:
        """Records: one for each line, and where there are only deliveries another one, of the message's acceptance."""
        return self.lines + (self.calls == 0)


@dataclass(slots=True)
class _Lot:
    file: int
    place: int
    """Where the log goes on after it."""
    calls: dict[Key, _Waiting] = field(default_factory=dict)
    answered: int = 0
    recorded: int = 0
    refused: int = 0


class Reconciling:
    """Compares the log with the ledger. Of one thread."""

    def __init__(
        self,
        log: Path,
        operations: Mapping[str, Operation],
        read: Read,
        recording: Recording,
        marks: Mapping[str, int],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`marks` say how far refusals were recorded, as the hub's journal has them."""
        self._log, self._operations, self._read = LogFile(log), operations, read
        self._recording, self._clock = recording, clock
        self._recorded_to = marks.get(self._mark, 0)
        self._lots: deque[_Lot] = deque()
        self._place = -1
        """Where to read on; -1 until the ledger has said how far it came."""

    @property
    def _mark(self) -> str:
        return f"edge/{self._log.number}"

    def look(self, db: Statements) -> list[Draft]:
        """Reads on, and gives records of refusals that are to be kept before the next look. `db` is only read."""
        if self._place < 0:
            self._place = _value(db, f"place/{self._log.number}")
        drafts: list[Draft] = []
        while len(self._lots) < MOST_LOTS:
            lines, place = self._log.after(self._place)
            if place == self._place:
                if drafts or not self._log.follow():  # what is of one file is marked before another begins
                    break
                self._recorded_to = self._place = 0
                continue
            lot = _Lot(self._log.number, place)
            found = self._take(lines, lot)
            if place > self._recorded_to:
                drafts += found
                self._recorded_to = place
            self._lots.append(lot)
            self._place = place
        if drafts:
            drafts[-1].mark = (self._mark, self._recorded_to)
        return drafts

    def settle(self, db: Statements) -> Callable[[], None]:
        """Compares what waits with the ledger, and keeps how far the comparison came; in one transaction of the ledger.

        What it gives is to be called once that is committed: then, and not before, what was settled is forgotten here.
        """
        before, done = self._clock() - GRACE, list[tuple[_Lot, int, set[Key]]]()
        for lot in self._lots:
            there = _records(db, {call_id for call_id, _ in lot.calls})
            recorded = {key for key, one in lot.calls.items() if there.get(key, 0) >= one.needed}
            late = {key for key, one in lot.calls.items() if one.at < before} - recorded
            for key in late:
                one = lot.calls[key]
                db.execute(MISSED, (*key, int(one.at * 1000), one.lines, one.needed))
            done.append((lot, sum(lot.calls[key].lines for key in recorded), recorded | late))
        ended = 0
        for lot, recorded_lines, settled in done:
            if len(settled) < len(lot.calls):
                break
            _add(db, "answered", lot.answered)
            _add(db, "recorded", lot.recorded + recorded_lines)
            _add(db, "refused", lot.refused)
            _set(db, f"place/{lot.file}", lot.place)
            ended += 1
        self._find_late(db)

        def forget() -> None:
            for lot, recorded_lines, settled in done:
                lot.recorded += recorded_lines
                for key in settled:
                    del lot.calls[key]
            for _ in range(ended):
                self._lots.popleft()

        return forget

    @staticmethod
    def _find_late(db: Statements) -> None:
        """Takes calls off the list whose records came after all."""
        rows: list[Any] = db.execute("SELECT call_id, operation, lines, needed FROM missing WHERE found = 0").fetchall()
        there = _records(db, {row[0] for row in rows})
        for call_id, operation, lines, needed in rows:
            if there.get((call_id, operation), 0) >= needed:
                db.execute("UPDATE missing SET found = 1 WHERE call_id = ? AND operation = ?", (call_id, operation))
                _add(db, "recorded", lines)

    def counts(self, db: Statements) -> Counts:
        """How the books stand now."""
        waiting = [one for lot in self._lots for one in lot.calls.values()]
        return Counts(
            answered=_value(db, "answered") + sum(lot.answered for lot in self._lots),
            recorded=_value(db, "recorded") + sum(lot.recorded for lot in self._lots),
            missing=_lines_missing(db),
            refused=_value(db, "refused") + sum(lot.refused for lot in self._lots),
            waiting=sum(one.lines for one in waiting),
            behind=max(0.0, self._clock() - min(one.at for one in waiting)) if waiting else 0.0,
        )

    def close(self) -> None:
        """Lets go of the log."""
        self._log.close()

    def _take(self, lines: Iterable[str], lot: _Lot) -> list[Draft]:
        drafts: list[Draft] = []
        for text in lines:
            try:
                seen = self._read(text)
            except ValueError:
                continue
            if seen is None:
                continue
            operation = self._operations.get(seen.path.removeprefix("/"))
            if seen.refused:
                lot.refused += 1
                at = int(seen.at * 1e9)
                drafts.append(
                    self._recording.of_refusal(operation, consumer=seen.consumer, call_id=seen.call_id, outcome=seen.refused, at_ns=at)
                )
            elif seen.answered and operation is not None and operation.personal:
                lot.answered += 1
                waiting = lot.calls.setdefault((seen.call_id, operation.name), _Waiting(seen.at))
                waiting.deliveries += seen.delivery
                waiting.calls += not seen.delivery
        return drafts


def prepare(db: apsw.Connection) -> None:
    """Makes the tables where there are none."""
    db.execute(SCHEMA)


def missing(db: Statements, *, limit: int) -> list[tuple[str, float, str]]:
    """Call id, Unix time and operation of answered calls without a record, oldest first."""
    rows = db.execute("SELECT call_id, at, operation FROM missing WHERE found = 0 ORDER BY at LIMIT ?", (limit,)).fetchall()
    return [(str(row[0]), float(row[1] or 0) / 1000, str(row[2])) for row in rows]


def _records(db: Statements, call_ids: Iterable[str]) -> dict[Key, int]:
    """How many records these calls have, by operation."""
    wanted, found = list(call_ids), dict[Key, int]()
    for first in range(0, len(wanted), TOGETHER):
        some = wanted[first : first + TOGETHER]
        rows: list[Any] = db.execute(
            "SELECT f.call_id, n.text, count(*) FROM facts f JOIN names n ON n.id = f.operation"
            f" WHERE f.call_id IN ({', '.join('?' * len(some))}) GROUP BY 1, 2",
            some,
        ).fetchall()
        found |= {(row[0], row[1]): row[2] for row in rows}
    return found


def _lines_missing(db: Statements) -> int:
    row: Any = db.execute("SELECT coalesce(sum(lines), 0) FROM missing WHERE found = 0").fetchone()
    return int(row[0])


def _value(db: Statements, name: str) -> int:
    row: Any = db.execute("SELECT value FROM edge WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _add(db: Statements, name: str, number: int) -> None:
    if number:
        db.execute("INSERT INTO edge VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = edge.value + excluded.value", (name, number))


def _set(db: Statements, name: str, number: int) -> None:
    db.execute("INSERT INTO edge VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value", (name, number))
