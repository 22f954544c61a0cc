"""Engines of the exchange for tests: each opened on a folder, on a clock that the test moves, and opened again as after a crash."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nats_server import NatsServer, shared_server

from hub.exchange.clock import SteadyClock
from hub.exchange.jetstream import JetStreamEngine, Settings
from hub.exchange.life import Event, State
from hub.exchange.port import Engine
from hub.exchange.records import Accepted, Arrival, Attempt, BrokenError, Delivery, Filter, Settlement
from hub.exchange.sqlite import SqliteEngine
from metip.contracts import Subscription

OPERATION = "metip.example.v1.ExampleMessageService/PublishExample"
NOW = 1_800_000_000.0


@dataclass
class Time:
    """Wall and steady time, moved by hand."""

    now: float = NOW

    def clock(self) -> SteadyClock:
        """A clock that tells this time."""
        return SteadyClock(wall=lambda: self.now, steady=lambda: self.now)


@dataclass
class Bench:
    """One engine under test."""

    engine: Engine
    time: Time
    ready: list[str] = field(default_factory=list)
    broken: list[BrokenError] = field(default_factory=list)

    async def subscribe(self, *subscriptions: Subscription) -> None:
        """Makes these all the subscriptions."""
        await self.engine.subscribe(subscriptions, self.ready.append)

    async def accept(self, key: str, ordering: str = "", **more: Any) -> str:
        """One message; its id."""
        (found,) = await self.engine.accept([arrival(key, ordering, **more)])
        assert isinstance(found, Accepted)
        return found.message_id

    async def take(self, name: str, limit: int = 100, settlements: Sequence[Settlement] = ()) -> list[Attempt]:
        """New attempts."""
        return list((await self.engine.turn(name, settlements, limit)).attempts)

    async def bodies(self, name: str, limit: int = 100) -> list[str]:
        """New attempts, by content."""
        return [one.body.decode() for one in await self.take(name, limit)]

    async def settle(self, attempt: Attempt, event: Event, *, retry_at: float = 0.0, reason: str = "") -> None:
        """Ends an attempt; takes nothing new."""
        await self.engine.turn(attempt.subscription, [settled(attempt, event, retry_at=retry_at, reason=reason)], 0)

    async def find(self, **wanted: Any) -> list[Delivery]:
        """Deliveries."""
        return await self.engine.deliveries(Filter(**wanted))

    async def counts(self, name: str) -> dict[State, int]:
        """The accounts of one subscription."""
        return next(one.counts for one in await self.engine.accounts() if one.subscription == name)


def subscription(system: str = "far", **changes: Any) -> Subscription:
    """A subscription to the one operation."""
    return Subscription(system, OPERATION, **changes)


def arrival(key: str, ordering: str = "", *, call_id: str = "call-1", traceparent: str = "", **more: Any) -> Arrival:
    """A message whose content is its key."""
    producer = "spiffe://metip.local/consumer/test"
    made = Arrival(OPERATION, key.encode(), key, ordering, producer, "", call_id, **more)
    return replace(made, traceparent=traceparent)


def settled(attempt: Attempt, event: Event, *, retry_at: float = 0.0, reason: str = "") -> Settlement:
    """How an attempt ended."""
    return Settlement(attempt.sequence, attempt.number, event, reason=reason, retry_at=retry_at)


Opening = Callable[[Path, Time], AbstractAsyncContextManager[Bench]]


@asynccontextmanager
async def sqlite(folder: Path, time: Time) -> AsyncIterator[Bench]:
    """The SQLite engine on a file of that folder."""
    broken: list[BrokenError] = []
    engine = await SqliteEngine.open(folder / "exchange.sqlite", broken.append, clock=time.clock())
    bench = Bench(engine, time, broken=broken)
    try:
        yield bench
    finally:
        await engine.close()


@asynccontextmanager
async def jetstream(folder: Path, time: Time) -> AsyncIterator[Bench]:
    """One hub on a log of that folder's own, on the session's one server."""
    broken: list[BrokenError] = []
    engine = await JetStreamEngine.open(hub(await shared_server(), folder), broken.append, clock=time.clock())
    bench = Bench(engine, time, broken=broken)
    try:
        yield bench
    finally:
        await engine.close()


def hub(server: NatsServer, folder: Path, name: str = "one", stream: str = "", **changes: Any) -> Settings:
    """Settings of one hub; the log is the folder's own unless it is named."""
    own = folder / name
    own.mkdir(exist_ok=True)
    stream = stream or f"log-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    return Settings(**{"servers": (server.address,), "stream": stream, "folder": own, "hub": name, "monitor": server.monitor, **changes})


ENGINES: dict[str, Opening] = {"sqlite": sqlite, "jetstream": jetstream}
"""Every engine; the conformance suite runs against each."""
