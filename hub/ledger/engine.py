"""What keeps the ledger: an embedded file or a server; whichever the settings name, the rest of the hub sees only this."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import apsw

from hub.ledger import edge, index, reading, retention, searching
from hub.ledger.notes import Signer, Verifier
from hub.ledger.port import Ledger, Reader, Statements
from hub.ledger.postgres.connecting import Server
from hub.ledger.retention import Erasure
from hub.ledger.searching import Paged
from hub.ledger.store import LedgerStore
from metip.settings import SettingsError

CACHE_KIB: Final = 65_536
"""Pages that a connection keeps, so that a search of a large index reads little."""


@dataclass(frozen=True)
class Glass:
    """A connection that reads."""

    db: Statements
    tree: Reader
    page: Paged
    snapshot: Callable[[], AbstractContextManager[None]]
    """Within it everything that is read is of one instant."""


class SigningLedger(Ledger[Any], Protocol):
    """A ledger whose key can change."""

    def sign_with(self, signer: Signer) -> None:
        """Signs with another key from the next checkpoint on. Raises `ValueError` for one of another origin."""


class Engine(Protocol):
    """Keeps one ledger. Methods block, and raise what those of `hub.ledger.port` raise."""

    @property
    def store(self) -> SigningLedger:
        """The ledger."""

    def glass(self) -> Glass:
        """Another connection that reads; its `tree` closes it."""

    def erase(self, groups: Sequence[Erasure], now: int) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
        """Erases so that nothing is left of it where the engine keeps its data; see `hub.ledger.retention.erase`."""

    def close(self) -> None:
        """Lets go."""


class Embedded:
    """The engine of one SQLite file."""

    def __init__(self, path: Path, signer: Signer, trusted: Sequence[Verifier] = ()) -> None:
        """Opens the ledger, or makes it; see `hub.ledger.store`."""
        self._path = path
        self.store = LedgerStore(path, signer, trusted)
        try:
            self.store.change(index.prepare)
            self.store.change(edge.prepare)
        except BaseException:
            self.store.close()
            raise

    def glass(self) -> Glass:
        """See `Engine`."""
        db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(5000)
        db.pragma("cache_size", -CACHE_KIB)
        return Glass(db, reading.LedgerReader(db, db.close), searching.sqlite_page, partial(_snapshot, db))

    def erase(self, groups: Sequence[Erasure], now: int) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
        """See `Engine`: what is deleted is overwritten, and the log emptied."""

        def work(db: apsw.Connection) -> tuple[tuple[Erasure, ...], frozenset[bytes]]:
            with _overwriting(db):
                return retention.erase(db, groups, now)

        done = self.store.change(work)
        retention.truncate_log(self._path)
        return done

    def close(self) -> None:
        """See `Engine`."""
        self.store.close()


def opened(path: Path, server: Server | None, signer: Signer, trusted: Sequence[Verifier] = ()) -> Engine:
    """The engine that the settings name: the server, or the file where there is none. Raises `SettingsError`, `BrokenLedgerError`."""
    if server is None:
        return Embedded(path, signer, trusted)
    if path.exists():
        text = f"there is a ledger in {path}, and journals go on where it ends: what is in a file can't be moved to a server yet"
        raise SettingsError("ledger.postgres", (text,))
    try:
        from hub.ledger.postgres.engine import PostgresEngine
    except ModuleNotFoundError as error:
        raise SettingsError("ledger.postgres", (f"needs the extra `postgres`: there is no module {error.name}",)) from None
    return PostgresEngine(server, signer, trusted)


@contextmanager
def _snapshot(db: apsw.Connection) -> Iterator[None]:
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


@contextmanager
def _overwriting(db: apsw.Connection) -> Iterator[None]:
    """What is deleted in the block is overwritten with zeros."""
    before = db.pragma("secure_delete")
    db.pragma("secure_delete", "on")
    try:
        yield
    finally:
        db.pragma("secure_delete", before)
