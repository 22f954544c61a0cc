"""The guard before a far system: bulkhead, line, time limits, what becomes of a write, and what counts against the circuit."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from waiting import until

from adapters.kit.upstream import FAILURES, Guard, Limits, answer_in
from metip.adapter.v1.settings_pb2 import Upstream
from metip.breaker import State
from metip.call import Call
from metip.faults import Fault, Reason
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAR = "far.example:4711"
NEVER_SAID = "Ermintrude Quackenbush"


def limits(**changed: Any) -> Limits:
    """Limits of a far system with two sessions and two places in line."""
    values: dict[str, Any] = {
        "address": FAR,
        "sessions": 2,
        "timeout": 5.0,
        "failures_to_open": 3,
        "open_for": timedelta(seconds=60),
        "max_waiting": 2,
    }
    return Limits(**values | changed)


def call(*, within: float = 5.0) -> Call:
    """A call whose caller gives up after so many seconds."""
    return Call("call-1", "metip.sample.v1.SampleService/GetSample", "spiffe://metip.local/consumer/test", None, time.monotonic() + within)


class Far:
    """A guard, its log, and a far system that answers when it is told to."""

    def __init__(self, **changed: Any) -> None:
        self.written = io.StringIO()
        self.guard = Guard(limits(**changed), Log(self.written))
        self.go = asyncio.Event()
        self.inside = 0
        self.most_inside = 0

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    @property
    def events(self) -> list[str]:
        """The events that were logged."""
        return [line["event"] for line in self.lines]

    async def ask(self, *, within: float = 5.0, write_once: bool = False, sent: bool = False) -> str:
        """Asks, and waits until the far system is told to answer."""
        async with self.guard.admit(call(within=within), write_once=write_once) as passage:
            passage.sent = sent
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            try:
                await self.go.wait()
            finally:
                self.inside -= 1
        return "answered"

    async def fail(self, error: BaseException, *, write_once: bool = False, sent: bool = False) -> None:
        """Asks a far system that does not answer."""
        async with self.guard.admit(call(), write_once=write_once) as passage:
            passage.sent = sent
            raise error


async def fault_of(asking: Awaitable[object]) -> Fault:
    """The fault that a call ends with."""
    with pytest.raises(Fault) as caught:
        await asking
    return caught.value


# The bulkhead and the line before it.


async def test_no_more_calls_than_sessions_are_at_the_far_system_at_once() -> None:
    far = Far()
    calls = [asyncio.create_task(far.ask()) for _ in range(4)]
    await until(lambda: far.inside == 2)
    far.go.set()
    assert await asyncio.gather(*calls) == ["answered"] * 4
    assert far.most_inside == 2


async def test_one_call_more_than_the_line_holds_is_busy() -> None:
    far = Far()
    calls = [asyncio.create_task(far.ask()) for _ in range(4)]
    await until(lambda: far.inside == 2)
    fault = await fault_of(far.ask())
    assert fault.reason is Reason.BUSY
    assert fault.retry_after == timedelta(milliseconds=500)
    far.go.set()
    await asyncio.gather(*calls)
    assert await far.ask() == "answered"


async def test_a_call_that_leaves_the_line_makes_room_in_it() -> None:
    far = Far()
    calls = [asyncio.create_task(far.ask()) for _ in range(4)]
    await until(lambda: far.inside == 2)
    await asyncio.sleep(0)
    calls[3].cancel()
    with suppress(asyncio.CancelledError):
        await calls[3]
    late = asyncio.create_task(far.ask())
    far.go.set()
    assert await asyncio.gather(*calls[:3], late) == ["answered"] * 4


@pytest.mark.parametrize(
    "end", [ValueError(), asyncio.CancelledError(), Fault(Reason.UPSTREAM_FAULT, "")], ids=lambda end: type(end).__name__
)
async def test_a_place_is_free_again_however_the_call_ended(end: BaseException) -> None:
    far = Far(sessions=1, failures_to_open=100)
    for _ in range(3):
        with pytest.raises(type(end)):
            await far.fail(end)
    far.go.set()
    assert await far.ask() == "answered"


# Time.


async def test_a_far_system_that_does_not_answer_times_out() -> None:
    fault = await fault_of(Far(timeout=0.02).ask())
    assert fault.reason is Reason.TIMED_OUT


async def test_the_callers_deadline_bounds_the_exchange_and_leaves_time_to_say_so() -> None:
    started = time.monotonic()
    fault = await fault_of(Far().ask(within=0.2))
    assert fault.reason is Reason.TIMED_OUT
    assert answer_in(0.2) - 0.01 <= time.monotonic() - started < 0.2 + 0.5


async def test_a_call_without_time_left_never_reaches_the_far_system() -> None:
    far = Far(failures_to_open=1)
    fault = await fault_of(far.ask(within=-1, sent=True, write_once=True))
    assert fault.reason is Reason.TIMED_OUT
    assert (far.most_inside, far.guard.breaker.state) == (0, State.CLOSED)


async def test_time_spent_in_line_is_time_spent() -> None:
    far = Far(sessions=1)
    first = asyncio.create_task(far.ask())
    await until(lambda: far.inside == 1)
    fault = await fault_of(far.ask(within=0.02))
    assert fault.reason is Reason.TIMED_OUT
    far.go.set()
    await first
    assert far.most_inside == 1


async def test_callers_who_give_up_in_line_do_not_open_the_circuit() -> None:
    far = Far(sessions=1, failures_to_open=1)
    first = asyncio.create_task(far.ask())
    await until(lambda: far.inside == 1)
    for _ in range(3):
        await fault_of(far.ask(within=0.01))
    far.go.set()
    assert await first == "answered"
    assert far.guard.breaker.state is State.CLOSED


async def test_the_next_in_line_finds_the_circuit_open() -> None:
    far = Far(sessions=1, failures_to_open=1)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def failing() -> None:
        async with far.guard.admit(call()):
            entered.set()
            await leave.wait()
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "gone")

    first = asyncio.create_task(failing())
    await entered.wait()
    second = asyncio.create_task(far.ask())
    await asyncio.sleep(0)
    leave.set()
    assert (await fault_of(first)).reason is Reason.UPSTREAM_UNAVAILABLE
    assert (await fault_of(second)).reason is Reason.CIRCUIT_OPEN
    assert far.most_inside == 0


# What becomes of a write that the far system may have done.


# What went wrong after the request left.
LOST = [
    Fault(Reason.TIMED_OUT, "no answer", metadata={"code": "T1"}),
    Fault(Reason.UPSTREAM_UNAVAILABLE, "the connection broke", metadata={"code": "U1"}),
    Fault(Reason.UPSTREAM_FAULT, "garbage", metadata={"code": "G1"}),
]


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.reason.name)
async def test_a_write_that_left_and_got_no_answer_is_in_doubt(lost: Fault) -> None:
    fault = await fault_of(Far().fail(lost, write_once=True, sent=True))
    assert fault.reason is Reason.IN_DOUBT
    assert fault.metadata == lost.metadata


async def test_a_write_that_left_and_ran_out_of_time_is_in_doubt() -> None:
    fault = await fault_of(Far(timeout=0.02).ask(write_once=True, sent=True))
    assert fault.reason is Reason.IN_DOUBT


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.reason.name)
async def test_a_write_that_never_left_is_not_in_doubt(lost: Fault) -> None:
    assert (await fault_of(Far().fail(lost, write_once=True, sent=False))).reason is lost.reason


async def test_a_write_that_ran_out_of_time_before_it_left_is_not_in_doubt() -> None:
    assert (await fault_of(Far(timeout=0.02).ask(write_once=True, sent=False))).reason is Reason.TIMED_OUT


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.reason.name)
async def test_a_query_is_never_in_doubt(lost: Fault) -> None:
    assert (await fault_of(Far().fail(lost, sent=True))).reason is lost.reason


async def test_a_refusal_of_a_write_is_an_answer_and_no_doubt() -> None:
    refused = Fault(Reason.UPSTREAM_REFUSED, "no", metadata={"code": "R7"})
    assert await fault_of(Far().fail(refused, write_once=True, sent=True)) is refused


async def test_a_write_whose_caller_goes_away_is_logged_as_in_doubt() -> None:
    far = Far()
    asking = asyncio.create_task(far.ask(write_once=True, sent=True))
    await until(lambda: far.inside == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [(line["event"], line["call_id"], line["operation"]) for line in far.lines] == [
        ("in_doubt", "call-1", "metip.sample.v1.SampleService/GetSample")
    ]


@pytest.mark.parametrize(("write_once", "sent"), [(True, False), (False, True)], ids=["not-sent", "query"])
async def test_a_caller_who_goes_away_leaves_no_doubt_otherwise(write_once: bool, sent: bool) -> None:
    far = Far()
    asking = asyncio.create_task(far.ask(write_once=write_once, sent=sent))
    await until(lambda: far.inside == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert far.lines == []


async def test_an_error_nobody_foresaw_after_a_write_left_is_logged_as_in_doubt_without_its_words() -> None:
    far = Far()
    with pytest.raises(ValueError, match=NEVER_SAID):
        await far.fail(ValueError(NEVER_SAID), write_once=True, sent=True)
    assert far.events == ["in_doubt"]
    assert NEVER_SAID not in far.written.getvalue()


# What counts for and against the circuit.


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason in FAILURES], ids=str)
async def test_no_answer_counts_against_the_far_system(reason: Reason) -> None:
    far = Far(failures_to_open=2)
    for _ in range(2):
        await fault_of(far.fail(Fault(reason, "")))
    assert (await fault_of(far.ask())).reason is Reason.CIRCUIT_OPEN


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in FAILURES], ids=str)
async def test_any_other_end_never_opens_the_circuit(reason: Reason) -> None:
    far = Far(failures_to_open=2)
    for _ in range(4):
        await fault_of(far.fail(Fault(reason, "")))
    assert far.guard.breaker.state is State.CLOSED


async def test_a_refusal_is_a_sign_of_life() -> None:
    far = Far(failures_to_open=2)
    for reason in (Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_REFUSED, Reason.UPSTREAM_UNAVAILABLE):
        await fault_of(far.fail(Fault(reason, "")))
    assert far.guard.breaker.state is State.CLOSED


async def test_a_busy_call_is_no_sign_of_life() -> None:
    far = Far(failures_to_open=2)
    for reason in (Reason.UPSTREAM_UNAVAILABLE, Reason.BUSY, Reason.UPSTREAM_UNAVAILABLE):
        await fault_of(far.fail(Fault(reason, "")))
    assert far.guard.breaker.state is State.OPEN


async def test_a_trial_whose_caller_goes_away_makes_room_for_the_next() -> None:
    far = Far(failures_to_open=1, open_for=timedelta(0))
    await fault_of(far.fail(Fault(Reason.UPSTREAM_UNAVAILABLE, "")))
    trial = asyncio.create_task(far.ask())
    await until(lambda: far.inside == 1)
    trial.cancel()
    with suppress(asyncio.CancelledError):
        await trial
    far.go.set()
    assert await far.ask() == "answered"
    assert far.guard.breaker.state is State.CLOSED


async def test_a_system_is_lost_once_and_back_once_however_many_trials_failed() -> None:
    far = Far(failures_to_open=1, open_for=timedelta(0))
    for _ in range(4):
        await fault_of(far.fail(Fault(Reason.UPSTREAM_UNAVAILABLE, NEVER_SAID)))
    far.go.set()
    await far.ask()
    assert [(line["event"], line["address"]) for line in far.lines] == [("system_lost", FAR), ("system_back", FAR)]


# Limits.


async def test_limits_take_the_defaults_that_the_contract_promises() -> None:
    assert Limits.of(Upstream(address=FAR)) == Limits(FAR, 8, 8.0, 5, timedelta(seconds=5), 32)


async def test_limits_take_what_is_set() -> None:
    said = Upstream(address=FAR, sessions=3, failures_to_open=4, max_waiting=5)
    said.timeout.FromMilliseconds(1500)
    said.open_for.FromMilliseconds(250)
    assert Limits.of(said) == Limits(FAR, 3, 1.5, 4, timedelta(milliseconds=250), 5)


async def test_the_line_grows_with_the_sessions() -> None:
    assert Limits.of(Upstream(address=FAR, sessions=3)).max_waiting == 12
