"""Events from a far system to the exchange: nothing acknowledged before it is published, nothing lost, order kept as far as it can be."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from waiting import until

from adapters.kit import Log, relaying
from adapters.kit.relaying import Event, Relay

pytestmark = pytest.mark.asyncio(loop_scope="module")


def refused(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="refused")


@dataclass
class Far:
    """A far system: what it sends to each session in turn, and what it is told."""

    sessions: list[list[Event | Exception | None]]
    opened: int = 0
    closed: int = 0
    told: list[tuple[Any, ...]] = field(default_factory=list)
    more: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    async def open(self) -> "Far":
        self.opened += 1
        if self.opened > len(self.sessions):
            raise ConnectionRefusedError
        self._left = iter(self.sessions[self.opened - 1])
        return self

    async def receive(self) -> Event | None:
        for one in self._left:
            if isinstance(one, Exception):
                raise one
            return one
        return await self.more.get()

    async def acknowledge(self, number: int) -> None:
        self.told.append(("ack", number))

    async def give_back(self, number: int, code: str) -> None:
        self.told.append(("back", number, code))

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Exchange:
    """Keeps messages, in the order in which it was given them; may refuse or wait."""

    kept: list[Any] = field(default_factory=list)
    refusing: dict[Any, list[grpc.StatusCode]] = field(default_factory=dict)
    waits: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, message: Any) -> None:
        await self.waits.wait()
        if self.refusing.get(message):
            raise refused(self.refusing[message].pop(0))
        self.kept.append(message)


def events(*messages: str, first: int = 1) -> list[Event | Exception | None]:
    """Events such as `a1`: key `a`, place 1."""
    return [Event(number, message[0], int(message[1:]), message) for number, message in enumerate(messages, start=first)]


@asynccontextmanager
async def relaying_from(far: Far, exchange: Exchange, *, gap_wait: float = 0.05, waits: bool = False) -> AsyncIterator[io.StringIO]:
    lines = io.StringIO()
    if not waits:
        exchange.waits.set()
    task = asyncio.create_task(Relay(far.open, exchange.publish, Log(lines), gap_wait).run())
    try:
        yield lines
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def lines_of(lines: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in lines.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "PAUSES", (0.0, 0.01))


async def test_events_are_published_and_then_acknowledged() -> None:
    far, exchange = Far([events("a1", "b1", "a2")]), Exchange()
    async with relaying_from(far, exchange, waits=True):
        await until(lambda: far.opened)
        assert far.told == [], "the exchange has nothing yet"
        exchange.waits.set()
        await until(lambda: far.told)
    assert sorted(exchange.kept) == ["a1", "a2", "b1"]
    assert far.told[-1] == ("ack", 3)
    assert far.closed == 1


async def test_a_line_before_its_predecessor_is_put_right() -> None:
    far, exchange = Far([events("a1", "a2", "a4", "a3", "a5")]), Exchange()
    async with relaying_from(far, exchange):
        await until(lambda: ("ack", 5) in far.told)
    assert exchange.kept == ["a1", "a2", "a3", "a4", "a5"]


async def test_a_missing_line_is_waited_for() -> None:
    far, exchange = Far([events("a1", "a3")]), Exchange()
    async with relaying_from(far, exchange, gap_wait=5):
        await asyncio.sleep(0)
        far.more.put_nowait(Event(3, "a", 2, "a2"))
        await until(lambda: ("ack", 3) in far.told)
    assert exchange.kept == ["a1", "a2", "a3"]


async def test_a_line_missing_after_what_was_published_before_is_waited_for() -> None:
    far, exchange = Far([events("a1")]), Exchange()
    async with relaying_from(far, exchange, gap_wait=5):
        await until(lambda: ("ack", 1) in far.told)
        far.more.put_nowait(Event(2, "a", 3, "a3"))
        await asyncio.sleep(0.02)
        assert exchange.kept == ["a1"]
        far.more.put_nowait(Event(3, "a", 2, "a2"))
        await until(lambda: ("ack", 3) in far.told)
    assert exchange.kept == ["a1", "a2", "a3"]


async def test_a_line_that_never_comes_holds_back_nothing_for_long() -> None:
    far, exchange = Far([events("a1", "a3")]), Exchange()
    async with relaying_from(far, exchange, gap_wait=0.02):
        await until(lambda: ("ack", 2) in far.told)
        far.more.put_nowait(Event(3, "a", 2, "a2"))
        await until(lambda: ("ack", 3) in far.told)
    assert exchange.kept == ["a1", "a3", "a2"], "late, but not lost"


async def test_a_key_that_begins_in_the_middle_waits_for_nothing() -> None:
    far, exchange = Far([events("a7", "a8")]), Exchange()
    async with relaying_from(far, exchange, gap_wait=60):
        await until(lambda: ("ack", 2) in far.told)
    assert exchange.kept == ["a7", "a8"]


async def test_a_repetition_waits_for_nothing() -> None:
    far, exchange = Far([events("a1", "a2", "a3"), events("a1", "a3", first=1)]), Exchange()
    async with relaying_from(far, exchange, gap_wait=60):
        await until(lambda: ("ack", 3) in far.told)
        far.more.put_nowait(Event(4, "a", 1, "a1"))
        await until(lambda: ("ack", 4) in far.told)


async def test_a_session_that_is_lost_is_opened_again_and_told_once() -> None:
    far = Far([[*events("a1"), ConnectionResetError()], [TimeoutError()], [None, *events("a2", first=2)]])
    exchange = Exchange()
    async with relaying_from(far, exchange) as lines:
        await until(lambda: ("ack", 2) in far.told)
    assert exchange.kept[-1] == "a2"
    assert lines_of(lines) == ["events_lost", "events_back"]
    assert far.closed == 3


async def test_a_far_system_that_is_not_there_is_tried_again() -> None:
    far, exchange = Far([]), Exchange()
    async with relaying_from(far, exchange) as lines:
        await until(lambda: far.opened >= 3)
        far.sessions = [[]] * far.opened + [events("a1")] * 5
        await until(lambda: far.told)
    assert lines_of(lines) == ["events_lost", "events_back"]


@pytest.mark.parametrize(
    ("message", "code"),
    [("a2", "INVALID_ARGUMENT"), ("a2", "RESOURCE_EXHAUSTED"), (None, "UNREADABLE")],
    ids=["refused", "too large", "unreadable"],
)
async def test_an_event_that_can_not_be_published_is_given_back_and_holds_back_nothing(message: str | None, code: str) -> None:
    came: list[Event | Exception | None] = [*events("a1"), Event(2, "a", 2, message), *events("a3", first=3)]
    exchange = Exchange(refusing={"a2": [grpc.StatusCode[code]]} if message else {})
    far = Far([came])
    async with relaying_from(far, exchange) as lines:
        await until(lambda: ("ack", 3) in far.told)
    assert exchange.kept == ["a1", "a3"]
    assert far.told == [("back", 2, code), ("ack", 3)]
    assert lines_of(lines) == ["event_refused"]


async def test_an_adapter_that_is_refused_acknowledges_nothing_and_tries_again() -> None:
    exchange = Exchange(refusing={"a1": [grpc.StatusCode.PERMISSION_DENIED] * 2})
    far = Far([events("a1", "b1")] * 3)
    async with relaying_from(far, exchange) as lines:
        await until(lambda: far.told)
    assert far.told == [("ack", 2)]
    assert far.opened == 3
    assert "a1" in exchange.kept
    assert lines_of(lines) == ["events_lost", "events_back"]


async def test_a_number_that_is_missing_ends_the_session_before_anything_after_it_is_acknowledged() -> None:
    far = Far([[*events("a1"), *events("a3", first=3)], events("a1", "a2", "a3")])
    exchange = Exchange()
    async with relaying_from(far, exchange):
        await until(lambda: ("ack", 3) in far.told)
    assert far.opened == 2
    assert [number for _, number in far.told if number > 1] == [3]


async def test_signs_of_life_are_no_events() -> None:
    far, exchange = Far([[None, None, *events("a1"), None]]), Exchange()
    async with relaying_from(far, exchange):
        await until(lambda: far.told)
    assert (exchange.kept, far.told) == (["a1"], [("ack", 1)])


async def test_an_error_of_our_own_ends_the_relaying() -> None:
    async def broken(message: Any) -> None:
        raise ZeroDivisionError

    publish: Callable[[Any], Any] = broken
    with pytest.raises(ExceptionGroup) as raised:
        await Relay(Far([events("a1")]).open, publish, Log(io.StringIO()), 0.1).run()
    assert raised.group_contains(ZeroDivisionError)


async def test_only_so_many_keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "REMEMBERED", 2)
    far, exchange = Far([events("a1", "b1", "c1", "d1")]), Exchange()
    relay = Relay(far.open, exchange.publish, Log(io.StringIO()), 0.1)
    exchange.waits.set()
    task = asyncio.create_task(relay.run())
    await until(lambda: far.told)
    task.cancel()
    assert len(relay._last) == 2
