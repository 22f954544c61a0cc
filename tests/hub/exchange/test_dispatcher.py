"""Deliveries as the dispatcher paces them: in order, each line by itself, quiet while nobody can be reached, drained on a stop."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from engines import Bench, Time, arrival, subscription

from hub.exchange.clock import SteadyClock
from hub.exchange.dispatcher import Dispatcher
from hub.exchange.life import State
from hub.exchange.records import Attempt, BrokenError
from hub.exchange.sqlite import SqliteEngine
from hub.exchange.verdicts import Ended
from metip.contracts import Subscription
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
OK = Ended(grpc.StatusCode.OK)
GONE = Ended(grpc.StatusCode.UNAVAILABLE, flags="UH")
LOCKED = Ended(grpc.StatusCode.ABORTED, "LOCKED")
Send = Callable[[Subscription, Attempt], Awaitable[Ended]]


class Rig:
    """A dispatcher over a real engine and subscribers of the test's making."""

    def __init__(self, bench: Bench, dispatcher: Dispatcher, log: io.StringIO) -> None:
        self.bench, self.dispatcher, self.log = bench, dispatcher, log

    async def accept(self, *keys: str, ordered: bool = False) -> None:
        """Messages, by key; with `ordered`, of the line that the key's first letter names."""
        await self.bench.engine.accept([arrival(key, key[0] if ordered else "") for key in keys])

    async def counts(self, name: str) -> dict[State, int]:
        """The accounts."""
        return await self.bench.counts(name)

    async def until(self, name: str, wanted: dict[State, int]) -> None:
        """Until the accounts are these."""
        async with asyncio.timeout(10):
            while await self.counts(name) != wanted:  # noqa: ASYNC110 - the engine is asked
                await asyncio.sleep(0.005)


@asynccontextmanager
async def dispatching(folder: Path, send: Send, *subscriptions: Subscription) -> AsyncIterator[Rig]:
    """A running dispatcher for the length of the block; at its end it is stopped and drains."""
    log = io.StringIO()
    engine = await SqliteEngine.open(folder / "exchange.sqlite", _unexpected)
    bench = Bench(engine, Time())
    try:
        dispatcher = Dispatcher(engine, send, SteadyClock(), Log(log))
        dispatcher.prepare(subscriptions)
        await engine.subscribe(subscriptions, dispatcher.ready)
        running = asyncio.create_task(dispatcher.run())
        try:
            yield Rig(bench, dispatcher, log)
        finally:
            dispatcher.stop()
            async with asyncio.timeout(5):
                await running
    finally:
        await engine.close()


def _unexpected(error: BrokenError) -> None:
    raise AssertionError("the store of a test broke") from error


def quick(system: str = "far", **changes: Any) -> Subscription:
    """A subscription that loses no time."""
    return subscription(system, **{"first_delay": 0.01, "longest_delay": 0.02, **changes})


async def test_messages_of_a_key_arrive_in_order_however_often_each_fails(tmp_path: Path) -> None:
    effects: list[str] = []

    async def send(_: Subscription, attempt: Attempt) -> Ended:
        if attempt.number < 3:
            return LOCKED
        effects.append(attempt.body.decode())
        return OK

    async with dispatching(tmp_path, send, quick()) as rig:
        await rig.accept("a1", "a2", "b1", "a3", "b2", ordered=True)
        await rig.until(quick().name, {State.PROCESSED: 5})
    assert [one for one in effects if one[0] == "a"] == ["a1", "a2", "a3"]
    assert [one for one in effects if one[0] == "b"] == ["b1", "b2"]


async def test_one_subscriber_that_hangs_keeps_no_other_waiting(tmp_path: Path) -> None:
    let_go = asyncio.Event()

    async def send(said: Subscription, _: Attempt) -> Ended:
        if said.system == "slow":
            await let_go.wait()
        return OK

    async with dispatching(tmp_path, send, quick("slow"), quick("fast")) as rig:
        await rig.accept("a", "b", "c")
        await rig.until(quick("fast").name, {State.PROCESSED: 3})
        assert await rig.counts(quick("slow").name) == {State.ATTEMPT: 3}
        let_go.set()
        await rig.until(quick("slow").name, {State.PROCESSED: 3})


async def test_a_poisoned_message_parks_and_delays_no_other_key(tmp_path: Path) -> None:
    async def send(_: Subscription, attempt: Attempt) -> Ended:
        return Ended(grpc.StatusCode.NOT_FOUND, "NO_TRACE") if attempt.body == b"a1" else OK

    async with dispatching(tmp_path, send, quick()) as rig:
        await rig.accept("a1", "a2", "b1", "b2", ordered=True)
        await rig.until(quick().name, {State.PARKED: 1, State.PENDING: 1, State.PROCESSED: 2})


async def test_while_nobody_can_be_reached_one_attempt_is_made_at_a_time_and_it_is_logged_once(tmp_path: Path) -> None:
    under_way = most = attempts = 0
    gone = True

    async def send(_: Subscription, attempt: Attempt) -> Ended:
        nonlocal under_way, most, attempts
        under_way += 1
        attempts += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return GONE if gone else OK

    async with dispatching(tmp_path, send, quick(in_flight=50)) as rig:
        await rig.accept("first")
        async with asyncio.timeout(5):
            while attempts < 3:  # noqa: ASYNC110 - counted by the subscriber above
                await asyncio.sleep(0.005)
        await rig.accept(*(f"k{number}" for number in range(200)))
        before = attempts
        await asyncio.sleep(0.2)
        assert attempts - before < 50
        assert most == 1
        gone = False
        await rig.until(quick().name, {State.PROCESSED: 201})
        assert most > 1
        said = rig.log.getvalue()
        assert (said.count("subscriber_lost"), said.count("subscriber_back")) == (1, 1)


async def test_what_is_under_way_when_it_stops_is_written_down(tmp_path: Path) -> None:
    began = asyncio.Event()

    async def send(_: Subscription, __: Attempt) -> Ended:
        began.set()
        await asyncio.sleep(0.05)
        return OK

    async with dispatching(tmp_path, send, quick(write_once=True)) as rig:
        await rig.accept("a")
        await began.wait()
        rig.dispatcher.stop()
        await rig.until(quick().name, {State.PROCESSED: 1})
