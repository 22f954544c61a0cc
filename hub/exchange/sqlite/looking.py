"""Finding messages and deliveries on the SQLite engine, each by an index: no question reads a whole backlog.

A delivery whose message lies beyond its subscription's cursor has no row; it is found among the messages, as pending.
"""

import heapq
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final

import apsw

from hub.exchange.keys import fingerprint
from hub.exchange.life import OPEN, State
from hub.exchange.records import Account, Act, Cause, Delivery, Filter, Group, Message, Step, UnknownError
from hub.exchange.sqlite.keyed import numbers
from hub.exchange.sqlite.noting import notes
from hub.exchange.sqlite.schema import WAITING, Names
from hub.exchange.sqlite.store import Place, Store

PAGE: Final = 200
PASSED: Final = 20_000
"""Places that one look for messages of some operations passes at the most."""


def message(store: Store, message_id: str) -> Message:
    """One message. Raises `UnknownError`."""
    sequence = store.names.sequence(message_id)
    row = store.one(
        "select o.name, m.body, m.producer, m.call_id, m.accepted, m.replay_of, m.traceparent from message m"
        " join operation o on o.id = m.operation where m.sequence = ?",
        (sequence,),
    )
    if row is None:
        raise UnknownError("there is no such message")
    replay_of = store.names.of(row[5]) if row[5] else ""
    return Message(sequence, message_id, row[0], row[1], row[2], row[3], row[4], replay_of, traceparent=row[6])


def accepted_after(database: apsw.Connection, sequence: int, limit: int, operations: Collection[str]) -> tuple[list[Message], int]:
    """Messages of some operations in order of acceptance, those after one place; and up to which place there are no more of them."""
    with database:
        store: Any = database.execute("select value from meta where name = 'store'").fetchone()
        newest: Any = database.execute("select coalesce(max(sequence), 0) from message").fetchone()
        end = max(sequence, min(newest[0], sequence + PASSED))
        wanted = {number: name for number, name in database.execute("select id, name from operation") if name in operations}
        rows: list[Any] = database.execute(
            # By place, never by operation: what is read is what came last, and most of it is in memory.
            "select sequence, operation, body, producer, call_id, accepted, replay_of, officer, traceparent from message"
            " where sequence > ? and sequence <= ? and +operation in (select value from carray(?)) order by sequence limit ?",
            (sequence, end, numbers(list(wanted)), limit),
        ).fetchall()
    names = Names(store[0])
    found = [
        Message(
            row[0], names.of(row[0]), wanted[row[1]], row[2], row[3], row[4], row[5], names.of(row[6]) if row[6] else "", row[7], row[8]
        )
        for row in rows
    ]
    return found, found[-1].sequence if len(found) == limit else end


def acts_after(database: apsw.Connection, place: int, limit: int) -> list[Act]:
    """What persons did, in order, after one place."""
    found: Any = database.execute(
        "select rowid, at, by, what, subject, reason from act where rowid > ? order by rowid limit ?", (place, limit)
    )
    return [Act(*row) for row in found]


def steps(store: Store, message_id: str) -> list[Step]:
    """Every step of every delivery of a message, oldest first. Raises `UnknownError`."""
    sequence = message(store, message_id).sequence
    rows = store.all(
        "select t.sequence, s.name, t.at, t.began, t.state, t.attempt, t.status, t.reason, t.by from step t"
        " join subscription s on s.id = t.subscription where t.sequence = ? order by t.rowid",
        (sequence,),
    )
    return [Step(row[0], row[1], row[2], row[3], State(row[4]), row[5], row[6], row[7], row[8]) for row in rows]


def deliveries(store: Store, wanted: Filter, after: tuple[int, str], limit: int) -> list[Delivery]:
    """Deliveries that a filter finds, by (sequence, subscription)."""
    return list(islice(every(store, wanted, after), limit))


def every(store: Store, wanted: Filter, after: tuple[int, str] = (0, "")) -> Iterator[Delivery]:
    """All of them, read a page at a time."""
    places = sorted(store.places.values(), key=lambda one: one.said.name)
    streams = [_of_place(store, place, wanted, after) for place in places if wanted.looks_in(place.said.name, place.said.operation)]
    return heapq.merge(*streams, key=lambda one: (one.sequence, one.subscription))


def _of_place(store: Store, place: Place, wanted: Filter, after: tuple[int, str]) -> Iterator[Delivery]:
    last = after[0] - 1 if place.said.name > after[1] else after[0]
    named = _named(store, place, wanted)
    if named is None:
        yield from heapq.merge(_rows(store, place, wanted, last), _beyond(store, place, wanted, last), key=lambda one: one.sequence)
    else:
        for sequence in sorted(one for one in named if one > last):
            yield from islice(_rows(store, place, wanted, sequence - 1, sequence), 1)
            yield from islice(_beyond(store, place, wanted, sequence - 1, sequence), 1)


def _named(store: Store, place: Place, wanted: Filter) -> set[int] | None:
    """Places of the messages that the filter names by id or key; None when it names none."""
    found: set[int] | None = None
    if wanted.message_ids:
        found = set()
        for one in wanted.message_ids:
            try:
                found.add(store.names.sequence(one))
            except UnknownError:
                continue
    if wanted.key:
        noted = store.noted([fingerprint(place.said.operation, wanted.key)])
        rows = store.all(
            "select m.sequence from carray(?1) k cross join message m on m.sequence = k.value"
            " where m.operation = ?2 and ?3 in (m.idempotency_key, m.ordering_key)",
            (numbers(noted), place.operation, wanted.key),
        )
        by_key = {int(row[0]) for row in rows}
        found = by_key if found is None else found & by_key
    return found


def _rows(store: Store, place: Place, wanted: Filter, last: int, until: int = 1 << 62) -> Iterator[Delivery]:
    states = wanted.states or frozenset(State)
    marks = ", ".join(f"'{state.value}'" for state in sorted(states, key=lambda one: one.value))
    while True:
        rows = store.all(
            "select d.sequence, d.state, d.attempts, d.next_at, d.status, d.reason, m.accepted, d.ordering_key, d.head"
            " from delivery d join message m using (sequence)"
            f" where d.subscription = ?1 and d.sequence > ?2 and d.sequence <= ?3 and d.state in ({marks}) and ?4 in ('', d.reason)"
            " and m.accepted >= ?5 and (?6 = 0 or m.accepted < ?6) order by d.sequence limit ?7",
            (place.id, last, until, wanted.reason, wanted.accepted_from, wanted.accepted_before, PAGE),
        )
        for row in rows:
            state = State(row[1])
            held = state is State.PENDING and not row[8]
            yield Delivery(
                row[0], store.names.of(row[0]), place.said.name, state, row[2], row[3] if state is State.PENDING else 0.0, row[4], row[5],
                row[6], row[7], held,
            )  # fmt: skip
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _beyond(store: Store, place: Place, wanted: Filter, last: int, until: int = 1 << 62) -> Iterator[Delivery]:
    if place.door is not place or wanted.reason or (wanted.states and State.PENDING not in wanted.states):
        return
    last = max(last, place.cursor)
    ids = ", ".join(str(one.id) for one in place.peers)
    while True:
        rows = store.all(
            "select sequence, accepted, ordering_key, not_before from message where operation = ?1 and sequence > ?2 and sequence <= ?3"
            f" and audience in {place.hears} and accepted >= ?4 and (?5 = 0 or accepted < ?5) and not exists"
            f" (select 1 from delivery d where d.subscription in ({ids}) and d.sequence = message.sequence) order by sequence limit ?6",
            (place.operation, last, until, wanted.accepted_from, wanted.accepted_before, PAGE),
        )
        for sequence, accepted, key, not_before in rows:
            due = max(accepted, not_before)
            yield Delivery(
                sequence, store.names.of(sequence), place.said.name, State.PENDING, 0, due, "", "", accepted, key, held_back=False
            )
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def accounts(store: Store) -> list[Account]:
    """Every subscription with its counts, from the tallies."""
    found = []
    for name, place in sorted(store.places.items()):
        counts = Counter({state: store.tally[place.id, state] for state in State})
        counts[State.PENDING] += store.beyond[place.id]
        oldest = _oldest(store, place) if sum(counts[state] for state in OPEN) else 0.0
        kept = {state: number for state, number in counts.items() if number}
        found.append(Account(name, place.said.system, place.said.operation, place.paused, kept, oldest))
    return found


def _oldest(store: Store, place: Place) -> float:
    rows: list[tuple[Any, ...] | None] = [
        store.one(
            "select accepted from message where sequence ="
            " (select min(sequence) from delivery indexed by delivery_next where subscription = ? and state = 'pending' and head = 1)",
            (place.id,),
        ),
        store.one(
            "select m.accepted from delivery d join message m using (sequence) where d.subscription = ? and d.state = 'attempt'",
            (place.id,),
        ),
        store.one(
            f"select accepted from message where operation = ? and sequence > ? and audience in {place.hears} order by sequence limit 1",
            (place.operation, place.cursor),
        )
        if place.door is place
        else None,
    ]
    return min((float(row[0]) for row in rows if row is not None), default=0.0)


def groups(store: Store, subscription: str) -> list[Group]:
    """What waits for a person, by cause, the largest group first, each with its notes."""
    rows = store.all(
        "select s.name, d.state, d.status, d.reason, count(*), min(d.sequence) from delivery d indexed by delivery_waiting"
        f" join subscription s on s.id = d.subscription where d.state in ({WAITING}) and ?1 in ('', s.name)"
        " group by 1, 2, 3, 4 order by 5 desc, 1, 2, 3, 4",
        (subscription,),
    )
    found = []
    for row in rows:
        first = store.one("select accepted from message where sequence = ?", (row[5],))
        cause = Cause(row[0], State(row[1]), row[2], row[3])
        oldest = float(first[0]) if first else 0.0
        found.append(Group(cause, row[4], oldest, store.names.of(row[5]), notes(store, cause)))
    return found
