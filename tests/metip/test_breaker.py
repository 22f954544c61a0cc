"""The circuit breaker: its table over all states and events, and its promises over any history of calls."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise, product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from metip.breaker import NEXT, Breaker, Event, State
from metip.faults import Fault, Reason

LIMIT = 3
OPEN_FOR = 5.0


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """What `on_change` heard."""

    states: list[State] = field(default_factory=list)


def breaker(clock: Clock, told: Told | None = None) -> Breaker:
    """A breaker with the limits above."""
    return Breaker(LIMIT, timedelta(seconds=OPEN_FOR), clock=clock, on_change=(told or Told()).states.append)


def opened(clock: Clock, told: Told | None = None) -> Breaker:
    """A breaker that has just opened."""
    found = breaker(clock, told)
    for _ in range(LIMIT):
        found.failed(found.admit())
    assert found.state is State.OPEN
    return found


# State before, event, state after: the table as a reader would write it down.
TABLE = [
    (State.CLOSED, Event.SUCCESS, State.CLOSED),
    (State.CLOSED, Event.FAILURE, State.CLOSED),
    (State.CLOSED, Event.LIMIT, State.OPEN),
    (State.CLOSED, Event.WAITED, State.CLOSED),
    (State.OPEN, Event.SUCCESS, State.OPEN),
    (State.OPEN, Event.FAILURE, State.OPEN),
    (State.OPEN, Event.LIMIT, State.OPEN),
    (State.OPEN, Event.WAITED, State.TRIAL),
    (State.TRIAL, Event.SUCCESS, State.CLOSED),
    (State.TRIAL, Event.FAILURE, State.OPEN),
    (State.TRIAL, Event.LIMIT, State.OPEN),
    (State.TRIAL, Event.WAITED, State.TRIAL),
]


def test_the_table_has_a_row_for_each_state_and_event() -> None:
    assert set(NEXT) == set(product(State, Event)) == {(before, event) for before, event, _ in TABLE}


@pytest.mark.parametrize(("before", "event", "after"), TABLE, ids=[f"{before.value}-{event.value}" for before, event, _ in TABLE])
def test_the_table_leads_from_each_state_by_each_event(before: State, event: Event, after: State) -> None:
    assert NEXT[before, event] is after


def test_it_opens_at_the_limit_and_not_before() -> None:
    found = breaker(Clock())
    for _ in range(LIMIT - 1):
        found.failed(found.admit())
    found.admit()
    found.failed(found.spell)
    with pytest.raises(Fault, match="CIRCUIT_OPEN"):
        found.admit()


def test_a_success_in_between_starts_the_count_again() -> None:
    found = breaker(Clock())
    for _ in range(LIMIT - 1):
        found.failed(found.admit())
    found.succeeded(found.admit())
    for _ in range(LIMIT - 1):
        found.failed(found.admit())
    assert found.state is State.CLOSED


def test_an_open_circuit_refuses_and_says_when_to_come_back() -> None:
    clock = Clock()
    found = opened(clock)
    clock.now += 2
    with pytest.raises(Fault) as caught:
        found.admit()
    assert caught.value.reason is Reason.CIRCUIT_OPEN
    assert caught.value.retry_after == timedelta(seconds=3)


def test_after_a_while_one_call_is_let_through_and_closes_the_circuit() -> None:
    clock, told = Clock(), Told()
    found = opened(clock, told)
    clock.now += OPEN_FOR
    trial = found.admit()
    with pytest.raises(Fault, match="CIRCUIT_OPEN"):
        found.admit()
    found.succeeded(trial)
    assert found.state is State.CLOSED
    assert told.states == [State.OPEN, State.TRIAL, State.CLOSED]


def test_a_failed_trial_opens_it_for_the_whole_time_again() -> None:
    clock = Clock()
    found = opened(clock)
    clock.now += OPEN_FOR
    found.failed(found.admit())
    assert found.state is State.OPEN
    clock.now += OPEN_FOR - 0.5
    with pytest.raises(Fault) as caught:
        found.admit()
    assert caught.value.retry_after == timedelta(seconds=0.5)


def test_an_abandoned_trial_makes_room_for_another() -> None:
    clock = Clock()
    found = opened(clock)
    clock.now += OPEN_FOR
    found.abandoned(found.admit())
    found.succeeded(found.admit())
    assert found.state is State.CLOSED


@pytest.mark.parametrize("end", ["succeeded", "failed", "abandoned"])
def test_the_end_of_a_call_that_began_before_it_opened_decides_no_trial(end: str) -> None:
    clock = Clock()
    found = breaker(clock)
    early = found.admit()
    for _ in range(LIMIT):
        found.failed(found.admit())
    clock.now += OPEN_FOR
    found.admit()
    getattr(found, end)(early)
    assert found.state is State.TRIAL
    with pytest.raises(Fault, match="CIRCUIT_OPEN"):
        found.admit()


def test_failures_of_an_earlier_spell_do_not_count_after_it_closed() -> None:
    clock = Clock()
    found = breaker(clock)
    early = [found.admit() for _ in range(2 * LIMIT)]
    for spell in early[:LIMIT]:
        found.failed(spell)
    clock.now += OPEN_FOR
    found.succeeded(found.admit())
    for spell in early[LIMIT:]:
        found.failed(spell)
    assert found.state is State.CLOSED


class AnyHistory(RuleBasedStateMachine):
    """Calls that begin, end and overlap in any order, while time passes."""

    calls: Bundle[int] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.told = Told()
        self.breaker = breaker(self.clock, self.told)
        self.trials = 0
        self.in_a_row = 0
        self.opened_at = 0.0

    @rule(target=calls)
    def a_call_begins(self) -> int:
        waited = self.clock.now - self.opened_at
        before, refusal = self.breaker.state, None
        try:
            spell = self.breaker.admit()
        except Fault as fault:
            spell, refusal = -1, fault
        if refusal is not None:
            assert before is not State.CLOSED
            assert self.trials == 1 or waited < OPEN_FOR
            assert (refusal.retry_after or timedelta(0)) > timedelta(0)
        elif self.breaker.state is State.TRIAL:
            assert waited >= OPEN_FOR
            self.trials += 1
        return spell

    @rule(spell=consumes(calls))
    def the_far_system_answers(self, spell: int) -> None:
        self._ends(spell, "succeeded")

    @rule(spell=consumes(calls))
    def the_far_system_fails(self, spell: int) -> None:
        self._ends(spell, "failed")

    @rule(spell=consumes(calls))
    def the_caller_goes_away(self, spell: int) -> None:
        self._ends(spell, "abandoned")

    @precondition(lambda self: self.breaker.state is not State.CLOSED)
    @rule(seconds=st.sampled_from([0.1, 1.0, OPEN_FOR]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    def _ends(self, spell: int, how: str) -> None:
        if spell < 0:
            return
        before, current = self.breaker.state, spell == self.breaker.spell
        getattr(self.breaker, how)(spell)
        if not current:
            assert self.breaker.state is before
            return
        if before is State.TRIAL:
            self.trials -= 1
        self.in_a_row = {"succeeded": 0, "failed": self.in_a_row + 1, "abandoned": self.in_a_row}[how]
        if before is State.CLOSED:
            assert (self.breaker.state is State.OPEN) == (how == "failed" and self.in_a_row >= LIMIT)
        if self.breaker.state is State.OPEN and before is not State.OPEN:
            self.opened_at = self.clock.now
        if self.breaker.state is State.CLOSED and before is not State.CLOSED:
            self.in_a_row = 0

    @invariant()
    def at_most_one_trial_is_under_way(self) -> None:
        assert self.trials in (0, 1)
        assert self.trials == 0 or self.breaker.state is State.TRIAL

    @invariant()
    def each_change_is_told_once(self) -> None:
        states = [State.CLOSED, *self.told.states]
        assert states[-1] is self.breaker.state
        assert all(before is not after for before, after in pairwise(states))


AnyHistory.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None, database=None)
TestAnyHistory = AnyHistory.TestCase
