"""The operator's bench: calls are made when they are due, and a stall shows in every call that it held up."""

import asyncio
import time
from collections import Counter

import pytest

from hub.cli.bench.running import Outcome, Plan, figures, run


@pytest.mark.asyncio
async def test_every_call_that_is_due_is_made_and_counted_by_its_end() -> None:
    ends = iter([("OK", ""), ("UNAVAILABLE", "NOBODY_SERVES"), ("OK", ""), ("UNAVAILABLE", "NOBODY_SERVES"), ("OK", "")])

    async def ask() -> tuple[str, str]:
        return next(ends)

    found = await run(Plan(rate=100, concurrency=2, seconds=0.05), ask)
    assert found.ends == Counter({("OK", ""): 3, ("UNAVAILABLE", "NOBODY_SERVES"): 2})
    document = found.document()
    assert (document["due"], document["answered"], document["failed"], document["not_made"]) == (5, 3, 2, 0)
    assert document["errors"] == [{"status": "UNAVAILABLE", "reason": "NOBODY_SERVES", "calls": 2}]
    assert not found.well
    assert len(found.from_due) == 3  # times are those of answers


@pytest.mark.asyncio
async def test_calls_that_wait_behind_a_stall_are_as_late_as_it_made_them() -> None:
    first = True

    async def ask() -> tuple[str, str]:
        nonlocal first
        if first:
            first = False
            await asyncio.sleep(0.3)
        return "OK", ""

    found = await run(Plan(rate=50, concurrency=1, seconds=0.2), ask)
    assert found.answered == 10
    assert sum(seconds >= 0.1 for seconds in found.from_due) >= 8  # a closed loop would have shown one slow call, and nine quick ones
    assert sum(seconds >= 0.1 for seconds in found.from_sent) <= 2
    assert max(found.late) >= 0.2


@pytest.mark.asyncio
async def test_no_more_are_under_way_than_was_said() -> None:
    under_way = most = 0

    async def ask() -> tuple[str, str]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return "OK", ""

    found = await run(Plan(rate=1000, concurrency=3, seconds=0.03), ask)
    assert found.answered == 30
    assert most == 3


@pytest.mark.asyncio
async def test_calls_come_at_the_rate_and_not_before() -> None:
    began, at = time.perf_counter(), []

    async def ask() -> tuple[str, str]:
        at.append(time.perf_counter() - began)
        return "OK", ""

    await run(Plan(rate=50, concurrency=8, seconds=0.2), ask)
    assert len(at) == 10
    assert all(seconds >= number / 50 - 0.005 for number, seconds in enumerate(sorted(at)))


def test_figures_are_of_all_calls_in_milliseconds() -> None:
    found = figures([number / 1000 for number in range(1, 1001)])
    assert found == {"p50": 501.0, "p90": 901.0, "p99": 991.0, "p99.9": 1000.0, "mean": 500.5, "max": 1000.0}
    assert figures([]) == {}


@pytest.mark.parametrize("made", [0, 3], ids=["none", "some"])
def test_what_was_due_and_never_made_is_told(made: int) -> None:
    outcome = Outcome(Plan(10, 1, 1.0), Counter({("OK", ""): made}))
    assert outcome.document()["not_made"] == 10 - made
    assert not outcome.well
