"""Accepting and delivering on one SQLite file: what is told is on disk, and each step is kept in one transaction with its effect.

The law of order: of a key's deliveries that are not done, at most one has `head`, the first; only a head is ever given. Whether one that is
parked still counts as the first, the subscription says. The tallies are the accounts; they are kept in memory, and a transaction that
fails takes them back with it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from hub.exchange.life import OPEN, ContradictionError, Event, State, after
from hub.exchange.records import (
    Accepted,
    Arrival,
    Attempt,
    BrokenError,
    ExchangeError,
    FullError,
    NotAllowedError,
    Settlement,
    Step,
    Turn,
    UnknownError,
)
from hub.exchange.sqlite.schema import opened
from metip.contracts import Start, Subscription

R = TypeVar("R")
EXCHANGE: Final = "exchange"
LONGEST_LOG: Final = 4000
"""Pages of the log after which it is copied into the file."""
LONGEST_PULL: Final = 1000
"""Messages that a cursor passes in one transaction at the most."""
BLOCKING: Final = "'pending', 'attempt', 'parked', 'in_doubt', 'expired'"
PASSING: Final = "'pending', 'attempt'"
OF_KEY: Final = "ordering_key != '' and state not in ('delivered', 'processed', 'purged', 'refused')"
"""The condition of the index `delivery_of_key`, word for word: without it, and without its name, SQLite reads a whole history instead."""
REACHED: Final = frozenset({Event.LOST, Event.FAILED, Event.DOUBTED, Event.GAVE_UP})
"""Ends of an attempt that may have reached the subscriber all the same: the next one says that it is a redelivery."""
Recorder = Callable[[apsw.Connection, Step], None]


@dataclass(slots=True)
class Place:
    """A subscription as the store works with it."""

    id: int
    said: Subscription
    operation: int
    cursor: int
    paused: bool

    @property
    def holding(self) -> str:
        """States in which a delivery holds back the later ones of its key, as SQL."""
        return BLOCKING if self.said.parked_blocks else PASSING


class Store:
    """The store; it belongs to one thread. Every method but `run` and `close` is a job's body, to be called within `run`."""

    def __init__(self, path: Path, record: Recorder | None = None, *, vfs: str | None = None) -> None:
        """`record` is given each step within the step's own transaction: the seam of the ledger. `vfs` names a file system for faults."""
        self.database, self.names = opened(str(path), vfs)
        self._execute = self.database.execute
        self.database.set_wal_hook(self._logged)  # in place of SQLite's own checkpoints, which say nothing when they fail
        self._log = 0
        self._record = record
        self._broken = False
        self._operations: dict[str, int] = {name: number for number, name in self.all("select id, name from operation")}
        self.places: dict[str, Place] = {}
        self._by_operation: dict[int, list[Place]] = {}
        self.beyond: Counter[int] = Counter()
        """Messages beyond the cursor, by subscription."""
        self.tally: Counter[tuple[int, State]] = Counter()
        self._moves: list[tuple[Counter[Any], Any, int]] = []

    # Transactions.

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
            self._checkpoint()
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

    def _checkpoint(self) -> None:
        """Copies a long log into the file. No room for it is no harm, since the log stays; that it can't be synced halts the process."""
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

    # Subscriptions.

    def subscribe(self, subscriptions: Sequence[Subscription], now: float) -> tuple[int, int]:
        """Makes these all the subscriptions there are; how many attempts of the last process are repeated, and how many are in doubt."""
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
        self._by_operation = {}
        for place in self.places.values():
            self._by_operation.setdefault(place.operation, []).append(place)
        self._count()
        return self._recover(now)

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

    def pause(self, name: str, *, paused: bool) -> None:
        """Stops or resumes a subscription. Raises `UnknownError`."""
        place = self.place(name)
        self._execute("update subscription set paused = ? where id = ?", (paused, place.id))
        place.paused = paused

    # Messages.

    def accept(self, arrival: Arrival, now: float) -> Accepted:
        """Keeps a message, or says of which one it is the duplicate. Raises `FullError` when a backlog has reached its limit."""
        operation = self.operation(arrival.operation)
        first: Any = self._execute(
            "select sequence, accepted from message where operation = ? and idempotency_key = ? and accepted >= ? and replay_of = 0"
            " order by sequence limit 1",
            (operation, arrival.idempotency_key, now - arrival.window),
        ).fetchone()
        if first is not None:
            message_id = self.names.of(first[0])
            return Accepted(message_id, first[1], duplicate_of=message_id)
        places = self._by_operation.get(operation, ())
        for place in places:
            if self.backlog(place) >= place.said.backlog:
                raise FullError(f"{place.said.name} has {place.said.backlog} messages waiting")
        return Accepted(self.names.of(self._insert(arrival, operation, now, 0, 0, places)), now)

    def backlog(self, place: Place) -> int:
        """Deliveries of a subscription that still move by themselves."""
        return self.beyond[place.id] + sum(self.tally[place.id, state] for state in OPEN)

    def again(self, sequence: int, place: Place, now: float) -> int:
        """A message once more, for one subscription only; its place."""
        row = self.one(
            "select idempotency_key, ordering_key, body, producer, officer, call_id from message where sequence = ?", (sequence,)
        )
        if row is None:
            raise UnknownError("there is no such message")
        arrival = Arrival(place.said.operation, row[2], row[0], row[1], row[3], row[4], row[5])
        return self._insert(arrival, place.operation, now, place.id, sequence, (place,))

    def _insert(self, arrival: Arrival, operation: int, now: float, audience: int, replay_of: int, places: Sequence[Place]) -> int:
        self._execute(
            "insert into message (operation, idempotency_key, ordering_key, body, producer, officer, call_id, accepted, not_before,"
            " expires, audience, replay_of) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                operation,
                arrival.idempotency_key,
                arrival.ordering_key,
                arrival.body,
                arrival.producer,
                arrival.officer,
                arrival.call_id,
                now,
                arrival.not_before,
                arrival.expires,
                audience,
                replay_of,
            ),
        )
        for place in places:
            self._move_tally(self.beyond, place.id, 1)
        return self.database.last_insert_rowid()

    # Deliveries.

    def turn(self, name: str, settlements: Sequence[Settlement], limit: int, now: float) -> Turn:
        """Records how attempts ended, and begins new ones; see the port."""
        place = self.place(name)
        for one in settlements:
            self._settle(place, one, now)
        if place.paused:
            return Turn((), None)
        attempts = self._due(place, limit, now) if limit > 0 else []
        if len(attempts) < limit:
            attempts += self._pull(place, limit - len(attempts), now)
        row = self.one(
            "select next_at from delivery where subscription = ? and state = 'pending' and head = 1 order by next_at limit 1", (place.id,)
        )
        return Turn(tuple(attempts), None if row is None else float(row[0]))

    def _settle(self, place: Place, one: Settlement, now: float) -> None:
        row = self.one("select state, attempts from delivery where subscription = ? and sequence = ?", (place.id, one.sequence))
        if row is None or row[1] != one.number or row[0] != State.ATTEMPT.value:
            return
        self.move(place, one.sequence, one.event, now, status=one.status, reason=one.reason, next_at=one.retry_at)

    def _due(self, place: Place, limit: int, now: float) -> list[Attempt]:
        """Attempts of deliveries that wait for their time, those whose message is too old expired instead."""
        rows = self.all(
            "select d.sequence, d.attempts, d.lost, d.first_began, m.body, m.accepted, m.producer, m.officer, m.call_id, m.expires,"
            " m.replay_of from delivery d join message m using (sequence)"
            " where d.subscription = ? and d.state = 'pending' and d.head = 1 and d.next_at <= ? order by d.next_at, d.sequence limit ?",
            (place.id, now, limit),
        )
        found = []
        for row in rows:
            if row[9] and row[9] <= now:
                self.move(place, row[0], Event.AGED, now, reason="MAX_AGE")
                continue
            self._execute(
                "update delivery set state = 'attempt', attempts = attempts + 1, began = ?1,"
                " first_began = iif(first_began, first_began, ?1) where subscription = ?2 and sequence = ?3",
                (now, place.id, row[0]),
            )
            self._recount(place.id, State.PENDING, State.ATTEMPT)
            redelivery = bool(row[2] or row[10])
            found.append(self._attempt(place, row[0], row[4], row[1] + 1, redelivery, row[3] or now, row[5], row[6], row[7], row[8]))
        return found

    def _pull(self, place: Place, limit: int, now: float) -> list[Attempt]:
        """Moves the cursor on until `limit` attempts were begun; what is held back or not due yet gets its row and waits."""
        found: list[Attempt] = []
        passed = 0
        while len(found) < limit and passed < LONGEST_PULL and self.beyond[place.id] > 0:
            rows = self.all(
                "select sequence, ordering_key, body, accepted, producer, officer, call_id, not_before, expires, audience, replay_of"
                " from message where operation = ? and sequence > ? order by sequence limit ?",
                (place.operation, place.cursor, limit - len(found)),
            )
            if not rows:
                break
            for row in rows:
                self._pass(place, row, now, found)
            passed += len(rows)
            place.cursor = rows[-1][0]
        if passed:
            self._execute("update subscription set cursor = ? where id = ?", (place.cursor, place.id))
        return found

    def _pass(self, place: Place, row: tuple[Any, ...], now: float, found: list[Attempt]) -> None:
        sequence, key, body, accepted, producer, officer, call_id, not_before, expires, audience, replay_of = row
        if audience not in (0, place.id):
            return
        self._move_tally(self.beyond, place.id, -1)
        held = bool(key) and self._first_of(place, key) is not None
        ready = not held and not_before <= now and not (expires and expires <= now)
        state = State.ATTEMPT if ready else State.PENDING
        began = now if ready else 0.0
        self._execute(
            "insert into delivery (subscription, sequence, ordering_key, state, head, attempts, lost, began, first_began, next_at)"
            " values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
            (place.id, sequence, key, state.value, not held, int(ready), began, began, max(now, not_before)),
        )
        self._move_tally(self.tally, (place.id, state), 1)
        if ready:
            found.append(self._attempt(place, sequence, body, 1, bool(replay_of), now, accepted, producer, officer, call_id))

    def _attempt(
        self,
        place: Place,
        sequence: int,
        body: bytes,
        number: int,
        redelivery: bool,
        first_began: float,
        accepted: float,
        producer: str,
        officer: str,
        call_id: str,
    ) -> Attempt:
        name = self.names.of(sequence)
        return Attempt(sequence, place.said.name, name, body, number, redelivery, first_began, accepted, producer, officer, call_id)

    def move(
        self,
        place: Place,
        sequence: int,
        event: Event,
        now: float,
        *,
        status: str = "",
        reason: str = "",
        next_at: float = 0.0,
        by: str = EXCHANGE,
    ) -> State:
        """Moves a delivery by the table of its life, keeps the step, and lets the next of its key go when it is time."""
        row = self.one(
            "select state, ordering_key, attempts, began from delivery where subscription = ? and sequence = ?", (place.id, sequence)
        )
        assert row is not None, "callers looked it up in the same transaction"
        before, key, attempts, began = State(row[0]), str(row[1]), int(row[2]), float(row[3])
        state = after(before, event)
        self._execute(
            "update delivery set state = ?, status = ?, reason = ?, next_at = ?, lost = max(lost, ?), head = (ordering_key = '')"
            " where subscription = ? and sequence = ?",
            (state.value, status, reason, next_at, event in REACHED, place.id, sequence),
        )
        self._recount(place.id, before, state)
        was_attempt = before is State.ATTEMPT
        self._keep(
            place,
            Step(sequence, place.said.name, now, began if was_attempt else 0.0, state, attempts if was_attempt else 0, status, reason, by),
        )
        if key:
            self._choose_head(place, key)
        return state

    def _choose_head(self, place: Place, key: str) -> None:
        """Gives `head` to the first of the key that is not done, unless one is under way; takes it from any other."""
        under_way = self.one(
            "select 1 from delivery indexed by delivery_of_key where subscription = ? and ordering_key = ? and head in (0, 1)"
            f" and {OF_KEY} and state = 'attempt' limit 1",
            (place.id, key),
        )
        first = None if under_way else self._first_of(place, key)
        self._execute(
            "update delivery indexed by delivery_of_key set head = 0 where subscription = ? and ordering_key = ? and head = 1"
            f" and {OF_KEY} and state = 'pending' and sequence != ?",
            (place.id, key, first or -1),
        )
        if first is not None:
            self._execute("update delivery set head = 1 where subscription = ? and sequence = ? and state = 'pending'", (place.id, first))

    def _first_of(self, place: Place, key: str) -> int | None:
        """The first delivery of a key that holds the others back."""
        found = [
            self.one(
                "select sequence from delivery indexed by delivery_of_key where subscription = ? and ordering_key = ? and head = ?"
                f" and {OF_KEY} and state in ({place.holding}) order by sequence limit 1",
                (place.id, key, head),
            )
            for head in (0, 1)
        ]
        return min((int(row[0]) for row in found if row is not None), default=None)

    def _recover(self, now: float) -> tuple[int, int]:
        """Attempts that were under way when the last process ended: how many will be repeated, and how many are in doubt."""
        repeated = doubted = 0
        for place in self.places.values():
            for (sequence,) in self.all("select sequence from delivery where subscription = ? and state = 'attempt'", (place.id,)):
                event = Event.DOUBTED if place.said.write_once else Event.LOST
                self.move(place, sequence, event, now, reason="PROCESS_ENDED", next_at=now)
                doubted, repeated = (doubted + 1, repeated) if place.said.write_once else (doubted, repeated + 1)
        return repeated, doubted

    def confirm(self, message_id: str, system: str, event: Event, reason: str, now: float) -> None:
        """What a subscriber learnt later. Raises `UnknownError`."""
        sequence = self.names.sequence(message_id)
        rows = self.all(
            "select s.name, d.state from delivery d join subscription s on s.id = d.subscription where d.sequence = ? and s.system = ?",
            (sequence, system),
        )
        if not rows or rows[0][0] not in self.places:
            raise UnknownError("there is no such delivery")
        state = State(rows[0][1])
        if state in (State.DELIVERED, State.ATTEMPT, State.IN_DOUBT):
            self.move(self.places[rows[0][0]], sequence, event, now, reason=reason, by=system)

    def decide(self, deliveries: Sequence[tuple[str, str]], event: Event, now: float, *, by: str, reason: str) -> int:
        """A person moves deliveries, all or none. Raises `UnknownError` and `NotAllowedError`."""
        found = []
        for message_id, name in dict.fromkeys(deliveries):
            place, sequence = self.place(name), self.names.sequence(message_id)
            row = self.one("select state from delivery where subscription = ? and sequence = ?", (place.id, sequence))
            if row is None:
                raise (
                    NotAllowedError(f"{message_id} has not been given to {name} yet")
                    if self._is_beyond(place, sequence)
                    else UnknownError(f"there is no delivery of {message_id} to {name}")
                )
            allowed(State(row[0]), event)
            found.append((place, sequence))
        for place, sequence in found:
            self.move(place, sequence, event, now, reason=reason, next_at=now, by=by)
        return len(found)

    def forget(self, subscription: int, state: State) -> None:
        """Takes a delivery that is about to be deleted out of the accounts."""
        self._move_tally(self.tally, (subscription, state), -1)

    # Small things.

    def one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The first row."""
        row: tuple[Any, ...] | None = self._execute(statement, values).fetchone()
        return row

    def all(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._execute(statement, values).fetchall()

    def _is_beyond(self, place: Place, sequence: int) -> bool:
        row = self.one("select 1 from message where sequence = ? and operation = ?", (sequence, place.operation))
        return row is not None and sequence > place.cursor

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
        for subscription, state, number in self.all("select subscription, state, count(*) from delivery group by 1, 2"):
            self.tally[subscription, State(state)] = number
        for place in self.places.values():
            row = self.one(
                "select count(*) from message where operation = ? and sequence > ? and audience in (0, ?)",
                (place.operation, place.cursor, place.id),
            )
            self.beyond[place.id] = int(row[0]) if row else 0

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
        if not self._broken:
            self._operations = {name: number for number, name in self.all("select id, name from operation")}

    def _keep(self, place: Place, step: Step) -> None:
        self._execute(
            "insert into step (sequence, subscription, at, began, state, attempt, status, reason, by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (step.sequence, place.id, step.at, step.began, step.state.value, step.attempt, step.status, step.reason, step.by),
        )
        if self._record is not None:
            self._record(self.database, step)


def allowed(state: State, event: Event) -> None:
    """Raises `NotAllowedError` when a person can't move a delivery so."""
    try:
        after(state, event)
    except ContradictionError:
        raise NotAllowedError(f"a delivery that is {state.value} can't be moved so ({event.value})") from None
