"""Hands messages to their subscribers: one loop for each subscription, each with its own pace, none in another's way.

A loop ends attempts and begins new ones in one durable turn of the engine. While nobody can be reached only one attempt is made at a time,
so that a subscriber that is away for days costs nothing, and its messages keep their attempts.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from hub.exchange.backoff import delay
from hub.exchange.clock import SteadyClock
from hub.exchange.life import Event
from hub.exchange.port import Engine
from hub.exchange.records import Attempt, BrokenError, ExchangeError, FullError, Settlement
from hub.exchange.verdicts import Ended, verdict
from metip.contracts import Subscription
from metip.logs import Log
from metip.telemetry.spread import DELIVERIES, Counted, Spread

Send = Callable[[Subscription, Attempt], Awaitable[Ended]]
"""Makes one attempt; never raises but when it is cancelled."""
LONGEST_SLEEP: Final = 30.0
AGAIN: Final = 1.0


@dataclass
class Line:
    """One subscription's deliveries."""

    subscription: Subscription
    engine: Engine
    send: Send
    clock: SteadyClock
    log: Log
    chance: Callable[[], float] = random.random
    unreachable_since: float = 0.0
    """When its subscriber was first not to be reached; 0 while it can be."""
    attempts: Counted = field(default_factory=Counted)
    """Attempts by the event that followed."""
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that delivered nothing, by reason."""
    delivered: Spread = field(default_factory=lambda: Spread(DELIVERIES))
    """From acceptance to delivery."""
    _settled: list[Settlement] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)
    _failures: int = 0
    _quiet_until: float = 0.0
    _stopping: bool = False

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Begins no attempt any more; `run` ends when those under way have, and how they ended is written down."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Delivers until it is stopped, or cancelled: then attempts under way are cut, and recovered by whoever opens the engine next."""
        due: float | None = self.clock()
        try:
            while not self._stopping or self._under_way or self._settled:
                await self._sleep_until(due)
                self._wake.clear()
                due = await self._turn()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _turn(self) -> float | None:
        """Ends and begins attempts; when there will be something to do again."""
        room = self._room()
        if (
            room == 0 and not self._settled
        ):  # so that accepting, which wakes every line, costs the store nothing while nobody can be reached
            return None if self._under_way or self._stopping else self._quiet_until
        settled, self._settled = self._settled, []
        try:
            turn = await self.engine.turn(self.subscription.name, settled, room)
        except BrokenError:
            raise
        except ExchangeError as error:
            self._settled = settled + self._settled
            if not isinstance(error, FullError):
                raise
            return self.clock() + AGAIN  # no room on the disk to write down how it went; nothing is lost, and nothing new is begun
        for attempt in turn.attempts:
            task = asyncio.create_task(self._attempt(attempt))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if room == 0 and not self._under_way:
            return None if self._stopping else self._quiet_until
        if len(turn.attempts) == room:
            return None if self._under_way else self.clock()  # there may be more, when one of these has ended
        return turn.due

    def _room(self) -> int:
        if self._stopping:
            return 0
        if self._failures:
            return 1 if not self._under_way and self.clock() >= self._quiet_until else 0
        return self.subscription.in_flight - len(self._under_way)

    async def _sleep_until(self, due: float | None) -> None:
        left = LONGEST_SLEEP if due is None else min(LONGEST_SLEEP, due - self.clock())
        if left <= 0 or self._wake.is_set():
            return
        try:
            async with asyncio.timeout(left):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _attempt(self, attempt: Attempt) -> None:
        said, began = self.subscription, time.perf_counter()
        ended = await self.send(said, attempt)
        now, seconds = self.clock(), time.perf_counter() - began
        found = verdict(ended, write_once=said.write_once, attempt=attempt.tries, exhausted=now - attempt.first_began > said.give_up_after)
        wait = delay(attempt.number, said.first_delay, said.longest_delay, self.chance)
        self.attempts.ended(found.event.value, seconds)
        if found.event in (Event.ACKNOWLEDGED, Event.CONFIRMED):
            self.delivered.add(max(0.0, now - attempt.accepted))
        else:
            self.failures[found.reason] += 1
        self._settled.append(Settlement(attempt.sequence, attempt.number, found.event, found.status, found.reason, now + wait))
        self._reached(ended, now)
        self._wake.set()

    def _reached(self, ended: Ended, now: float) -> None:
        """Keeps the pace: nobody to be reached means one attempt at a time, further and further apart."""
        if ended.unreachable:
            self._failures += 1
            self._quiet_until = now + delay(self._failures, self.subscription.first_delay, self.subscription.longest_delay, self.chance)
            if not self.unreachable_since:
                self.unreachable_since = now
                self.log.line("subscriber_lost", subscription=self.subscription.name, flags=ended.flags)
            return
        if self.unreachable_since:
            self.log.line("subscriber_back", subscription=self.subscription.name)
        self._failures, self.unreachable_since = 0, 0.0


class Dispatcher:
    """All lines of one hub."""

    def __init__(self, engine: Engine, send: Send, clock: SteadyClock, log: Log) -> None:
        self._engine, self._send, self._clock, self._log = engine, send, clock, log
        self.lines: dict[str, Line] = {}

    def prepare(self, subscriptions: tuple[Subscription, ...]) -> None:
        """Makes a line for each subscription; `run` starts them."""
        self.lines = {one.name: Line(one, self._engine, self._send, self._clock, self._log) for one in subscriptions}

    def ready(self, name: str) -> None:
        """A subscription may have something to deliver. Called by the engine."""
        line = self.lines.get(name)
        if line is not None:
            line.wake()

    async def run(self) -> None:
        """Delivers until it is stopped or cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self.lines.values():
                group.create_task(line.run())

    def stop(self) -> None:
        """Begins no attempt any more; `run` ends when those under way have."""
        for line in self.lines.values():
            line.stop()
