"""What an engine reads from its own SQLite file: one class for every engine that keeps one."""

import asyncio
from pathlib import Path
from typing import Any, Final

import apsw

from hub.exchange.records import Account, Delivery, Filter, Group, Message, Step
from hub.exchange.sqlite import looking
from hub.exchange.sqlite.writer import Writer

PAGES_AT_ONCE: Final = 256


class Reading:
    """The questions of the port, asked of the file that the writer has open."""

    def __init__(self, path: Path, store: Writer[Any]) -> None:
        self._path, self._store = path, store

    async def message(self, message_id: str) -> Message:
        """See the port."""
        return await self._store.do(lambda store: looking.message(store, message_id))

    async def deliveries(self, wanted: Filter, *, after: tuple[int, str] = (0, ""), limit: int = 100) -> list[Delivery]:
        """See the port."""
        return await self._store.do(lambda store: looking.deliveries(store, wanted, after, limit))

    async def steps(self, message_id: str) -> list[Step]:
        """See the port."""
        return await self._store.do(lambda store: looking.steps(store, message_id))

    async def accounts(self) -> list[Account]:
        """See the port."""
        return await self._store.do(looking.accounts)

    async def groups(self, subscription: str = "") -> list[Group]:
        """See the port."""
        return await self._store.do(lambda store: looking.groups(store, subscription))

    async def backup(self, path: Path) -> None:
        """See the port."""
        await asyncio.to_thread(copied, self._path, path)


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
