"""The exchange on one SQLite file: what is acknowledged is on disk, and each step of a delivery is kept in one transaction with its effect.

One writer, `synchronous = FULL`, WAL. `run` executes several jobs as one transaction (group commit): each job in a savepoint of its own, so
that one that fails takes nothing else with it, and all results are given only after the commit. The heads of ordering keys are kept in the
`head` column, so that finding the next deliveries needs no scan, however long the backlog.
"""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from hub.exchange.life import Event, State, after
from hub.exchange.records import (
    Accepted,
    Arrival,
    Attempt,
    Delivery,
    ExchangeBrokenError,
    ExchangeFullError,
    Settlement,
    Start,
    Subscription,
    Transition,
)

R = TypeVar("R")
Job = Callable[[], R]

SCHEMA: Final = """
create table if not exists message (
  sequence integer primary key autoincrement,
  id text not null unique,
  operation text not null,
  idempotency_key text not null,
  ordering_key text not null,
  body blob not null,
  producer text not null,
  call_id text not null,
  accepted real not null,
  not_before real not null,
  expires real not null
) strict;
create index if not exists message_by_idempotency on message (operation, idempotency_key, accepted);
create index if not exists message_by_time on message (operation, accepted);
create table if not exists subscription (
  name text primary key,
  system text not null,
  operation text not null,
  write_once integer not null,
  parked_blocks integer not null,
  paused integer not null
) strict, without rowid;
create table if not exists delivery (
  subscription text not null,
  sequence integer not null references message,
  ordering_key text not null,
  state text not null,
  head integer not null,
  attempts integer not null default 0,
  lost integer not null default 0,
  next_at real not null,
  status text not null default '',
  reason text not null default '',
  primary key (subscription, sequence)
) strict, without rowid;
create index if not exists delivery_next on delivery (subscription, next_at, sequence) where state = 'pending' and head = 1;
create index if not exists delivery_under_way on delivery (subscription) where state = 'attempt';
create index if not exists delivery_of_key on delivery (subscription, ordering_key, sequence)
  where state not in ('delivered', 'processed', 'refused', 'purged');
create index if not exists delivery_of_message on delivery (sequence);
create table if not exists transition (
  sequence integer not null,
  subscription text not null,
  at real not null,
  state text not null,
  attempt integer not null,
  status text not null,
  reason text not null,
  by text not null
) strict;
create index if not exists transition_of_message on transition (sequence);
"""
EXCHANGE: Final = "exchange"
HOLDS_BACK: Final = frozenset({State.PENDING, State.ATTEMPT})
HOLDS_BACK_WHEN_BLOCKING: Final = HOLDS_BACK | {State.PARKED, State.IN_DOUBT, State.EXPIRED}


class SqliteStore:
    """The store; every method but `run` is a job's body and must be called within `run`, or alone for reading."""

    def __init__(self, path: Path) -> None:
        self._database = apsw.Connection(str(path))
        self._database.set_busy_timeout(5000)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.execute(SCHEMA)
        self._broken = False

    def run(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """Runs jobs as one durable transaction; an exception of a job is its result.

        Raises `ExchangeFullError` when the disk is full: nothing of the batch happened. Raises `ExchangeBrokenError` when the system could
        not say that the batch is safe: the process must stop, for after a failed flush nobody knows what is on disk.
        """
        if self._broken:
            raise ExchangeBrokenError("the store failed before")
        results: list[Any] = []
        try:
            self._database.execute("begin immediate")
            for job in jobs:
                self._database.execute("savepoint job")
                try:
                    results.append(job())
                except (apsw.FullError, apsw.IOError):
                    raise
                except Exception as error:  # noqa: BLE001 - it is given to whoever asked for the job
                    self._database.execute("rollback to job")
                    results.append(error)
                self._database.execute("release job")
            self._database.execute("commit")
        except apsw.FullError as error:
            self._roll_back()
            raise ExchangeFullError("the disk is full") from error
        except apsw.Error as error:
            self._broken = True
            self._roll_back()
            raise ExchangeBrokenError(f"the store failed: {type(error).__name__}") from error
        return results

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    # Messages.

    def accept(self, arrival: Arrival, now: float, *, window: float, limit: int) -> Accepted:
        """Keeps a message and a delivery of it to each subscription.

        A message with the idempotency key of one accepted within `window` seconds is its duplicate: nothing is kept, and the first one's
        id is told. Raises `ExchangeFullError` when a subscription's backlog has `limit` open deliveries.
        """
        first = self._one(
            "select id, accepted from message where operation = ? and idempotency_key = ? and accepted >= ? order by accepted limit 1",
            (arrival.operation, arrival.idempotency_key, now - window),
        )
        if first is not None:
            return Accepted(first[0], first[1], duplicate_of=first[0])
        subscriptions = self.subscriptions(arrival.operation)
        for subscription in subscriptions:
            if limit and self.backlog(subscription.name) >= limit:
                raise ExchangeFullError(f"{subscription.name} has {limit} messages waiting")
        message_id = str(uuid.uuid4())
        self._database.execute(
            "insert into message (id, operation, idempotency_key, ordering_key, body, producer, call_id, accepted, not_before, expires)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message_id,
                arrival.operation,
                arrival.idempotency_key,
                arrival.ordering_key,
                arrival.body,
                arrival.producer,
                arrival.call_id,
                now,
                arrival.not_before,
                arrival.expires,
            ),
        )
        sequence = self._database.last_insert_rowid()
        for subscription in subscriptions:
            self._add_delivery(subscription, sequence, arrival.ordering_key or message_id, max(now, arrival.not_before), now)
        return Accepted(message_id, now)

    def backlog(self, subscription: str) -> int:
        """How many deliveries of a subscription still move by themselves, counted up to a million."""
        found = self._one(
            "select count(*) from (select 1 from delivery where subscription = ? and state in ('pending', 'attempt') limit 1000000)",
            (subscription,),
        )
        return int(found[0]) if found else 0

    # Subscriptions.

    def subscribe(self, subscription: Subscription, now: float, start: Start = Start.NOW, since: float = 0.0) -> int:
        """Makes a subscription durable, or brings its settings up to date; how many messages of the past it was given.

        Only a new subscription looks back: from the beginning of what is kept, or from a time.
        """
        known = self._one("select 1 from subscription where name = ?", (subscription.name,))
        self._database.execute(
            "insert into subscription (name, system, operation, write_once, parked_blocks, paused) values (?, ?, ?, ?, ?, ?)"
            " on conflict (name) do update set write_once = excluded.write_once, parked_blocks = excluded.parked_blocks",
            (
                subscription.name,
                subscription.system,
                subscription.operation,
                subscription.write_once,
                subscription.parked_blocks,
                subscription.paused,
            ),
        )
        if known or start is Start.NOW:
            return 0
        past = self._all(
            "select sequence, id, ordering_key, not_before from message where operation = ? and accepted >= ? order by sequence",
            (subscription.operation, since if start is Start.TIME else 0.0),
        )
        for sequence, message_id, ordering_key, not_before in past:
            self._add_delivery(subscription, int(sequence), str(ordering_key or message_id), max(now, float(not_before)), now)
        return len(past)

    def subscriptions(self, operation: str = "") -> tuple[Subscription, ...]:
        """Subscriptions to one operation, or all."""
        rows = self._all(
            "select system, operation, write_once, parked_blocks, paused from subscription where ? in ('', operation) order by name",
            (operation,),
        )
        return tuple(Subscription(str(row[0]), str(row[1]), bool(row[2]), bool(row[3]), bool(row[4])) for row in rows)

    def pause(self, name: str, *, paused: bool) -> bool:
        """Stops or resumes a subscription; whether there is one of that name."""
        self._database.execute("update subscription set paused = ? where name = ?", (paused, name))
        return self._database.changes() > 0

    # Deliveries.

    def take(self, subscription: str, limit: int, now: float) -> list[Attempt]:
        """Begins up to `limit` attempts: the first message of each ordering key whose time has come; recorded before they are given."""
        paused = self._one("select paused from subscription where name = ?", (subscription,))
        if paused is None or paused[0]:
            return []
        rows = self._all(
            "select d.sequence, m.id, m.operation, m.body, d.attempts, d.lost, m.accepted, m.expires, m.call_id"
            " from delivery d join message m using (sequence)"
            " where d.subscription = ? and d.state = 'pending' and d.head = 1 and d.next_at <= ? order by d.next_at, d.sequence limit ?",
            (subscription, now, limit),
        )
        attempts = [Attempt(row[0], subscription, row[1], row[2], row[3], row[4] + 1, bool(row[5]), row[6], row[7], row[8]) for row in rows]
        for attempt in attempts:
            self._move(attempt.sequence, subscription, Event.SEND, now, attempt=attempt.number)
        return attempts

    def settle(self, settlement: Settlement, now: float, *, by: str = EXCHANGE) -> bool:
        """Records how an attempt ended; False when the delivery has moved on since, and nothing was done."""
        row = self._one(
            "select state, attempts from delivery where subscription = ? and sequence = ?", (settlement.subscription, settlement.sequence)
        )
        if row is None or row[1] != settlement.number:
            return False
        self._move(
            settlement.sequence,
            settlement.subscription,
            settlement.event,
            now,
            attempt=settlement.number,
            status=settlement.status,
            reason=settlement.reason,
            next_at=settlement.retry_at,
            by=by,
        )
        return True

    def recover(self, now: float) -> tuple[int, int]:
        """After a start: attempts that were under way when the process ended. How many will be repeated, and how many are in doubt."""
        repeated = doubted = 0
        for subscription in self.subscriptions():
            rows = self._all("select sequence, attempts from delivery where subscription = ? and state = 'attempt'", (subscription.name,))
            for sequence, number in rows:
                event = Event.DOUBTED if subscription.write_once else Event.LOST
                self._move(int(sequence), subscription.name, event, now, attempt=int(number), reason="PROCESS_ENDED", next_at=now)
                repeated, doubted = (repeated, doubted + 1) if subscription.write_once else (repeated + 1, doubted)
        return repeated, doubted

    def steer(self, sequence: int, subscription: str, event: Event, now: float, *, by: str, reason: str) -> State:
        """A person moves a delivery (park, release, purge, settle a doubt). Raises `LookupError` and `ContradictionError`."""
        row = self._one("select attempts from delivery where subscription = ? and sequence = ?", (subscription, sequence))
        if row is None:
            raise LookupError(f"there is no delivery {sequence} of {subscription}")
        return self._move(sequence, subscription, event, now, attempt=int(row[0]), reason=reason, next_at=now, by=by)

    # Looking.

    def history(self, message_id: str) -> tuple[Transition, ...]:
        """Every step of every delivery of a message, oldest first."""
        rows = self._all(
            "select t.subscription, t.at, t.state, t.attempt, t.status, t.reason, t.by from transition t"
            " join message m on m.sequence = t.sequence where m.id = ? order by t.rowid",
            (message_id,),
        )
        return tuple(Transition(row[0], row[1], State(row[2]), row[3], row[4], row[5], row[6]) for row in rows)

    def deliveries(
        self, *, subscription: str = "", state: State | None = None, message_id: str = "", limit: int = 100
    ) -> tuple[Delivery, ...]:
        """Deliveries that match, oldest first."""
        rows = self._all(
            "select d.sequence, m.id, m.operation, d.subscription, d.state, d.attempts, d.next_at, d.status, d.reason, m.accepted"
            " from delivery d join message m using (sequence)"
            " where ?1 in ('', d.subscription) and ?2 in ('', d.state) and ?3 in ('', m.id) order by d.sequence limit ?4",
            (subscription, state.value if state else "", message_id, limit),
        )
        return tuple(Delivery(row[0], row[1], row[2], row[3], State(row[4]), row[5], row[6], row[7], row[8], row[9]) for row in rows)

    def counts(self) -> dict[str, dict[State, int]]:
        """Deliveries by subscription and state: the accounts, which add up at every instant."""
        found: dict[str, dict[State, int]] = {one.name: {} for one in self.subscriptions()}
        for name, state, number in self._all("select subscription, state, count(*) from delivery group by 1, 2"):
            found.setdefault(str(name), {})[State(str(state))] = int(number)
        return found

    # Steps.

    def _add_delivery(self, subscription: Subscription, sequence: int, key: str, next_at: float, now: float) -> None:
        head = not self._held_back(subscription, key, sequence)
        self._database.execute(
            "insert into delivery (subscription, sequence, ordering_key, state, head, next_at) values (?, ?, ?, 'pending', ?, ?)",
            (subscription.name, sequence, key, head, next_at),
        )
        self._keep(sequence, subscription.name, now, State.PENDING, 0, "", "", EXCHANGE)

    def _move(
        self,
        sequence: int,
        subscription: str,
        event: Event,
        now: float,
        *,
        attempt: int,
        status: str = "",
        reason: str = "",
        next_at: float = 0.0,
        by: str = EXCHANGE,
    ) -> State:
        row = self._one("select state, ordering_key from delivery where subscription = ? and sequence = ?", (subscription, sequence))
        assert row is not None, "callers looked it up in the same transaction"
        state = after(State(row[0]), event)
        lost = event in (Event.LOST, Event.FAILED, Event.DOUBTED)
        self._database.execute(
            "update delivery set state = ?, attempts = ?, status = ?, reason = ?, next_at = ?, lost = max(lost, ?)"
            " where subscription = ? and sequence = ?",
            (state.value, attempt, status, reason, next_at, lost, subscription, sequence),
        )
        self._keep(sequence, subscription, now, state, attempt, status, reason, by)
        self._choose_head(subscription, str(row[1]))
        return state

    def _choose_head(self, subscription: str, key: str) -> None:
        """The first delivery of a key that still holds the others back is its head; whether a parked one does, the contract says."""
        row = self._one("select parked_blocks from subscription where name = ?", (subscription,))
        holding = HOLDS_BACK_WHEN_BLOCKING if row and row[0] else HOLDS_BACK
        marks = ", ".join(f"'{state.value}'" for state in sorted(holding, key=lambda one: one.value))
        first = self._one(
            f"select sequence from delivery where subscription = ? and ordering_key = ? and state in ({marks}) order by sequence limit 1",  # noqa: S608 - states of our own
            (subscription, key),
        )
        self._database.execute(
            "update delivery set head = (sequence = ?1) where subscription = ?2 and ordering_key = ?3 and head != (sequence = ?1)"
            " and state not in ('delivered', 'processed', 'refused', 'purged')",
            (first[0] if first else -1, subscription, key),
        )

    def _held_back(self, subscription: Subscription, key: str, sequence: int) -> bool:
        holding = HOLDS_BACK_WHEN_BLOCKING if subscription.parked_blocks else HOLDS_BACK
        marks = ", ".join(f"'{state.value}'" for state in sorted(holding, key=lambda one: one.value))
        found = self._one(
            f"select 1 from delivery where subscription = ? and ordering_key = ? and sequence < ? and state in ({marks}) limit 1",  # noqa: S608
            (subscription.name, key, sequence),
        )
        return found is not None

    def _keep(self, sequence: int, subscription: str, at: float, state: State, attempt: int, status: str, reason: str, by: str) -> None:
        self._database.execute(
            "insert into transition (sequence, subscription, at, state, attempt, status, reason, by) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (sequence, subscription, at, state.value, attempt, status, reason, by),
        )

    def _all(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return list(self._database.execute(statement, values))

    def _one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        return row

    def _roll_back(self) -> None:
        if not self._database.get_autocommit():
            self._database.execute("rollback")
