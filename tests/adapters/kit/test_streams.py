"""A conversation over TCP whose messages end with a mark."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.kit.streams import Nonsense, Stream, failures
from metip.faults import Fault, Reason

pytestmark = pytest.mark.asyncio(loop_scope="module")
Far = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking_to(far: Far, largest: int = 64) -> AsyncIterator[Stream]:
    server = await asyncio.start_server(far, "127.0.0.1", 0)
    stream = await Stream.opened("127.0.0.1", server.sockets[0].getsockname()[1], largest=largest)
    try:
        yield stream
    finally:
        await stream.close()
        server.close()


def saying(*parts: bytes, stays: bool = True) -> Far:
    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if stays:
            await reader.read()
        writer.close()

    return far


async def test_messages_are_read_one_by_one_however_they_come() -> None:
    async with talking_to(saying(b"<a", b"|12<b|3", b"4")) as stream:
        assert await stream.read(b"<", b"|", 2) == b"<a|12"
        assert await stream.read(b"<", b"|", 2) == b"<b|34"


async def test_what_is_written_arrives() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        await reader.read()
        writer.close()

    async with talking_to(echo) as stream:
        await stream.write(b"<a|12")
        assert await stream.read(b"<", b"|", 2) == b"<a|12"
        assert stream.alive


@pytest.mark.parametrize("said", [b"nonsense|12", b"<" + b"x" * 200], ids=["another beginning", "no end"])
async def test_what_is_no_message_is_said_to_be_none(said: bytes) -> None:
    async with talking_to(saying(said)) as stream:
        with pytest.raises(Nonsense):
            await stream.read(b"<", b"|", 2)


@pytest.mark.parametrize("said", [b"", b"<a", b"<a|1"], ids=["at once", "before the mark", "after the mark"])
async def test_a_connection_that_ends_is_lost(said: bytes) -> None:
    async with talking_to(saying(said, stays=False)) as stream:
        with pytest.raises(ConnectionResetError):
            await stream.read(b"<", b"|", 2)
        assert not stream.alive


async def test_a_closed_stream_is_not_alive_and_closes_again() -> None:
    async with talking_to(saying()) as stream:
        await stream.close()
        assert not stream.alive
        await stream.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("x"), Reason.UPSTREAM_FAULT),
        (ConnectionResetError(), Reason.UPSTREAM_UNAVAILABLE),
        (Nonsense("x"), Reason.UPSTREAM_FAULT),
    ],
)
async def test_what_goes_wrong_is_a_fault(error: Exception, reason: Reason) -> None:
    with pytest.raises(Fault) as raised, failures():
        raise error
    assert raised.value.reason is reason


async def test_time_that_runs_out_is_left_to_the_guard() -> None:
    with pytest.raises(TimeoutError), failures():
        raise TimeoutError
