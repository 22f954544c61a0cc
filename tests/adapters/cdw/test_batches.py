"""Gathering: what comes together is loaded together, each caller hears of its own row, and a slow far side gets no more batches."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from waiting import until

from adapters.cdw.batches import Batches
from adapters.kit import Call, Fault, Reason

pytestmark = pytest.mark.asyncio(loop_scope="module")


def call(within: float = 10.0) -> Call:
    """A call with that much time left."""
    return Call(id="c", operation="o", consumer="s", officer=None, deadline=time.monotonic() + within)


class Far:
    """A far side that remembers batches, and answers when it is let."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.deadlines: list[float] = []
        self.open = asyncio.Event()
        if not held:
            self.open.set()

    async def load(self, rows: Sequence[int], one: Call) -> Sequence[Fault | None]:
        self.batches.append(list(rows))
        self.deadlines.append(one.deadline)
        await self.open.wait()
        if 13 in rows:
            raise Fault(Reason.CONFLICT, "all of them")
        if 99 in rows:
            raise ZeroDivisionError
        return [Fault(Reason.UPSTREAM_REFUSED, "odd") if row % 2 else None for row in rows]


async def ended(batches: Batches[int], *rows: int) -> list[str]:
    """How each row ended."""
    found = await asyncio.gather(*(batches.add(row, call()) for row in rows), return_exceptions=True)
    return ["loaded" if one is None else one.reason.name if isinstance(one, Fault) else type(one).__name__ for one in found]


async def test_rows_that_come_together_are_one_batch_and_each_caller_hears_of_its_own() -> None:
    far = Far()
    batches = Batches(far.load, gather_for=0.01, most=100, at_once=2)
    assert await ended(batches, 2, 3, 4) == ["loaded", "UPSTREAM_REFUSED", "loaded"]
    assert far.batches == [[2, 3, 4]]


async def test_a_full_batch_does_not_wait() -> None:
    far = Far()
    batches = Batches(far.load, gather_for=60, most=3, at_once=9)
    async with asyncio.timeout(5):
        assert await ended(batches, 2, 4, 6, 8, 10, 12) == ["loaded"] * 6
    assert far.batches == [[2, 4, 6], [8, 10, 12]]


@pytest.mark.parametrize(("poison", "reason"), [(13, "CONFLICT"), (99, "ZeroDivisionError")])
async def test_what_concerns_the_batch_is_told_to_each_of_it(poison: int, reason: str) -> None:
    batches = Batches(Far().load, gather_for=0.01, most=100, at_once=2)
    assert await ended(batches, 2, poison, 4) == [reason] * 3
    assert await ended(batches, 2) == ["loaded"]


async def test_what_comes_while_the_far_side_is_slow_is_gathered() -> None:
    far = Far(held=True)
    batches = Batches(far.load, gather_for=0, most=50, at_once=1)
    first = asyncio.create_task(ended(batches, 2))
    await until(lambda: bool(far.batches))
    rest = asyncio.create_task(ended(batches, *range(4, 104, 2)))
    await asyncio.sleep(0.02)
    assert far.batches == [[2]]
    far.open.set()
    assert await first == ["loaded"]
    assert await rest == ["loaded"] * 50
    assert len(far.batches) == 2


async def test_the_caller_with_the_least_time_bounds_the_batch() -> None:
    far = Far()
    batches = Batches(far.load, gather_for=0.01, most=100, at_once=1)
    calls = [call(30), call(5), call(20)]
    await asyncio.gather(*(batches.add(2, one) for one in calls))
    assert far.deadlines == [calls[1].deadline]


async def test_a_caller_who_goes_away_before_its_batch_begins_takes_its_row_along() -> None:
    far = Far()
    batches = Batches(far.load, gather_for=0.05, most=100, at_once=1)
    gone, stays = (asyncio.create_task(batches.add(row, call())) for row in (2, 4))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert far.batches == [[4]]


async def test_closing_loads_what_waits() -> None:
    far = Far()
    batches = Batches(far.load, gather_for=60, most=100, at_once=1)
    waiting = asyncio.create_task(ended(batches, 2, 4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await batches.close()
    assert await waiting == ["loaded", "loaded"]
