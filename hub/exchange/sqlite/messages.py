"""Accepting messages on one SQLite file: each is kept once, or known as the duplicate of an earlier one."""

import json
from collections.abc import Sequence
from typing import Any, Final

from hub.exchange.records import Accepted, Arrival, FullError, UnknownError
from hub.exchange.sqlite.schema import fingerprint
from hub.exchange.sqlite.tables import Place, Tables

MANY: Final = 8
"""Messages of one operation from which on they are kept together rather than one by one."""
FIRST: Final = (
    "select sequence, accepted from message where known_by = ? and operation = ? and idempotency_key = ? and accepted >= ?"
    " and replay_of = 0 order by sequence limit 1"
)
INSERT: Final = (
    "insert into message (operation, idempotency_key, ordering_key, known_by, in_line, body, producer, officer, call_id, accepted,"
    " not_before, expires, audience, replay_of) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Messages(Tables):
    """What is accepted, and accepted again for one subscriber only."""

    def accept(self, arrival: Arrival, now: float) -> Accepted:
        """Keeps a message, or says of which one it is the duplicate. Raises `FullError` when a backlog has reached its limit."""
        operation = self.operation(arrival.operation)
        first: Any = self._execute(FIRST, (_known_by(arrival), operation, arrival.idempotency_key, now - arrival.window)).fetchone()
        if first is not None:
            message_id = self.names.of(first[0])
            return Accepted(message_id, first[1], duplicate_of=message_id)
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
        prints = [_known_by(one) for one in arrivals]
        known = self._known(operation, prints, now - arrivals[0].window)
        places = self._by_operation.get(operation, ())
        room, full = self._room(places)
        found: list[Accepted | FullError | int] = []
        new: list[tuple[Arrival, int]] = []
        for one, known_by in zip(arrivals, prints, strict=True):
            first = known.get(one.idempotency_key)
            if first is not None:
                found.append(first)
            elif len(new) >= room:
                found.append(FullError(full))
            else:
                known[one.idempotency_key] = len(new)
                found.append(len(new))
                new.append((one, known_by))
        self.database.executemany(INSERT, (_row(one, known_by, operation, now, 0, 0) for one, known_by in new))
        for place in places:
            self._move_tally(self.beyond, place.id, len(new))
        begin = self.database.last_insert_rowid() - len(new) + 1
        ids = [self.names.of(begin + number) for number in range(len(new))]
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

    def _known(self, operation: int, prints: Sequence[int], since: float) -> dict[str, Accepted | int]:
        """By key, what was accepted since then under these fingerprints."""
        rows = self._execute(
            "select m.idempotency_key, m.sequence, m.accepted from json_each(?) k cross join message m on m.known_by = k.value"
            " where m.operation = ? and m.accepted >= ? and m.replay_of = 0 order by m.sequence desc",
            (json.dumps(prints), operation, since),
        )
        found: dict[str, Accepted | int] = {}
        for key, sequence, accepted in rows:
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
            "select idempotency_key, ordering_key, body, producer, officer, call_id from message where sequence = ?", (sequence,)
        )
        if row is None:
            raise UnknownError("there is no such message")
        arrival = Arrival(place.said.operation, row[2], row[0], row[1], row[3], row[4], row[5])
        return self._insert(arrival, place.operation, now, place.id, sequence, (place,))

    def _insert(self, arrival: Arrival, operation: int, now: float, audience: int, replay_of: int, places: Sequence[Place]) -> int:
        self._execute(INSERT, _row(arrival, _known_by(arrival), operation, now, audience, replay_of))
        for place in places:
            self._move_tally(self.beyond, place.id, 1)
        return self.database.last_insert_rowid()


def _known_by(one: Arrival) -> int:
    return fingerprint(one.operation, one.idempotency_key)


def _row(one: Arrival, known_by: int, operation: int, now: float, audience: int, replay_of: int) -> tuple[Any, ...]:
    in_line = fingerprint(one.operation, one.ordering_key) if one.ordering_key else 0
    keys, who = (one.idempotency_key, one.ordering_key, known_by, in_line), (one.producer, one.officer, one.call_id)
    return (operation, *keys, one.body, *who, now, one.not_before, one.expires, audience, replay_of)
