"""One conversation over TCP, for far systems whose messages end with a mark instead of beginning with a length."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from metip.faults import Fault, Reason


class Nonsense(ValueError):
    """Bytes that are no message: nobody knows where the next one begins. The text repeats none of them."""


class Stream:
    """A connection; `adapters.kit.sessions.Pool` can lend it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def opened(cls, host: str, port: int, *, largest: int) -> Self:
        """Connects; `largest` is how many bytes a message may have. Raises `OSError`."""
        return cls(*await asyncio.open_connection(host, port, limit=largest))

    @property
    def alive(self) -> bool:
        """Whether it can still be used, as far as is known without asking."""
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def write(self, data: bytes) -> None:
        """Sends bytes. Raises `OSError`."""
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, start: bytes, mark: bytes, tail: int) -> bytes:
        """The next message: it begins with `start`, and after `mark` come `tail` more bytes. Raises `OSError` and `Nonsense`."""
        try:
            begun = await self._reader.readexactly(len(start))
            if begun != start:
                raise Nonsense("a message begins otherwise")
            return begun + await self._reader.readuntil(mark) + await self._reader.readexactly(tail)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("the connection was lost") from None
        except asyncio.LimitOverrunError:
            raise Nonsense("the message has no end") from None

    async def close(self) -> None:
        """Ends it; never raises."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


@contextmanager
def failures() -> Iterator[None]:
    """Turns what a conversation and a codec raise into faults: `ValueError` into UPSTREAM_FAULT, `OSError` into UPSTREAM_UNAVAILABLE."""
    try:
        yield
    except TimeoutError:  # an OSError, and the guard's own affair
        raise
    except ValueError as error:
        raise Fault(Reason.UPSTREAM_FAULT, f"the far system's answer can't be read: {error}") from None
    except OSError as error:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, f"no session with the far system ({type(error).__name__})") from None
