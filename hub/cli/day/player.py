"""Plays a day: calls come when they are due, whatever became of those before them, and every end is counted."""

import asyncio
import itertools
import math
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.cli.client import SPARE, Place
from hub.cli.day.plan import FILE, Traffic
from hub.cli.messages import Messages
from hub.cli.options import Problem
from hub.cli.refusals import refusal_of

MOST_AT_ONCE: Final = 400
"""Calls of one line that may be under way; one more is not made, and counted as given up."""
SAMPLES: Final = 20_000
KNOWN: Final = frozenset({"NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "PERMISSION_DENIED", "INVALID_ARGUMENT", "ABORTED"})
"""Statuses by which a far system says no, which is an answer; any other is a failure."""


@dataclass
class Tally:
    """What became of one line of the day."""

    traffic: Traffic
    due: int = 0
    given_up: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """By gRPC status."""
    took: list[float] = field(default_factory=list)
    """Seconds, of at most `SAMPLES` calls."""

    @property
    def answered(self) -> int:
        """Calls that came to an end that the far system decided."""
        return sum(number for status, number in self.ends.items() if status == "OK" or status in KNOWN)

    @property
    def failed(self) -> int:
        """Calls that came to nothing."""
        return sum(self.ends.values()) - self.answered

    def percentile(self, share: float) -> float:
        """Seconds within which so many of the calls had ended; 0 when there was none."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))] if ordered else 0.0


@dataclass
class Player:
    """One run. `speed` is how much faster than life time goes; `ask` makes one call and raises as it does."""

    messages: Messages
    subjects: Sequence[Mapping[str, str]]
    speed: float
    begins: datetime
    ask: Callable[[Traffic, Any], Awaitable[None]]
    happen: Callable[[Traffic, int], Awaitable[None]]
    """Has a system's simulator make so many happen."""
    seed: int = 1
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns() // 1_000_000))

    async def play(self, lines: Sequence[Traffic], seconds: float) -> list[Tally]:
        """Plays so many simulated seconds, and waits for what is under way. Raises `Problem` for a line that can't be played."""
        for line in lines:
            if line.template is not None:
                self._request(line, self._suited(line)[0])
        tallies = [Tally(one) for one in lines]
        async with asyncio.TaskGroup() as group:
            for number, tally in enumerate(tallies):
                play = self._happen if tally.traffic.template is None else self._call
                group.create_task(play(tally, seconds, random.Random(self.seed * 1000 + number)))  # noqa: S311 - a load
        return tallies

    async def _call(self, tally: Tally, seconds: float, chance: random.Random) -> None:
        started, at = time.perf_counter(), 0.0
        subjects = self._chosen(tally.traffic, chance)
        under_way: set[asyncio.Task[None]] = set()
        while True:
            hour = (self.begins + timedelta(seconds=at)).hour
            at += chance.expovariate(tally.traffic.rate(hour))
            if at >= seconds:
                break
            await asyncio.sleep(max(0.0, started + at / self.speed - time.perf_counter()))  # be it late, calls under way go on
            tally.due += 1
            if len(under_way) >= MOST_AT_ONCE:
                tally.given_up += 1
                continue
            task = asyncio.create_task(self._one(tally, next(subjects)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)

    async def _one(self, tally: Tally, facts: Mapping[str, str]) -> None:
        import grpc

        request = self._request(tally.traffic, facts)
        began, status = time.perf_counter(), "OK"
        try:
            await self.ask(tally.traffic, request)
        except grpc.aio.AioRpcError as error:
            status = refusal_of(error).status
        tally.ends[status] += 1
        if len(tally.took) < SAMPLES:
            tally.took.append(time.perf_counter() - began)

    def _chosen(self, line: Traffic, chance: random.Random) -> Iterator[Mapping[str, str]]:
        """Whom to ask about, without end."""
        suited = self._suited(line)
        while not line.in_turn:
            yield chance.choice(suited)
        while True:
            chance.shuffle(suited)
            yield from suited

    def _suited(self, line: Traffic) -> list[Mapping[str, str]]:
        """Who can be asked about."""
        found = [one for one in self.subjects if line.wants <= one.keys()]
        if not found:
            raise Problem(f"{line.system}/{FILE}: nobody who was drawn has {', '.join(sorted(line.wants))}")
        return found

    def _request(self, line: Traffic, facts: Mapping[str, str]) -> Any:
        number, now = next(self._numbers), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        own = {"unique": str(number), "serial": str(number % 9000 + 1000), "uuid": str(uuid.uuid4()), "now": now, "today": now[:10]}
        return line.request(self.messages, {**facts, **own})

    async def _happen(self, tally: Tally, seconds: float, chance: random.Random) -> None:
        """A real second at a time, as many as are due in it."""
        started, owed = time.perf_counter(), 0.0
        for second in range(math.ceil(seconds / self.speed)):
            if (left := started + second - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            lived = min(self.speed, seconds - second * self.speed)
            owed += tally.traffic.rate((self.begins + timedelta(seconds=second * self.speed)).hour) * lived
            now = math.floor(owed + chance.random())
            owed -= now
            if now > 0:
                tally.due += now
                try:
                    await self.happen(tally.traffic, now)
                except Problem:  # a simulator that is too busy to be told is counted, and the day goes on
                    tally.given_up += now


def asking(where: Place, messages: Messages, channel: Any) -> Callable[[Traffic, Any], Awaitable[None]]:
    """Calls through the edge as the developer, with an officer's token."""
    token = ("authorization", f"Bearer {where.token()}")
    methods: dict[str, Any] = {}

    async def ask(line: Traffic, request: Any) -> None:
        operation = line.operation
        if operation.name not in methods:
            shape = channel.unary_stream if operation.server_streams else channel.unary_unary
            methods[operation.name] = shape(operation.path, request_serializer=lambda one: one.SerializeToString())
        call = methods[operation.name](
            request, timeout=operation.timeout + SPARE, metadata=(token,) if operation.officer_admissible else ()
        )
        if operation.server_streams:
            async for _ in call:
                pass
        else:
            await call

    return ask
