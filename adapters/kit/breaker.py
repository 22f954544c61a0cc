"""A circuit breaker towards one far system.

The law: CLOSED lets calls through and counts failures in a row; at the limit it is OPEN and refuses at once, so that a dead system costs
its callers no time and is left alone to recover; after a while one call is let through (TRIAL) and decides. The table is the whole of it.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from time import monotonic

from adapters.kit.faults import Fault, Reason


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
    (State.OPEN, Event.SUCCESS): State.OPEN,  # the end of a call that began before it opened proves nothing
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
        self._failures = 0
        self._opened_at = 0.0
        self._trying = False

    def admit(self) -> None:
        """Lets a call through or raises `Fault` CIRCUIT_OPEN with the time after which it may be tried again."""
        if self.state is State.CLOSED:
            return
        waited = self._clock() - self._opened_at
        if self.state is State.OPEN and waited >= self._open_for:
            self._move(Event.WAITED)
        if self.state is State.TRIAL and not self._trying:
            self._trying = True
            return
        left = timedelta(seconds=max(0.1, self._open_for - waited))
        raise Fault(Reason.CIRCUIT_OPEN, "the far system failed too often and is left alone for a while", retry_after=left)

    def succeeded(self) -> None:
        """Tells that the far system answered, be it with a refusal."""
        self._failures = 0
        self._trying = False
        self._move(Event.SUCCESS)

    def failed(self) -> None:
        """Tells that the far system could not be reached or answered nonsense."""
        self._failures += 1
        self._trying = False
        self._move(Event.LIMIT if self._failures >= self._limit else Event.FAILURE)

    def abandoned(self) -> None:
        """Tells that a call ended without proving anything, since its caller went away."""
        self._trying = False

    def _move(self, event: Event) -> None:
        before, self.state = self.state, NEXT[self.state, event]
        if self.state is State.OPEN and before is not State.OPEN:
            self._opened_at = self._clock()
        if self.state is State.CLOSED and before is not State.CLOSED:
            self._failures = 0
        if self.state is not before:
            self._on_change(self.state)
