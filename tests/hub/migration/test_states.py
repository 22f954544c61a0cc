"""The table of states: what every position means, which steps there are, and where a breach leads, over all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.migration.guards import JUDGES
from hub.migration.states import (
    FORWARD,
    MEANINGS,
    Direction,
    Guard,
    NoSuchStepError,
    Platform,
    Position,
    State,
    adopted,
    at,
    direction,
    guards_of,
    safe,
)

POSITIONS = [Position(state, percent) for state, one in MEANINGS.items() for percent in range(one.least, one.most + 1)]
positions = st.sampled_from(POSITIONS)


@given(positions, positions)
def test_two_positions_have_one_step_between_them_or_none(here: Position, there: Position) -> None:
    try:
        found = direction(here, there)
    except NoSuchStepError:
        assert there == here or (there.place > here.place and (here.state, there.state) not in FORWARD)
        return
    assert (found is Direction.BACK) == (there.place < here.place)


@given(positions, positions)
def test_back_leads_to_anywhere_below_and_asks_nothing(here: Position, there: Position) -> None:
    if there.place < here.place:
        assert direction(here, there) is Direction.BACK
        assert guards_of(here, there) == ()


@given(positions, positions)
def test_forward_never_goes_without_an_approver_and_a_platform_that_is_there(here: Position, there: Position) -> None:
    if there.place > here.place and (here.state, there.state) in FORWARD:
        assert {Guard.APPROVER, Guard.SERVED} <= set(guards_of(here, there))
        if there.percent:
            assert {Guard.COMPARISONS, Guard.PARITY, Guard.ERRORS, Guard.LATENCY, Guard.ACCEPTED} <= set(guards_of(here, there))


@given(positions)
def test_a_breach_leads_to_where_the_old_platform_answers_and_no_further_forward(here: Position) -> None:
    there = safe(here)
    assert there.percent == 0
    assert there.place <= here.place
    assert there.meaning.writer is Platform.METIP
    assert safe(there) == there
    assert (there == here) == (here.percent == 0)


@given(positions)
def test_the_end_of_the_way_is_reached_from_everywhere_step_by_step(here: Position) -> None:
    steps = 0
    while here.state is not State.NEW:
        following = [there for there in POSITIONS if there.place > here.place and (here.state, there.state) in FORWARD]
        here, steps = max(following, key=lambda one: one.place), steps + 1
    assert steps <= 4


def test_writes_change_hands_only_where_all_calls_do() -> None:
    assert {one.most for one in MEANINGS.values() if one.writer is Platform.METIP2} == {100}
    assert all(one.least == 100 for one in MEANINGS.values() if one.writer is Platform.METIP2)


@pytest.mark.parametrize(
    ("state", "percent"), [(State.LEGACY, 1), (State.SHADOW, 5), (State.CANARY, 0), (State.CANARY, 100), (State.NEW, 0)]
)
def test_a_per_cent_that_a_state_does_not_have_is_refused(state: State, percent: int) -> None:
    with pytest.raises(ValueError, match="per cent"):
        Position(state, percent)


@pytest.mark.parametrize(
    ("share", "there"),
    [
        (0.0, at(State.LEGACY)),
        (0.004, at(State.CANARY, 1)),
        (0.5, at(State.CANARY, 50)),
        (0.999, at(State.CANARY, 99)),
        (1.0, at(State.NEW)),
    ],
)
def test_an_interface_is_taken_over_as_it_stands(share: float, there: Position) -> None:
    assert adopted(share) == there


def test_every_guard_has_its_judge_and_its_step() -> None:
    assert set(JUDGES) == set(Guard) == {guard for guards in FORWARD.values() for guard in guards}
