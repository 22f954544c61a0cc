"""The life of a delivery: one message on its way to one subscription.

The law: a message is acknowledged to its producer when it is on disk, not before; from then on every delivery of it is, at every instant,
in exactly one of these states, and nothing leaves a final state but a replay, which is a delivery of its own. A write-once delivery that
was under way when the process died is in doubt: it may have had its effect, so only a person, or a look-up at the far system, moves it on.
"""

from enum import Enum
from typing import Final


class State(Enum):
    """Where a delivery stands."""

    PENDING = "pending"
    """Accepted; it waits for its turn or for its time."""
    ATTEMPT = "attempt"
    """Being sent: recorded before the first byte leaves."""
    DELIVERED = "delivered"
    """The subscriber has it."""
    PROCESSED = "processed"
    """The far system said that it is done."""
    REFUSED = "refused"
    """The subscriber said no, for good."""
    PARKED = "parked"
    """It could not be delivered, and waits for a person."""
    IN_DOUBT = "in_doubt"
    """It may have had its effect, and waits for a look-up or a person."""
    EXPIRED = "expired"
    """It grew too old to be of use; it counts as parked for the accounts."""
    PURGED = "purged"
    """A person took it out, with a reason."""


class Event(Enum):
    """What can happen to a delivery."""

    SEND = "send"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    LOST = "lost"
    """The process died, or the reply was lost, between the attempt and its outcome."""
    DOUBTED = "doubted"
    AGED = "aged"
    PARK = "park"
    RELEASE = "release"
    PURGE = "purge"


NEXT: Final[dict[tuple[State, Event], State]] = {
    (State.PENDING, Event.SEND): State.ATTEMPT,
    (State.PENDING, Event.AGED): State.EXPIRED,
    (State.PENDING, Event.PARK): State.PARKED,
    (State.PENDING, Event.PURGE): State.PURGED,
    (State.ATTEMPT, Event.ACKNOWLEDGED): State.DELIVERED,
    (State.ATTEMPT, Event.CONFIRMED): State.PROCESSED,
    (State.ATTEMPT, Event.REFUSED): State.REFUSED,
    (State.ATTEMPT, Event.FAILED): State.PENDING,
    (State.ATTEMPT, Event.GAVE_UP): State.PARKED,
    (State.ATTEMPT, Event.LOST): State.PENDING,
    (State.ATTEMPT, Event.DOUBTED): State.IN_DOUBT,
    (State.ATTEMPT, Event.AGED): State.EXPIRED,
    (State.DELIVERED, Event.CONFIRMED): State.PROCESSED,
    (State.DELIVERED, Event.REFUSED): State.REFUSED,
    (State.PARKED, Event.RELEASE): State.PENDING,
    (State.PARKED, Event.PURGE): State.PURGED,
    (State.EXPIRED, Event.RELEASE): State.PENDING,
    (State.EXPIRED, Event.PURGE): State.PURGED,
    (State.IN_DOUBT, Event.RELEASE): State.PENDING,
    (State.IN_DOUBT, Event.CONFIRMED): State.PROCESSED,
    (State.IN_DOUBT, Event.REFUSED): State.REFUSED,
    (State.IN_DOUBT, Event.PURGE): State.PURGED,
}
"""Every move there is; any other is a contradiction, and the process halts rather than guess."""

OPEN: Final = frozenset({State.PENDING, State.ATTEMPT})
"""States in which a delivery still moves by itself."""
WAITING_FOR_A_PERSON: Final = frozenset({State.PARKED, State.IN_DOUBT, State.EXPIRED})
DONE: Final = frozenset({State.DELIVERED, State.PROCESSED, State.REFUSED, State.PURGED})
BY_A_PERSON: Final[dict[Event, frozenset[State]]] = {
    Event.PARK: frozenset({State.PENDING}),
    Event.RELEASE: WAITING_FOR_A_PERSON,
    Event.PURGE: WAITING_FOR_A_PERSON | {State.PENDING},
    Event.CONFIRMED: frozenset({State.IN_DOUBT}),
    Event.REFUSED: frozenset({State.IN_DOUBT}),
}
"""What a person may do, and to what: only a doubt is settled by a word."""
RELEASABLE: Final = frozenset(state for state, event in NEXT if event is Event.RELEASE)


class ContradictionError(Exception):
    """A move that the table does not have: the process must halt."""


def after(state: State, event: Event) -> State:
    """The state that follows. Raises `ContradictionError`."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise ContradictionError(f"a delivery that is {state.value} can't be {event.value}") from None
