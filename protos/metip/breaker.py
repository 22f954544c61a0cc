"""A circuit breaker towards one far system.

The law: CLOSED lets calls through and counts failures in a row; at the limit it is OPEN and refuses at once, so that a dead system costs
its callers no time and is left alone to recover; after a while one call is let through (TRIAL) and decides, and never more than one at a
time. The table is the whole of it.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from time import monotonic

from metip.faults import Fault, Reason


class State(Enum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"


class Event(Enum):
    """What may happen to it."""

    SUCCESS = "success"
    FAILURE = "failure"
    LIMIT = "limit"
    WAITED = "waited"


NEXT: dict[tuple[State, Event], State] = {
    (State.CLOSED, Event.SUCCESS): State.CLOSED,
    (State.CLOSED, Event.FAILURE): State.CLOSED,
    (State.CLOSED, Event.LIMIT): State.OPEN,
    (State.CLOSED, Event.WAITED): State.CLOSED,
    (State.OPEN, Event.SUCCESS): State.OPEN,
    (State.OPEN, Event.FAILURE): State.OPEN,
    (State.OPEN, Event.LIMIT): State.OPEN,
    (State.OPEN, Event.WAITED): State.TRIAL,
    (State.TRIAL, Event.SUCCESS): State.CLOSED,
    (State.TRIAL, Event.FAILURE): State.OPEN,
    (State.TRIAL, Event.LIMIT): State.OPEN,
    (State.TRIAL, Event.WAITED): State.TRIAL,
}


class Breaker:
    """One breaker. `on_change` is told each new state, once, for the log."""

    def __init__(
        self,
        failures_to_open: int,
        open_for: timedelta,
        *,
        clock: Callable[[], float] = monotonic,
        on_change: Callable[[State], None] = lambda _: None,
    ) -> None:
        self.state = State.CLOSED
        self._limit = failures_to_open
        self._open_for = open_for.total_seconds()
        self._clock = clock
        self._on_change = on_change
        self.spell = 0
        """Counts changes of state. A call belongs to the spell in which it was let through."""
        self._failures = 0
        self._opened_at = 0.0
        self._trying = False

    def admit(self) -> int:
        """Lets a call through and gives its spell, or raises `Fault` CIRCUIT_OPEN with the time after which it may be tried again.

        Whoever was let through tells its end with that spell. What a call of an earlier spell proves is out of date, and is ignored: it may
        neither close the circuit nor make room for a second trial.
        """
        if self.state is State.CLOSED:
            return self.spell
        waited = self._clock() - self._opened_at
        if self.state is State.OPEN and waited >= self._open_for:
            self._move(Event.WAITED)
        if self.state is State.TRIAL and not self._trying:
            self._trying = True
            return self.spell
        left = timedelta(seconds=max(0.1, self._open_for - waited))
        raise Fault(Reason.CIRCUIT_OPEN, "the far system failed too often and is left alone for a while", retry_after=left)

    def succeeded(self, spell: int) -> None:
        """Tells that the far system answered, be it with a refusal."""
        if spell == self.spell:
            self._failures = 0
            self._move(Event.SUCCESS)

    def failed(self, spell: int) -> None:
        """Tells that the far system could not be reached or answered nonsense."""
        if spell == self.spell:
            self._failures += 1
            self._move(Event.LIMIT if self._failures >= self._limit else Event.FAILURE)

    def abandoned(self, spell: int) -> None:
        """Tells that a call ended without proving anything: its caller went away, or it never reached the far system."""
        if spell == self.spell:
            self._trying = False

    def _move(self, event: Event) -> None:
        before, self.state = self.state, NEXT[self.state, event]
        if self.state is before:
            return
        self.spell += 1
        self._trying = False
        if self.state is State.OPEN:
            self._opened_at = self._clock()
        if self.state is State.CLOSED:
            self._failures = 0
        self._on_change(self.state)
