"""The far side of relaying: events are kept until they are acknowledged, whatever becomes of sessions."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from waiting import until

from adapters.kit.simulation import Dials, streaming
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.streaming import DIALS, WINDOW, Stream, conversing

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Session:
    """A session that remembers what was sent on it."""

    alive: bool = True
    sent: list[tuple[int, Any]] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)

    async def close(self) -> None:
        self.alive = False
        self.said.put_nowait((-1, ""))

    said: asyncio.Queue[tuple[int, str]] = field(default_factory=asyncio.Queue)

    async def event(self, number: int, event: Any) -> None:
        if event is None:
            self.beats.append(number)
        else:
            self.sent.append((number, event))

    async def heard(self) -> tuple[int, str]:
        number, code = await self.said.get()
        if number < 0:
            raise ConnectionResetError
        return number, code


def stream_of(count: int) -> tuple[Stream, Dials]:
    dials = Dials(DIALS, seed=1)
    return Stream(dials, [f"e{number}" for number in range(1, count + 1)]), dials


async def sending(stream: Stream, session: Session) -> "asyncio.Task[None]":
    await stream.begin("T", session)

    async def carry() -> None:
        with pytest.raises(ExceptionGroup):
            await stream.carry("T", session)

    return asyncio.create_task(carry())


async def test_a_window_of_events_is_sent_and_the_rest_after_acknowledgements() -> None:
    stream, _ = stream_of(WINDOW + 2)
    session = Session()
    task = await sending(stream, session)
    await until(lambda: len(session.sent) == WINDOW)
    await until(lambda: session.beats)
    assert len(session.sent) == WINDOW
    session.said.put_nowait((1, ""))
    await until(lambda: len(session.sent) == WINDOW + 1)
    assert session.sent[-1] == (WINDOW + 1, f"e{WINDOW + 1}")
    await session.close()
    await task


async def test_a_new_session_goes_on_after_the_last_acknowledgement_and_ends_the_older_one() -> None:
    stream, _ = stream_of(5)
    first, second = Session(), Session()
    older = await sending(stream, first)
    await until(lambda: len(first.sent) == 5)
    for heard in ((3, ""), (2, ""), (0, ""), (5, "UNREADABLE")):
        first.said.put_nowait(heard)
    await until(lambda: stream.given_back == {5: "UNREADABLE"})
    assert stream.acknowledged["T"] == 3
    newer = await sending(stream, second)
    await until(lambda: second.sent == [(4, "e4"), (5, "e5")])
    await older
    assert not first.alive
    await second.close()
    await newer


async def test_acknowledgements_can_be_forgotten() -> None:
    stream, dials = stream_of(5)
    stream.acknowledged["T"] = 4
    dials.set([Dial("forgets", "2", times=1)])
    assert await stream.begin("T", Session()) == 2
    assert await stream.begin("T", Session()) == 2
    assert dials.exchanges["logon"] == 2


async def test_an_event_that_is_late_goes_after_the_next() -> None:
    stream, dials = stream_of(0)
    dials.set([Dial("swapped", times=1)])
    for event in ("a", "b", "c"):
        stream.add(event)
    assert stream.events == ["b", "a", "c"]


async def test_nothing_but_heartbeats_is_sent_while_events_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.01)
    stream, _ = stream_of(1)
    holding = [True]
    stream.held = lambda: holding[0]
    session = Session()
    task = await sending(stream, session)
    await until(lambda: len(session.beats) > 2)
    assert session.sent == []
    holding.clear()
    holding.append(False)
    await until(lambda: session.sent)
    assert session.beats == list(range(1, len(session.beats) + 1))
    await session.close()
    await task


@pytest.mark.parametrize("error", [OSError(), ValueError(), ExceptionGroup("both", [OSError(), ValueError()])])
async def test_a_conversation_that_goes_wrong_ends_and_the_next_one_is_served(error: Exception) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline() == b"wrong\n":
            raise error
        writer.write(b"fine\n")

    async with conversing(converse, _never(), largest=64) as path:
        for said, answer in ((b"wrong\n", b""), (b"right\n", b"fine\n")):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(said)
            assert await reader.read() == answer
            writer.close()


async def test_what_runs_beside_and_conversations_end_with_the_block() -> None:
    ended = []

    async def beside() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        ended.append("beside")

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            ended.append("conversation")

    async with conversing(converse, beside(), largest=64) as path:
        reader, writer = await asyncio.open_unix_connection(str(path))
        await asyncio.sleep(0.02)
    assert sorted(ended) == ["beside", "conversation"]
    assert await reader.read() == b""
    writer.close()


async def _never() -> None:
    await asyncio.Event().wait()
