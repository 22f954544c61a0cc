"""What follows from the end of an attempt, case by case."""

import grpc
import pytest

from hub.exchange.backoff import delay
from hub.exchange.life import Event
from hub.exchange.verdicts import WHILE, Ended, verdict

C = grpc.StatusCode
CASES = {
    # what came back: (idempotent, write once)
    "done": (Ended(C.OK), Event.CONFIRMED, Event.CONFIRMED),
    "only taken": (Ended(C.OK, processed=False), Event.ACKNOWLEDGED, Event.ACKNOWLEDGED),
    "nobody healthy": (Ended(C.UNAVAILABLE, flags="UH"), Event.FAILED, Event.FAILED),
    "no connection": (Ended(C.UNAVAILABLE, flags="UF"), Event.FAILED, Event.FAILED),
    "connection lost on the way": (Ended(C.UNAVAILABLE, flags="UC"), Event.FAILED, Event.DOUBTED),
    "time is up": (Ended(C.DEADLINE_EXCEEDED, flags="DT"), Event.FAILED, Event.DOUBTED),
    "far system down, says the adapter": (Ended(C.UNAVAILABLE, "UPSTREAM_UNAVAILABLE"), Event.FAILED, Event.FAILED),
    "locked": (Ended(C.ABORTED, "LOCKED"), Event.FAILED, Event.FAILED),
    "busy": (Ended(C.RESOURCE_EXHAUSTED, "BUSY"), Event.FAILED, Event.FAILED),
    "in doubt, says the adapter": (Ended(C.FAILED_PRECONDITION, "IN_DOUBT"), Event.FAILED, Event.DOUBTED),
    "answer unreadable": (Ended(C.INTERNAL, "UPSTREAM_FAULT"), Event.FAILED, Event.DOUBTED),
    "done but not journalled": (Ended(C.UNAVAILABLE, "JOURNAL"), Event.FAILED, Event.DOUBTED),
    "no such record": (Ended(C.NOT_FOUND, "NO_TRACE"), Event.GAVE_UP, Event.GAVE_UP),
    "refused": (Ended(C.FAILED_PRECONDITION, "UPSTREAM_REFUSED"), Event.GAVE_UP, Event.GAVE_UP),
    "not understood": (Ended(C.INVALID_ARGUMENT, "INVALID_REQUEST"), Event.GAVE_UP, Event.GAVE_UP),
    "not served": (Ended(C.UNIMPLEMENTED), Event.GAVE_UP, Event.DOUBTED),
}


@pytest.mark.parametrize(("ended", "idempotent", "once"), CASES.values(), ids=CASES)
def test_each_end_has_its_consequence(ended: Ended, idempotent: Event, once: Event) -> None:
    assert verdict(ended, write_once=False, attempt=1, exhausted=False).event is idempotent
    assert verdict(ended, write_once=True, attempt=1, exhausted=False).event is once


@pytest.mark.parametrize("status", list(C))
def test_a_write_once_message_is_never_tried_again_unless_it_certainly_had_no_effect(status: grpc.StatusCode) -> None:
    found = verdict(Ended(status), write_once=True, attempt=1, exhausted=False)
    assert found.event is (Event.CONFIRMED if status is C.OK else Event.DOUBTED)


def test_what_may_be_the_messages_own_doing_is_tried_a_few_times_only() -> None:
    crash = Ended(C.INTERNAL, "INTERNAL")
    found = [verdict(crash, write_once=False, attempt=number, exhausted=False).event for number in (1, WHILE - 1, WHILE)]
    assert found == [Event.FAILED, Event.FAILED, Event.GAVE_UP]


def test_a_subscription_that_gave_up_parks_with_the_last_cause() -> None:
    found = verdict(Ended(C.UNAVAILABLE, "CIRCUIT_OPEN"), write_once=False, attempt=400, exhausted=True)
    assert (found.event, found.status, found.reason) == (Event.GAVE_UP, "UNAVAILABLE", "CIRCUIT_OPEN")


def test_delays_double_up_to_their_bound_and_are_spread() -> None:
    assert [delay(number, 1.0, 10.0, lambda: 1.0) for number in (1, 2, 3, 4, 5, 500)] == [1, 2, 4, 8, 10, 10]
    assert delay(3, 1.0, 10.0, lambda: 0.0) == 2.0
