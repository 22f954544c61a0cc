"""Delivering on one SQLite file: each step of a delivery is kept in one transaction with its effect.

The law of order: of a key's deliveries that are not done, at most one has `head`, the first; only a head is ever given. Whether one that is
parked still counts as the first, the subscription says.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from hub.exchange.life import BY_A_PERSON, Event, State, after
from hub.exchange.records import Attempt, NotAllowedError, Settlement, Step, Turn, UnknownError
from hub.exchange.sqlite.moves import Moves
from hub.exchange.sqlite.tables import Place, Recorder
from metip.contracts import Subscription

EXCHANGE: Final = "exchange"
OF_KEY: Final = "ordering_key != '' and state not in ('delivered', 'processed', 'purged', 'refused')"
"""The condition of the index `delivery_of_key`, word for word: without it, and without its name, SQLite reads a whole history instead."""
REACHED: Final = frozenset({Event.LOST, Event.FAILED, Event.DOUBTED, Event.GAVE_UP})
"""Ends of an attempt that may have reached the subscriber all the same: the next one says that it is a redelivery."""
PERSON: Final = "PERSON"
"""The reason of a delivery that stands where a person put it; their words are with the step."""
LONGEST_PULL: Final = 1000
"""Messages that a cursor passes in one transaction at the most."""


class Handed(NamedTuple):
    """What of a message goes with an attempt."""

    body: bytes
    accepted: float
    producer: str
    officer: str
    call_id: str
    traceparent: str


class Store(Moves):
    """The whole store: messages, and what becomes of each on its way to each subscription."""

    def subscribe(self, subscriptions: Sequence[Subscription], now: float) -> tuple[int, int]:
        """Makes these all the subscriptions there are; how many attempts of the last process are repeated, and how many are in doubt."""
        self.know(subscriptions)
        return self.recover(now)

    def idle(self, name: str, limit: int, now: float) -> Turn | None:
        """What a turn without settlements would find, when it would change nothing. Raises `UnknownError`."""
        place = self.place(name)
        if place.paused:
            return Turn((), None)
        due = self._next(place)
        return Turn((), due) if limit == 0 or not (self.is_beyond(place) or (due is not None and due <= now)) else None

    def turn(self, name: str, settlements: Sequence[Settlement], limit: int, now: float, owner: str = "") -> Turn:
        """Records how attempts ended, and begins new ones, which are `owner`'s; see the port."""
        place = self.place(name)
        for one in settlements:
            self._settle(place, one, now)
        if place.paused:
            return Turn((), None)
        attempts = self._due(place, limit, now, owner) if limit > 0 else []
        if len(attempts) < limit:
            pulled, early = self._pull(place, limit - len(attempts), now, owner)
            attempts += pulled
            if early and len(attempts) < limit:
                attempts += self._due(place, limit - len(attempts), now, owner)
            if len(attempts) < limit and self.is_beyond(place):
                return Turn(tuple(attempts), now)  # it passed as much as it may at once, and found too little of its own
        return Turn(tuple(attempts), self._next(place))

    def _next(self, place: Place) -> float | None:
        """When the next delivery that has a row comes due."""
        free, values = self.free(place)
        row = self.one(
            f"select next_at from delivery d where subscription = ? and state = 'pending' and head = 1{free} order by next_at limit 1",
            (place.id, *values),
        )
        return None if row is None else float(row[0])

    def _settle(self, place: Place, one: Settlement, now: float) -> None:
        row = self.one("select state, attempts from delivery where subscription = ? and sequence = ?", (place.id, one.sequence))
        if row is None or row[1] != one.number or row[0] != State.ATTEMPT.value:
            return
        self.move(place, one.sequence, one.event, now, status=one.status, reason=one.reason, next_at=one.retry_at)

    def _due(self, place: Place, limit: int, now: float, owner: str) -> list[Attempt]:
        """Attempts of deliveries that wait for their time, those whose message is too old expired instead."""
        free, values = self.free(place)
        rows = self.all(
            "select d.sequence, d.attempts, d.lost, d.first_began, m.body, m.accepted, m.producer, m.officer, m.call_id, m.expires,"
            " m.replay_of, d.released, m.traceparent from delivery d join message m using (sequence)"
            f" where d.subscription = ? and d.state = 'pending' and d.head = 1 and d.next_at <= ? and d.sequence <= ?{free}"
            " order by d.next_at, d.sequence limit ?",
            (place.id, now, place.cursor, *values, limit),
        )
        found = []
        for row in rows:
            released = row[11]
            if row[9] and row[9] <= now and not released:
                self.move(place, row[0], Event.AGED, now, reason="MAX_AGE")
                continue
            self._execute(
                "update delivery set state = 'attempt', attempts = attempts + 1, began = ?1,"
                " first_began = iif(first_began, first_began, ?1), owner = ?4 where subscription = ?2 and sequence = ?3",
                (now, place.id, row[0], owner),
            )
            self._recount(place.id, State.PENDING, State.ATTEMPT)
            redelivery = bool(row[2] or row[10])
            number, tries = row[1] + 1, row[1] + 1 - max(0, released - 1)
            message = Handed(row[4], row[5], row[6], row[7], row[8], row[12])
            found.append(self._attempt(place, row[0], message, number, tries, redelivery, row[3] or now))
        return found

    def _pull(self, place: Place, limit: int, now: float, owner: str) -> tuple[list[Attempt], bool]:
        """Moves the cursor on until `limit` attempts were begun; what is held back or not due yet gets its row and waits.

        Beside the attempts: whether it passed what a person had moved before, which may be due from now on.
        """
        found: list[Attempt] = []
        passed, early = 0, False
        while len(found) < limit and passed < LONGEST_PULL and self.is_beyond(place):
            rows = self.all(
                "select sequence, ordering_key, body, accepted, producer, officer, call_id, not_before, expires, audience, replay_of,"
                " traceparent from message where operation = ? and sequence > ? order by sequence limit ?",
                (place.operation, place.cursor, limit - len(found)),
            )
            if not rows:
                break
            for row in rows:
                early |= self._pass(place, row, now, owner, found)
            passed += len(rows)
            for one in place.peers:
                one.cursor = rows[-1][0]
        if passed:
            for one in place.peers:
                self._execute("update subscription set cursor = ? where id = ?", (one.cursor, one.id))
        return found, early

    def _pass(self, place: Place, row: tuple[Any, ...], now: float, owner: str, found: list[Attempt]) -> bool:
        """Gives a message its row, and an attempt where it may go at once; True when a person was quicker than the cursor."""
        sequence, key, body, accepted, producer, officer, call_id, not_before, expires, audience, replay_of, traceparent = row
        if audience and all(audience != one.id for one in place.peers):
            return False
        early = next((one for one in place.peers if self._has_row(one, sequence)), None)
        if early is not None:
            self._move_tally(self.early, place.door.id, -1)
            if key:
                self._choose_head(early, key)
            if early is not place:
                self._stirred.add(early.said.name)
            return True
        self._move_tally(self.beyond, place.door.id, -1)
        asked, place = place, self._given_to(place, key, sequence, now)
        held = self._is_held(place, key, sequence)
        ready = asked is place and not held and not_before <= now and not (expires and expires <= now) and self._is_free(place, key)
        state = State.ATTEMPT if ready else State.PENDING
        began = now if ready else 0.0
        self._execute(
            "insert into delivery (subscription, sequence, ordering_key, state, head, attempts, lost, began, first_began, next_at,"
            " owner) values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
            (place.id, sequence, key, state.value, not held, int(ready), began, began, max(now, not_before), owner if ready else ""),
        )
        self._move_tally(self.tally, (place.id, state), 1)
        if ready:
            message = Handed(body, accepted, producer, officer, call_id, traceparent)
            found.append(self._attempt(place, sequence, message, 1, 1, bool(replay_of), now))
        return False

    def _attempt(
        self, place: Place, sequence: int, message: "Handed", number: int, tries: int, redelivery: bool, first_began: float
    ) -> Attempt:
        return Attempt(
            sequence,
            place.said.name,
            self.names.of(sequence),
            message.body,
            number,
            tries,
            redelivery,
            first_began,
            message.accepted,
            message.producer,
            message.officer,
            message.call_id,
            self._token(place, sequence),
            message.traceparent,
        )

    def _has_row(self, place: Place, sequence: int) -> bool:
        return self.one("select 1 from delivery where subscription = ? and sequence = ?", (place.id, sequence)) is not None

    def _is_held(self, place: Place, key: str, sequence: int) -> bool:
        """Whether an earlier message of its key is in its way."""
        first = self._first_of(place, key)[1] if key else None
        return first is not None and first < sequence

    def move(
        self,
        place: Place,
        sequence: int,
        event: Event,
        now: float,
        *,
        status: str = "",
        reason: str = "",
        next_at: float = 0.0,
        by: str = EXCHANGE,
        words: str = "",
    ) -> State:
        """Moves a delivery by the table of its life, keeps the step, and lets the next of its key go when it is time.

        `words` are a person's; they stay with the step, while the delivery itself keeps `reason`, a code. One that is released begins anew:
        its tries and its patience are counted from here, and it grows too old no more.
        """
        row = self.one(
            "select state, ordering_key, attempts, began from delivery where subscription = ? and sequence = ?", (place.id, sequence)
        )
        assert row is not None, "callers looked it up in the same transaction"
        before, key, attempts, began = State(row[0]), str(row[1]), int(row[2]), float(row[3])
        state = after(before, event)
        self._execute(
            "update delivery set state = ?, status = ?, reason = ?, next_at = ?, lost = max(lost, ?), head = (ordering_key = '')"
            " where subscription = ? and sequence = ?",
            (state.value, status, reason, next_at, event in REACHED, place.id, sequence),
        )
        if event is Event.RELEASE:
            self._execute(
                "update delivery set released = attempts + 1, first_began = 0 where subscription = ? and sequence = ?", (place.id, sequence)
            )
        self._recount(place.id, before, state)
        self._touch(place, sequence, event, state, reason)
        if before is State.IN_DOUBT and by != EXCHANGE:
            self._decided(place, key, now)
        was_attempt = before is State.ATTEMPT
        self._keep(
            place,
            Step(
                sequence,
                place.said.name,
                now,
                began if was_attempt else 0.0,
                state,
                attempts if was_attempt else 0,
                status,
                words or reason,
                by,
            ),
        )
        if key:
            self._choose_head(place, key)
        return state

    def _choose_head(self, place: Place, key: str) -> None:
        """Gives `head` to the first of the key that is not done, unless one is under way; takes it from any other."""
        under_way = any(
            self.one(
                "select 1 from delivery indexed by delivery_of_key where subscription = ? and ordering_key = ? and head in (0, 1)"
                f" and {OF_KEY} and state = 'attempt' limit 1",
                (one.id, key),
            )
            for one in place.peers
        )
        whose, first = (place, None) if under_way else self._first_of(place, key)
        for one in place.peers:
            self._execute(
                "update delivery indexed by delivery_of_key set head = 0 where subscription = ? and ordering_key = ? and head = 1"
                f" and {OF_KEY} and state = 'pending' and sequence != ?",
                (one.id, key, first or -1),
            )
        if first is not None:
            self._execute("update delivery set head = 1 where subscription = ? and sequence = ? and state = 'pending'", (whose.id, first))
            if place.post is not None:
                self._stirred.add(whose.said.name)

    def _first_of(self, place: Place, key: str) -> tuple[Place, int | None]:
        """The first delivery of a key that holds the others back, and whose it is."""
        found = []
        for one in place.peers:
            for head in (0, 1):
                row = self.one(
                    "select sequence from delivery indexed by delivery_of_key where subscription = ? and ordering_key = ? and head = ?"
                    f" and {OF_KEY} and state in ({one.holding}) order by sequence limit 1",
                    (one.id, key, head),
                )
                if row is not None:
                    found.append((int(row[0]), one))
        return min(((one, first) for first, one in found), key=lambda both: both[1], default=(place, None))

    def recover(self, now: float, living: Collection[str] = ()) -> tuple[int, int]:
        """Attempts whose owner is not `living`, as after its process ended: how many will be repeated, and how many are in doubt."""
        repeated = doubted = 0
        for place in self.places.values():
            for sequence, owner in self.all(
                "select sequence, owner from delivery where subscription = ? and state = 'attempt' order by sequence", (place.id,)
            ):
                if owner in living:
                    continue
                event = Event.DOUBTED if place.said.write_once else Event.LOST
                self.move(place, sequence, event, now, reason="PROCESS_ENDED", next_at=now)
                doubted, repeated = (doubted + 1, repeated) if place.said.write_once else (doubted, repeated + 1)
        return repeated, doubted

    def confirm(self, message_id: str, system: str, event: Event, reason: str, now: float) -> None:
        """What a subscriber learnt later. Raises `UnknownError`."""
        sequence = self.names.sequence(message_id)
        rows = self.all(
            "select s.name, d.state from delivery d join subscription s on s.id = d.subscription where d.sequence = ? and s.system = ?",
            (sequence, system),
        )
        if not rows or rows[0][0] not in self.places:
            raise UnknownError("there is no such delivery")
        state = State(rows[0][1])
        if state in (State.DELIVERED, State.ATTEMPT, State.IN_DOUBT):
            self.move(self.places[rows[0][0]], sequence, event, now, reason=reason, by=system)

    def decide(self, deliveries: Sequence[tuple[str, str]], event: Event, now: float, *, by: str, reason: str) -> int:
        """A person moves deliveries, all or none. Raises `UnknownError` and `NotAllowedError`.

        One that the cursor has not passed gets its row now, so that it can be parked or taken out where it stands.
        """
        found = []
        for message_id, name in dict.fromkeys(deliveries):
            place, sequence = self.place(name), self.names.sequence(message_id)
            row = self.one("select state from delivery where subscription = ? and sequence = ?", (place.id, sequence))
            if row is None and not self._waits_beyond(place, sequence):
                raise UnknownError(f"there is no delivery of {message_id} to {name}")
            allowed(State(row[0]) if row else State.PENDING, event)
            found.append((place, sequence, row is None))
        for place, sequence, beyond in found:
            if beyond:
                place = self._give_row(place, sequence, now)
            code = "" if event in (Event.RELEASE, Event.CONFIRMED) else PERSON
            self.act(now, by, event.value, f"{self.names.of(sequence)} {place.said.name}", reason)
            self.move(place, sequence, event, now, reason=code, next_at=now, by=by, words=reason)
        return len(found)

    def _give_row(self, place: Place, sequence: int, now: float) -> Place:
        row = self.one("select ordering_key, accepted, not_before from message where sequence = ?", (sequence,))
        assert row is not None, "it was seen in the same transaction"
        key, due = str(row[0]), max(float(row[1]), float(row[2]))
        door, place = place.door, self._given_to(place, key, sequence, now)
        self._execute(
            "insert into delivery (subscription, sequence, ordering_key, state, head, attempts, lost, began, first_began, next_at)"
            " values (?, ?, ?, 'pending', ?, 0, 0, 0, 0, ?)",
            (place.id, sequence, key, not key, due),
        )
        self._move_tally(self.beyond, door.id, -1)
        self._move_tally(self.early, door.id, 1)
        self._move_tally(self.tally, (place.id, State.PENDING), 1)
        return place

    def _waits_beyond(self, place: Place, sequence: int) -> bool:
        if place.door is not place or any(self._has_row(one, sequence) for one in place.peers):
            return False
        row = self.one(
            f"select 1 from message where sequence = ? and operation = ? and audience in {place.hears}", (sequence, place.operation)
        )
        return row is not None and sequence > place.cursor


def allowed(state: State, event: Event) -> None:
    """Raises `NotAllowedError` when a person can't move a delivery so."""
    if state not in BY_A_PERSON[event]:
        raise NotAllowedError(f"a delivery that is {state.value} can't be moved so ({event.value})")


__all__ = ["Place", "Recorder", "Store"]
