"""Batches: what comes together goes together, and shares one fate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from waiting import until

from adapters.kit import Fault, Reason
from adapters.kit.gathering import Gatherer, nobodys

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class FarSide:
    """Keeps batches, or fails."""

    batches: list[list[str]] = field(default_factory=list)
    failure: Exception | None = None
    going: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, things: Sequence[str]) -> None:
        self.batches.append(list(things))
        await self.going.wait()
        if self.failure:
            raise self.failure


def far_side(failure: Exception | None = None) -> FarSide:
    """One that does not wait."""
    made = FarSide(failure=failure)
    made.going.set()
    return made


async def test_what_comes_within_the_time_is_one_batch_in_order() -> None:
    far = far_side()
    gatherer = Gatherer(far.submit, gather_for=0.02, largest=100)
    await asyncio.gather(*(gatherer.submit(str(number)) for number in range(5)))
    await gatherer.submit("5")
    assert far.batches == [["0", "1", "2", "3", "4"], ["5"]]


async def test_a_full_batch_goes_at_once() -> None:
    far = far_side()
    gatherer = Gatherer(far.submit, gather_for=3600, largest=2)
    async with asyncio.timeout(5):
        await asyncio.gather(*(gatherer.submit(str(number)) for number in range(6)))
    assert far.batches == [["0", "1"], ["2", "3"], ["4", "5"]]


async def test_nobody_is_told_before_the_batch_is_there() -> None:
    far = FarSide()
    gatherer = Gatherer(far.submit, gather_for=0, largest=100)
    waiting = asyncio.ensure_future(gatherer.submit("1"))
    await until(lambda: far.batches)
    assert not waiting.done()
    far.going.set()
    await waiting


@pytest.mark.parametrize("failure", [Fault(Reason.UPSTREAM_UNAVAILABLE, "gone"), ZeroDivisionError()], ids=["fault", "error"])
async def test_what_goes_wrong_goes_wrong_for_all_of_a_batch_and_not_for_the_next(failure: Exception) -> None:
    far = far_side(failure)
    gatherer = Gatherer(far.submit, gather_for=0.01, largest=100)
    ended = await asyncio.gather(*(gatherer.submit(str(number)) for number in range(3)), return_exceptions=True)
    assert ended == [failure] * 3
    far.failure = None
    await gatherer.submit("4")


async def test_a_caller_that_goes_away_takes_nobody_else_along() -> None:
    far = FarSide()
    gatherer = Gatherer(far.submit, gather_for=0.01, largest=100)
    gone, staying = (asyncio.ensure_future(gatherer.submit(str(number))) for number in range(2))
    await until(lambda: far.batches)
    gone.cancel()
    far.going.set()
    await staying
    assert far.batches == [["0", "1"]]
    assert gone.cancelled()


async def test_a_failure_that_nobody_waits_for_is_no_complaint() -> None:
    far = FarSide(failure=ZeroDivisionError())
    gatherer = Gatherer(far.submit, gather_for=0, largest=100)
    gone = asyncio.ensure_future(gatherer.submit("1"))
    await until(lambda: far.batches)
    gone.cancel()
    far.going.set()
    await gatherer.close()


async def test_closing_submits_what_was_gathered() -> None:
    far = far_side()
    gatherer = Gatherer(far.submit, gather_for=3600, largest=100)
    waiting = asyncio.ensure_future(gatherer.submit("1"))
    await asyncio.sleep(0)
    await gatherer.close()
    await waiting
    assert far.batches == [["1"]]
    await gatherer.close()


@pytest.mark.parametrize("reason", [Reason.NO_TRACE, Reason.UPSTREAM_REFUSED, Reason.UPSTREAM_FAULT, Reason.TIMED_OUT])
async def test_what_went_wrong_with_a_batch_is_to_be_tried_again(reason: Reason) -> None:
    assert nobodys(Fault(reason, "no", {"code": "3"})).reason is Reason.UPSTREAM_UNAVAILABLE
    assert nobodys(Fault(reason, "no", {"code": "3"})).metadata == {"code": "3"}


async def test_a_fault_that_says_when_to_try_again_stays_as_it_is() -> None:
    fault = Fault(Reason.BUSY, "full")
    assert nobodys(fault) is fault
