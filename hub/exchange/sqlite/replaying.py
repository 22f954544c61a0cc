"""Replays and forgetting on the SQLite engine: a plan fixes its deliveries, somebody else may have to approve it, and it is done once."""

from collections import Counter

from hub.exchange.life import RELEASABLE, Event, State
from hub.exchange.records import Filter, ForbiddenError, NotAllowedError, Plan, Replayed, UnknownError
from hub.exchange.sqlite.looking import every
from hub.exchange.sqlite.store import Store

UNDONE = "'pending', 'attempt', 'parked', 'in_doubt', 'expired'"


def plan(
    store: Store, wanted: Filter, now: float, *, plan_id: str, by: str, reason: str, write_once: frozenset[str], expires: float
) -> Plan:
    """Fixes the deliveries that a filter finds now. `write_once` names operations whose replay a second person must approve."""
    counts, operations = Counter[State](), set[str]()
    items = []
    for one in every(store, wanted):
        place = store.place(one.subscription)
        items.append((plan_id, place.id, one.sequence))
        counts[one.state] += 1
        operations.add(place.said.operation)
    store.database.executemany("insert into plan_item (plan, subscription, sequence) values (?, ?, ?)", items)
    store.act(now, by, "plan", plan_id, reason)
    store.all(
        "insert into plan (id, made_by, made, reason, expires, needs_approval) values (?, ?, ?, ?, ?, ?)",
        (plan_id, by, now, reason, expires, bool(operations & write_once)),
    )
    return Plan(plan_id, by, dict(counts), frozenset(operations), expires)


def approve(store: Store, plan_id: str, now: float, *, by: str, reason: str) -> None:
    """Approves a plan. Raises `UnknownError`, `NotAllowedError`, and `ForbiddenError` to whoever made it."""
    row = store.one("select made_by, expires, replayed from plan where id = ?", (plan_id,))
    if row is None:
        raise UnknownError("there is no such plan")
    if row[0] == by:
        raise ForbiddenError("a replay is approved by another person than the one who planned it")
    if row[1] <= now or row[2] >= 0:
        raise NotAllowedError("the plan has expired or was carried out")
    store.all("update plan set approved_by = ? where id = ?", (by, plan_id))
    store.act(now, by, "approve", plan_id, reason)


def replay(store: Store, plan_id: str, now: float, *, by: str, reason: str) -> Replayed:
    """Carries out a plan; asked again, it says what it did. Raises `UnknownError` and `NotAllowedError`.

    What waits for a person is released. What is done is kept as it is, and its message is delivered once more, as a message of its own with
    the same content and so the same idempotency key. What is under way is left.
    """
    row = store.one("select expires, needs_approval, approved_by, replayed, left_alone from plan where id = ?", (plan_id,))
    if row is None:
        raise UnknownError("there is no such plan")
    if row[3] >= 0:
        return Replayed(row[3], row[4])
    if row[0] <= now:
        raise NotAllowedError("the plan has expired")
    if row[1] and not row[2]:
        raise NotAllowedError("the plan has operations that are not idempotent, so a second person must approve it")
    places = {place.id: place for place in store.places.values()}
    left, ids = 0, []
    for subscription, sequence in store.all(
        "select subscription, sequence from plan_item where plan = ? order by sequence, subscription", (plan_id,)
    ):
        place = places.get(subscription)
        state = store.one("select state from delivery where subscription = ? and sequence = ?", (subscription, sequence))
        if place is None or state is None or state[0] in ("pending", "attempt"):
            left += 1
        elif State(state[0]) in RELEASABLE:
            store.move(place, sequence, Event.RELEASE, now, next_at=now, by=by, words=reason)
            ids.append(store.names.of(sequence))
        else:
            ids.append(store.names.of(store.again(sequence, place, now)))
    store.act(now, by, "replay", f"{plan_id} {' '.join(ids)}", reason)
    store.all("update plan set replayed = ?, left_alone = ? where id = ?", (len(ids), left, plan_id))
    store.all("delete from plan_item where plan = ?", (plan_id,))
    return Replayed(len(ids), left, tuple(ids))


def retain(store: Store, retention: dict[str, float], now: float, limit: int) -> int:
    """Forgets messages that have been done everywhere for long enough; how many."""
    forgotten = 0
    for name, seconds in retention.items():
        operation = store.operation(name)
        cursor = min((place.cursor for place in store.places.values() if place.operation == operation), default=1 << 62)
        rows = store.all(
            "select sequence, idempotency_key, ordering_key from message m where operation = ?1 and sequence <= ?2 and accepted < ?3"
            " and not exists (select 1 from delivery d join subscription s on s.id = d.subscription"
            f" where d.sequence = m.sequence and d.state in ({UNDONE}) and s.closed = 0)"
            " and not exists (select 1 from step t where t.sequence = m.sequence and t.at >= ?3) order by sequence limit ?4",
            (operation, cursor, now - seconds, limit - forgotten),
        )
        for sequence, idempotency_key, ordering_key in rows:
            store.unfile(sequence, name, idempotency_key, ordering_key)
            for subscription, state in store.all("select subscription, state from delivery where sequence = ?", (sequence,)):
                store.forget(subscription, State(state))
            for table in ("delivery", "charge", "step", "message"):
                store.all(f"delete from {table} where sequence = ?", (sequence,))
        forgotten += len(rows)
        if forgotten >= limit:
            break
    return forgotten
