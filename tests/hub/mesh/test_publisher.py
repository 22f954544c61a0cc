"""Changes are made one at a time, step by step as Envoys answer, taken back when one refuses, and recorded."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from ads_rig import CAUSE, ads_rig
from scripted_envoy import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    PROTOCOLS,
    ROUTE,
    Response,
    edge,
    mesh_of,
    obedient_envoy,
    scripted_envoy,
    system,
    thing,
)
from waiting import until

from hub.mesh.history import Cause, Change, History, Outcome
from hub.mesh.publisher import Publisher
from hub.mesh.resources import EMPTY, ResourceType, Snapshot

ON_BOTH = pytest.mark.parametrize("protocol", PROTOCOLS)
BIRCH, ALDER = mesh_of("birch"), mesh_of("alder")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

REFUSED = [
    pytest.param(
        Snapshot.of([*edge("cedar"), *system("birch")]),
        ("route 'edge' needs cluster 'cedar', which is not in the snapshot",),
        id="a route to no cluster",
    ),
    pytest.param(
        Snapshot.of([*system("birch"), thing(LISTENER, "edge", "1", (ROUTE, "new")), thing(ROUTE, "new", "1", (CLUSTER, "birch"))]),
        ("listener 'edge' leaves route 'edge', which its open connections keep: change the route instead",),
        id="a listener that leaves its route table",
    ),
]


def refusing_routes(response: Response) -> str | None:
    """What Envoy would say of a bad expression, if the route table has one."""
    return "missing ): (" if response.type is ROUTE and "bad" in response.contents.get("edge", "") else None


def refusing_clusters(response: Response) -> str | None:
    return "no such transport socket" if response.type is CLUSTER and "bad" in response.contents else None


BAD = [
    pytest.param(
        mesh_of("alder", content="bad"),
        refusing_routes,
        ROUTE,
        ["prepare", "switch"],
        ["restore switch", "restore drop"],
        id="at the switch",
    ),
    pytest.param(mesh_of("bad"), refusing_clusters, CLUSTER, ["prepare"], ["restore drop"], id="while preparing"),
]


@pytest.mark.asyncio(loop_scope="module")
async def test_without_any_envoy_a_change_is_accepted_at_once() -> None:
    async with ads_rig() as rig:
        change = await rig.publish(BIRCH)
        assert change.outcome is Outcome.ACCEPTED
        assert (change.id, change.cause, change.digest) == (1, CAUSE, BIRCH.digest)
        assert str(change.difference) == "added cluster 'birch', endpoint 'birch', listener 'edge', route 'edge'"
        assert rig.publisher.current() == BIRCH


@pytest.mark.parametrize(("candidate", "reasons"), REFUSED)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_snapshot_that_would_lose_calls_is_refused_and_no_envoy_sees_it(candidate: Snapshot, reasons: tuple[str, ...]) -> None:
    async with ads_rig() as rig, obedient_envoy(rig.channel, "sotw") as envoy:
        await rig.publish(BIRCH)
        await until(lambda: envoy.held[ROUTE])
        seen = list(envoy.seen)
        change = await rig.publish(candidate)
        assert (change.outcome, change.reasons, change.stages) == (Outcome.REFUSED, reasons, ())
        assert rig.publisher.current() == BIRCH
        assert (await rig.publish(ALDER)).outcome is Outcome.ACCEPTED
        assert all("cedar" not in response.contents.get("edge", "") for response in envoy.seen[len(seen) :])


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_that_changes_nothing_is_neither_sent_nor_recorded() -> None:
    async with ads_rig() as rig, obedient_envoy(rig.channel, "delta") as envoy:
        await rig.publish(BIRCH)
        await until(lambda: envoy.held[ROUTE])
        seen = len(envoy.seen)
        change = await rig.publish(mesh_of("birch"))
        assert (change.outcome, change.id) == (Outcome.UNCHANGED, 0)
        assert not change.difference
        assert [kept.id for kept in rig.publisher.history.latest()] == [1]
        await rig.publish(mesh_of("birch", content="2"))
        assert [response.type for response in envoy.seen[seen:]] == [ROUTE]


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_step_begins_only_when_every_envoy_has_taken_the_one_before(protocol: str) -> None:
    async with ads_rig() as rig, obedient_envoy(rig.channel, protocol, "quick") as quick:
        await rig.publish(BIRCH)
        async with scripted_envoy(rig.channel, protocol, "slow") as slow:
            await slow.subscribe(CLUSTER)
            await slow.ack(await slow.next())
            await slow.subscribe(ENDPOINT, "birch")
            await slow.ack(await slow.next())
            await until(lambda: quick.held[ROUTE] == {"edge": "1>birch"})
            changing = asyncio.create_task(rig.publish(ALDER))
            clusters = await slow.next()
            assert clusters.type is CLUSTER
            await until(lambda: "alder" in quick.held[ENDPOINT])
            # The quick one is ready, the slow one is not: no route has moved.
            assert quick.held[ROUTE] == {"edge": "1>birch"}
            await slow.ack(clusters)
            await slow.subscribe(ENDPOINT, "alder")
            endpoints = await slow.next()
            assert endpoints.contents["alder"] == "1"
            assert quick.held[ROUTE] == {"edge": "1>birch"}
            await slow.ack(endpoints)
            await until(lambda: quick.held[ROUTE] == {"edge": "1>alder"})
            dropped = await slow.next()
            assert dropped.type is CLUSTER
            await slow.ack(dropped)
            if protocol == "delta":
                await slow.ack(await slow.next())
            change = await changing
        assert change.outcome is Outcome.ACCEPTED
        assert [stage.name for stage in change.stages] == ["prepare", "switch", "drop"]
        answered = [{(ack.node_id, ack.type) for ack in stage.acknowledgements} for stage in change.stages]
        assert answered[0] == {(node, kind) for node in ("quick", "slow") for kind in (CLUSTER, ENDPOINT)}
        assert answered[1] == {("quick", ROUTE)}
        assert {("quick", CLUSTER), ("slow", CLUSTER)} <= answered[2]


@ON_BOTH
@pytest.mark.parametrize(("candidate", "refusing", "kind", "steps", "back"), BAD)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_one_envoy_refuses_is_taken_back_from_all(
    protocol: str, candidate: Snapshot, refusing: Callable[[Response], str | None], kind: ResourceType, steps: list[str], back: list[str]
) -> None:
    async with (
        ads_rig() as rig,
        obedient_envoy(rig.channel, protocol, "taking") as taking,
        obedient_envoy(rig.channel, protocol, "refusing", refusing) as other,
    ):
        await rig.publish(BIRCH)
        await until(lambda: taking.held[ROUTE] and other.held[ROUTE])
        change = await rig.publish(candidate, Cause("cut over", "migration lead"))
        assert change.outcome is Outcome.REJECTED
        (rejection,) = change.rejections
        assert (rejection.node_id, rejection.type, rejection.stage) == ("refusing", kind, steps[-1])
        assert rejection.message == refusing(Response(kind, "", "", {"bad": "", "edge": "bad"}))
        assert [stage.name for stage in change.stages] == steps
        assert [stage.name for stage in change.restoring] == back
        assert rig.publisher.current() == rig.publisher.serving() == BIRCH
        for envoy in (taking, other):
            assert envoy.held[CLUSTER] == {"birch": "1"}
            assert envoy.held[ROUTE] == {"edge": "1>birch"}
        assert "would not take the" in str(change)

        after = await rig.publish(ALDER)
        assert after.outcome is Outcome.ACCEPTED
        assert taking.held[ROUTE] == other.held[ROUTE] == {"edge": "1>alder"}


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_refused_change_can_be_tried_again(protocol: str) -> None:
    refusals = iter(["not yet", None])
    refusing = lambda response: next(refusals) if response.contents.get("edge") == "1>alder" else None  # noqa: E731
    async with ads_rig() as rig, obedient_envoy(rig.channel, protocol, refusing=refusing) as envoy:
        await rig.publish(BIRCH)
        await until(lambda: envoy.held[ROUTE])
        assert (await rig.publish(ALDER)).outcome is Outcome.REJECTED
        assert (await rig.publish(ALDER)).outcome is Outcome.ACCEPTED
        assert envoy.held[ROUTE] == {"edge": "1>alder"}


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_first_change_that_is_refused_leaves_nothing_to_serve(protocol: str) -> None:
    refusing = lambda response: "no" if response.contents.get("edge") == "bad>birch" else None  # noqa: E731
    async with ads_rig() as rig, obedient_envoy(rig.channel, protocol, refusing=refusing) as envoy:
        await until(rig.ads.envoys)
        change = await rig.publish(mesh_of("birch", content="bad"))
        assert (change.outcome, change.restoring) == (Outcome.REJECTED, ())
        assert rig.publisher.current() == EMPTY
        assert rig.publisher.serving() is None
        assert (await rig.publish(BIRCH)).outcome is Outcome.ACCEPTED
        assert envoy.held[ROUTE] == {"edge": "1>birch"}


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_envoy_that_does_not_answer_is_named_and_the_change_stands(protocol: str) -> None:
    async with ads_rig(answer_within=1) as rig, obedient_envoy(rig.channel, protocol, "quick") as quick:
        await rig.publish(BIRCH)
        await until(lambda: quick.held[ROUTE])
        async with scripted_envoy(rig.channel, protocol, "deaf") as deaf:
            await deaf.subscribe(CLUSTER)
            await deaf.ack(await deaf.next())
            await deaf.subscribe(ENDPOINT, "birch")
            await deaf.ack(await deaf.next())
            change = await rig.publish(ALDER)
            assert change.outcome is Outcome.TIMED_OUT_WAITING
            (silence,) = change.silences  # it was waited for once, and not once for each step
            assert (silence.node_id, silence.stage, silence.types) == ("deaf", "prepare", (CLUSTER, ENDPOINT))
            assert str(silence) == "deaf did not answer for cluster, endpoint (step prepare)"
            assert quick.held[ROUTE] == {"edge": "1>alder"}
            assert rig.publisher.current() == ALDER


@pytest.mark.asyncio(loop_scope="module")
async def test_a_late_refusal_of_one_change_is_not_held_against_the_next(caplog: pytest.LogCaptureFixture) -> None:
    async with ads_rig(answer_within=0.5) as rig, scripted_envoy(rig.channel, "delta") as envoy:
        await rig.publish(BIRCH)
        await envoy.subscribe(ROUTE, "edge")
        await envoy.ack(await envoy.next())
        assert (await rig.publish(mesh_of("birch", content="2"))).outcome is Outcome.TIMED_OUT_WAITING
        late = await envoy.next()
        changing = asyncio.create_task(rig.publish(mesh_of("birch", content="3")))
        following = await envoy.next()
        await envoy.refuse(late, "too late")
        await envoy.ack(following)
        assert (await changing).outcome is Outcome.ACCEPTED
        assert "envoy_refused_late" in caplog.messages
        (connected,) = rig.ads.envoys()
        assert connected.last_nack is not None
        assert connected.last_nack.message == "too late"


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_envoy_that_goes_is_not_waited_for(protocol: str) -> None:
    async with ads_rig(answer_within=60) as rig:
        await rig.publish(BIRCH)
        async with scripted_envoy(rig.channel, protocol) as going:
            await going.subscribe(CLUSTER)
            await going.next()
            changing = asyncio.create_task(rig.publish(ALDER))
            await until(lambda: rig.publisher.serving() not in {BIRCH, ALDER})
        async with asyncio.timeout(5):
            assert (await changing).outcome is Outcome.ACCEPTED


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_envoy_that_comes_in_the_middle_of_a_change_gets_the_step_that_is_being_made(protocol: str) -> None:
    async with ads_rig() as rig:
        await rig.publish(BIRCH)
        async with scripted_envoy(rig.channel, protocol, "first") as first:
            await first.subscribe(CLUSTER)
            await first.ack(await first.next())
            await first.subscribe(ENDPOINT, "birch", "alder")
            await first.ack(await first.next())
            changing = asyncio.create_task(rig.publish(ALDER))
            clusters = await first.next()
            async with obedient_envoy(rig.channel, protocol, "second") as second:
                await until(lambda: second.held[ROUTE])
                assert second.held[CLUSTER] == {"birch": "1", "alder": "1"}
                assert second.held[ROUTE] == {"edge": "1>birch"}
                await first.ack(clusters)
                while not changing.done():
                    answer = asyncio.create_task(first.next())
                    await asyncio.wait([answer, changing], return_when=asyncio.FIRST_COMPLETED)
                    if answer.done():
                        await first.ack(answer.result())
                    else:
                        answer.cancel()
                assert (await changing).outcome is Outcome.ACCEPTED
                assert second.held[CLUSTER] == {"alder": "1"}
                assert second.held[ROUTE] == {"edge": "1>alder"}


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_changes_are_made_in_the_order_they_were_asked_for_and_never_merged(protocol: str) -> None:
    """A good change followed at once by a bad one is made, and the bad one alone is taken back."""
    async with ads_rig() as rig, obedient_envoy(rig.channel, protocol, refusing=refusing_routes) as envoy:
        await rig.publish(BIRCH)
        await until(lambda: envoy.held[ROUTE])
        asked = [mesh_of("birch", content=content) for content in ("2", "bad", "3", "4")]
        changes = await asyncio.gather(*(rig.publish(snapshot) for snapshot in asked))
        assert [change.outcome.name for change in changes] == ["ACCEPTED", "REJECTED", "ACCEPTED", "ACCEPTED"]
        assert [change.id for change in changes] == [2, 3, 4, 5]
        routes = [response.contents["edge"] for response in envoy.seen if response.type is ROUTE]
        assert routes == ["1>birch", "2>birch", "bad>birch", "2>birch", "3>birch", "4>birch"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_goes_on_to_its_end_when_whoever_asked_for_it_is_gone() -> None:
    async with ads_rig() as rig:
        await rig.publish(BIRCH)
        async with scripted_envoy(rig.channel, "sotw") as envoy:
            await envoy.subscribe(LISTENER)
            await envoy.ack(await envoy.next())
            await envoy.subscribe(ROUTE, "edge")
            await envoy.ack(await envoy.next())
            asking = asyncio.create_task(rig.publish(ALDER))
            route = await envoy.next()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert rig.publisher.current() == BIRCH
            await envoy.ack(route)
            await rig.publisher.finish()
            assert rig.publisher.current() == ALDER
            assert rig.publisher.history.latest(1)[0].outcome is Outcome.ACCEPTED


@pytest.mark.asyncio(loop_scope="module")
async def test_times_come_from_the_clock_that_was_passed_in() -> None:
    ticks = iter(START + timedelta(seconds=second) for second in range(100))
    publisher = Publisher(lambda: next(ticks))
    change = await publisher.publish(BIRCH, CAUSE)
    (stage,) = change.stages
    times = [change.started, stage.started, stage.finished, change.finished]
    assert times == [START + timedelta(seconds=second) for second in range(4)]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_history_keeps_the_last_changes_and_no_more() -> None:
    publisher = Publisher(lambda: START, history=History(limit=3))
    for number in range(5):
        await publisher.publish(mesh_of("birch", content=str(number)), CAUSE)
    assert [change.id for change in publisher.history.latest()] == [5, 4, 3]
    assert [change.id for change in publisher.history.latest(1)] == [5]
    assert [change.id for change in publisher.history.since(4)] == [5]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_watcher_sees_each_change_once_and_one_that_falls_behind_sees_the_gap() -> None:
    publisher = Publisher(lambda: START, history=History(limit=2))

    async def made(count: int) -> None:
        for _ in range(count):
            await publisher.publish(mesh_of("birch", content=str(publisher.history.latest(1))), CAUSE)

    async def taken(watch: AsyncGenerator[Change, None]) -> int:
        async with asyncio.timeout(5):
            return (await anext(watch)).id

    watch = publisher.history.watch(after=0)
    await made(1)
    assert await taken(watch) == 1
    waiting = asyncio.create_task(taken(watch))
    await made(1)
    assert await waiting == 2
    await made(4)
    assert [await taken(watch), await taken(watch)] == [5, 6]
    await watch.aclose()
