"""The table of a delivery's life."""

import pytest

from hub.exchange.life import DONE, NEXT, RELEASABLE, WAITING_FOR_A_PERSON, ContradictionError, Event, State, after


def test_every_state_that_is_not_done_has_a_way_out() -> None:
    assert {state for state, _ in NEXT} | DONE == set(State)
    for state in DONE - {State.DELIVERED}:
        assert not any(known is state for known, _ in NEXT)


def test_whatever_waits_for_a_person_can_be_released_or_taken_out() -> None:
    assert RELEASABLE == WAITING_FOR_A_PERSON
    assert {state for state, event in NEXT if event is Event.PURGE} == WAITING_FOR_A_PERSON | {State.PENDING}


def test_a_move_that_the_table_lacks_is_a_contradiction() -> None:
    with pytest.raises(ContradictionError):
        after(State.PROCESSED, Event.SEND)
