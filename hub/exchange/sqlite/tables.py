"""One SQLite file as the exchange works with it: transactions, subscriptions and the accounts.

The law: what a job of a transaction is told is on disk. The tallies are the accounts; they are kept in memory, and a transaction that fails
takes them back with it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from hub.exchange.life import OPEN, State
from hub.exchange.records import BrokenError, ExchangeError, FullError, Step, UnknownError
from hub.exchange.sqlite.schema import opened
from metip.contracts import Start, Subscription

LONGEST_LOG: Final = 1000
"""Pages of the log after which it is copied into the file: a long one would need its own size again on a disk that has been full."""
BLOCKING: Final = "'pending', 'attempt', 'parked', 'in_doubt', 'expired'"
PASSING: Final = "'pending', 'attempt'"
Recorder = Callable[[apsw.Connection, Step], None]


@dataclass(slots=True, eq=False)
class Post:
    """Subscriptions that share the messages of one operation among them: each message is delivered by one of them, its owner."""

    name: str
    members: tuple["Place", ...]
    owner: "Place"
    """Who gets messages whose key nobody owns yet. What lies beyond the cursor, which they all share, is counted as this one's."""
    number: int
    """The fencing token of what goes to the owner; 0 before anything went."""
    held: str | None = None
    """While they are moved: the key whose messages are held, or `` for all; None otherwise."""


@dataclass(slots=True, eq=False)
class Place:
    """A subscription as the store works with it."""

    id: int
    said: Subscription
    operation: int
    cursor: int
    paused: bool
    post: Post | None = None
    """None for one that gets every message."""
    absent: bool = False
    """Whether no contract has it any more; it is there because it still owns something."""

    @property
    def peers(self) -> "tuple[Place, ...]":
        """Those that share its messages, itself among them."""
        return self.post.members if self.post is not None else (self,)

    @property
    def door(self) -> "Place":
        """The one of them by which what lies beyond the cursor is counted and listed."""
        return self.post.owner if self.post is not None else self

    @property
    def hears(self) -> str:
        """What a message's audience may be, as SQL."""
        return f"(0, {', '.join(str(one.id) for one in self.peers)})"

    @property
    def holding(self) -> str:
        """States in which a delivery holds back the later ones of its key, as SQL."""
        return BLOCKING if self.said.parked_blocks else PASSING


class Tables:
    """The file; it belongs to one thread. Every method but `run` and `close` is a job's body, to be called within `run`."""

    def __init__(self, path: Path, record: Recorder | None = None, *, synchronous: str = "full", vfs: str | None = None) -> None:
        """`record` is given each step within the step's own transaction: the seam of the ledger. `vfs` names a file system for faults."""
        self.database, self.names = opened(str(path), synchronous, vfs)
        self._execute = self.database.execute
        self.database.set_wal_hook(self._logged)  # in place of SQLite's own checkpoints, which say nothing when they fail
        self._log = 0
        self._record = record
        self._broken = False
        self._operations: dict[str, int] = {name: number for number, name in self.all("select id, name from operation")}
        self.places: dict[str, Place] = {}
        self._by_operation: dict[int, list[Place]] = {}
        self.beyond: Counter[int] = Counter()
        """Messages beyond the cursor, by subscription, that have no row yet."""
        self.early: Counter[int] = Counter()
        """Those that have one already, since a person moved them."""
        self.tally: Counter[tuple[int, State]] = Counter()
        self._moves: list[tuple[Counter[Any], Any, int]] = []
        self._stirred: set[str] = set()

    def run(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """Runs jobs as one durable transaction; an `ExchangeError` of a job, which it raises before it changes anything, is its result.

        Raises `FullError` when the disk is full: nothing of the batch happened. Raises `BrokenError` when the system could not say that the
        batch is safe, or a job failed in a way that nobody foresaw: the process must stop, for nobody knows what is so.
        """
        if self._broken:
            raise BrokenError("the store failed before")
        results: list[Any] = []
        try:
            self._execute("begin immediate")
            for job in jobs:
                try:
                    results.append(job())
                except ExchangeError as error:
                    results.append(error)
            self._execute("commit")
            self._committed()
        except apsw.FullError as error:
            self._take_back()
            raise FullError("the disk is full") from error
        except Exception as error:
            self._broken = True
            self._take_back()
            raise BrokenError(f"the store failed: {type(error).__name__}") from error
        self._moves.clear()
        return results

    def _logged(self, _database: apsw.Connection, _name: str, pages: int) -> int:
        self._log = pages
        return apsw.SQLITE_OK

    def _committed(self) -> None:
        """Follows each transaction, before anybody hears of it: copies a long log into the file.

        No room for it is no harm, since the log stays; that it can't be synced halts the process.
        """
        if self._log >= LONGEST_LOG:
            with suppress(apsw.FullError, apsw.BusyError):
                self.database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def close(self) -> None:
        """Closes the file. On a disk that fails nothing is lost by it: what was told is in the log, which the next opening reads."""
        with suppress(apsw.Error):
            self.database.close()

    def latest(self) -> float:
        """The latest time that anything was accepted or due; 0 in an empty store. A clock must not begin before it."""
        found = self.one("select max(accepted) from message where sequence >= (select max(sequence) from message) - 100", ())
        return float(found[0] or 0.0) if found else 0.0

    def know(self, subscriptions: Sequence[Subscription]) -> None:
        """Makes these all the subscriptions there are, and leaves what is under way alone."""
        wanted = {one.name: one for one in subscriptions}
        known = {str(row[0]): row for row in self.all("select name, id, operation, cursor, paused from subscription")}
        for name, said in wanted.items():
            operation = self.operation(said.operation)
            if name not in known:
                cursor = self._start(said, operation)
                self._execute(
                    "insert into subscription (name, system, operation, cursor) values (?, ?, ?, ?)", (name, said.system, operation, cursor)
                )
                known[name] = (name, self.database.last_insert_rowid(), operation, cursor, 0)
        self._execute(f"update subscription set closed = (name not in ({', '.join('?' * len(wanted))}))", tuple(wanted))
        self.places = {
            name: Place(known[name][1], said, known[name][2], known[name][3], bool(known[name][4])) for name, said in wanted.items()
        }
        self._form_posts(known)
        self._by_operations()
        self._count()

    def _form_posts(self, known: dict[str, tuple[Any, ...]]) -> None:
        """Puts together subscriptions that share their messages; `known` has the row of each that there ever was, by name."""

    def _read_posts(self) -> None:
        """Reads again who owns what, after a transaction was taken back."""

    def _by_operations(self) -> None:
        """Which subscriptions a message of an operation is counted for."""
        self._by_operation = {}
        for place in self.places.values():
            if place.door is place:
                self._by_operation.setdefault(place.operation, []).append(place)

    def stirred(self) -> frozenset[str]:
        """Subscriptions that may have something to deliver since this was last asked, by what was done for others."""
        found = frozenset(self._stirred)
        self._stirred.clear()
        return found

    def operation(self, name: str) -> int:
        """The number of an operation, which it has from now on."""
        if name not in self._operations:
            self._execute("insert into operation (name) values (?)", (name,))
            self._operations[name] = self.database.last_insert_rowid()
        return self._operations[name]

    def place(self, name: str) -> Place:
        """A subscription. Raises `UnknownError`."""
        try:
            return self.places[name]
        except KeyError:
            raise UnknownError(f"there is no subscription {name}") from None

    def pause(self, name: str, now: float, *, paused: bool, by: str, reason: str) -> None:
        """Stops or resumes a subscription. Raises `UnknownError`."""
        place = self.place(name)
        self.act(now, by, "pause" if paused else "resume", name, reason)
        self._execute("update subscription set paused = ? where id = ?", (paused, place.id))
        place.paused = paused

    def is_beyond(self, place: Place) -> bool:
        """Whether anything lies beyond the cursor."""
        return self.beyond[place.door.id] > 0 or self.early[place.door.id] > 0

    def act(self, at: float, by: str, what: str, subject: str, reason: str) -> None:
        """Keeps what a person did that is no step of a delivery."""
        self._execute("insert into act (at, by, what, subject, reason) values (?, ?, ?, ?, ?)", (at, by, what, subject, reason))

    def backlog(self, place: Place) -> int:
        """Deliveries of a subscription that still move by themselves."""
        return self.beyond[place.id] + sum(self.tally[place.id, state] for state in OPEN)

    def forget(self, subscription: int, state: State) -> None:
        """Takes a delivery that is about to be deleted out of the accounts."""
        self._move_tally(self.tally, (subscription, state), -1)

    def one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The first row."""
        row: tuple[Any, ...] | None = self._execute(statement, values).fetchone()
        return row

    def all(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._execute(statement, values).fetchall()

    def _start(self, said: Subscription, operation: int) -> int:
        """The cursor of a new subscription."""
        if said.start is Start.BEGINNING:
            return 0
        since = said.start_at if said.start is Start.TIME else float("inf")
        row = self.one("select max(sequence) from message where operation = ? and accepted < ?", (operation, since))
        return int(row[0] or 0) if row else 0

    def _count(self) -> None:
        """The tallies as the tables have them."""
        self.tally.clear()
        self.beyond.clear()
        self.early.clear()
        for subscription, state, number in self.all("select subscription, state, count(*) from delivery group by 1, 2"):
            self.tally[subscription, State(state)] = number
        for place in self.places.values():
            if place.door is not place:
                continue
            row = self.one(
                f"select count(*) from message where operation = ? and sequence > ? and audience in {place.hears}",
                (place.operation, place.cursor),
            )
            for one in place.peers:
                early = self.one("select count(*) from delivery where subscription = ? and sequence > ?", (one.id, place.cursor))
                self.early[place.id] += int(early[0]) if early else 0
            self.beyond[place.id] = (int(row[0]) if row else 0) - self.early[place.id]

    def _recount(self, subscription: int, before: State, state: State) -> None:
        self._move_tally(self.tally, (subscription, before), -1)
        self._move_tally(self.tally, (subscription, state), 1)

    def _move_tally(self, counter: Counter[Any], key: Any, by: int) -> None:
        counter[key] += by
        self._moves.append((counter, key, by))

    def _take_back(self) -> None:
        if not self.database.get_autocommit():
            self._execute("rollback")
        for counter, key, by in self._moves:
            counter[key] -= by
        self._moves.clear()
        for name, cursor, paused in [] if self._broken else self.all("select name, cursor, paused from subscription"):
            if name in self.places:
                self.places[name].cursor, self.places[name].paused = cursor, bool(paused)
        self._stirred.clear()
        if not self._broken:
            self._read_posts()
            self._operations = {name: number for number, name in self.all("select id, name from operation")}

    def _keep(self, place: Place, step: Step) -> None:
        self._execute(
            "insert into step (sequence, subscription, at, began, state, attempt, status, reason, by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (step.sequence, place.id, step.at, step.began, step.state.value, step.attempt, step.status, step.reason, step.by),
        )
        if self._record is not None:
            self._record(self.database, step)
