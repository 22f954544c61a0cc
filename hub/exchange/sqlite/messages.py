"""Accepting messages on one SQLite file: each is kept once, or known as the duplicate of an earlier one."""

from collections.abc import Sequence
from typing import Any

from hub.exchange.records import Accepted, Arrival, FullError, UnknownError
from hub.exchange.sqlite.tables import Place, Tables


class Messages(Tables):
    """What is accepted, and accepted again for one subscriber only."""

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

    def accept_all(self, arrivals: Sequence[Arrival], now: float) -> list[Accepted | FullError]:
        """Keeps messages in order; the place of each that was not kept holds why."""
        found: list[Accepted | FullError] = []
        for one in arrivals:
            try:
                found.append(self.accept(one, now))
            except FullError as error:
                found.append(error)
        return found

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
