"""One conversation over TCP as streams, for far systems whose messages end with a mark instead of beginning with a length."""

import asyncio
from contextlib import suppress
from typing import Self

from metip.settings import SettingsError


def endpoint(address: str) -> tuple[str, int]:
    """Host and port of `host:port`, an IPv6 address in brackets. Raises `SettingsError`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SettingsError("upstream.address", ("must be host:port",))
    return host.removeprefix("[").removesuffix("]"), int(port)


class Stream:
    """A connection; `adapters.kit.sessions.Pool` can lend it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @classmethod
    async def opened(cls, host: str, port: int, *, largest: int) -> Self:
        """Connects; `largest` is how many bytes a message may have. Raises `OSError`."""
        return cls(*await asyncio.open_connection(host, port, limit=largest))

    @property
    def alive(self) -> bool:
        """Whether it can still be used, as far as is known without asking. What came unasked may answer somebody else's question."""
        return not (self._writer.is_closing() or self.reader.at_eof() or self.reader._buffer)  # type: ignore[attr-defined]

    async def write(self, data: bytes) -> None:
        """Sends bytes. Raises `OSError`."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Ends it; never raises."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
