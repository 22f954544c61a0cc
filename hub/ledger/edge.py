"""What Envoy itself saw, beside what was recorded: its refusals become records, and each call that was answered must have one.

The law: Envoy's log is read once, by its place in the file. A refusal is kept in the hub's journal together with the place up to which the
log was read. Lines of answered calls wait, a lot at a time, until their records are gathered; a call without one after `GRACE` is missing
and stays so on the books. The place from which a new process reads on is that of the oldest lot which still waits.
"""

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import apsw

from metip.contracts import Operation
from metip.journal.records import Draft, Recording

GRACE: Final = 60.0
"""Seconds after which the record of an answered call is missing: Envoy's log, the journal and its gathering are all behind it by then."""
LOT: Final = 4 * 1024 * 1024
"""Bytes of the log that are read at a time."""
MOST_LOTS: Final = 50
"""Lots that may wait for records before no more is read."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS edge(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS missing(
  call_id TEXT PRIMARY KEY, at INTEGER NOT NULL, operation TEXT NOT NULL, found INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""`missing.found` is 1 for a call whose record came after all, if late."""


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


class LogFile:
    """A log that grows and is rotated: it is read to its end before another file under its name begins anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.number = 0
        """The file's number in its file system; 0 before there is one."""
        self.follow()

    def follow(self) -> bool:
        """Takes up the file that has the name now; whether that is another one."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return False
        number = os.fstat(file.fileno()).st_ino
        if number == self.number:
            file.close()
            return False
        self.close()
        self._file, self.number = file, number
        return True

    def after(self, place: int, most: int = LOT) -> tuple[list[str], int]:
        """Whole lines after a place, and the place after them."""
        if self._file is None:
            return [], place
        self._file.seek(place)
        data = self._file.read(most)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == most:
            return [], place + most  # a line longer than any that Envoy writes: passed over
        return data[:whole].decode("utf-8", "replace").splitlines(), place + whole

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class _Lot:
    file: int
    place: int
    """Where the log goes on after it."""
    calls: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Answered calls without a record so far: when, and the operation."""
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

    def look(self, db: apsw.Connection) -> list[Draft]:
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

    def settle(self, db: apsw.Connection) -> Callable[[], None]:
        """Compares what waits with the ledger, and keeps how far the comparison came; in one transaction of the ledger.

        What it gives is to be called once that is committed: then, and not before, what was settled is forgotten here.
        """
        before, done = self._clock() - GRACE, list[tuple[_Lot, set[str], set[str]]]()
        for lot in self._lots:
            recorded = _recorded(db, lot.calls)
            late = {call_id for call_id, (at, _) in lot.calls.items() if at < before} - recorded
            for call_id in late:
                at, operation = lot.calls[call_id]
                db.execute("INSERT OR IGNORE INTO missing VALUES(?, ?, ?, 0)", (call_id, int(at * 1000), operation))
            done.append((lot, recorded, recorded | late))
        ended = 0
        for lot, recorded, settled in done:
            if len(settled) < len(lot.calls):
                break
            _add(db, "answered", lot.answered)
            _add(db, "recorded", lot.recorded + len(recorded))
            _add(db, "refused", lot.refused)
            _set(db, f"place/{lot.file}", lot.place)
            ended += 1
        waited = [row[0] for row in db.execute("SELECT call_id FROM missing WHERE found = 0")]
        db.executemany("UPDATE missing SET found = 1 WHERE call_id = ?", [(one,) for one in _recorded(db, waited)])

        def forget() -> None:
            for lot, recorded, settled in done:
                lot.recorded += len(recorded)
                for call_id in settled:
                    del lot.calls[call_id]
            for _ in range(ended):
                self._lots.popleft()

        return forget

    def counts(self, db: apsw.Connection) -> Counts:
        """How the books stand now."""
        waiting = [at for lot in self._lots for at, _ in lot.calls.values()]
        return Counts(
            answered=_value(db, "answered") + sum(lot.answered for lot in self._lots),
            recorded=_value(db, "recorded") + sum(lot.recorded for lot in self._lots),
            missing=len(missing(db, limit=1_000_000)),
            refused=_value(db, "refused") + sum(lot.refused for lot in self._lots),
            waiting=len(waiting),
            behind=max(0.0, self._clock() - min(waiting)) if waiting else 0.0,
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
                lot.calls[seen.call_id] = (seen.at, operation.name)
        return drafts


def prepare(db: apsw.Connection) -> None:
    """Makes the tables where there are none."""
    db.execute(SCHEMA)


def missing(db: apsw.Connection, *, limit: int) -> list[tuple[str, float, str]]:
    """Call id, Unix time and operation of answered calls without a record, oldest first."""
    rows = db.execute("SELECT call_id, at, operation FROM missing WHERE found = 0 ORDER BY at LIMIT ?", (limit,)).fetchall()
    return [(str(row[0]), float(row[1] or 0) / 1000, str(row[2])) for row in rows]


def _recorded(db: apsw.Connection, calls: Iterable[str]) -> set[str]:
    """Which of these calls have a record."""
    wanted = list(calls)
    if not wanted:
        return set()
    rows: Any = db.execute(
        "SELECT DISTINCT call_id FROM facts WHERE call_id IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)
    ).fetchall()
    return {str(row[0]) for row in rows}


def _value(db: apsw.Connection, name: str) -> int:
    row: Any = db.execute("SELECT value FROM edge WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _add(db: apsw.Connection, name: str, number: int) -> None:
    if number:
        db.execute("INSERT INTO edge VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value", (name, number))


def _set(db: apsw.Connection, name: str, number: int) -> None:
    db.execute("INSERT OR REPLACE INTO edge VALUES(?, ?)", (name, number))
