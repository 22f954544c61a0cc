"""Where an interface stands between the old platform and the new one, and every step that there is.

The law. A call is answered by one platform, and the caller gets that platform's answer unaltered; the other one is asked only by the
comparator, and only what the contract lets be compared. Messages and writes are one platform's at every instant, never both's and never a
share of each: while queries are split by the per cent they stay with the old platform, and go over together. Forward leads one step at a
time, and each step has guards; more per cent is a step too. Back leads to anywhere below, at once: it needs nobody and proves nothing, but
like every step it is recorded before it is made. A breach leads back by itself to the state that is safe; nothing leads forward by itself.

| state   | who answers calls        | who is compared        | who delivers messages and writes |
|---------|--------------------------|------------------------|----------------------------------|
| LEGACY  | the old platform         | nobody                 | the old platform                 |
| SHADOW  | the old platform         | the old one, by the new | the old platform                |
| CANARY  | n % the new, else the old | each by the other     | the old platform                 |
| PRIMARY | the new platform         | the new one, by the old | the new platform                |
| NEW     | the new platform         | nobody                 | the new platform                 |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Platform(Enum):
    """One of the two."""

    METIP = "METIP"
    """The old one: a back end of the interfaces that it serves."""
    METIP2 = "METIP2"
    """The new one: whoever owns an interface."""


class State(Enum):
    """Where an interface stands."""

    LEGACY = "legacy"
    SHADOW = "shadow"
    CANARY = "canary"
    PRIMARY = "primary"
    NEW = "new"

    @property
    def rank(self) -> int:
        """0 for the old platform's end of the way, 4 for the new one's."""
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a state means."""

    answers: str
    """Who answers callers, in words."""
    least: int
    """Per cent of calls that the new platform answers, at least and at most."""
    most: int
    compared: bool
    writer: Platform
    """Who delivers messages and executes writes."""
    safe: State
    """Where a breach leads."""


MEANINGS: Final[Mapping[State, Meaning]] = {
    State.LEGACY: Meaning("the old platform", 0, 0, False, Platform.METIP, State.LEGACY),
    State.SHADOW: Meaning("the old platform; sampled queries are asked of the new one too", 0, 0, True, Platform.METIP, State.SHADOW),
    State.CANARY: Meaning("the new platform for a share, the old one for the rest", 1, 99, True, Platform.METIP, State.SHADOW),
    State.PRIMARY: Meaning("the new platform; sampled queries are asked of the old one too", 100, 100, True, Platform.METIP2, State.SHADOW),
    State.NEW: Meaning("the new platform", 100, 100, False, Platform.METIP2, State.SHADOW),
}


class Guard(Enum):
    """What a step forward must pass."""

    SERVED = "served"
    """Both platforms run, as far as the step needs them: a share must not go where nobody is."""
    APPROVER = "approver"
    """Somebody else than the author approved it."""
    WHOLE = "whole"
    """What writes is never split by the per cent."""
    RING = "ring"
    """The share grows by one ring of the plan at a time."""
    COMPARISONS = "comparisons"
    """Enough of them since the interface stands where it stands; where nothing may be compared, somebody attests other evidence."""
    PARITY = "parity"
    """The lower bound of agreement is above the bar."""
    ERRORS = "errors"
    """The new platform fails no more often than the old one, but for its budget."""
    LATENCY = "latency"
    """Its 99th percentile is within the old one's times a factor."""
    ACCEPTED = "accepted"
    """No acceptance of a difference is over."""
    DOUBT = "doubt"
    """No message and no write is in doubt."""
    CLEAN = "clean"
    """The interface stood where it stands for long enough, without a step back."""
    UNTIED = "untied"
    """No consumer is tied to the old platform, which is not asked any more."""
    HOUR = "hour"
    """It is an hour at which the plan lets the interface switch."""


STANDING: Final = (Guard.SERVED, Guard.APPROVER)
PROVED: Final = (Guard.COMPARISONS, Guard.PARITY, Guard.ERRORS, Guard.LATENCY, Guard.ACCEPTED)
FORWARD: Final[Mapping[tuple[State, State], tuple[Guard, ...]]] = {
    (State.LEGACY, State.SHADOW): STANDING,
    (State.SHADOW, State.CANARY): (*STANDING, Guard.WHOLE, Guard.RING, *PROVED, Guard.HOUR),
    (State.CANARY, State.CANARY): (*STANDING, Guard.WHOLE, Guard.RING, *PROVED, Guard.HOUR),
    (State.CANARY, State.PRIMARY): (*STANDING, Guard.RING, *PROVED, Guard.DOUBT, Guard.CLEAN, Guard.HOUR),
    # What writes has no canary, so it goes over from here.
    (State.SHADOW, State.PRIMARY): (*STANDING, Guard.RING, *PROVED, Guard.DOUBT, Guard.CLEAN, Guard.HOUR),
    (State.PRIMARY, State.NEW): (*STANDING, *PROVED, Guard.DOUBT, Guard.CLEAN, Guard.UNTIED),
}
"""Every step forward and its guards. From one state to itself it is one of more per cent."""
NEVER_OVERRIDDEN: Final = frozenset({Guard.SERVED, Guard.APPROVER, Guard.WHOLE, Guard.UNTIED})
"""What no emergency excuses: without these, calls would be lost, nobody would answer for it, or two platforms would write."""


@dataclass(frozen=True, slots=True)
class Position:
    """A state, and the per cent of calls that the new platform answers in it. Raises ValueError for one that the state does not have."""

    state: State
    percent: int

    def __post_init__(self) -> None:
        """Judges the per cent."""
        meaning = MEANINGS[self.state]
        if not meaning.least <= self.percent <= meaning.most:
            said = f"{meaning.least} to {meaning.most}" if meaning.least < meaning.most else str(meaning.least)
            raise ValueError(f"{self.state.value} has {said} per cent, not {self.percent}")

    @property
    def meaning(self) -> Meaning:
        """What its state means."""
        return MEANINGS[self.state]

    @property
    def place(self) -> tuple[int, int]:
        """Where it is on the way: further forward is greater."""
        return self.state.rank, self.percent

    def __str__(self) -> str:
        return f"{self.state.value} {self.percent} %" if self.state is State.CANARY else self.state.value


def at(state: State, percent: int | None = None) -> Position:
    """The position; without a per cent, the least that the state has. Raises ValueError."""
    return Position(state, MEANINGS[state].least if percent is None else percent)


class Direction(Enum):
    """Which way a step leads."""

    FORWARD = "forward"
    BACK = "back"


class NoSuchStepError(Exception):
    """A step that the table does not have; the text says which there are."""


def direction(here: Position, there: Position) -> Direction:
    """Which way it leads. Raises `NoSuchStepError` for one that leads nowhere, or forward past a state."""
    if there == here:
        raise NoSuchStepError(f"it is at {here} already")
    if there.place < here.place:
        return Direction.BACK
    if (here.state, there.state) not in FORWARD:
        following = [state.value for (start, state) in FORWARD if start is here.state]
        raise NoSuchStepError(f"no step leads from {here} to {there}; the next ones are {' and '.join(following) or 'none'}")
    return Direction.FORWARD


def guards_of(here: Position, there: Position) -> tuple[Guard, ...]:
    """The guards of a step; none of one that leads back. Raises `NoSuchStepError`."""
    return FORWARD[here.state, there.state] if direction(here, there) is Direction.FORWARD else ()


def safe(here: Position) -> Position:
    """Where a breach leads from here; the same where callers are safe already."""
    return at(here.meaning.safe)


def adopted(share: float) -> Position:
    """Where an interface stands that nobody moved yet, by the share (0 to 1) of its calls that the new platform answers: nothing moves by
    that."""
    if share <= 0:
        return at(State.LEGACY)
    return at(State.NEW) if share >= 1 else at(State.CANARY, min(99, max(1, round(share * 100))))
