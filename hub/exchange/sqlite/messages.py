"""Accepting messages on one SQLite file: each is kept once, or known as the duplicate of an earlier one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import apsw

from hub.exchange.keys import fingerprint, fingerprints
from hub.exchange.lots import LENGTH, Kept, Lot, kept_of
from hub.exchange.records import Accepted, Arrival, FullError, UnknownError
from hub.exchange.sqlite.keyed import Keyed, numbers
from hub.exchange.sqlite.tables import Place

MANY: Final = 8
"""Messages of one operation from which on they are kept together rather than one by one."""
AMONG: Final = (
    "select m.idempotency_key, m.sequence, m.accepted from carray(?) k cross join message m on m.sequence = k.value"
    " where m.operation = ? and m.accepted >= ? and m.replay_of = 0 order by m.sequence desc"
)
INSERT: Final = (
    "insert into message (operation, idempotency_key, ordering_key, body, producer, officer, call_id, accepted, not_before, expires,"
    " audience, replay_of, traceparent) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_LOT: Final = (
    "insert into message (operation, idempotency_key, ordering_key, body, producer, officer, call_id, accepted, not_before, expires,"
    f" audience, replay_of, traceparent) select ?2, cast(substr(value, {2 * LENGTH + 1}, key) as text),"
    f" cast(substr(value, {2 * LENGTH + 1} + key, line) as text), substr(value, {2 * LENGTH + 1} + key + line), ?3, ?4, ?5, ?6, ?7, ?8,"
    f" 0, 0, ?9 from (select value, cast(substr(value, 1, {LENGTH}) as integer) as key,"
    f" cast(substr(value, {LENGTH + 1}, {LENGTH}) as integer) as line from carray(?1))"
)
"""One statement for all of a lot: the interpreter is free meanwhile."""


class Messages(Keyed):
    """What is accepted, and accepted again for one subscriber only."""

    def accept(self, arrival: Arrival, now: float) -> Accepted:
        """Keeps a message, or says of which one it is the duplicate. Raises `FullError` when a backlog has reached its limit."""
        operation = self.operation(arrival.operation)
        key = arrival.idempotency_key
        first = self._known(operation, [_known_by(arrival)], (key,), now - arrival.window).get(key)
        if first is not None:
            return first
        places = self._by_operation.get(operation, ())
        room, full = self._room(places)
        if room == 0:
            raise FullError(full)
        return Accepted(self.names.of(self._insert(arrival, operation, now, 0, 0, places)), now)

    def accept_all(self, arrivals: Sequence[Arrival], now: float) -> list[Accepted | FullError]:
        """Keeps messages in order; the place of each that was not kept holds why."""
        if len(arrivals) < MANY or len({(one.operation, one.window) for one in arrivals}) > 1:
            return [self._accept_or_not(one, now) for one in arrivals]
        return self._accept_many(arrivals, now)

    def _accept_or_not(self, arrival: Arrival, now: float) -> Accepted | FullError:
        try:
            return self.accept(arrival, now)
        except FullError as error:
            return error

    def _accept_many(self, arrivals: Sequence[Arrival], now: float) -> list[Accepted | FullError]:
        """As `accept` one by one does it for messages of one operation, in three statements."""
        operation = self.operation(arrivals[0].operation)
        keys = [one.idempotency_key for one in arrivals]
        unlike, prints = set(keys), fingerprints(arrivals[0].operation, keys)
        known = self._known(operation, prints, unlike, now - arrivals[0].window)
        places = self._by_operation.get(operation, ())
        room, full = self._room(places)
        if not known and len(arrivals) <= room and len(unlike) == len(keys):
            return [Accepted(name, now) for name in self._insert_all(arrivals, prints, operation, now, places)]
        return self._accept_among_known(arrivals, prints, known, now, room, full)

    def accept_lot(self, lot: Lot, now: float) -> Kept:
        """As `accept_all` does it, for messages that were handed over in bulk."""
        operation = self.operation(lot.operation)
        noted = self.noted(lot.known_by)
        known = self._among(noted, operation, frozenset(lot.keys()), now - lot.window) if noted else {}
        places = self._by_operation.get(operation, ())
        room, full = self._room(places)
        if known or not lot.unlike or len(lot) > room:
            return kept_of(self._accept_among_known(lot.arrivals(), lot.known_by, known, now, room, full))
        values = (
            apsw.carray(lot.values),
            operation,
            lot.producer,
            lot.officer,
            lot.call_id,
            now,
            lot.not_before,
            lot.expires,
            lot.traceparent,
        )
        self._execute(INSERT_LOT, values)
        return Kept(self._inserted(lot.known_by, lot.in_line, places))

    def _accept_among_known(
        self, arrivals: Sequence[Arrival], prints: Sequence[int], known: Mapping[str, Accepted], now: float, room: int, full: str
    ) -> list[Accepted | FullError]:
        """When some are duplicates, of earlier messages or of each other, or not all of them have room."""
        operation = self.operation(arrivals[0].operation)
        firsts: dict[str, Accepted | int] = dict(known)
        found: list[Accepted | FullError | int] = []
        new: list[Arrival] = []
        prints_of_new: list[int] = []
        for one, known_by in zip(arrivals, prints, strict=True):
            first = firsts.get(one.idempotency_key)
            if first is not None:
                found.append(first)
            elif len(new) >= room:
                found.append(FullError(full))
            else:
                firsts[one.idempotency_key] = len(new)
                found.append(len(new))
                new.append(one)
                prints_of_new.append(known_by)
        ids = self._insert_all(new, prints_of_new, operation, now, self._by_operation.get(operation, ()))
        kept = iter(ids)
        told: list[Accepted | FullError] = []
        seen = 0
        for outcome in found:
            if not isinstance(outcome, int):
                told.append(outcome)
            elif outcome == seen:
                seen += 1
                told.append(Accepted(next(kept), now))
            else:
                told.append(Accepted(ids[outcome], now, duplicate_of=ids[outcome]))
        return told

    def _insert_all(self, new: Sequence[Arrival], prints: Sequence[int], operation: int, now: float, places: Sequence[Place]) -> list[str]:
        """Keeps new messages in order; their ids."""
        self.database.executemany(INSERT, [_row(one, operation, now, 0, 0) for one in new])
        return self._inserted(prints, list(map(_in_line, new)), places)

    def _inserted(self, prints: Sequence[int], lines: Sequence[int], places: Sequence[Place]) -> list[str]:
        """Notes messages that were just inserted one after the other; their ids. `lines` may be empty where none has an ordering key."""
        for place in places:
            self._move_tally(self.beyond, place.id, len(prints))
        first = self.database.last_insert_rowid() + 1 - len(prints)
        if any(lines):
            for sequence, (known_by, in_line) in enumerate(zip(prints, lines, strict=True), first):
                self.note(sequence, known_by, in_line)
        else:
            self.note_all(first, prints)
        return [self.names.of(sequence) for sequence in range(first, first + len(prints))]

    def _known(self, operation: int, prints: Sequence[int], keys: Collection[str], since: float) -> dict[str, Accepted]:
        """By key, the first that was accepted since then; `prints` are the keys' fingerprints, under which other keys may be found too."""
        noted = self.noted(prints)
        return self._among(noted, operation, keys, since) if noted else {}

    def _among(self, noted: Sequence[int], operation: int, keys: Collection[str], since: float) -> dict[str, Accepted]:
        """The same, among messages at some places."""
        found: dict[str, Accepted] = {}
        for key, sequence, accepted in self._execute(AMONG, (numbers(noted), operation, since)):
            if key not in keys:
                continue
            message_id = self.names.of(sequence)
            found[key] = Accepted(message_id, accepted, duplicate_of=message_id)
        return found

    def _room(self, places: Sequence[Place]) -> tuple[int, str]:
        """How many more messages fit into every backlog, and what to say when that is too few."""
        if not places:
            return 1 << 62, ""
        narrow = min(places, key=lambda one: one.said.backlog - self.backlog(one))
        return max(0, narrow.said.backlog - self.backlog(narrow)), f"{narrow.said.name} has {narrow.said.backlog} messages waiting"

    def again(self, sequence: int, place: Place, now: float) -> int:
        """A message once more, for one subscription only; its place."""
        row = self.one(
            "select idempotency_key, ordering_key, body, producer, officer, call_id, traceparent from message where sequence = ?",
            (sequence,),
        )
        if row is None:
            raise UnknownError("there is no such message")
        arrival = Arrival(place.said.operation, row[2], row[0], row[1], row[3], row[4], row[5], traceparent=row[6])
        return self._insert(arrival, place.operation, now, place.id, sequence, (place.door,))

    def _insert(self, arrival: Arrival, operation: int, now: float, audience: int, replay_of: int, places: Sequence[Place]) -> int:
        self._execute(INSERT, _row(arrival, operation, now, audience, replay_of))
        for place in places:
            self._move_tally(self.beyond, place.id, 1)
        sequence = self.database.last_insert_rowid()
        self.note(sequence, _known_by(arrival), _in_line(arrival))
        return sequence


def _known_by(one: Arrival) -> int:
    return fingerprint(one.operation, one.idempotency_key)


def _in_line(one: Arrival) -> int:
    return fingerprint(one.operation, one.ordering_key)


def _row(one: Arrival, operation: int, now: float, audience: int, replay_of: int) -> tuple[Any, ...]:
    return (
        operation,
        one.idempotency_key,
        one.ordering_key,
        one.body,
        one.producer,
        one.officer,
        one.call_id,
        now,
        one.not_before,
        one.expires,
        audience,
        replay_of,
        one.traceparent,
    )
