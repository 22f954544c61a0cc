"""A pool of sessions with a far system that speaks a stateful protocol: opened when needed, kept while healthy, dropped at any doubt."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar


class Session(Protocol):
    """One conversation with a far system."""

    @property
    def alive(self) -> bool:
        """Whether it can still be used, as far as is known without asking."""

    async def close(self) -> None:
        """Ends it; never raises."""


S = TypeVar("S", bound=Session)


class Pool(Generic[S]):
    """Lends sessions, newest first; the bulkhead of `Guard` bounds how many are out at once."""

    def __init__(self, connect: Callable[[], Awaitable[S]]) -> None:
        self._connect = connect
        self._idle: list[S] = []
        self._closed = False

    @asynccontextmanager
    async def session(self) -> AsyncIterator[S]:
        """Lends one session for the length of the block.

        A block that raises, or is cancelled, leaves a conversation in an unknown place, so its session is closed and never lent again:
        the next caller must not read the answer to somebody else's question.
        """
        session = await self._lend()
        try:
            yield session
        except BaseException:
            await session.close()
            raise
        if session.alive and not self._closed:
            self._idle.append(session)
        else:
            await session.close()

    async def close(self) -> None:
        """Ends every idle session; one that is lent ends when it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _lend(self) -> S:
        while self._idle:
            session = self._idle.pop()
            if session.alive:
                return session
            await session.close()
        return await self._connect()
