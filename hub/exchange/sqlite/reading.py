"""What an engine reads from its own SQLite file: one class for every engine that keeps one."""

import asyncio
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import apsw

from hub.exchange.records import Account, Act, Delivery, Fence, Filter, Group, Message, Move, Ownership, Step
from hub.exchange.sqlite import looking, tracing
from hub.exchange.sqlite.writer import Writer
from metip.tokens import Token

PAGES_AT_ONCE: Final = 256


class Reading:
    """The questions of the port, asked of the file that the writer has open."""

    def __init__(self, path: Path, store: Writer[Any]) -> None:
        self._path, self._store = path, store
        self._aside: apsw.Connection | None = None

    async def message(self, message_id: str) -> Message:
        """See the port."""
        return await self._store.do(lambda store: looking.message(store, message_id))

    async def deliveries(self, wanted: Filter, *, after: tuple[int, str] = (0, ""), limit: int = 100) -> list[Delivery]:
        """See the port."""
        return await self._store.do(lambda store: looking.deliveries(store, wanted, after, limit))

    async def steps(self, message_id: str) -> list[Step]:
        """See the port."""
        return await self._store.do(lambda store: looking.steps(store, message_id))

    async def accepted_after(self, sequence: int, limit: int, operations: Collection[str]) -> tuple[list[Message], int]:
        """See the port."""
        return await asyncio.to_thread(lambda: looking.accepted_after(self._reader(), sequence, limit, operations))

    async def handed_over(
        self, calls: Collection[str], traces: Collection[str], *, since: float = 0.0, before: float = 0.0, limit: int = 1000
    ) -> list[str]:
        """See the port."""

        def work() -> list[str]:
            with closing(_opened(self._path)) as database:  # of its own: it may take a while, and a connection is of one thread at a time
                return tracing.handed_over(database, calls, traces, since, before, limit)

        return await asyncio.to_thread(work)

    async def with_key(self, key: str, *, since: float = 0.0, before: float = 0.0, limit: int = 100) -> list[str]:
        """See the port."""
        return await self._store.do(lambda store: tracing.with_key(store, key, since, before, limit))

    async def replays(self, message_id: str) -> list[str]:
        """See the port."""
        return await self._store.do(lambda store: tracing.replays(store, message_id))

    async def acts_after(self, place: int, limit: int) -> list[Act]:
        """See the port."""
        return await asyncio.to_thread(lambda: looking.acts_after(self._reader(), place, limit))

    def let_go(self) -> None:
        """Closes what it reads with."""
        if self._aside is not None:
            self._aside.close()

    def _reader(self) -> apsw.Connection:
        """A connection beside the writer's, for what is read all the time: it has no job to wait for and none waits for it."""
        if self._aside is None:
            self._aside = _opened(self._path)
        return self._aside

    async def accounts(self) -> list[Account]:
        """See the port."""
        return await self._store.do(looking.accounts)

    async def groups(self, subscription: str = "") -> list[Group]:
        """See the port."""
        return await self._store.do(lambda store: looking.groups(store, subscription))

    async def moves(self) -> list[Move]:
        """See the port."""
        return await self._store.do(lambda store: store.moves())

    async def owners(self) -> list[Ownership]:
        """See the port."""
        return await self._store.do(lambda store: store.owners())

    async def token(self, post: str, key: str) -> Token:
        """See the port."""
        return await self._store.do(lambda store: store.token(post, key))

    async def fences(self, system: str, after: int, limit: int = 1000) -> list[Fence]:
        """See the port."""
        return await self._store.do(lambda store: store.fences(system, after, limit))

    async def backup(self, path: Path) -> None:
        """See the port."""
        await asyncio.to_thread(copied, self._path, path)


def _opened(path: Path) -> apsw.Connection:
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    database.set_busy_timeout(5000)
    return database


def copied(source: Path, target: Path) -> None:
    """A consistent copy through a connection of its own, some pages at a time, while the writer goes on.

    The copy reads in one transaction: otherwise each change by the writer would make it begin again, and on a busy store it would not end.
    """
    original, copy = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY), apsw.Connection(str(target))
    try:
        original.execute("begin")
        original.execute("select 1 from sqlite_schema").fetchall()
        with copy.backup("main", original, "main") as backup:
            while not backup.done:
                backup.step(PAGES_AT_ONCE)
    finally:
        copy.close()
        original.close()
