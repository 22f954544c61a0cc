"""A closed loop of unary calls with a message of its own each, which costs the machine a tenth of what a gRPC library would.

h2load can't do that: it sends one body again and again. Frames are written and told apart by hand; header blocks are read by hpack, when
the loop is over. Everything goes over one connection.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hpack import Decoder, Encoder
from http2_frames import HEAD, PREFACE, framed, request

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW: Final = 65_535
"""Bytes that may be sent on a connection before the other side allows more."""
LARGEST: Final = (1 << 31) - 1
HEADER_TABLE, STREAM_WINDOW = 1, 4


@dataclass(frozen=True)
class Ran:
    """How a loop went."""

    ok: int
    not_ok: int
    seconds: float


@dataclass
class Loop(asyncio.Protocol):
    """One connection with so many calls in flight."""

    headers: Sequence[tuple[str | bytes, str | bytes]]
    message: Callable[[], bytes]
    in_flight: int
    until: float
    """On the clock of `time.perf_counter`."""
    ended: "asyncio.Future[float]"
    """When the last answer was there."""
    blocks: list[tuple[bytes, bool]] = field(default_factory=list)
    """Header blocks as they came, and whether each ended its call."""
    others: int = 0
    """Calls that were reset."""

    def connection_made(self, transport: Any) -> None:
        """Says the preface and begins."""
        self._transport, self._left, self._window = transport, b"", WINDOW
        encoder = Encoder()
        self._first, self._again = encoder.encode(self.headers), encoder.encode(self.headers)  # the second time by number alone
        self._stream, self._inside = -1, 0
        window = (LARGEST - WINDOW).to_bytes(4, "big")
        transport.write(PREFACE + _frame(SETTINGS, 0, 0, b"") + _frame(WINDOW_UPDATE, 0, 0, window))
        self._ask(self.in_flight)

    def data_received(self, data: bytes) -> None:
        """Counts answers, and asks as often again."""
        data, at, answered, said = self._left + data, 0, 0, []
        while len(data) - at >= HEAD:
            size, kind, flags = int.from_bytes(data[at : at + 3], "big"), data[at + 3], data[at + 4]
            end = at + HEAD + size
            if end > len(data):
                break
            if kind == HEADERS:
                self.blocks.append((data[at + HEAD : end], bool(flags & END_STREAM)))
                answered += flags & END_STREAM
            elif kind == RST_STREAM:
                self.others += 1
                answered += 1
            elif kind == WINDOW_UPDATE and data[at + 5 : at + HEAD] == b"\0\0\0\0":
                self._window += int.from_bytes(data[at + HEAD : end], "big")
            elif kind in (SETTINGS, PING) and not flags & ACK:
                said.append(_frame(kind, ACK, 0, data[at + HEAD : end] if kind == PING else b""))
            elif kind == GOAWAY:
                self._transport.abort()
                return
            at = end
        self._left = data[at:]
        if said:
            self._transport.write(b"".join(said))
        self._inside -= answered
        if time.perf_counter() < self.until:
            self._ask(self.in_flight - self._inside)
        elif not self._inside and not self.ended.done():
            self.ended.set_result(time.perf_counter())

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody answers any more."""
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionResetError("the connection was closed"))

    def _ask(self, calls: int) -> None:
        frames = []
        for _ in range(calls):
            body = framed(self.message())
            if len(body) > self._window:
                break
            self._window -= len(body)
            self._stream += 2
            self._inside += 1
            frames.append(_frame(HEADERS, END_HEADERS, self._stream, self._first if self._stream == 1 else self._again))
            frames.append(_frame(DATA, END_STREAM, self._stream, body))
        self._transport.write(b"".join(frames))


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return b"%b%c%c%b%b" % (len(content).to_bytes(3, "big"), kind, flags, stream.to_bytes(4, "big"), content)


async def run(
    operation: str,
    message: Callable[[], bytes],
    in_flight: int,
    seconds: float,
    *,
    port: int = 0,
    secured: ssl.SSLContext | None = None,
    socket: str = "",
    metadata: Sequence[tuple[str, str]] = (),
) -> Ran:
    """Calls an operation at a port of this machine by TLS, or on a unix socket, for so many seconds. Raises `OSError` when that ends early.

    Each call's message is made by `message`; an answer counts as OK by its grpc-status.
    """
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    ended: asyncio.Future[float] = loop.create_future()
    asked = Loop(request(f"/{operation}", *metadata), message, in_flight, started + seconds, ended)
    if socket:
        transport, _ = await loop.create_unix_connection(lambda: asked, socket)
    else:
        transport, _ = await loop.create_connection(lambda: asked, "127.0.0.1", port, ssl=secured, server_hostname="localhost")
    try:
        took = await ended - started
    finally:
        transport.abort()
    decoder, ok = Decoder(), 0
    for block, last in asked.blocks:
        fields: dict[Any, Any] = dict(decoder.decode(block))
        ok += last and fields.get("grpc-status") == "0"
    return Ran(ok, sum(last for _, last in asked.blocks) - ok + asked.others, took)
