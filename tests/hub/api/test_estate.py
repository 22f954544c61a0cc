"""The estate's service on a socket: what is live from a log that grows and an admin page that answers, and nothing while nobody asks."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from admin_page import AdminPage, admin_page
from edge_lines import CONSUMER, CONTRACTS, HUB, OWNER, QUERY, READING, line

from hub.api.estate import EstateApi, pause
from hub.estate import feed as feeds
from hub.estate import running
from hub.estate.feed import Feed
from hub.estate.running import Live, Sources
from hub.mesh.admin import Admin
from hub.mesh.control import Inputs
from hub.mesh.inputs import Edge, Instance, Policy, Tokens
from metip.estate.v1 import estate_pb2
from metip.estate.v1 import estate_service_pb2 as api
from metip.estate.v1.estate_service_pb2_grpc import EstateServiceStub, add_EstateServiceServicer_to_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
EDGE = Edge("metip.local", "", 1, 2, "", "", "", Tokens("", "", ""))
INSTANCES = (Instance("one-0", OWNER, (QUERY.interface,), "unix:/run/one-0.sock"),)
STATS = """cluster.{cluster}.membership_healthy: 1
cluster.{cluster}.membership_total: 1
cluster.{cluster}.upstream_rq_active: 7
cluster.{cluster}.upstream_rq_total: {total}
server.uptime: 10
"""
ROWS = [estate_pb2.GROUPING_OPERATION]
STATUS = grpc.StatusCode


@dataclass
class Rig:
    """A hub's estate, its service, and what it is made of."""

    live: Live
    log: Path
    page: AdminPage
    stub: Any

    def write(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.writelines(f"{one}\n" for one in lines)

    async def estate(self, **said: Any) -> estate_pb2.Estate:
        found: estate_pb2.Estate = (await self.stub.GetEstate(api.GetEstateRequest(**said), timeout=10)).estate
        return found


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while True:
            found = condition()
            if found is True or (not isinstance(found, bool) and await found):
                return
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="module")
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """With windows and pauses short enough for a test."""
    for module, name, value in ((running, "FRESH", 0.02), (running, "LINGER", 0.1), (feeds, "EVERY", 0.02)):
        monkeypatch.setattr(module, name, value)
    log = tmp_path / "access.log"
    log.touch()
    async with admin_page(tmp_path / "admin.sock") as page:
        total = iter(range(0, 10_000_000, 100))
        page.pages["/stats"] = lambda: STATS.format(cluster=QUERY.interface, total=next(total))
        page.pages["/clusters"] = lambda: "{}"
        live = Live(
            Feed(log, READING, time.time),
            Sources(lambda: Inputs(CONTRACTS, Policy(), EDGE, INSTANCES), Admin(page.socket)),
        )
        server = grpc.aio.server()
        add_EstateServiceServicer_to_server(EstateApi(live), server)
        server.add_insecure_port(f"unix:{tmp_path / 'hub.sock'}")
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'hub.sock'}") as channel:
            yield Rig(live, log, page, EstateServiceStub(channel))
        await live.close()
        await server.stop(None)


def now(**more: Any) -> str:
    return line(at=time.time() - 0.1, **more)


def row_of(estate: estate_pb2.Estate) -> estate_pb2.Row:
    return next(one for one in estate.rows if one.name == QUERY.name)


async def test_calls_of_the_last_seconds_are_there_at_once(rig: Rig) -> None:
    rig.write(line(at=time.time() - 60), *(now(ms=5) for _ in range(4)), now(ms=50, status=14))
    found = await rig.estate(rows=ROWS)
    measures = row_of(found).measures
    assert (measures.calls, measures.error_share, measures.p50_ms, measures.reasons[0].reason) == (5, 0.2, 5.0, "UNAVAILABLE")
    node = next(one for one in found.nodes if one.name == QUERY.interface)
    assert (node.counts.in_flight, node.measures.HasField("far")) == (7, False)
    assert [(one.name, one.problem) for one in found.sources] == [("log", ""), ("envoy", ""), ("exchange", "")]


async def test_a_watcher_is_told_all_of_it_then_what_changes(rig: Rig) -> None:
    rig.write(now())
    call = rig.stub.WatchEstate(api.WatchEstateRequest(rows=ROWS))
    try:
        first = await call.read()
        assert first.whole
        assert row_of(first.estate).measures.calls == 1
        rig.write(now(), now(consumer="spiffe://metip.local/consumer/portal"))
        second = await call.read()
        assert not second.whole
        assert row_of(second.estate).measures.calls == 3
        assert 0 < len(second.estate.rows) < len(first.estate.rows)
        assert "consumer:spiffe://metip.local/consumer/portal" in {one.id for one in second.estate.nodes}
        assert next(one for one in second.estate.nodes if one.name == QUERY.interface).measures.far.per_second > 0
    finally:
        call.cancel()


async def test_nothing_is_read_or_asked_before_and_after_somebody_watches(rig: Rig) -> None:
    rig.write(now())
    assert rig.live.at_rest
    await asyncio.sleep(0.2)
    assert rig.page.asked == {}
    call = rig.stub.WatchEstate(api.WatchEstateRequest())
    await call.read()
    assert not rig.live.at_rest
    call.cancel()
    await until(lambda: rig.live.at_rest)
    asked = rig.page.asked.copy()
    await asyncio.sleep(0.3)
    assert rig.page.asked == asked


async def test_watchers_of_the_same_are_given_one_picture(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "FRESH", 30.0)
    await asyncio.gather(*(rig.estate(rows=ROWS) for _ in range(20)))
    assert rig.page.asked["/stats"] == 1


async def test_an_envoy_that_is_away_is_said_and_the_rest_is_shown(rig: Rig) -> None:
    rig.write(now())
    del rig.page.pages["/stats"]
    rig.page.pages["/stats"] = lambda: "server.uptime: nonsense\n"
    found = await rig.estate(rows=ROWS)
    assert row_of(found).measures.calls == 1
    assert "what is in flight" in next(one.problem for one in found.sources if one.name == "envoy")
    rig.log.unlink()
    assert "it is not there" in next(one.problem for one in (await rig.estate()).sources if one.name == "log")


async def test_a_filter_chooses_what_is_measured(rig: Rig) -> None:
    rig.write(now(), now(), now(consumer="spiffe://metip.local/consumer/portal"))
    found = await rig.estate(filter=api.EstateFilter(consumers=[CONSUMER]), rows=ROWS, without_map=True)
    assert (found.total.calls, [one.measures.calls for one in found.rows], len(found.nodes)) == (2, [2], 0)


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        ({}, 5),
        ({"consumers": ["portal"]}, 1),
        ({"operations": [QUERY.method.upper()]}, 5),
        ({"operations": ["nothing"]}, 0),
        ({"statuses": [14, 5]}, 2),
        ({"reasons": ["NOT_FOUND"]}, 1),
        ({"only_errors": True}, 1),
        ({"systems": [OWNER], "statuses": [0]}, 3),
    ],
)
async def test_calls_are_given_as_they_end_to_whom_they_concern(rig: Rig, said: dict[str, Any], calls: int) -> None:
    rig.write(now())
    call = rig.stub.WatchCalls(api.WatchCallsRequest(**said))
    assert (await call.read()).calls == []
    rig.write(now(ms=3), now(status=5), now(status=14), now(consumer="spiffe://metip.local/consumer/portal"), now(consumer=HUB))
    found: list[Any] = []
    try:
        async with asyncio.timeout(1.0 if calls < 5 else 10.0):
            while len(found) < calls or not calls:
                found += (await call.read()).calls
    except TimeoutError:
        assert not calls
    finally:
        call.cancel()
    assert len(found) == calls
    assert all(one.operation == QUERY.name and one.call_id == "c1" for one in found)


async def test_only_slower_calls_are_given_on_request(rig: Rig) -> None:
    request = api.WatchCallsRequest()
    request.slower_than.FromMilliseconds(100)
    call = rig.stub.WatchCalls(request)
    await call.read()
    rig.write(now(ms=100), now(ms=101, status=4, details="response_timeout", flags="UT"))
    (found,) = (await call.read()).calls
    call.cancel()
    assert (found.milliseconds, found.reason, found.error, found.reached) == (101.0, "TIMED_OUT", True, 3)


async def test_what_comes_too_fast_is_dropped_and_counted(rig: Rig) -> None:
    call = rig.stub.WatchCalls(api.WatchCallsRequest(most_per_second=10))
    await call.read()
    rig.write(*(now() for _ in range(200)))
    given = dropped = 0
    async with asyncio.timeout(10):
        while given + dropped < 200:
            answer = await call.read()
            given, dropped = given + len(answer.calls), dropped + answer.dropped
    call.cancel()
    assert given + dropped == 200
    assert 10 <= given <= 20


async def test_of_a_log_that_runs_away_the_latest_is_read_and_the_rest_counted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST", 4000)
    call = rig.stub.WatchCalls(api.WatchCallsRequest(most_per_second=2000))
    await call.read()
    rig.write(*(now(call_id=f"c{number}") for number in range(500)))
    found, dropped = list[str](), 0
    async with asyncio.timeout(10):
        while len(found) + dropped < 500:
            answer = await call.read()
            found, dropped = found + [one.call_id for one in answer.calls], dropped + answer.dropped
    call.cancel()
    assert dropped > 480
    assert found == [f"c{number}" for number in range(500 - len(found), 500)]


async def test_a_log_that_is_rotated_is_followed(rig: Rig) -> None:
    call = rig.stub.WatchCalls(api.WatchCallsRequest())
    await call.read()
    rig.write(now(call_id="before"))
    rig.log.rename(rig.log.with_suffix(".1"))
    rig.write(now(call_id="after"))
    found: list[str] = []
    async with asyncio.timeout(10):
        while len(found) < 2:
            found += [one.call_id for one in (await call.read()).calls]
    call.cancel()
    assert found == ["before", "after"]


async def test_too_many_watchers_are_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_TAPS", 0)
    monkeypatch.setattr(running, "MOST_WATCHERS", 0)
    for ask in (rig.stub.WatchCalls(api.WatchCallsRequest()).read, lambda: rig.stub.GetEstate(api.GetEstateRequest())):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask()
        assert refused.value.code() is STATUS.RESOURCE_EXHAUSTED


async def test_without_a_log_calls_can_not_be_watched_and_the_reason_is_said(rig: Rig) -> None:
    rig.log.unlink()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await rig.stub.WatchCalls(api.WatchCallsRequest()).read()
    assert (refused.value.code(), "it is not there" in (refused.value.details() or "")) == (STATUS.FAILED_PRECONDITION, True)


async def test_a_request_that_breaks_a_rule_is_refused(rig: Rig) -> None:
    request = api.WatchEstateRequest()
    request.every.FromMilliseconds(10)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await rig.stub.WatchEstate(request).read()
    assert refused.value.code() is STATUS.INVALID_ARGUMENT


async def test_what_is_dear_to_draw_is_drawn_less_often() -> None:
    assert pause(2.0, 0.01) == 2.0
    assert pause(2.0, 0.2) == 5.0
