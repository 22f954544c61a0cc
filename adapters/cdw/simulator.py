"""A stand-in for the warehouse: a real PostgreSQL behind a proxy, with days that the old platform loaded, and dials for what goes wrong.

The dials of its own strike the beginning of a load. What they play is the server's own doing, so that its errors are real.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from adapters.cdw import loading
from adapters.cdw.database import ACCOUNT, running_database
from adapters.cdw.holdings import loaded_before
from adapters.cdw.schema import SCHEMA
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.proxied import Proxied

DIALS = {
    "error": "fails a load with this SQLSTATE, such as 40P01 (deadlock) or 53100 (disk full)",
    "readonly": "lets nobody write, as a standby that took over does",
    "restart": "ends the session of whoever loads, as a restart does",
    "lock": "lets somebody hold the tables for this long, such as 2s, before the load may write",
    "lost_commit": "commits a load, and loses the connection before it says so",
}
BEGIN, COMMIT = b"BEGIN;\0", b"COMMIT;\0"
"""How the adapter's driver begins and ends a transaction."""
LONGEST_LOCK = 60.0


class Simulator:
    """The warehouse on TCP."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._population = population
        self._dials = dials
        self._admin: Any = None
        self._locks: set[asyncio.Task[None]] = set()
        self.transport = Proxied(self._database, before=self._before, loses=self._loses)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Path]:
        """The server, with what the old platform left in it."""
        async with running_database() as socket:
            self._admin = await asyncpg.connect(host=str(socket.parent), user=ACCOUNT, database=ACCOUNT)
            try:
                await loading.make_tables(self._admin)
                await loading.load(self._admin, loaded_before(self._population))
                yield socket
            finally:
                for lock in tuple(self._locks):
                    lock.cancel()
                await asyncio.gather(*self._locks, return_exceptions=True)
                self._admin.terminate()

    async def fetch(self, question: str, *parameters: Any) -> list[Any]:
        """Rows of the warehouse, for tests and demonstrations: what is really there."""
        return list(await self._admin.fetch(question, *parameters))

    async def _before(self, question: bytes) -> bytes:
        """Counts, and plays the dials of its own where a load begins."""
        if question[:1] == b"\0":
            self._dials.exchanges["Logon"] += 1
        if BEGIN not in question:
            return question
        self._dials.exchanges["Load"] += 1
        lock = self._dials.strike("lock")
        if lock is not None:
            await self._hold(min(seconds(lock) or 1.0, LONGEST_LOCK))
        failure = self._dials.strike("error")
        if failure is not None:
            return _ask(f"BEGIN; DO $$ BEGIN RAISE EXCEPTION 'played' USING ERRCODE = '{_state(failure)}'; END $$")
        if self._dials.strike("restart") is not None:
            return _ask("SELECT pg_terminate_backend(pg_backend_pid())")
        if self._dials.strike("readonly") is not None:
            return _ask("BEGIN READ ONLY")
        return question

    def _loses(self, question: bytes) -> bool:
        return COMMIT in question and self._dials.strike("lost_commit") is not None

    async def _hold(self, length: float) -> None:
        """Returns when somebody holds the tables, who lets go after that time."""
        held = asyncio.Event()

        async def hold() -> None:
            async with self._admin.transaction():
                await self._admin.execute(f"LOCK TABLE {SCHEMA}.custody_version, {SCHEMA}.custody_record IN ACCESS EXCLUSIVE MODE")
                held.set()
                await asyncio.sleep(length)

        if not self._locks:
            task = asyncio.create_task(hold())
            self._locks.add(task)
            task.add_done_callback(self._locks.discard)
            await held.wait()


def _ask(statement: str) -> bytes:
    """A simple query (protocol 3, "Query")."""
    text = statement.encode() + b"\0"
    return b"Q" + struct.pack(">i", len(text) + 4) + text


def _state(setting: str) -> str:
    """The SQLSTATE that was set, or that of an internal error for what is none."""
    return setting if len(setting) == 5 and setting.isascii() and setting.isalnum() and setting.isupper() | setting.isdigit() else "XX000"
