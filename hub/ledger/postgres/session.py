"""Statements on a PostgreSQL connection for callers that block: the driver has a thread and event loop of its own, and our errors."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, TypeVar

import asyncpg

from hub.ledger.faults import AwayLedgerError, BrokenLedgerError, Code, FullLedgerError
from hub.ledger.postgres.connecting import ANSWER_WITHIN, Server
from metip.journal.keys import SecretError

R = TypeVar("R")
GONE: Final = ("08", "57", "28", "40", "53", "55")
"""Classes of SQLSTATE (PostgreSQL's manual, appendix A) after which to try again: the connection, the operator, the logon, order among
transactions, resources, and what is not in the state for it."""
ONLY_READS: Final = "25006"
FULL: Final = "53100"
KEPT_ALIVE: Final = {
    "application_name": "metip ledger",
    "timezone": "UTC",
    "jit": "off",
    # A value's own plan each time: a plan for any value may walk another index than that of the value.
    "plan_cache_mode": "force_custom_plan",
    # A hub that vanished from the network must lose its lock within a minute.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


class Loop:
    """The thread on which the driver works, so that nobody's event loop waits for a server and any thread may ask."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: set[Any] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ledger-postgres", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """What the work gives. Raises what it raises, the driver's errors as ours."""
        if self._loop.is_closed():
            work.close()
            raise AwayLedgerError("the ledger is closed")
        with mapped():
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def connect(self, server: Server, settings: Mapping[str, str]) -> Any:
        """A connection of the driver's. Raises `AwayLedgerError`."""
        connection = self.run(_connected(server, settings))
        self._connections.add(connection)
        return connection

    def end(self, connection: Any) -> None:
        """Ends a connection. Does nothing for one that has ended."""
        self._connections.discard(connection)
        with suppress(AwayLedgerError):
            self.run(_ended(connection))

    def close(self) -> None:
        """Ends the thread and what is still connected."""
        if not self._loop.is_closed():
            for connection in tuple(self._connections):
                self.end(connection)
            self.run(_settled())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


class Found:
    """Rows of a statement; the `Rows` of the port."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows = iter([tuple(one) for one in rows])

    def fetchone(self) -> Any:
        """See the port."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """See the port."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        """See the port."""
        return self._rows


class Session:
    """One connection; the `Statements` of the port. Of one thread at a time. Every method raises `AwayLedgerError` once it is broken."""

    def __init__(self, loop: Loop, server: Server, **settings: str) -> None:
        """Connects. Raises `AwayLedgerError`."""
        self._loop = loop
        self._connection: Any = loop.connect(server, KEPT_ALIVE | settings)

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Found:
        """See the port."""
        return Found(self._loop.run(self._connection.fetch(numbered(statement), *map(_sent, values))))

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> None:
        """See the port; all go to the server at once."""
        rows = [[_sent(value) for value in row] for row in values]
        if rows:
            self._loop.run(self._connection.executemany(numbered(statement), rows))

    def script(self, text: str, *, within: float | None = None) -> str:
        """Runs statements without values; how the server calls what the last one did."""
        return str(self._loop.run(self._connection.execute(text, timeout=within)))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        return not self._connection.is_closed() and bool(self._connection.is_in_transaction())

    @property
    def broken(self) -> bool:
        """Whether the connection is known to be gone."""
        return bool(self._connection.is_closed())

    def close(self) -> None:
        """Ends the connection at once: one that is in doubt may never say goodbye."""
        self._loop.end(self._connection)


class Reconnecting:
    """Statements on a connection that is made when it is needed, and anew after it broke; never in the middle of a snapshot."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._session: Session | None = None
        self._within = False

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Found:
        """See the port."""
        return self._open().execute(statement, values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> None:
        """See the port."""
        self._open().executemany(statement, values)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it everything is read as of one instant."""
        self._open().script("begin isolation level repeatable read read only")
        self._within = True
        try:
            yield
        finally:
            self._within = False
            if self._session is not None and not self._session.broken:
                with suppress(AwayLedgerError):
                    self._session.script("rollback")

    def close(self) -> None:
        """Ends the connection."""
        if self._session is not None:
            self._session.close()

    def _open(self) -> Session:
        if self._session is None or self._session.broken:
            if self._within:
                raise AwayLedgerError("the connection to the ledger's server broke")
            self.close()
            self._session = self._connect()
        return self._session


async def _connected(server: Server, settings: Mapping[str, str]) -> Any:
    try:
        options = server.options()
    except (SecretError, OSError) as error:
        raise AwayLedgerError(f"the files for the logon can't be used: {error}") from None
    return await asyncpg.connect(**options, command_timeout=ANSWER_WITHIN, server_settings=dict(settings))


async def _ended(connection: Any) -> None:
    if connection.is_closed() or connection.is_in_transaction():
        connection.terminate()
        return
    try:
        await connection.close(timeout=2)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


async def _settled() -> None:
    """Lets what was cut off be closed: below TLS that takes more than one turn of the loop."""
    for _ in range(3):
        await asyncio.sleep(0)


@contextmanager
def mapped() -> Iterator[None]:
    """Turns what PostgreSQL and its driver say into our faults. Its words stay behind, since they repeat values; its SQLSTATE is told."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise fault(error.sqlstate or "") from None
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise BrokenLedgerError(Code.STORE_FAILED, "no column can hold a value that was to be written") from None
        raise AwayLedgerError("the connection to the ledger's server broke") from None
    except asyncpg.TargetServerAttributeNotMatched:
        raise AwayLedgerError("none of the ledger's servers is the primary one") from None
    except ssl.SSLError as error:
        raise AwayLedgerError(f"TLS with the ledger's server failed: {getattr(error, 'verify_message', '') or error.reason}") from None
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncpg.InternalClientError) as error:
        raise AwayLedgerError(f"the ledger's server does not answer: {type(error).__name__}") from None


def fault(state: str) -> Exception:
    """What an SQLSTATE means for the ledger."""
    if state == FULL:
        return FullLedgerError("the disk of the ledger's server is full")
    if state == ONLY_READS:
        return AwayLedgerError("the ledger's server only reads at the moment")
    if state[:2] in GONE:
        return AwayLedgerError(f"the ledger's server says {state}")
    return BrokenLedgerError(Code.STORE_FAILED, f"the ledger's server says {state}")


@lru_cache(maxsize=1000)
def numbered(statement: str) -> str:
    """A statement with `$1`, `$2`, … for its `?`; ours have none within a text."""
    first, *rest = statement.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def _sent(value: Any) -> Any:
    """A value as a column takes it: PostgreSQL keeps no NUL in a text, and none of ours means anything by one."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
