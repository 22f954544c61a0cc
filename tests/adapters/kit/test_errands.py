"""An adapter's own work at its far system: repeated for ever, through faults, and never silently gone."""

import asyncio
from dataclasses import dataclass, field

import pytest
from waiting import until

from adapters.kit import Fault, Reason, errands
from adapters.kit.errands import errand, meanwhile, repeat

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Work:
    """Does what it is told, one step at each call, and then nothing more."""

    steps: list[bool | Exception]
    done: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self) -> bool:
        if self.done == len(self.steps):
            self.idle.set()
            return False
        self.done += 1
        step = self.steps[self.done - 1]
        if isinstance(step, Exception):
            raise step
        return step


async def test_an_errand_has_its_own_deadline_and_id() -> None:
    one, other = errand("list", within=10), errand("list", within=10)
    assert 9 < one.remaining <= 10
    assert (one.operation, one.consumer, one.officer, one.handover) == ("list", "", None, None)
    assert one.id != other.id


async def test_work_is_repeated_at_once_while_there_is_more() -> None:
    work = Work([True] * 50)
    async with meanwhile(repeat(work.step, every=3600)):
        await asyncio.wait_for(work.idle.wait(), 5)
    assert work.done == 50


async def test_work_goes_on_after_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "LONGEST_PAUSE", 0.02)
    work = Work([Fault(Reason.UPSTREAM_UNAVAILABLE, "gone"), False, Fault(Reason.TIMED_OUT, "slow"), Fault(Reason.BUSY, "full"), True])
    async with meanwhile(repeat(work.step, every=0.005)):
        await asyncio.wait_for(work.idle.wait(), 5)
    assert work.done == 5


async def test_an_error_that_is_no_fault_ends_the_block() -> None:
    work = Work([False, ZeroDivisionError()])
    with pytest.raises(ExceptionGroup) as raised:
        async with meanwhile(repeat(work.step, every=0.001)):
            await until(lambda: False)
    assert raised.group_contains(ZeroDivisionError)


async def test_work_ends_with_the_block_and_the_block_s_own_error_comes_out_as_it_is() -> None:
    work = Work([])

    async def fail() -> None:
        await work.idle.wait()
        raise LookupError

    with pytest.raises(LookupError):
        async with meanwhile(repeat(work.step, every=3600)):
            await fail()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
