"""One session with the host: a TCP connection with one exchange in flight, which dies at the first thing it does not expect."""

import asyncio
from typing import cast

from adapters.pnc.frames import Deframer, frame
from adapters.pnc.records import WireError


class HostSession(asyncio.Protocol):
    """A connection that was asked nothing has nothing to say: bytes that come unasked may be the answer to somebody else's question."""

    def __init__(self) -> None:
        self._deframer = Deframer()
        self._reply: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connected(cls, host: str, port: int) -> "HostSession":
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

        The future ends with `WireError` for a frame that is none and with `ConnectionError` when the connection is lost.
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
        except WireError as error:
            self._end(error)
            return
        if message is not None:
            reply, self._reply = self._reply, None
            reply.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells whoever waits."""
        self._end(None)

    def _end(self, error: WireError | None) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(error or ConnectionResetError("the connection was lost"))
