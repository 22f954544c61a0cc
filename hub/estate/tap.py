"""One watcher of calls: those that a filter finds, no more of them in a second than it takes, the rest dropped and counted."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from hub.estate.calls import Call
from metip.estate.v1 import estate_service_pb2 as api

USUAL: Final = 200
"""Calls in a second, where nobody says how many."""
MOST_KEPT: Final = 2000
"""Calls that wait for a watcher."""


class Tap:
    """What one watcher is given."""

    def __init__(self, said: api.WatchCallsRequest, clock: Callable[[], float]) -> None:
        """`clock` gives seconds, by which calls in a second are counted."""
        self._clock = clock
        self._consumers, self._systems = tuple(said.consumers), frozenset(said.systems)
        self._operations = tuple(one.casefold() for one in said.operations)
        self._statuses, self._reasons = frozenset(said.statuses), frozenset(said.reasons)
        self._slower = said.slower_than.ToTimedelta().total_seconds() * 1000 if said.HasField("slower_than") else -1.0
        self._only_errors, self._rate = said.only_errors, said.most_per_second or USUAL
        self._left, self._filled = float(self._rate), clock()
        self._kept: deque[Call] = deque()
        self._dropped = 0
        self._there = asyncio.Event()

    def finds(self, call: Call) -> bool:
        """Whether the filter finds a call."""
        line = call.line
        return (
            (not self._consumers or any(text in line.consumer for text in self._consumers))
            and (not self._operations or any(text in call.operation.casefold() for text in self._operations))
            and (not self._systems or call.system in self._systems)
            and (not self._statuses or line.grpc_status in self._statuses)
            and (not self._reasons or call.reason in self._reasons)
            and line.ms > self._slower
            and (call.error or not self._only_errors)
        )

    def take(self, calls: Sequence[Call]) -> None:
        """Keeps those that are found, or counts them as dropped."""
        now = self._clock()
        self._left = min(float(self._rate), self._left + (now - self._filled) * self._rate)
        self._filled = now
        for call in calls:
            if self.finds(call):
                if self._left >= 1 and len(self._kept) < MOST_KEPT:
                    self._left -= 1
                    self._kept.append(call)
                else:
                    self._dropped += 1
                self._there.set()

    def passed_over(self, lines: int) -> None:
        """Nobody knows whether the filter would have found them; they count as dropped."""
        self._dropped += lines
        self._there.set()

    async def given(self) -> tuple[list[Call], int]:
        """Waits for something, and gives calls and how many were dropped since this was asked last."""
        await self._there.wait()
        self._there.clear()
        calls, dropped = list(self._kept), self._dropped
        self._kept.clear()
        self._dropped = 0
        return calls, dropped
