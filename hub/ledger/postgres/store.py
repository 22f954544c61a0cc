"""The ledger in a PostgreSQL database; leaves, tiles, checkpoint and whatever belongs to them are written in one transaction.

The law: one process appends, the one whose connection holds the advisory lock. A connection that broke is made anew, and then the ledger is
read as at opening: a transaction that was under way is there whole or not at all, and who appended learns to look before it goes on. A
server that has less than it said was durable halts the process.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hub.ledger import checking, growing, notes
from hub.ledger import reading as readers
from hub.ledger.entries import Entry, Reached
from hub.ledger.faults import AwayLedgerError, BrokenLedgerError, Code, UnreadyLedgerError
from hub.ledger.growing import Left
from hub.ledger.notes import Signer, Verifier
from hub.ledger.port import Fill, Head
from hub.ledger.postgres import locking, schema
from hub.ledger.postgres.connecting import Server
from hub.ledger.postgres.session import Loop, Reconnecting, Session
from hub.ledger.tree import Frontier

R = TypeVar("R")
LOCK_WITHIN: Final = 5.0
"""Seconds for which the lock may still be held by a hub that was killed a moment ago."""


class PostgresLedger:
    """The `Ledger` of one database; its transaction is a `Session`."""

    def __init__(self, server: Server, signer: Signer, trusted: Sequence[Verifier] = (), *, lock_within: float = LOCK_WITHIN) -> None:
        """Opens the ledger, or makes it. `signer` signs from now on and names the origin; `trusted` are keys that signed before.

        Raises `UnreadyLedgerError`, and `BrokenLedgerError` for a ledger that is not as it was left, or that another hub has open.
        """
        self._server, self._signer, self._lock_within = server, signer, lock_within
        self._trusted = (signer.verifier, *(one for one in trusted if one != signer.verifier))
        self._name = locking.name()
        self._lock = threading.Lock()
        self._broken = False
        self._moved = False
        """Whether the ledger was found further on, after the connection broke, than whoever appends knows."""
        self._session: Session | None = None
        self._left: Left
        self.loop = Loop()
        try:
            self._session, self._left = self._opened()
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> Head:
        """See the port."""
        return self._left.head

    @property
    def reached(self) -> Mapping[str, Reached]:
        """See the port."""
        return MappingProxyType(self._left.reached)

    def append(self, entries: Sequence[Entry], fill: Fill[Session] | None = None) -> Head:
        """See the port. Checkpoints are signed at the end and after every 1,000 leaves."""
        if not entries:
            return self.head
        with self._lock:
            with self._transaction() as session:
                if self._moved:
                    self._moved = False
                    raise AwayLedgerError("the connection broke, and what was under way had been kept")
                group = growing.grown(self._left, entries, self._signer)
                growing.write(session, group)
                if fill is not None:
                    fill(session, group.first, entries)
            self._left = group.after
            return self._left.head

    def change(self, work: Callable[[Session], R]) -> R:
        """See the port."""
        with self._lock, self._transaction() as session:
            return work(session)

    def sign_with(self, signer: Signer) -> None:
        """Signs with another key from the next checkpoint on. Raises `ValueError` for one of another origin."""
        if signer.name != self._signer.name:
            raise ValueError("a ledger keeps its origin")
        with self._lock:
            self._signer = signer
            self._trusted = (signer.verifier, *(one for one in self._trusted if one != signer.verifier))

    def cosign(self, size: int, note: str) -> None:
        """See the port."""
        with self._lock, self._transaction() as session:
            row: Any = session.execute("select note from checkpoints where size = ?", (size,)).fetchone()
            if row is None or notes.parsed(row[0]).text != notes.parsed(note).text:
                raise ValueError(f"there is no checkpoint of {size} with such a text")
            session.execute("update checkpoints set cosigned = ? where size = ?", (note, size))

    def reader(self) -> readers.LedgerReader:
        """See the port. It connects when it is first asked, and anew after its connection broke."""
        return reading(self.loop, self._server)[1]

    def close(self) -> None:
        """Lets go of the lock and the connection; readers can't be asked any more."""
        with self._lock:
            if self._session is not None:
                self._session.close()
            self.loop.close()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """One durable transaction, of which nothing is left if its body raises."""
        if self._broken:
            raise BrokenLedgerError(Code.STORE_FAILED, "the ledger failed before")
        session = self._ready()
        try:
            session.script("begin")
            yield session
            if session.broken:
                raise AwayLedgerError("the connection to the ledger's server broke")
            if not session.in_transaction:
                raise BrokenLedgerError(Code.STORE_FAILED, "the transaction was ended by what it was lent to")
            if session.script("commit") != "COMMIT":  # the server takes back, without an error, what had one
                raise BrokenLedgerError(Code.STORE_FAILED, "the transaction had failed in what it was lent to")
        except BaseException as error:
            self._broken = self._broken or isinstance(error, BrokenLedgerError)
            self._take_back(session, doubtful=isinstance(error, AwayLedgerError))
            raise

    def _take_back(self, session: Session, *, doubtful: bool) -> None:
        """Takes the transaction back; where nobody knows how it ended, the connection too, so that the ledger is read anew."""
        if session.in_transaction and not doubtful:
            with suppress(UnreadyLedgerError, BrokenLedgerError):
                session.script("rollback")
                return
        if doubtful or session.broken or session.in_transaction:
            session.close()
            self._session = None

    def _ready(self) -> Session:
        """The connection, made anew where it broke. Raises `AwayLedgerError`, and `BrokenLedgerError` for a ledger that was set back."""
        if self._session is not None and not self._session.broken:
            return self._session
        try:
            session, left = self._opened()
        except BrokenLedgerError:
            self._broken = True
            raise
        before = self.head
        try:
            then = readers.LedgerReader(session).checkpoint(before.size)
            if left.head.size < before.size or then is None or then.checkpoint != before.checkpoint:
                self._broken = True
                text = f"the server has {left.head.size} leaves, and this process left it at {before.size} of another root or more"
                raise BrokenLedgerError(Code.SET_BACK, text)
        except BaseException:
            session.close()
            raise
        self._moved = self._moved or left.head.size != before.size
        self._session, self._left = session, left
        return session

    def _opened(self) -> tuple[Session, Left]:
        """A connection that holds the lock, and the ledger as it is."""
        session = Session(self.loop, self._server, application_name=self._name)
        try:
            locking.check_durable(session)
            until = time.monotonic() + self._lock_within
            while (holder := locking.locked(session, self._name)) is not None:
                if time.monotonic() >= until:
                    raise BrokenLedgerError(Code.SECOND_WRITER, f"{self._server} is open in another hub: {holder}")
                time.sleep(0.1)
            session.script("begin")
            self._begin(session)
            session.script("commit")
            return session, checking.left(session, self._trusted)
        except BaseException:
            session.close()
            raise

    def _begin(self, session: Session) -> None:
        """Makes the tables and the checkpoint of the empty ledger, where there is nothing yet."""
        if session.execute("select to_regclass('meta')").fetchone()[0] is None:
            session.script(schema.TABLES)
            rows = (("version", schema.VERSION), ("origin", self._signer.name))
            session.executemany("insert into meta (name, value) values (?, ?)", rows)
            session.execute("insert into checkpoints (size, note) values (0, ?)", (growing.signed(Frontier(), self._signer).note,))
        try:
            said = dict(session.execute("select name, value from meta where name in ('version', 'origin')"))
        except BrokenLedgerError:
            raise BrokenLedgerError(Code.NOT_A_LEDGER, f"{self._server} is no ledger") from None
        checking.check_same(said, {"version": schema.VERSION, "origin": self._signer.name}, str(self._server))
        if session.execute("select to_regclass('links')").fetchone()[0] is None:
            session.script(schema.LINKS)


BY_INDEX: Final = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"}
"""Whoever asks goes by an index in the order of the answer, also before the server has statistics."""


def reading(loop: Loop, server: Server, **settings: str) -> tuple[Reconnecting, readers.LedgerReader]:
    """A connection that only reads, made when it is needed, and a reader that closes it."""
    said = {"application_name": "metip ledger reader", "default_transaction_read_only": "on"} | BY_INDEX | settings
    db = Reconnecting(lambda: Session(loop, server, **said))
    return db, readers.LedgerReader(db, db.close)
