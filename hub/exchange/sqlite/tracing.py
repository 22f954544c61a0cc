"""Messages by the calls and traces that handed them over. Neither is indexed, since that would cost each message; a range of time is."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import apsw

from hub.exchange.keys import fingerprint
from hub.exchange.sqlite.keyed import numbers
from hub.exchange.sqlite.schema import Names
from hub.exchange.sqlite.store import Store

LATEST: Final = 20_000
"""Messages that are looked through where no time is given."""
TRACE: Final = "substr(traceparent, 4, 32)"
"""The trace id of a `traceparent`."""


def handed_over(
    database: apsw.Connection, calls: Collection[str], traces: Collection[str], since: float, before: float, limit: int
) -> list[str]:
    """Ids of messages that some calls, or calls of some traces, handed over, accepted within a time; without one, of the latest."""
    with database:
        store: Any = database.execute("select value from meta where name = 'store'").fetchone()
        ends: Any = database.execute("select coalesce(min(sequence), 1), coalesce(max(sequence), 0) from message").fetchone()
        first = _place(database, ends, since) if since else max(ends[0], ends[1] - LATEST + 1)
        last = _place(database, ends, before) if before else ends[1] + 1
        statement = (
            f"select sequence from message where sequence >= ? and sequence < ? and (call_id in ({_marks(calls)})"
            f" or {TRACE} in ({_marks(traces)})) order by sequence limit ?"
        )
        found: Any = database.execute(statement, (first, last, *calls, *traces, limit)).fetchall()
    names = Names(store[0])
    return [names.of(sequence) for (sequence,) in found]


def with_key(store: Store, key: str, since: float, before: float, limit: int) -> list[str]:
    """Ids of messages with an idempotency or ordering key, accepted within a time (0 for no bound), the latest first."""
    names = [row[0] for row in store.all("select name from operation")]
    noted = store.noted([fingerprint(name, key) for name in names])
    found = store.all(
        "select m.sequence from carray(?1) k cross join message m on m.sequence = k.value where ?2 in (m.idempotency_key, m.ordering_key)"
        " and m.accepted >= ?3 and (?4 = 0 or m.accepted < ?4) order by m.sequence desc limit ?5",
        (numbers(noted), key, since, before, limit),
    )
    return [store.names.of(row[0]) for row in found]


def replays(store: Store, message_id: str) -> list[str]:
    """Ids of messages that are replays of one: they have its key. Raises `UnknownError`."""
    sequence = store.names.sequence(message_id)
    row = store.one(
        "select o.name, m.idempotency_key from message m join operation o on o.id = m.operation where m.sequence = ?", (sequence,)
    )
    if row is None:
        return []
    noted: Sequence[int] = store.noted([fingerprint(row[0], row[1])])
    found = store.all(
        "select m.sequence from carray(?) k cross join message m on m.sequence = k.value where m.replay_of = ?", (numbers(noted), sequence)
    )
    return [store.names.of(row[0]) for row in found]


def _place(database: apsw.Connection, ends: tuple[int, int], at: float) -> int:
    """The first message that was accepted at that time or later: places are in the order of acceptance."""
    low, high = ends[0], ends[1] + 1
    while low < high:
        middle = (low + high) // 2
        statement = "select sequence, accepted from message where sequence >= ? order by sequence limit 1"
        row: Any = database.execute(statement, (middle,)).fetchone()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = int(row[0]) + 1
    return low


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
