"""Finds records by what is in clear and by the blind index, newest first, a page at a time.

One condition drives: the most telling one that was given has an index in the order of the answer, so that a page costs what it shows and
not what there is. The others are checked on each row that the first one finds.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hub.ledger.index import number_of, numbers_under
from hub.ledger.port import Statements

Place = tuple[int, int]
"""Time in milliseconds since 1970, and place in the ledger: the order of every answer, downwards."""
Blind = Callable[[str, str], Sequence[bytes]]
"""Tokens of an identifier by kind and normal form, one under each key of the index."""
AT_ONCE: Final = 250
"""Places that one statement fetches."""
LATEST: Final[Place] = (1 << 62, 1 << 62)


@dataclass(frozen=True)
class Wanted:
    """What must hold; nothing given, everything is found. What is personal is here as tokens only."""

    subjects: tuple[bytes, ...] = ()
    """Any of these."""
    officer: tuple[bytes, ...] = ()
    reference: tuple[bytes, ...] = ()
    consumer: str = ""
    operation: str = ""
    """One, or `metip.example.v1.ExampleService/*`."""
    purpose: int = 0
    kind: int = 0
    outcome: str = ""
    call_id: str = ""
    linked: tuple[bytes, ...] = ()
    """Any of these messages or traces (`hub.ledger.index.link_of`)."""
    force: str = ""
    unit: str = ""
    since: int | None = None
    """Milliseconds since 1970."""
    before: int | None = None


@dataclass(frozen=True)
class Plan:
    """How an answer is found."""

    source: str
    """What drives: `tokens`, `links`, a column of the facts, or `at` for everything."""
    values: tuple[bytes | str | int, ...]
    """What the source is asked for, one stream each."""
    conditions: tuple[str, ...]
    """What else must hold of the facts `f`, with a `?` for each parameter."""
    parameters: tuple[bytes | str | int, ...]
    since: int | None


Paged = Callable[[Plan, bytes | str | int, Place, int], tuple[str, tuple[bytes | str | int, ...]]]
"""An engine's statement, and its values, for so many places after one of a plan's value: newest first, each page by an index."""


def sqlite_page(plan: Plan, value: bytes | str | int, after: Place, limit: int) -> tuple[str, tuple[bytes | str | int, ...]]:
    """The embedded engine's statement."""
    conditions, since = plan.conditions, ()  # type: tuple[tuple[str, ...], tuple[int, ...]]
    if plan.since is not None:
        conditions, since = (*conditions, "t.at >= ?" if plan.source in ORDERS else "f.at >= ?"), (plan.since,)
    statement = SOURCES[plan.source] + "".join(f" AND {one}" for one in conditions) + ORDERS.get(plan.source, ORDER)
    return statement, (value, *after, *plan.parameters, *since, limit)


def find(db: Statements, wanted: Wanted, limit: int, after: Place = LATEST, *, page: Paged = sqlite_page) -> list[Place]:
    """The next places after one, newest first; fewer than `limit` at the end only."""
    plan = _planned(db, wanted)
    if plan is None:
        return []
    if wanted.before is not None:
        after = min(after, (wanted.before, -1))
    streams = [_stream(db, plan, value, limit, after, page) for value in plan.values]
    found: list[Place] = []
    for place in heapq.merge(*streams, reverse=True):
        if not found or place != found[-1]:
            found.append(place)
            if len(found) == limit:
                break
    return found


SOURCES: Final = {
    "tokens": "SELECT t.at, t.idx FROM tokens t CROSS JOIN facts f ON f.idx = t.idx WHERE t.value = ? AND (t.at, t.idx) < (?, ?)",
    "links": "SELECT t.at, t.idx FROM links t CROSS JOIN facts f ON f.idx = t.idx WHERE t.value = ? AND (t.at, t.idx) < (?, ?)",
    "call_id": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_call WHERE f.call_id = ? AND (f.at, f.idx) < (?, ?)",
    "operation": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_operation WHERE f.operation = ? AND (f.at, f.idx) < (?, ?)",
    "consumer": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_consumer WHERE f.consumer = ? AND (f.at, f.idx) < (?, ?)",
    "outcome": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_outcome WHERE f.outcome = ? AND (f.at, f.idx) < (?, ?)",
    "at": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_at WHERE ? AND (f.at, f.idx) < (?, ?)",
}
ORDERS: Final = dict.fromkeys(("tokens", "links"), " ORDER BY t.at DESC, t.idx DESC LIMIT ?")
ORDER: Final = " ORDER BY f.at DESC, f.idx DESC LIMIT ?"


def _planned(db: Statements, wanted: Wanted) -> Plan | None:
    """What to ask; None where a word was asked for that no record has."""
    conditions, parameters = [], []  # type: tuple[list[str], list[bytes | str | int]]
    driver: tuple[str, tuple[bytes | str | int, ...]] | None = None
    if wanted.call_id:
        driver = ("call_id", (wanted.call_id,))
    if wanted.linked:
        driver = ("links", tuple(dict.fromkeys(wanted.linked)))
    for tokens in (wanted.subjects, wanted.reference, wanted.officer):
        if tokens and driver is None:
            driver = ("tokens", tuple(dict.fromkeys(tokens)))
        elif tokens:
            marks = ", ".join("?" * len(tokens))
            conditions.append(f"EXISTS(SELECT 1 FROM tokens o WHERE o.value IN ({marks}) AND o.at = f.at AND o.idx = f.idx)")
            parameters += tokens
    if wanted.operation:
        pattern = wanted.operation
        numbers: Sequence[int | None] = numbers_under(db, pattern[:-1]) if pattern.endswith("*") else (number_of(db, pattern),)
        known = tuple(one for one in numbers if one is not None)
        if not known:
            return None
        if driver is None:
            driver = ("operation", known)
        else:
            conditions.append(f"f.operation IN ({', '.join('?' * len(known))})")
            parameters += known
    for column in ("consumer", "outcome", "force", "unit"):
        text = getattr(wanted, column)
        if not text:
            continue
        number = number_of(db, text)
        if number is None:
            return None
        if driver is None and column in SOURCES:
            driver = (column, (number,))
        else:
            conditions.append(f"f.{column} = ?")
            parameters.append(number)
    for condition, value in (("f.purpose = ?", wanted.purpose), ("f.kind = ?", wanted.kind)):
        if value:
            conditions.append(condition)
            parameters.append(value)
    source, values = driver or ("at", (1,))
    return Plan(source, values, tuple(conditions), tuple(parameters), wanted.since)


def _stream(db: Statements, plan: Plan, value: bytes | str | int, limit: int, after: Place, page: Paged) -> Iterator[Place]:
    """Places of one value, fetched as they are needed: of many streams each gives only a part of the answer."""
    while limit > 0:
        some = min(limit, AT_ONCE)
        rows = db.execute(*page(plan, value, after, some)).fetchall()
        for row in rows:
            after = (int(row[0]), int(row[1]))
            yield after
        if len(rows) < some:
            return
        limit -= some


def written(place: Place) -> str:
    """A place as a page token."""
    return f"{place[0]}-{place[1]}"


def read(token: str) -> Place:
    """The place of a page token; of an empty one the place before all. Raises `ValueError`."""
    if not token:
        return LATEST
    at, dash, idx = token.partition("-")
    if not (dash and at.isdecimal() and idx.isdecimal()):
        raise ValueError("the page token is none of this ledger's")
    return (int(at), int(idx))
