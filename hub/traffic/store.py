"""What was changed, on disk: every change with its steps, and what changes say now, in one SQLite file.

The laws: a change and what it says come into force in one transaction, so that the file never tells half of one. That a change is recorded,
or waits for its time, is on the disk itself before anything else happens; the rest follows from it, and waits for no disk.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import apsw

from hub.traffic.changes import Standing, Step, TrafficChange, UnknownChangeError
from hub.traffic.settings import Key, Setting
from hub.traffic.words import read, text_of

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS changes(
  number INTEGER PRIMARY KEY, what TEXT NOT NULL, author TEXT NOT NULL, because TEXT NOT NULL, standing TEXT NOT NULL,
  asked REAL NOT NULL, at REAL NOT NULL, until REAL NOT NULL, steps TEXT NOT NULL, undoes INTEGER NOT NULL, undone_by INTEGER NOT NULL,
  problem TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS changes_by_standing ON changes(standing, number);
CREATE TABLE IF NOT EXISTS said(key TEXT PRIMARY KEY, setting TEXT NOT NULL, change INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs(interface TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
COLUMNS: Final = "number, what, author, because, standing, asked, at, until, steps, undoes, undone_by, problem"


def said_in(path: Path) -> dict[Key, Setting]:
    """What changes say now, by somebody who only reads the file."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows: Any = db.execute("SELECT key, setting FROM said")
        return {tuple(json.loads(key)): read(setting) for key, setting in rows}
    except apsw.SQLError:  # a hub made the file a moment ago
        return {}
    finally:
        db.close()


class Store:
    """The file, open. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._db = apsw.Connection(str(path))
        self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        self._db.execute(SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def said(self) -> dict[Key, tuple[Setting, int]]:
        """What changes say now, and the number of the change that does, by key."""
        rows: Any = self._db.execute("SELECT key, setting, change FROM said")
        return {tuple(json.loads(key)): (read(setting), change) for key, setting, change in rows}

    def epochs(self) -> dict[str, int]:
        """By interface, the number of the last change of who gets its calls that write."""
        rows: Any = self._db.execute("SELECT interface, number FROM epochs")
        return dict(rows)

    def begin(self, change: TrafficChange) -> TrafficChange:
        """Keeps a new change, and gives it its number."""
        values = (
            change.what,
            change.author,
            change.because,
            change.standing.value,
            change.asked,
            change.at,
            change.until,
            _steps_text(change.steps),
            change.undoes,
        )
        with self._on_disk(change.standing):
            self._db.execute(
                "INSERT INTO changes(what, author, because, standing, asked, at, until, steps, undoes, undone_by, problem)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')",
                values,
            )
        return replace(change, number=self._db.last_insert_rowid())

    def stands(self, number: int, standing: Standing, *, problem: str = "") -> None:
        """Says where a change stands."""
        with self._on_disk(standing):
            self._db.execute("UPDATE changes SET standing = ?, problem = ? WHERE number = ?", (standing.value, problem, number))

    def in_force(
        self,
        change: TrafficChange,
        at: float,
        ends: Iterable[tuple[int, Standing, int]] = (),
        epochs: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """A change is in force: what it says is what changes say now. `ends` are changes that stand otherwise by that: number, how, and
        by which change; `epochs` are those of interfaces, by name."""
        with self._transaction():
            self._db.execute(
                "UPDATE changes SET standing = ?, at = ?, problem = '' WHERE number = ?", (Standing.IN_FORCE.value, at, change.number)
            )
            for step in change.steps:
                key = json.dumps(step.key)
                if step.after is None:
                    self._db.execute("DELETE FROM said WHERE key = ?", (key,))
                else:
                    self._db.execute("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", (key, text_of(step.after), change.number))
            for interface, number in epochs.items():
                self._db.execute("INSERT OR REPLACE INTO epochs VALUES (?, ?)", (interface, number))
            for number, standing, by in ends:
                self.ended(number, standing, by)

    def ended(self, number: int, standing: Standing, by: int, *, problem: str = "") -> None:
        """A change was undone, or its time is over; `by` is the change that did it, 0 for none."""
        values = (standing.value, by, problem, number)
        self._db.execute("UPDATE changes SET standing = ?, undone_by = ?, problem = ? WHERE number = ?", values)

    def rewrite(self, number: int, steps: tuple[Step, ...]) -> None:
        """Gives a change other steps: the one that it stood on is no more."""
        self._db.execute("UPDATE changes SET steps = ? WHERE number = ?", (_steps_text(steps), number))

    def change(self, number: int) -> TrafficChange:
        """One change. Raises `UnknownChangeError`."""
        found = next(self._read("WHERE number = ?", (number,)), None)
        if found is None:
            raise UnknownChangeError((f"there is no change {number}",))
        return found

    def latest(self, limit: int) -> list[TrafficChange]:
        """Changes, newest first."""
        return list(self._read("ORDER BY number DESC LIMIT ?", (limit,)))

    def of_standing(self, *standings: Standing, after: int = 0) -> list[TrafficChange]:
        """Changes that stand so, oldest first, those after one number."""
        marks = ", ".join("?" * len(standings))
        return list(self._read(f"WHERE standing IN ({marks}) AND number > ? ORDER BY number", (*(one.value for one in standings), after)))

    def due(self, now: float) -> tuple[list[TrafficChange], list[TrafficChange]]:
        """Scheduled changes whose time has come, and changes in force whose time is over."""
        begin = list(self._read("WHERE standing = 'scheduled' AND at <= ? ORDER BY at, number", (now,)))
        end = list(self._read("WHERE standing = 'in_force' AND until > 0 AND until <= ? ORDER BY until, number", (now,)))
        return begin, end

    def _read(self, rest: str, values: Iterable[Any]) -> Iterator[TrafficChange]:
        rows: Any = self._db.execute(f"SELECT {COLUMNS} FROM changes {rest}", tuple(values))  # noqa: S608 - of constants above
        for number, what, author, because, standing, asked, at, until, steps, undoes, undone_by, problem in rows:
            yield TrafficChange(
                number, what, author, because, Standing(standing), asked, at, until, _steps(steps), undoes, undone_by, problem
            )

    @contextmanager
    def _on_disk(self, standing: Standing) -> Iterator[None]:
        """Everything so far is on the disk after the block, where a change stands so that others rely on it."""
        if standing not in (Standing.RECORDED, Standing.SCHEDULED):
            yield
            return
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._db:
            yield


def _steps_text(steps: tuple[Step, ...]) -> str:
    return json.dumps([[step.key, *(None if one is None else text_of(one) for one in (step.before, step.after))] for step in steps])


def _steps(text: str) -> tuple[Step, ...]:
    return tuple(
        Step(tuple(key), *(None if one is None else read(one) for one in (before, after))) for key, before, after in json.loads(text)
    )
