"""The wires that simulators speak: length-framed TCP and HTTP, each striking the standard dials at the point where a real network would."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from adapters.kit.listening import http_listener
from adapters.kit.simulation.dials import Dials, seconds

LARGEST_FRAME = 1024 * 1024
NONSENSE = b"\x00\xff\x13\x37 nothing that any protocol would say \xfe\x00"


@dataclass(frozen=True)
class Framed:
    """Frames of a four-byte big-endian length and as many bytes; `answer` turns one into another."""

    answer: Callable[[bytes], Awaitable[bytes]]

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the address, `host:port`."""
        conversations: set[asyncio.Task[None]] = set()

        def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._converse(reader, writer, dials))
            conversations.add(task)
            task.add_done_callback(conversations.discard)

        server = await asyncio.start_server(converse, host, port)
        try:
            at = server.sockets[0].getsockname()
            yield f"{at[0]}:{at[1]}"
        finally:
            server.close()
            for task in conversations:
                task.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dials: Dials) -> None:
        """Until either side ends it. What `answer` raises is told by asyncio when the task is collected."""
        try:
            while True:
                length = struct.unpack(">I", await reader.readexactly(4))[0]
                if length > LARGEST_FRAME:
                    return
                question = await reader.readexactly(length)
                reply = await self.answer(question)
                if not await _deliver(writer, struct.pack(">I", len(reply)) + reply, dials):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


async def _deliver(writer: asyncio.StreamWriter, frame: bytes, dials: Dials) -> bool:
    """Sends a frame the way the dials say; False when the conversation ends with it."""
    await _wait(dials)
    if dials.strike("half_open") is not None:
        await asyncio.Event().wait()
    if dials.strike("hang") is not None:
        return True
    if dials.strike("drop") is not None:
        return False
    if dials.strike("truncate") is not None:
        writer.write(frame[: len(frame) // 2])
        await writer.drain()
        return False
    if dials.strike("garbage") is not None:
        frame = struct.pack(">I", len(NONSENSE)) + NONSENSE
    writer.write(frame)
    await writer.drain()
    return True


@dataclass(frozen=True)
class HttpRequest:
    """What came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpReply:
    """What goes out."""

    body: bytes
    status: int = 200
    content_type: str = "text/xml; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Http:
    """HTTP/1.1; `answer` turns a request into a reply."""

    answer: Callable[[HttpRequest], Awaitable[HttpReply]]
    tls: ssl.SSLContext | None = None
    """Makes it HTTPS; simulators of the laptop do without."""

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the base URL."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, dials)

        async with http_listener(host, port, handle, largest=LARGEST_FRAME, tls=self.tls, patience=0.2) as address:
            yield address

    async def _handle(self, request: web.Request, dials: Dials) -> web.StreamResponse:
        asked = HttpRequest(request.method, request.path, dict(request.headers), await request.read(), dict(request.query))
        reply = await self.answer(asked)
        await _wait(dials)
        if dials.strike("half_open") is not None or dials.strike("hang") is not None:
            await asyncio.Event().wait()
        if dials.strike("drop") is not None:
            return _cut(request)
        if dials.strike("truncate") is not None:
            return await _first_half(request, reply)
        body = NONSENSE if dials.strike("garbage") is not None else reply.body
        return web.Response(body=body, status=reply.status, headers={"Content-Type": reply.content_type, **reply.headers})


async def _first_half(request: web.Request, reply: HttpReply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()  # what was written still goes out
    return response


def _cut(request: web.Request) -> web.StreamResponse:
    """Closes the connection; the response is for aiohttp, which finds nobody to send it to."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _wait(dials: Dials) -> None:
    setting = dials.strike("delay")
    if setting is not None:
        await asyncio.sleep(seconds(setting) or 0)
