"""Keeps figures, masked examples and acceptances in one SQLite file: fine figures of late, coarser ones of long ago, nothing after that.

The law: nothing personal in clear comes in here.
"""

import json
import math
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import apsw

from hub.parity.acceptances import Acceptance
from hub.parity.tallying import Book, Seen, Signal, Tally

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400
AGES: Final = ((SECOND, 120), (MINUTE, 2 * DAY), (HOUR, 60 * DAY), (DAY, 800 * DAY))
"""Widths of buckets, in seconds, and up to which age of a figure each is kept: two years of days outlast a migration."""
EXAMPLES: Final = 6
"""Of one look of a difference: the first half and the latest."""
EXAMPLES_KEPT: Final = 90 * DAY
VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE operations(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE signals(
  operation INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, hint TEXT NOT NULL, first REAL,
  last REAL NOT NULL, details TEXT NOT NULL, PRIMARY KEY(operation, number)) STRICT, WITHOUT ROWID;
CREATE TABLE patterns(
  operation INTEGER NOT NULL, number INTEGER NOT NULL, signals TEXT NOT NULL, PRIMARY KEY(operation, number)) STRICT, WITHOUT ROWID;
CREATE TABLE figures(
  width INTEGER NOT NULL, start INTEGER NOT NULL, operation INTEGER NOT NULL, counter TEXT NOT NULL, number INTEGER NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY(width, start, operation, counter, number)) STRICT, WITHOUT ROWID;
CREATE TABLE examples(
  operation INTEGER NOT NULL, signal INTEGER NOT NULL, place INTEGER NOT NULL, at REAL NOT NULL, call_id TEXT NOT NULL,
  origin TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY(operation, signal, place)) STRICT, WITHOUT ROWID;
CREATE TABLE acceptances(
  number INTEGER PRIMARY KEY, operation TEXT NOT NULL, field TEXT NOT NULL, looks TEXT NOT NULL, because TEXT NOT NULL,
  author TEXT NOT NULL, at REAL NOT NULL, until REAL NOT NULL, withdrawn_at REAL NOT NULL, withdrawn_by TEXT NOT NULL,
  withdrawn_because TEXT NOT NULL) STRICT;
"""
ADD: Final = """INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count"""


class ParityStoreError(Exception):
    """The file can't be opened or is of another version."""


@dataclass(frozen=True, slots=True)
class Example:
    """One pair that showed a difference, masked."""

    at: float
    call_id: str
    origin: str
    before: str
    after: str
    detail: str


@dataclass(slots=True)
class Batch:
    """What is new since the last one. Examples are by operation, signal and place; tallies by operation and second."""

    operations: list[tuple[int, str]]
    signals: list[tuple[Any, ...]]
    patterns: list[tuple[int, int, str]]
    tallies: dict[tuple[int, int], Tally]
    examples: dict[tuple[int, int, int], Example]

    @classmethod
    def of(cls, books: Iterable[Book], tallies: dict[tuple[int, int], Tally], examples: dict[tuple[int, int, int], Example]) -> Self:
        """Takes what books have not saved, which then counts as saved."""
        found = cls([], [], [], tallies, examples)
        for book in books:
            if book.unsaved or book.unsaved_patterns:
                found.operations.append((book.number, book.operation))
            for signal in book.unsaved:
                seen = book.signals[signal]
                first = None if math.isinf(seen.first) else seen.first
                found.signals.append((book.number, seen.number, *signal, first, seen.last, json.dumps(dict(seen.details))))
            found.patterns += [(book.number, book.patterns[one], json.dumps(one)) for one in book.unsaved_patterns]
            book.unsaved.clear()
            book.unsaved_patterns.clear()
        return found


class ParityStore:
    """The file, open. Its methods may be called from any thread."""

    def __init__(self, path: Path | None) -> None:
        """Opens or makes the file, or one in memory. Raises `ParityStoreError`."""
        self._lock = threading.RLock()
        try:
            if path is not None:
                path.touch(mode=0o600)
            self._db = apsw.Connection(str(path) if path is not None else ":memory:")
            self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000")
            version: Any = self._db.execute("PRAGMA user_version").fetchone()
            if version[0] == 0:
                with self._db:
                    self._db.execute(f"{SCHEMA} PRAGMA user_version = {VERSION}")
            elif version[0] != VERSION:
                raise ParityStoreError(f"{path} is of version {version[0]}, and this hub reads version {VERSION}")
        except (apsw.Error, OSError) as error:
            raise ParityStoreError(f"{path} can't be opened: {type(error).__name__}") from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def books(self) -> list[Book]:
        """Operations with their signals and patterns, as they were left. Raises `ParityStoreError`."""
        try:
            with self._lock:
                return [self._book(number, name) for number, name in list(self._db.execute("SELECT number, name FROM operations"))]
        except (apsw.Error, ValueError) as error:
            raise ParityStoreError(f"figures can't be read: {type(error).__name__}") from error

    def _book(self, number: int, name: str) -> Book:
        book = Book(name, number)
        rows = self._db.execute("SELECT number, path, kind, hint, first, last, details FROM signals WHERE operation = ?", (number,))
        for one, path, kind, hint, first, last, details in rows:
            signal = Signal(path, kind, hint)
            book.signals[signal] = Seen(one, signal, math.inf if first is None else first, last, Counter(json.loads(details)))
        for one, signals in self._db.execute("SELECT number, signals FROM patterns WHERE operation = ?", (number,)):
            book.patterns[tuple(json.loads(signals))] = one
        return book

    def write(self, batch: "Batch", now: float) -> None:
        """Keeps what is new, all of it or nothing. Raises `ParityStoreError`."""
        try:
            with self._lock, self._db:
                self._db.executemany("INSERT OR IGNORE INTO operations VALUES (?, ?)", batch.operations)
                self._db.executemany("INSERT OR REPLACE INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?)", batch.signals)
                self._db.executemany("INSERT OR REPLACE INTO patterns VALUES (?, ?, ?)", batch.patterns)
                for (operation, second), tally in batch.tallies.items():
                    width = width_at(now - second)
                    start = second // width * width
                    self._db.executemany(ADD, [(width, start, operation, *key, count) for key, count in tally.items()])
                examples = [
                    (*key, one.at, one.call_id, one.origin, one.before, one.after, one.detail) for key, one in batch.examples.items()
                ]
                self._db.executemany("INSERT OR REPLACE INTO examples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", examples)
        except apsw.Error as error:
            raise ParityStoreError(f"figures can't be written: {type(error).__name__}") from error

    def since(self, since: float) -> dict[int, Tally]:
        """Figures by operation of all buckets that began at an instant or later."""
        found: dict[int, Tally] = {}
        with self._lock:
            rows = self._db.execute(
                "SELECT operation, counter, number, sum(count) FROM figures WHERE start >= ? GROUP BY 1, 2, 3", (int(since),)
            )
            for operation, counter, number, count in rows:
                found.setdefault(operation, Counter())[counter, number] = count
        return found

    def days(self, operation: int, counter: str, numbers: Sequence[int], since: float) -> dict[int, int]:
        """Counts by day (its first second, UTC) of the given numbers of a counter."""
        marks = ", ".join("?" * len(numbers))
        with self._lock:
            rows = self._db.execute(
                f"SELECT start / {DAY} * {DAY}, sum(count) FROM figures WHERE operation = ? AND counter = ? AND start >= ?"
                f" AND number IN ({marks}) GROUP BY 1 ORDER BY 1",
                (operation, counter, int(since), *numbers),
            )
            return {int(start): int(count) for start, count in rows}

    def compact(self, now: float) -> None:
        """Adds fine figures of long ago up to coarser ones, and forgets what is older than that."""
        with self._lock, self._db:
            for (width, age), wider in zip(AGES, (*(width for width, _ in AGES[1:]), 0), strict=True):
                before = int(now - age)
                if wider:
                    before = before // wider * wider
                    self._db.execute(
                        f"INSERT INTO figures SELECT {wider}, start / {wider} * {wider}, operation, counter, number, sum(count)"
                        " FROM figures WHERE width = ? AND start < ? GROUP BY 2, 3, 4, 5"
                        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
                        (width, before),
                    )
                self._db.execute("DELETE FROM figures WHERE width = ? AND start < ?", (width, before))
            self._db.execute("DELETE FROM examples WHERE at < ?", (now - EXAMPLES_KEPT,))

    def examples(self, operation: int, signals: Sequence[int]) -> list[tuple[int, Example]]:
        """Masked examples of the given signals, oldest first, each with the number of its signal."""
        marks = ", ".join("?" * len(signals))
        with self._lock:
            rows = self._db.execute(
                "SELECT signal, at, call_id, origin, before, after, detail FROM examples"
                f" WHERE operation = ? AND signal IN ({marks}) ORDER BY at",
                (operation, *signals),
            )
            return [(signal, Example(*rest)) for signal, *rest in rows]

    def counted_examples(self) -> dict[tuple[int, int], int]:
        """How many examples there are, by operation and signal."""
        with self._lock:
            rows = self._db.execute("SELECT operation, signal, count(*) FROM examples GROUP BY 1, 2")
            return {(operation, signal): count for operation, signal, count in rows}

    def acceptances(self) -> list[Acceptance]:
        """All acceptances, also those that no longer hold, oldest first."""
        with self._lock:
            rows = list(self._db.execute("SELECT * FROM acceptances ORDER BY number"))
        return [
            Acceptance(number, operation, field, frozenset(tuple(one) for one in json.loads(looks)), *rest)
            for number, operation, field, looks, *rest in rows
        ]

    def accept(self, one: Acceptance) -> Acceptance:
        """Keeps an acceptance, new or changed, and gives it with its number; a number of 0 makes a new one."""
        looks = json.dumps(sorted(one.looks))
        values = (one.operation, one.field, looks, one.because, one.author, one.at, one.until)
        withdrawn = (one.withdrawn_at, one.withdrawn_by, one.withdrawn_because)
        with self._lock, self._db:
            row = (one.number or None, *values, *withdrawn)
            self._db.execute("INSERT OR REPLACE INTO acceptances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            number = one.number or self._db.last_insert_rowid()
        return Acceptance(number, one.operation, one.field, one.looks, one.because, one.author, one.at, one.until, *withdrawn)


def width_at(age: float) -> int:
    """Width of the bucket in which a figure of that age is kept."""
    return next((width for width, oldest in AGES if age < oldest), DAY)
