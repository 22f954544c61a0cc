"""The stage before a handler whose messages another platform might execute: on its own thread and file, with calls at once."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.kit.marks import Bar
from adapters.kit.owned import Owned
from adapters.kit.serving import installed_contracts
from metip.call import Call, Handover
from metip.contracts import Operation
from metip.exchange.v1.receipt_pb2 import PROGRESS_DELIVERED, Receipt
from metip.faults import Fault, Reason
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
KEY = "aa" * 16
POST = "sample:metip.sample.v1.SampleService/Publish"


def operation(*, once: bool = False) -> Operation:
    """Some message operation of the contracts, as one that is written once or not."""
    found = next(one for one in installed_contracts(date(2026, 11, 23)).operations.values() if one.delivery is not None)
    kinds = {one.delivery_class.name: one.delivery_class for one in installed_contracts(date(2026, 11, 23)).operations.values()}
    return replace(found, delivery_class=kinds["WRITE_ONCE" if once else "WRITE_IDEMPOTENT"])


def call(message: str = "m1", attempt: int = 1, number: int = 5, token: str | None = None) -> Call:
    """A message that is handed over."""
    said = f"sample {number} {KEY}" if token is None else token
    return Call("1", "any", "spiffe://any", None, 0.0, handover=Handover(message, attempt, attempt > 1, 0.0, said))


class Far:
    """A far system that counts, and waits when it is told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.go = asyncio.Event()
        self.go.set()
        self.fault: Exception | None = None

    async def handle(self, request: Any, call: Call) -> Any:
        """Does it."""
        await self.go.wait()
        assert call.handover is not None
        self.done.append(call.handover.message_id)
        if self.fault is not None:
            raise self.fault
        return Receipt(message_id=call.handover.message_id, progress=PROGRESS_DELIVERED)


@pytest_asyncio.fixture(loop_scope="function")
async def stage(tmp_path: Path) -> AsyncIterator[Owned]:
    """One worker's."""
    found = Owned(tmp_path / "executions" / "sample.sqlite", "sample", 0, Log(io.StringIO()))
    yield found
    await asyncio.to_thread(found.close)


async def reason(answering: Any) -> Reason:
    with pytest.raises(Fault) as caught:
        await answering
    return caught.value.reason


async def test_a_repetition_gets_the_first_answer_and_reaches_no_far_system(stage: Owned) -> None:
    far = Far()
    answer = stage.guarded(operation(), POST, far.handle)
    first = await answer(None, call())
    assert await answer(None, call(attempt=2)) == first
    assert far.done == ["m1"]


async def test_many_at_once_are_each_executed_once(stage: Owned) -> None:
    far = Far()
    answer = stage.guarded(operation(), POST, far.handle)
    await asyncio.gather(*(answer(None, call(f"m{number}")) for number in range(300)))
    assert sorted(far.done) == sorted(f"m{number}" for number in range(300))


@pytest.mark.parametrize("token", ["", "other 5", "sample five", "sample 5 zz"], ids=["none", "another's", "no number", "no digest"])
async def test_who_does_not_say_whose_it_is_is_refused_before_the_far_system(stage: Owned, token: str) -> None:
    far = Far()
    assert await reason(stage.guarded(operation(), POST, far.handle)(None, call(token=token))) is Reason.FENCED
    assert far.done == []


async def test_a_fence_is_held_only_when_nothing_below_it_is_being_executed(stage: Owned) -> None:
    far = Far()
    far.go.clear()
    answer = stage.guarded(operation(), POST, far.handle)
    under_way = asyncio.ensure_future(answer(None, call()))
    await asyncio.sleep(0.05)
    holding = asyncio.create_task(stage.hold([Bar(POST, KEY, 9), Bar(POST, "bb" * 16, 8)]))
    await asyncio.sleep(0.1)
    assert (holding.done(), stage.held) == (False, 0)
    assert await reason(answer(None, call("m2"))) is Reason.FENCED  # it is in force already, and only not told yet
    far.go.set()
    await under_way
    await asyncio.wait_for(holding, 5)
    assert stage.held == 9
    assert far.done == ["m1"]


async def test_an_attempt_that_failed_may_be_tried_again_and_a_late_one_of_it_may_not(stage: Owned) -> None:
    far = Far()
    answer = stage.guarded(operation(once=True), POST, far.handle)
    far.fault = Fault(Reason.LOCKED, "somebody holds it")
    assert await reason(answer(None, call())) is Reason.LOCKED
    assert await reason(answer(None, call())) is Reason.IN_DOUBT
    far.fault = None
    await answer(None, call(attempt=2))
    assert far.done == ["m1", "m1"]


async def test_a_call_that_is_cancelled_leaves_a_mark(stage: Owned) -> None:
    far = Far()
    far.go.clear()
    answer = stage.guarded(operation(once=True), POST, far.handle)
    under_way = asyncio.ensure_future(answer(None, call()))
    await asyncio.sleep(0.05)
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)
    assert await reason(answer(None, call())) is Reason.IN_DOUBT


async def test_the_file_is_its_users_own(stage: Owned, tmp_path: Path) -> None:
    await stage.hold([Bar(POST, KEY, 1)])
    assert (tmp_path / "executions" / "sample.sqlite").stat().st_mode & 0o777 == 0o600
