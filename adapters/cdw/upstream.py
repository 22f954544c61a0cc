"""The way to the warehouse: PostgreSQL through asyncpg, and the one place where its errors become ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import asyncpg

from adapters.cdw import loading, wire
from adapters.cdw.framing import CheckedConnection, CheckedLoop
from adapters.cdw.records import Load, Version
from adapters.kit import Call, Fault, Guard, Limits, Reason
from adapters.kit.sessions import Pool
from metip.cdw.v1.settings_pb2 import Settings
from metip.logs import Log
from metip.settings import SettingsError

LOGON_WITHOUT_SECRET = ("postgres", "")
DATABASE = "postgres"
SOON = timedelta(seconds=1)
LATER = timedelta(seconds=30)
LONGEST_SECRET = 1000

FAULTS: Mapping[str, tuple[Reason, str]] = {
    "40001": (Reason.CONFLICT, "the warehouse could not put this load in order with another"),
    "40P01": (Reason.CONFLICT, "two loads waited for one another"),
    "55P03": (Reason.LOCKED, "somebody holds the warehouse's table"),
    "57014": (Reason.TIMED_OUT, "the warehouse gave up after the time that it was given"),
    "53100": (Reason.BUSY, "the warehouse's disk is full"),
    "25006": (Reason.UPSTREAM_UNAVAILABLE, "the warehouse only reads at the moment"),
    "42501": (Reason.UPSTREAM_UNAVAILABLE, "the warehouse does not let the adapter do that"),
    "3D000": (Reason.UPSTREAM_UNAVAILABLE, "there is no such database"),
    "42": (Reason.UPSTREAM_FAULT, "the warehouse's tables are not as the adapter made them"),
    "40": (Reason.CONFLICT, "the warehouse rolled the load back"),
    "53": (Reason.BUSY, "the warehouse has no room at the moment"),
    "08": (Reason.UPSTREAM_UNAVAILABLE, "the connection to the warehouse broke"),
    "28": (Reason.UPSTREAM_UNAVAILABLE, "the warehouse refused the adapter's logon"),
    "57": (Reason.UPSTREAM_UNAVAILABLE, "the warehouse is stopping or starting"),
    "22": (Reason.UPSTREAM_REFUSED, "the warehouse refused the data"),
    "23": (Reason.UPSTREAM_REFUSED, "the data break a rule of the warehouse"),
}
"""SQLSTATE, or its class of two characters, to what the caller learns of it (PostgreSQL's manual, appendix A). Its words stay behind: they
repeat values. What is in neither is UPSTREAM_FAULT."""
PATIENCE: Mapping[Reason, timedelta] = {Reason.BUSY: LATER, Reason.CONFLICT: SOON, Reason.LOCKED: SOON}


class Session:
    """One connection, with the tables as they have to be."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @property
    def alive(self) -> bool:
        """Whether it can still be used, as far as is known without asking."""
        return not self.connection.is_closed() and not self.connection.is_in_transaction()

    async def close(self) -> None:
        """Ends it at once: a connection that is in doubt may never say goodbye."""
        self.connection.terminate()


class Warehouse:
    """Loads rows and counts them; every refusal is a `Fault`."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._guard = Guard(Limits.of(settings.upstream), log)
        self._sessions = Pool(self._connect)

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to the warehouse for the length of the block. Raises `SettingsError` when a file or the address can't be used."""
        host, _, port = settings.upstream.address.rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError("upstream.address", ("must be host:port",))
        for name, read in (("credentials_file", credentials), ("authority_file", _authority)):
            try:
                read(getattr(settings, name))
            except (OSError, ValueError) as error:
                raise SettingsError(name, (f"can't be used: {_plain(error)}",)) from None
        warehouse = cls(settings, log)
        try:
            yield warehouse
        finally:
            await warehouse._sessions.close()

    async def load(self, versions: Sequence[Version], call: Call) -> Sequence[Fault | None]:
        """Loads versions in one transaction, and says for each whether something is wrong with it; returns after COMMIT.

        Loading a version again changes nothing. Data that the warehouse refuses keep back no others: what was refused together is loaded
        one by one. Raises `Fault` for what concerns all of them.
        """
        rows = [wire.storable(one) for one in versions]
        try:
            async with self._session(call) as connection:
                different = await loading.load(connection, rows)
            return [_another_content() if place in different else None for place in range(len(rows))]
        except Fault as fault:
            if fault.reason is not Reason.UPSTREAM_REFUSED:
                raise
            if len(rows) == 1:
                return [fault]
        return [(await self.load([one], call))[0] for one in rows]

    async def count(self, day: date, call: Call) -> Load:
        """Counts what was loaded of one business date."""
        async with self._session(call) as connection:
            return wire.load_of(tuple(await connection.fetchrow(wire.COUNT_LOAD, day)))

    @asynccontextmanager
    async def _session(self, call: Call) -> AsyncIterator[Any]:
        async with self._guard.admit(call) as passage:
            with map_upstream():
                async with self._sessions.session() as session:
                    passage.sent = True
                    yield session.connection

    async def _connect(self) -> Session:
        host, _, port = self._settings.upstream.address.rpartition(":")
        try:
            user, secret = credentials(self._settings.credentials_file)
            authority = _authority(self._settings.authority_file)
        except (OSError, ValueError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the files for the logon to the warehouse can't be read") from None
        patience = f"{int(self._guard.limits.timeout * 1000)}"
        connection = await asyncpg.connect(
            host=host,
            port=int(port),
            user=user,
            password=secret or None,
            database=self._settings.database or DATABASE,
            ssl=authority or False,
            loop=None if authority else CheckedLoop(asyncio.get_running_loop()),
            connection_class=CheckedConnection,
            # What the adapter has given up must not go on, or hold locks, on the other side of a network that is gone.
            server_settings={
                "application_name": "metip",
                "timezone": "UTC",
                "statement_timeout": patience,
                "lock_timeout": f"{int(self._guard.limits.timeout * 500)}",
                "idle_in_transaction_session_timeout": patience,
            },
        )
        try:
            await loading.make_tables(connection)
        except BaseException:
            connection.terminate()
            raise
        return Session(connection)


def _another_content() -> Fault:
    text = "another content was loaded under this record number and version"
    return Fault(Reason.UPSTREAM_REFUSED, text, metadata={"code": "23505"}, fields=(("version", "belongs to another content"),))


@contextmanager
def map_upstream() -> Iterator[None]:
    """Turns what PostgreSQL and its driver say into `Fault`, with the SQLSTATE as `code` in its metadata where there is one."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _fault(error.sqlstate or "") from None
    except asyncpg.InterfaceError as error:
        # The driver's own: a value that no column of that type can hold, or a connection that has ended.
        raise _fault("22000" if isinstance(error, ValueError) else "08003") from None
    except TimeoutError:
        raise  # the guard makes of it what it is
    except (OSError, asyncpg.InternalClientError):
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, "no connection to the warehouse") from None


def _fault(state: str) -> Fault:
    reason, text = FAULTS.get(state) or FAULTS.get(state[:2]) or (Reason.UPSTREAM_FAULT, "the warehouse failed")
    return Fault(reason, text, metadata={"code": state}, retry_after=PATIENCE.get(reason))


def credentials(path: str) -> tuple[str, str]:
    """Account and secret in a file; those without a secret when there is none. Raises `OSError`, and `ValueError` for another content."""
    if not path:
        return LOGON_WITHOUT_SECRET
    with Path(path).open(encoding="utf-8") as file:
        lines = file.read(LONGEST_SECRET).splitlines()
    if len(lines) != 2 or not all(lines):
        raise ValueError("must hold the account on its first line and the secret on its second")
    return lines[0], lines[1]


def _authority(path: str) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=path) if path else None


def _plain(error: Exception) -> str:
    """What went wrong with a file, without its name."""
    return error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
