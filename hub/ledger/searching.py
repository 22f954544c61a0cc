"""Finds records by what is in clear and by the blind index, newest first, a page at a time.

One condition drives: the most telling one that was given has an index in the order of the answer, so that a page costs what it shows and
not what there is. The others are checked on each row that the first one finds.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import apsw

from hub.ledger.index import number_of, numbers_under

Place = tuple[int, int]
"""Time in milliseconds since 1970, and place in the ledger: the order of every answer, downwards."""
Blind = Callable[[str, str], Sequence[bytes]]
"""Tokens of an identifier by kind and normal form, one under each key of the index."""
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
    force: str = ""
    unit: str = ""
    since: int | None = None
    """Milliseconds since 1970."""
    before: int | None = None


def find(db: apsw.Connection, wanted: Wanted, limit: int, after: Place = LATEST) -> list[Place]:
    """The next places after one, newest first; fewer than `limit` at the end only."""
    plan = _planned(db, wanted)
    if plan is None:
        return []
    if wanted.before is not None:
        after = min(after, (wanted.before, -1))
    streams = [_stream(db, plan, value, limit, after) for value in plan.values]
    found: list[Place] = []
    for place in heapq.merge(*streams, reverse=True):
        if not found or place != found[-1]:
            found.append(place)
            if len(found) == limit:
                break
    return found


@dataclass(frozen=True)
class _Plan:
    source: str
    values: tuple[bytes | str | int, ...]
    """What the source is asked for, one stream each."""
    conditions: tuple[str, ...]
    parameters: tuple[bytes | str | int, ...]


SOURCES: Final = {
    "tokens": "SELECT t.at, t.idx FROM tokens t CROSS JOIN facts f ON f.idx = t.idx WHERE t.value = ? AND (t.at, t.idx) < (?, ?)",
    "call_id": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_call WHERE f.call_id = ? AND (f.at, f.idx) < (?, ?)",
    "operation": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_operation WHERE f.operation = ? AND (f.at, f.idx) < (?, ?)",
    "consumer": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_consumer WHERE f.consumer = ? AND (f.at, f.idx) < (?, ?)",
    "outcome": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_outcome WHERE f.outcome = ? AND (f.at, f.idx) < (?, ?)",
    "at": "SELECT f.at, f.idx FROM facts f INDEXED BY facts_at WHERE ? AND (f.at, f.idx) < (?, ?)",
}
ORDERS: Final = {"tokens": " ORDER BY t.at DESC, t.idx DESC LIMIT ?"}
ORDER: Final = " ORDER BY f.at DESC, f.idx DESC LIMIT ?"


def _planned(db: apsw.Connection, wanted: Wanted) -> _Plan | None:
    """What to ask; None where a word was asked for that no record has."""
    conditions, parameters = [], []  # type: tuple[list[str], list[bytes | str | int]]
    driver: tuple[str, tuple[bytes | str | int, ...]] | None = None
    if wanted.call_id:
        driver = ("call_id", (wanted.call_id,))
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
    plain = (("f.purpose = ?", wanted.purpose or None), ("f.kind = ?", wanted.kind or None), ("f.at >= ?", wanted.since))
    for condition, value in plain:
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    source, values = driver or ("at", (1,))
    return _Plan(source, values, tuple(conditions), tuple(parameters))


def _stream(db: apsw.Connection, plan: _Plan, value: bytes | str | int, limit: int, after: Place) -> Iterator[Place]:
    where = "".join(f" AND {one}" for one in plan.conditions)
    if plan.source == "tokens":
        where = where.replace("f.at >= ?", "t.at >= ?")  # the same, and the index of tokens has it
    statement = SOURCES[plan.source] + where + ORDERS.get(plan.source, ORDER)
    for row in db.execute(statement, (value, *after, *plan.parameters, limit)):
        yield (int(row[0]), int(row[1]))


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
