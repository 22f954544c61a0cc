"""A real server behind a small TCP proxy, on which the standard dials strike: for systems whose protocol nobody imitates well enough.

An exchange is a burst of bytes from the client and the burst that answers it; a dial strikes the first bytes of the answer, so that what
was asked has been done by then, as when a real network fails.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.kit.simulation.dials import Dials, seconds
from adapters.kit.simulation.transport import NONSENSE

CHUNK = 64 * 1024
MOST_LINES = 256
"""Connections at one time; one more is closed at once."""


async def _unchanged(question: bytes) -> bytes:
    """The question as it came."""
    return question


@dataclass(frozen=True)
class Proxied:
    """TCP in front of a server that listens on a unix socket."""

    server: Callable[[], AbstractAsyncContextManager[Path]]
    """Runs the server for the length of the block and gives the path of its socket."""
    before: Callable[[bytes], Awaitable[bytes]] = _unchanged
    """Is given each burst of a client and gives what the server gets instead; for a simulator's own dials and counts."""
    loses: Callable[[bytes], bool] = field(default=lambda question: False)
    """Whether the connection is lost after the server has answered this burst and before the client hears of it."""

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the address, `host:port`."""
        lines: set[asyncio.Task[None]] = set()
        async with self.server() as socket:

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if len(lines) >= MOST_LINES:
                    writer.close()
                    return
                line = asyncio.create_task(self._carry(reader, writer, socket, dials))
                lines.add(line)
                line.add_done_callback(lines.discard)

            listener = await asyncio.start_server(connected, host, port, limit=CHUNK)
            try:
                at = listener.sockets[0].getsockname()
                yield f"{at[0]}:{at[1]}"
            finally:
                listener.close()
                ended = tuple(lines)
                for line in ended:
                    line.cancel()
                await asyncio.gather(*ended, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: Path, dials: Dials) -> None:
        """One client's connection, until either side or a dial ends it."""
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(str(socket), limit=CHUNK)
        except OSError:
            writer.close()
            return
        line = _Line(dials)
        pumps = (
            asyncio.create_task(self._ask(line, reader, far_writer)),
            asyncio.create_task(_answer(line, far_reader, writer)),
        )
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, far_writer):
                end.close()
            for end in (writer, far_writer):
                with suppress(OSError):
                    await end.wait_closed()

    async def _ask(self, line: "_Line", reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        """From the client to the server."""
        while question := await reader.read(CHUNK):
            await line.frozen_if_half_open()
            asked = await self.before(question)
            line.asked, line.silent = True, False
            line.lost = line.lost or self.loses(question)
            far.write(asked)
            await far.drain()


@dataclass
class _Line:
    """Where one connection stands."""

    dials: Dials
    asked: bool = False
    """Whether what comes next from the server begins an answer."""
    silent: bool = False
    """Whether the rest of this answer is swallowed."""
    lost: bool = False
    half_open: bool = False

    async def frozen_if_half_open(self) -> None:
        """Waits for ever once the network between the two is gone."""
        if self.half_open:
            await asyncio.Event().wait()


async def _answer(line: _Line, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """From the server to the client, the way the dials say; ends when the connection is to end."""
    while answer := await far.read(CHUNK):
        if line.asked:
            line.asked = False
            if line.lost:
                return
            answer, more = await _struck(line, answer)
            writer.write(answer)
            await writer.drain()
            if not more:
                return
        elif not line.silent:
            writer.write(answer)
            await writer.drain()


async def _struck(line: _Line, answer: bytes) -> tuple[bytes, bool]:
    """What is left of the first bytes of an answer, and whether the connection goes on."""
    dials = line.dials
    delay = dials.strike("delay")
    if delay is not None:
        await asyncio.sleep(seconds(delay) or 0)
    if dials.strike("half_open") is not None:
        line.half_open = True
        await line.frozen_if_half_open()
    if dials.strike("hang") is not None:
        line.silent = True
        return b"", True
    if dials.strike("drop") is not None:
        return b"", False
    if dials.strike("truncate") is not None:
        return answer[: len(answer) // 2], False
    if dials.strike("garbage") is not None:
        return NONSENSE, True
    return answer, True
