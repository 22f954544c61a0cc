"""Messages in a stream: whatever the pieces, whole messages come out; and what a session does with them, on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.framing import LARGEST, PREFIX, Broken, Deframer, FramedSession, FrameError, endpoint, frame
from metip.settings import SettingsError


def drained(deframer: Deframer) -> list[bytes]:
    return list(iter(deframer.take, None))


@given(st.lists(st.binary(min_size=1, max_size=60)), st.lists(st.integers(1, 40), min_size=1))
def test_messages_survive_any_cutting_of_the_stream(messages: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(frame, messages))
    deframer = Deframer()
    came: list[bytes] = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        turn += 1
        deframer.feed(stream[:size])
        stream = stream[size:]
        came += drained(deframer)
    assert came == messages
    deframer.end()


def test_the_length_leads_in_network_order() -> None:
    assert frame(b"x" * 258) == b"\x00\x00\x01\x02" + b"x" * 258


def test_a_stream_that_ends_inside_a_message_is_told() -> None:
    deframer = Deframer()
    deframer.feed(frame(b"whole") + frame(b"half")[:-1])
    assert drained(deframer) == [b"whole"]
    with pytest.raises(FrameError) as told:
        deframer.end()
    assert told.value.broken is Broken.CUT_SHORT


def test_a_frame_over_the_limit_is_refused_before_its_content_arrives() -> None:
    deframer = Deframer(limit=8)
    deframer.feed(frame(b"12345678") + (9).to_bytes(PREFIX))
    assert deframer.take() == b"12345678"
    for _ in range(2):  # and stays refused: nobody knows where the next message begins
        with pytest.raises(FrameError) as told:
            deframer.take()
        assert told.value.broken is Broken.TOO_LARGE


def test_an_empty_frame_is_refused_on_both_sides() -> None:
    deframer = Deframer()
    deframer.feed(bytes(PREFIX))
    with pytest.raises(FrameError) as told:
        deframer.take()
    assert told.value.broken is Broken.EMPTY
    with pytest.raises(FrameError):
        frame(b"")


def test_a_message_over_the_limit_is_not_framed() -> None:
    assert len(frame(bytes(LARGEST))) == PREFIX + LARGEST
    with pytest.raises(FrameError) as told:
        frame(bytes(LARGEST + 1))
    assert told.value.broken is Broken.TOO_LARGE


@pytest.mark.parametrize("address", ["", "host", ":7301", "host:", "host:0", "host:65536", "host:x", "http://host"])
def test_an_address_that_is_none_is_a_problem_of_the_settings(address: str) -> None:
    with pytest.raises(SettingsError):
        endpoint(address)


def test_an_address_may_be_a_name_or_either_kind_of_number() -> None:
    assert endpoint("pnc.example:7301") == ("pnc.example", 7301)
    assert endpoint("[::1]:7301") == ("::1", 7301)


# A session. What the host says is scripted; all else is a real connection.


@asynccontextmanager
async def conversation(*said: bytes) -> AsyncIterator[tuple[FramedSession, asyncio.StreamWriter]]:
    """A session, and the far side's end, which answers each message with the next of what it says."""
    replies, ends = iter(said), asyncio.get_running_loop().create_future()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.set_result(writer)
        while await reader.read(65_536):
            writer.write(next(replies, b""))

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    session = await FramedSession.connected(*server.sockets[0].getsockname())
    far = await ends
    try:
        yield session, far
    finally:
        await session.close()
        far.transport.abort()
        server.close()


@pytest.mark.asyncio
async def test_one_message_is_exchanged_for_another_as_often_as_need_be() -> None:
    async with conversation(frame(b"one"), frame(b"two")) as (session, _):
        assert [await session.send(b"?"), await session.send(b"?")] == [b"one", b"two"]
        assert session.alive


@pytest.mark.asyncio
async def test_a_session_that_waits_takes_no_second_question() -> None:
    async with conversation() as (session, _):
        waiting = session.send(b"?")
        with pytest.raises(ConnectionError, match="not free"):
            session.send(b"?")
        await session.close()
        with pytest.raises(ConnectionError, match="lost"):
            await waiting


@pytest.mark.parametrize(
    ("said", "broken"),
    [(frame(b"one") + b"more", Broken.CUT_SHORT), (bytes(PREFIX), Broken.EMPTY), (b"\xff" * 8, Broken.TOO_LARGE)],
    ids=["more than a reply", "an empty frame", "a length that is none"],
)
@pytest.mark.asyncio
async def test_what_is_no_reply_ends_the_session(said: bytes, broken: Broken) -> None:
    async with conversation(said) as (session, _):
        with pytest.raises(FrameError) as told:
            await session.send(b"?")
        assert (told.value.broken, session.alive) == (broken, False)


@pytest.mark.asyncio
async def test_words_that_come_unasked_end_the_session() -> None:
    async with conversation() as (session, far):
        far.write(frame(b"an answer to somebody else"))
        async with asyncio.timeout(5):
            while session.alive:  # noqa: ASYNC110 - what is waited for happens in the event loop itself and tells nobody
                await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            session.send(b"?")
