"""The ADS server keeps the rules of both xDS protocols, against a real gRPC client that says exactly what a test tells it."""

import asyncio
import logging

import grpc
import pytest
from ads_rig import ads_rig
from scripted_envoy import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    PROTOCOLS,
    ROUTE,
    SECRET,
    Response,
    ScriptedEnvoy,
    edge,
    mesh_of,
    obedient_envoy,
    scripted_envoy,
    system,
    thing,
)
from waiting import until

from hub.mesh.ads import SERVICE
from hub.mesh.history import Outcome
from hub.mesh.resources import SEND_ORDER, ResourceType, Snapshot

ON_BOTH = pytest.mark.parametrize("protocol", PROTOCOLS)
TWO = mesh_of("alder", "birch")

SUBSCRIPTIONS: list[object] = [
    pytest.param(CLUSTER, (), {"alder": "1", "birch": "1"}, id="clusters without names are all clusters"),
    pytest.param(CLUSTER, ("*",), {"alder": "1", "birch": "1"}, id="clusters by wildcard are all clusters"),
    pytest.param(CLUSTER, ("birch",), {"birch": "1"}, id="a cluster by name is that cluster"),
    pytest.param(LISTENER, (), {"edge": "1"}, id="listeners without names are all listeners"),
    pytest.param(ENDPOINT, ("birch",), {"birch": "1"}, id="endpoints only by name"),
    pytest.param(ROUTE, ("edge",), {"edge": "1>alder,birch"}, id="a route by name"),
]

NO_REQUESTS = [
    pytest.param(b"", id="no node"),
    pytest.param(b"\x22\x02\xff\xff", id="a type that is not text"),
    pytest.param(b"\x0a", id="cut short"),
]


async def taken(envoy: ScriptedEnvoy, kind: ResourceType) -> Response:
    """The next response, which has to be of this type, acknowledged."""
    response = await envoy.next()
    assert response.type is kind
    await envoy.ack(response)
    return response


@ON_BOTH
@pytest.mark.parametrize(("kind", "names", "contents"), SUBSCRIPTIONS)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_subscription_gets_what_it_asks_for(
    protocol: str, kind: ResourceType, names: tuple[str, ...], contents: dict[str, str]
) -> None:
    async with ads_rig() as rig:
        await rig.publish(TWO)
        async with scripted_envoy(rig.channel, protocol) as envoy:
            await envoy.subscribe(kind, *names)
            response = await envoy.next()
            assert response.type is kind
            assert response.contents == contents
            assert response.version == TWO.version(kind)


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_types_come_in_the_order_in_which_they_need_each_other(protocol: str) -> None:
    snapshot = Snapshot.of([*TWO.all(), thing(SECRET, "cert")])
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        for kind, names in ((ROUTE, ["edge"]), (LISTENER, []), (ENDPOINT, ["birch", "alder"]), (CLUSTER, []), (SECRET, ["cert"])):
            await envoy.subscribe(kind, *names)
        await until(lambda: [len(connected.acked) for connected in rig.ads.envoys()] == [5])
        publishing = asyncio.create_task(rig.publish(snapshot))
        assert [(await taken(envoy, kind)).type for kind in SEND_ORDER] == list(SEND_ORDER)
        assert (await publishing).outcome is Outcome.ACCEPTED


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_envoy_that_outlived_the_hub_is_told_nothing_before_the_first_change(protocol: str) -> None:
    """An empty answer would strip it of everything it serves."""
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await envoy.subscribe(CLUSTER)
        await until(rig.ads.envoys)
        publishing = asyncio.create_task(rig.publish(TWO))
        assert (await taken(envoy, CLUSTER)).contents == {"alder": "1", "birch": "1"}
        await envoy.subscribe(ENDPOINT, "birch", "alder")
        await taken(envoy, ENDPOINT)
        assert (await publishing).outcome is Outcome.ACCEPTED


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_empty_mesh_is_told_as_such(protocol: str) -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(Snapshot.of([]))
        await envoy.subscribe(CLUSTER)
        assert (await taken(envoy, CLUSTER)).contents == {}


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_names_asked_for_later_are_sent_then_and_again_after_they_were_given_up(protocol: str) -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(TWO)
        await envoy.subscribe(ENDPOINT, "birch")
        assert (await taken(envoy, ENDPOINT)).contents == {"birch": "1"}
        await envoy.subscribe(ENDPOINT, "alder")
        both = {"alder": "1", "birch": "1"}
        assert (await taken(envoy, ENDPOINT)).contents == (both if protocol == "sotw" else {"alder": "1"})
        await envoy.unsubscribe(ENDPOINT, "birch")
        await envoy.subscribe(ENDPOINT, "birch")
        assert (await taken(envoy, ENDPOINT)).contents == (both if protocol == "sotw" else {"birch": "1"})


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_refused_is_not_sent_again_until_it_differs(protocol: str) -> None:
    other_route = Snapshot.of([*edge("alder", "birch", content="2"), *system("alder"), *system("birch")])
    new_cluster = Snapshot.of([*edge("alder", "birch", content="2"), *system("alder"), *system("birch", "2")])
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(TWO)
        await envoy.subscribe(CLUSTER)
        await envoy.subscribe(ROUTE, "edge")
        refused = await envoy.next()
        assert refused.type is CLUSTER
        await envoy.refuse(refused, "no such transport socket")
        await taken(envoy, ROUTE)
        await until(lambda: [connected.last_nack is not None for connected in rig.ads.envoys()] == [True])
        (connected,) = rig.ads.envoys()
        assert connected.last_nack is not None
        assert connected.last_nack.message == "no such transport socket"
        assert (connected.last_nack.type, connected.last_nack.version) == (CLUSTER, TWO.version(CLUSTER))
        assert connected.acked[CLUSTER] == ""

        changing = asyncio.create_task(rig.publish(other_route))
        assert (await taken(envoy, ROUTE)).contents == {"edge": "2>alder,birch"}
        assert (await changing).outcome is Outcome.ACCEPTED

        changing = asyncio.create_task(rig.publish(new_cluster))
        response = await taken(envoy, CLUSTER)
        assert response.contents["birch"] == "2"
        await envoy.subscribe(ENDPOINT, "alder", "birch")
        await taken(envoy, ENDPOINT)
        assert (await changing).outcome is Outcome.ACCEPTED
        assert rig.ads.envoys()[0].acked[CLUSTER] == new_cluster.version(CLUSTER)


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_the_endpoints_of_a_changed_cluster_come_again_though_they_are_the_same(protocol: str) -> None:
    """Envoy warms the changed cluster only then."""
    clusters_only = Snapshot.of([*edge("birch"), thing(CLUSTER, "birch", "2", (ENDPOINT, "birch")), thing(ENDPOINT, "birch")])
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(mesh_of("birch"))
        await envoy.subscribe(CLUSTER)
        await taken(envoy, CLUSTER)
        await envoy.subscribe(ENDPOINT, "birch")
        await taken(envoy, ENDPOINT)
        changing = asyncio.create_task(rig.publish(clusters_only))
        assert (await taken(envoy, CLUSTER)).contents == {"birch": "2"}
        assert (await taken(envoy, ENDPOINT)).contents == {"birch": "1"}
        assert (await changing).outcome is Outcome.ACCEPTED


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_to_a_response_that_is_not_the_last_is_stale(protocol: str) -> None:
    async with ads_rig(answer_within=0.05) as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(mesh_of("birch"))
        await envoy.subscribe(ROUTE, "edge")
        first = await envoy.next()
        change = await rig.publish(mesh_of("birch", content="2"))
        assert change.outcome is Outcome.TIMED_OUT_WAITING
        second = await envoy.next()
        await envoy.refuse(first, "too late")
        await envoy.ack(second)
        await until(lambda: rig.ads.envoys()[0].acked[ROUTE] == second.version)
        late = rig.ads.envoys()[0].last_nack
        assert (late is None) is (protocol == "sotw"), "delta answers each response by its own nonce"


@pytest.mark.asyncio(loop_scope="module")
async def test_delta_sends_only_what_differs_and_names_what_has_gone() -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, "delta") as envoy:
        await rig.publish(TWO)
        await envoy.subscribe(CLUSTER)
        await taken(envoy, CLUSTER)
        await envoy.subscribe(ENDPOINT, "birch", "alder")
        await taken(envoy, ENDPOINT)
        await envoy.subscribe(ROUTE, "edge")
        await taken(envoy, ROUTE)
        changing = asyncio.create_task(rig.publish(mesh_of("cedar", "birch")))
        assert (await taken(envoy, CLUSTER)).contents == {"cedar": "1"}
        await envoy.subscribe(ENDPOINT, "cedar")
        assert (await taken(envoy, ENDPOINT)).contents == {"cedar": "1"}
        assert (await taken(envoy, ROUTE)).contents == {"edge": "1>cedar,birch"}
        dropped = await taken(envoy, CLUSTER)
        assert (dropped.contents, dropped.removed) == ({}, ("alder",))
        dropped = await taken(envoy, ENDPOINT)
        assert (dropped.contents, dropped.removed) == ({}, ("alder",))
        assert (await changing).outcome is Outcome.ACCEPTED


@pytest.mark.asyncio(loop_scope="module")
async def test_a_returning_delta_envoy_is_sent_only_what_it_lacks() -> None:
    async with ads_rig() as rig:
        await rig.publish(TWO)
        birch = TWO.of_type(CLUSTER)["birch"].version
        async with scripted_envoy(rig.channel, "delta") as envoy:
            await envoy.subscribe(CLUSTER, has={"birch": birch, "alder": "another", "gone": "any"})
            response = await taken(envoy, CLUSTER)
            assert (response.contents, response.removed) == ({"alder": "1"}, ("gone",))
            # The endpoints of what changed come in any case; those of what did not are known.
            has = {name: resource.version for name, resource in TWO.of_type(ENDPOINT).items()}
            await envoy.subscribe(ENDPOINT, "birch", "alder", has=has)
            assert (await taken(envoy, ENDPOINT)).contents == {"alder": "1"}


@pytest.mark.asyncio(loop_scope="module")
async def test_delta_says_of_a_name_that_is_not_there_that_it_is_not_and_sends_it_once_it_is() -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, "delta") as envoy:
        await rig.publish(mesh_of("birch"))
        await envoy.subscribe(ENDPOINT, "birch", "cedar")
        response = await taken(envoy, ENDPOINT)
        assert (response.contents, response.removed) == ({"birch": "1"}, ("cedar",))
        changing = asyncio.create_task(rig.publish(mesh_of("cedar", "birch")))
        assert (await taken(envoy, ENDPOINT)).contents == {"cedar": "1"}
        assert (await changing).outcome is Outcome.ACCEPTED


@pytest.mark.asyncio(loop_scope="module")
async def test_the_state_of_the_world_of_clusters_is_always_whole() -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, "sotw") as envoy:
        await rig.publish(TWO)
        await envoy.subscribe(CLUSTER)
        await taken(envoy, CLUSTER)
        changing = asyncio.create_task(rig.publish(mesh_of("birch")))
        assert (await taken(envoy, CLUSTER)).contents == {"birch": "1"}
        await envoy.subscribe(ENDPOINT, "birch")
        await taken(envoy, ENDPOINT)
        assert (await changing).outcome is Outcome.ACCEPTED


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_type_that_is_not_served_is_ignored_and_the_stream_lives(protocol: str) -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(TWO)
        await envoy.send("type.googleapis.com/envoy.service.runtime.v3.Runtime")
        await envoy.subscribe(LISTENER)
        await taken(envoy, LISTENER)


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_connected_is_listed_with_what_it_holds_and_goes_when_it_goes(protocol: str) -> None:
    async with ads_rig() as rig:
        await rig.publish(TWO)
        async with obedient_envoy(rig.channel, protocol, "edge-7"), obedient_envoy(rig.channel, protocol, "edge-8"):
            held = {kind: TWO.version(kind) for kind in SEND_ORDER if kind is not SECRET}
            await until(lambda: [dict(connected.acked) for connected in rig.ads.envoys()] == [held, held])
            listed = rig.ads.envoys()
            assert {connected.node_id for connected in listed} == {"edge-7", "edge-8"}
            assert {(connected.cluster, connected.protocol) for connected in listed} == {("edge", protocol)}
        await until(lambda: rig.ads.envoys() == ())


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_no_task_is_left_when_a_client_vanishes_in_the_middle_of_a_response(protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with ads_rig() as rig:  # looks for tasks at its end
            await rig.publish(Snapshot.of(resource for number in range(200) for resource in system(f"s{number}")))
            for _ in range(5):
                async with scripted_envoy(rig.channel, protocol) as envoy:
                    await envoy.subscribe(CLUSTER)
                    await until(rig.ads.envoys)
                await until(lambda: not rig.ads.envoys())
    assert caplog.messages == []


@ON_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_stream_ends_in_order_when_the_service_closes(protocol: str) -> None:
    async with ads_rig() as rig, scripted_envoy(rig.channel, protocol) as envoy:
        await rig.publish(TWO)
        await envoy.subscribe(LISTENER)
        await taken(envoy, LISTENER)
        rig.ads.close()
        with pytest.raises(EOFError):
            await envoy.next()
        assert await envoy.call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("method", ["StreamAggregatedResources", "DeltaAggregatedResources"])
@pytest.mark.parametrize("request_bytes", NO_REQUESTS)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_request_ends_its_own_stream_and_nothing_else(method: str, request_bytes: bytes) -> None:
    async with ads_rig() as rig, asyncio.timeout(10):
        await rig.publish(TWO)
        async with obedient_envoy(rig.channel, "delta") as envoy:
            await until(lambda: envoy.held[ROUTE])
            raw: grpc.aio.StreamStreamCall[bytes, bytes] = rig.channel.stream_stream(f"/{SERVICE}/{method}")()
            await raw.write(request_bytes)
            assert await raw.code() is not grpc.StatusCode.OK
            assert [connected.node_id for connected in rig.ads.envoys()] == ["edge-1"]
