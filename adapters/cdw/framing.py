"""Keeps nonsense from the driver: asyncpg 0.32 never comes back from a message whose length makes no sense, and takes the worker with it.

Every message of PostgreSQL's server has a letter or digit and a length (protocol 3, "Message Formats"). What begins otherwise is not
passed on, and the connection is cut. Where TLS is used the bytes are known to be the server's own, so this stands on plain connections.
"""

import asyncio
import struct
from typing import Any

import asyncpg

LARGEST_MESSAGE = 64 * 1024 * 1024
HEADER = 5


class Framing:
    """Follows the frames of a stream, without keeping any of it."""

    def __init__(self) -> None:
        self._left = 0
        """Bytes of the present message that are still to come."""
        self._header = b""

    def fits(self, data: bytes) -> bool:
        """Takes the next bytes; False when a message begins that is none."""
        place = 0
        while place < len(data):
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
                place += step
                continue
            missing = HEADER - len(self._header)
            self._header += data[place : place + missing]
            place += missing
            if len(self._header) < HEADER:
                return self._header[:1].isalnum()
            kind, length = self._header[:1], struct.unpack(">i", self._header[1:])[0]
            if not kind.isalnum() or not 4 <= length <= LARGEST_MESSAGE:
                return False
            self._left, self._header = length - 4, b""
        return True


class _Checked(asyncio.Protocol):
    """The driver's protocol behind a check."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._framing = Framing()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.driver.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._framing.fits(data):
            self.driver.data_received(data)
        else:
            self._transport.abort()

    def eof_received(self) -> None:
        self.driver.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.driver.connection_lost(exc)

    def pause_writing(self) -> None:
        self.driver.pause_writing()

    def resume_writing(self) -> None:
        self.driver.resume_writing()


class CheckedLoop:
    """The running loop, but for connections, which it opens with a check before the driver's protocol. For asyncpg's `loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.real = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def create_connection(self, factory: Any, *where: Any, **how: Any) -> tuple[Any, Any]:
        """Opens a connection; gives its transport and the driver's own protocol."""
        transport, checked = await self.real.create_connection(lambda: _Checked(factory()), *where, **how)
        return transport, checked.driver


class CheckedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection over a `CheckedLoop`, which itself needs the loop that runs."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: Any, loop: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, loop.real if isinstance(loop, CheckedLoop) else loop, *rest)
