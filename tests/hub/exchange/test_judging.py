"""Bulk hand-overs are judged alike in the hub and beside it, and the process beside it may go at any time."""

import asyncio
import io
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from exchange_rig import PROBE, contracts, probe

from hub.exchange import judging
from hub.exchange.accepting import Acceptor, acceptors_of
from hub.exchange.judging import LARGE, Judges, messages_of
from hub.exchange.lots import Judged
from metip.call import Call
from metip.exchange.v1.exchange_service_pb2 import PublishBatchRequest
from metip.faults import Fault, Reason
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="function")
NOW = 1_800_000_000.0
CALL = Call("call-1", PROBE, "spiffe://metip.local/consumer/one", None, deadline=0.0)
KEYLESS = 7
"""The place of a message without an idempotency key."""


def part(messages: int = 300) -> bytes:
    """Enough to be judged beside the hub: some in a line, two to be delivered later, one that is refused."""
    made = [probe(f"p{one}", f"line-{one % 3}" if one % 2 else "", one, filler=LARGE // messages) for one in range(messages)]
    made[20:22] = [probe(f"p{one}", not_before=NOW + 60, filler=10) for one in (20, 21)]
    made[KEYLESS] = probe("", filler=10)
    return PublishBatchRequest(operation=PROBE, messages=made).SerializeToString()


def acceptor() -> Acceptor:
    return acceptors_of(contracts(), None, None)[PROBE]


def told(judged: Judged) -> list[object]:
    """All that there is to say of it."""
    return [judged.messages, [lot.arrivals() for lot in judged.lots], list(map(list, judged.places())), [
        (place, fault.reason, fault.text, fault.fields) for place, fault in judged.refused
    ]]  # fmt: skip


@pytest_asyncio.fixture
async def judges() -> AsyncIterator[Judges]:
    """Judges whose process is there."""
    found = Judges(contracts().descriptor_set, Log(io.StringIO()))
    await found.judge(acceptor(), part(), CALL, "", NOW)
    async with asyncio.timeout(60):
        while not found._ready:  # noqa: ASYNC110 - it is another process that gets ready
            await asyncio.sleep(0.05)
    yield found
    found.close()


def pid(judges: Judges) -> int:
    assert judges._pool is not None
    (found,) = judges._pool._processes
    return found


async def test_a_part_is_judged_beside_the_hub_as_it_is_in_it(judges: Judges, monkeypatch: pytest.MonkeyPatch) -> None:
    here = acceptor()
    expected = told(here.judge_all(messages_of(part()), CALL, "officer", NOW))
    monkeypatch.setattr(Acceptor, "judge_all", None)  # in this process nobody can
    assert told(await judges.judge(here, part(), CALL, "officer", NOW)) == expected


async def test_lots_hold_what_belongs_together_and_places_say_where_it_stood() -> None:
    judged = acceptor().judge_all(messages_of(part()), CALL, "", NOW)
    assert [len(lot) for lot in judged.lots] == [19, 2, 278]
    places = list(judged.places())
    assert [len(one) for one in places] == [19, 2, 278]
    assert [KEYLESS in one for one in places] == [False] * 3
    assert list(places[1]) == [20, 21]
    assert [arrival.idempotency_key for arrival in judged.lots[1].arrivals()] == ["p20", "p21"]
    assert {lot.not_before for lot in judged.lots} == {0.0, NOW + 60}
    ((place, fault),) = judged.refused
    assert (place, fault.reason) == (KEYLESS, Reason.INVALID_REQUEST)


async def test_when_the_process_dies_the_hub_judges_itself_and_another_is_started(judges: Judges) -> None:
    here, gone = acceptor(), pid(judges)
    said = io.StringIO()
    judges._log = Log(said)
    os.kill(gone, signal.SIGKILL)
    expected = told(here.judge_all(messages_of(part()), CALL, "", NOW))
    for _ in range(20):
        assert told(await judges.judge(here, part(), CALL, "", NOW)) == expected
    async with asyncio.timeout(60):
        while not judges._ready:
            await judges.judge(here, part(), CALL, "", NOW)
            await asyncio.sleep(0.05)
    assert pid(judges) != gone
    assert [json.loads(line)["event"] for line in said.getvalue().splitlines()] == ["judge_lost"]


async def test_a_part_that_is_handed_over_just_when_the_process_dies_is_judged_all_the_same(
    judges: Judges, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, pool, lost = acceptor(), judges._pool, Future[Judged]()
    assert pool is not None
    submit: Any = pool.submit

    def losing(work: Any, *given: Any) -> Any:
        """As the pool itself does, now and then, with what comes while it fails all that it has."""
        if work is not judging._judge:
            return submit(work, *given)
        os.kill(pid(judges), signal.SIGKILL)
        return lost

    monkeypatch.setattr(pool, "submit", losing)
    async with asyncio.timeout(30):
        judged = await judges.judge(here, part(), CALL, "", NOW)
    assert told(judged) == told(here.judge_all(messages_of(part()), CALL, "", NOW))
    await asyncio.sleep(0)
    assert lost.cancelled()
    assert judges._pool is None


async def test_a_small_part_starts_no_process() -> None:
    judges = Judges(contracts().descriptor_set, Log(io.StringIO()))
    data = PublishBatchRequest(operation=PROBE, messages=[probe("one")]).SerializeToString()
    judged = await judges.judge(acceptor(), data, CALL, "", NOW)
    assert [len(lot) for lot in judged.lots] == [1]
    assert judges._pool is None


async def test_what_is_no_part_is_malformed_wherever_it_is_judged(judges: Judges) -> None:
    for data in (b"\xff\xff", b"\xff" * (2 * LARGE)):
        with pytest.raises(Fault) as refused:
            await judges.judge(acceptor(), data, CALL, "", NOW)
        assert refused.value.reason is Reason.MALFORMED


async def test_the_process_ends_with_the_judges(judges: Judges) -> None:
    gone = pid(judges)
    judges.close()
    deadline = time.monotonic() + 20
    while _runs(gone) and time.monotonic() < deadline:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.05)
    assert not _runs(gone)


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
