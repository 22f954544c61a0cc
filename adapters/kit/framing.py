"""Messages in a TCP stream, four bytes of length before each, and sessions that exchange one message for another."""

import asyncio
import enum
from typing import Final, cast

from metip.settings import SettingsError

PREFIX: Final = 4
LARGEST: Final = 1 << 20
"""Bytes in a message."""


def endpoint(address: str) -> tuple[str, int]:
    """Host and port of an adapter's `upstream.address`, `host:port`, an IPv6 address in brackets. Raises `SettingsError`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SettingsError("upstream.address", ("must be host:port",))
    return host.removeprefix("[").removesuffix("]"), int(port)


class Broken(enum.StrEnum):
    """What can be wrong with a frame."""

    EMPTY = "frame without a message"
    TOO_LARGE = "frame larger than the limit"
    CUT_SHORT = "stream ends inside a message"


class FrameError(ValueError):
    """A stream that holds no messages: what is wrong with it, never the content."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        super().__init__(broken)


def frame(message: bytes) -> bytes:
    """The message with its length, most significant byte first, before it. Raises `FrameError` for one that is empty or over `LARGEST`."""
    _check(len(message), LARGEST)
    return len(message).to_bytes(PREFIX) + message


class Deframer:
    """Takes a byte stream as it comes and gives messages whole; one for each session.

    After a `FrameError` nobody knows where the next message begins: close the session.
    """

    def __init__(self, limit: int = LARGEST) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Adds what was received."""
        self._held += data

    def take(self) -> bytes | None:
        """The next message, or `None` until more of it is fed.

        Raises `FrameError` for an empty or too large frame as soon as its length is known.
        """
        if len(self._held) < PREFIX:
            return None
        length = int.from_bytes(self._held[:PREFIX])
        _check(length, self._limit)
        end = PREFIX + length
        if len(self._held) < end:
            return None
        message = bytes(self._held[PREFIX:end])
        del self._held[:end]
        return message

    def end(self) -> None:
        """Tells that the stream has ended. Raises `FrameError` if it ended inside a message."""
        if self._held:
            raise FrameError(Broken.CUT_SHORT)


def _check(length: int, limit: int) -> None:
    if length == 0:
        raise FrameError(Broken.EMPTY)
    if length > limit:
        raise FrameError(Broken.TOO_LARGE)


class FramedSession(asyncio.Protocol):
    """A TCP connection with one exchange in flight, which dies at the first thing it does not expect.

    A connection that was asked nothing has nothing to say: bytes that come unasked may be the answer to somebody else's question.
    """

    def __init__(self) -> None:
        self._deframer = Deframer()
        self._reply: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connected(cls, host: str, port: int) -> "FramedSession":
        """Opens a session. Raises `OSError`."""
        _, session = await asyncio.get_running_loop().create_connection(cls, host, port)
        return session

    @property
    def alive(self) -> bool:
        """Whether it can still be used, as far as is known without asking."""
        return self._transport is not None and not self._transport.is_closing()

    async def close(self) -> None:
        """Ends it; never raises."""
        self._end(None)

    def send(self, message: bytes) -> "asyncio.Future[bytes]":
        """Sends a message and gives the future of the reply.

        The future ends with `FrameError` for a frame that is none and with `ConnectionError` when the connection is lost.
        """
        if not self.alive or self._reply is not None:
            raise ConnectionError("the session is not free")
        reply = self._reply = asyncio.get_running_loop().create_future()
        cast("asyncio.Transport", self._transport).write(frame(message))
        return reply

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes what came; a whole message and nothing more is the reply."""
        self._deframer.feed(data)
        if self._reply is None or self._reply.done():
            self._end(None)
            return
        try:
            message = self._deframer.take()
            if message is not None:
                self._deframer.end()  # nothing may follow a reply
        except FrameError as error:
            self._end(error)
            return
        if message is not None:
            reply, self._reply = self._reply, None
            reply.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells whoever waits."""
        self._end(None)

    def _end(self, error: FrameError | None) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(error or ConnectionResetError("the connection was lost"))
