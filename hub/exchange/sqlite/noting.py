"""What people said of groups of waiting deliveries: a few notes of each, which outlast the group by a while."""

from typing import Final

from hub.exchange.life import WAITING_FOR_A_PERSON
from hub.exchange.records import Cause, Note, UnknownError
from hub.exchange.sqlite.store import Store

MOST: Final = 20
"""Notes of one group that are kept; the oldest go first."""
KEPT: Final = 90 * 24 * 3600.0
"""Seconds after which a note goes: whatever it says is no longer so, and a group of the same cause is another incident."""
_OF: Final = "subscription = ? and state = ? and status = ? and reason = ?"


def notes(store: Store, cause: Cause) -> tuple[Note, ...]:
    """Notes of a group, the latest first."""
    rows = store.all(f"select at, by, words from note where {_OF} order by rowid desc limit {MOST}", _values(cause))
    return tuple(Note(*row) for row in rows)


def note(store: Store, cause: Cause, words: str, now: float, *, by: str) -> Note:
    """Keeps a note, and lets go of those that are too old or too many. Raises `UnknownError` where nothing waits for that cause."""
    place, values = store.place(cause.subscription), _values(cause)
    waits = cause.state in WAITING_FOR_A_PERSON and store.one(
        "select 1 from delivery where subscription = ? and state = ? and status = ? and reason = ? limit 1", (place.id, *values[1:])
    )
    if not waits:
        raise UnknownError("nothing waits for that cause")
    store.all("delete from note where at < ?", (now - KEPT,))
    store.all(
        "insert into note (at, by, subscription, state, status, reason, words) values (?, ?, ?, ?, ?, ?, ?)", (now, by, *values, words)
    )
    store.all(
        f"delete from note where {_OF} and rowid not in (select rowid from note where {_OF} order by rowid desc limit {MOST})",
        (*values, *values),
    )
    store.act(now, by, "note", cause.subscription, words)
    return Note(now, by, words)


def _values(cause: Cause) -> tuple[str, str, str, str]:
    return (cause.subscription, cause.state.value, cause.status, cause.reason)
