"""Calls as Envoy's log tells of them, for whoever listens; while nobody does, nothing is read.

The law: a listener is given calls in its turn and must not wait; what it can't take it drops and counts. Where more was written than can be
read soon, only the latest is read, and the rest is counted as passed over.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from hub.estate.calls import Call, Reading
from hub.ledger.following import EdgeReader

T = TypeVar("T")
EVERY: Final = 0.25
"""Seconds between two looks at the log."""
MOST: Final = 4 * 1024 * 1024
"""Bytes that are read at one look, some ten thousand calls; what was written before them is passed over."""
PAST: Final = 8 * 1024 * 1024
"""Bytes before the log's end in which the last seconds are looked for."""
MISSING: Final = "no rates, times and errors of calls"
SOME: Final = 500
"""Calls that are read in one go, before others have their turn."""


class Listener(Protocol):
    """Takes calls as they end."""

    def take(self, calls: Sequence[Call]) -> None:
        """Some calls, in the order in which they ended."""

    def passed_over(self, lines: int) -> None:
        """So many lines were not read."""


class Feed:
    """Reads the log of one Envoy."""

    def __init__(self, log: Path | None, reading: Reading, clock: Callable[[], float]) -> None:
        """`log` is None where Envoy writes none: then there are no calls."""
        self._path, self._reading, self._clock = log, reading, clock
        self._reader: EdgeReader | None = None
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""
        self.still = asyncio.Lock()
        """Whoever holds it is given no calls meanwhile."""
        self.read_at = 0.0
        """Unix time up to which the log was read; 0 before."""

    @property
    def problem(self) -> str:
        """What keeps calls from being read, and what is missing without them; empty where they are."""
        if self._path is None:
            return f"Envoy writes no log of calls (`access_log` in the hub's settings), so there are {MISSING}"
        trouble = self._trouble or ("" if self._path.exists() else "it is not there")
        return f"Envoy's log {self._path.name} can't be read, so there are {MISSING}: {trouble}" if trouble else ""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @asynccontextmanager
    async def listening(self, listener: Listener) -> AsyncIterator[None]:
        """Gives a listener every call that ends from now on, for the length of the block; `past` gives those before, asked at once."""
        if self._reader is None and self._path is not None:
            self._reader = EdgeReader(self._path)
            self._guarded(EdgeReader.begin, None)
        self._listeners.append(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._listeners.remove(listener)
            if not self._listeners:
                await self._stop()

    async def past(self, since: float) -> tuple[list[Call], float]:
        """Calls that ended since a unix time and before those that listeners are given, and the time from which they are whole."""
        lines = self._guarded(lambda reader: reader.past(PAST), list[str]())
        calls = await self._calls(lines)
        whole = sum(map(len, lines)) + len(lines) < PAST // 2
        found = [one for one in calls if one.ended >= since]
        return found, since if whole or len(found) < len(calls) else found[0].ended

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            async with self.still:
                await self._look()

    async def _look(self) -> None:
        lines, passed_over = self._guarded(lambda reader: reader.latest(MOST), (list[str](), 0))
        if passed_over:
            for one in self._listeners:
                one.passed_over(passed_over)
        for first in range(0, len(lines), SOME):
            calls = self._reading.calls(lines[first : first + SOME])
            for one in self._listeners:
                one.take(calls)
            if first + SOME < len(lines):
                await asyncio.sleep(0)

    def _guarded(self, work: Callable[[EdgeReader], T], otherwise: T) -> T:
        """What is read, or something else while the log can't be."""
        if self._reader is None:
            return otherwise
        try:
            found = work(self._reader)
        except OSError as error:
            self._trouble = error.strerror or "it can't be read"
            return otherwise
        self._trouble, self.read_at = "", self._clock()
        return found

    async def _calls(self, lines: list[str]) -> list[Call]:
        found = []
        for first in range(0, len(lines), SOME):
            found += self._reading.calls(lines[first : first + SOME])
            await asyncio.sleep(0)
        return found

    async def _stop(self) -> None:
        task, self._task, reader, self._reader = self._task, None, self._reader, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if reader is not None:
            reader.close()
