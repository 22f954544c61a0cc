"""What is live, on a running estate: calls through Envoy in `metip top` and `metip tap`, failures by reason, weights on the map."""

import asyncio
from datetime import date
from typing import Any

import grpc
import pytest
from cases import RecordedCase, case_files, read_case
from command_line import Done, metip
from leaks import kinds_in
from mesh_rig import MeshRig, load, until
from samples import query, send

from adapters.kit.serving import installed_contracts
from hub.laptop.layout import DEVELOPER
from hub.mesh.admin import Admin
from metip.cases.v1.case_pb2 import Fault
from metip.contracts import DeliveryClass
from metip.estate.v1 import estate_pb2
from metip.estate.v1 import estate_service_pb2 as api
from metip.estate.v1.estate_service_pb2_grpc import EstateServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRACTS = installed_contracts(date.min)
QUERY = query()
FAR_APART = 0.05
"""Seconds between two calls of a test's own load."""


def _shared() -> RecordedCase:
    """A query that another system answers too."""
    for case in map(read_case, case_files()):
        operation = case.operation
        if case.case.sample and operation.delivery_class is DeliveryClass.READ and CONTRACTS.serving(operation.name):
            return case
    raise LookupError("no query is shared")


SHARED = _shared()
OTHER = CONTRACTS.serving(SHARED.operation.name)[0]


async def top(mesh: MeshRig, *arguments: str) -> Any:
    done = await metip(mesh.home.root, "top", "--once", "--json", *arguments)
    assert done.code == 0, done.err
    return done.json


def row_of(document: Any, name: str) -> Any:
    return next((one for one in document["rows"] if one["name"] == name), None)


async def test_it_is_ready_once_its_doors_are_open(mesh: MeshRig) -> None:
    ports = mesh.ports
    assert await mesh.admin.listens({ports.grpc, ports.json, ports.console})
    assert not await mesh.admin.listens({ports.grpc, 1})
    assert not await Admin(mesh.home.run / "nobody.sock").listens({ports.grpc})


async def test_calls_show_up_in_top_and_tap_as_what_they_are_and_with_nothing_personal(mesh: MeshRig) -> None:
    channel, name = mesh.channel(), QUERY.operation.name

    async def call() -> None:
        await send(mesh, QUERY, channel)
        await asyncio.sleep(FAR_APART)

    async with load(call, workers=1) as sent:
        tapped = await metip(mesh.home.root, "tap", "--json", "--operation", name, "--consumer", DEVELOPER, "--count", "5", "--for", "30s")
        by = {one: await top(mesh, "--by", one, "--active") for one in ("operation", "consumer")}
        text = await metip(mesh.home.root, "top", "--once")
    assert (tapped.code, len(tapped.documents), sent.failed) == (0, 5, []), tapped.err
    for one in tapped.documents:
        assert (one["operation"], one["consumer"], one["system"]) == (name, mesh.spiffe_id(DEVELOPER), QUERY.system)
        assert (one["status"], one["reason"], one["error"], one["kind"], one["reached"]) == ("OK", "", False, "call", "answered")
        assert one["call_id"]
    for one, key in (("operation", name), ("consumer", mesh.spiffe_id(DEVELOPER))):
        row = row_of(by[one], key)
        assert row["calls"] > 0, by[one]
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert [one["problem"] for one in by["consumer"]["sources"]] == ["", "", ""]
    assert QUERY.operation.interface.removeprefix("metip.") in text.out
    assert kinds_in(f"{tapped.out}{text.out}{by}".encode()) == frozenset()


async def test_a_far_system_that_fails_is_an_error_by_its_reason(mesh: MeshRig) -> None:
    name = QUERY.operation.name

    async def tap() -> Done:
        return await metip(mesh.home.root, "tap", "--json", "--errors", "--operation", name, "--count", "1", "--for", "30s")

    tapped = asyncio.create_task(tap())
    while not tapped.done():
        async with mesh.dials({QUERY.system: [Fault(dial="drop", times=3)]}):
            with pytest.raises(grpc.aio.AioRpcError):
                await send(mesh, QUERY, mesh.channel())
        assert await send(mesh, QUERY, mesh.channel()), "the far system is back, and the breaker is closed"
        await asyncio.wait((tapped,), timeout=1.5)
    (document,) = (await tapped).documents
    assert (document["status"], document["reason"], document["error"], document["attempts"]) == ("UNAVAILABLE", "UNAVAILABLE", True, 3)
    row = row_of(await top(mesh, "--by", "operation", "--failing"), name)
    assert row["errors"]["UNAVAILABLE"] >= 1
    assert 0 < row["error_share"] < 1
    assert row_of(await top(mesh, "--by", "system", "--failing"), QUERY.system)["error_share"] > 0


async def test_a_weight_that_moves_is_seen_on_the_map_with_the_calls_that_follow_it(mesh: MeshRig) -> None:
    interface, owner = SHARED.operation.interface, CONTRACTS.interface(SHARED.operation.interface).system
    edges: dict[str, estate_pb2.Edge] = {}
    nodes: dict[str, estate_pb2.Node] = {}
    to_other, to_owner = (f"answers|interface:{interface}|system:{one}" for one in (OTHER, owner))

    async def watch(stub: Any) -> None:
        request = api.WatchEstateRequest(filter=api.EstateFilter(interfaces=[interface]))
        request.every.FromSeconds(1)
        async for answer in stub.WatchEstate(request):
            for one in answer.gone:
                edges.pop(one, None)
            edges.update({edge.id: edge for edge in answer.estate.edges})
            nodes.update({node.id: node for node in answer.estate.nodes})

    def there(weight: float) -> bool:
        edge = edges.get(to_other)
        return edge is not None and edge.weight_percent_in_envoy == weight

    async def at_rest() -> bool:
        return there(0)

    async def moved() -> bool:
        return there(30) and edges[to_other].measures.calls > 0 and edges[to_owner].measures.calls > 0

    async with grpc.aio.insecure_channel(f"unix:{mesh.home.hub_socket}") as channel:
        watching = asyncio.create_task(watch(EstateServiceStub(channel)))
        calling = mesh.channel()
        try:
            await until(at_rest)
            async with mesh.served_by(OTHER, SHARED.operation, share=30), load(lambda: _slowly(mesh, calling), workers=2):
                await until(moved, within=30)
                assert edges[to_other].weight_percent == 0, "the hub says otherwise than Envoy"
                assert any("by hand in Envoy" in note for note in nodes[f"interface:{interface}"].notes)
                assert edges[f"calls|consumer:{mesh.spiffe_id(DEVELOPER)}|interface:{interface}"].measures.per_second > 0
            await until(at_rest)
        finally:
            watching.cancel()
            await asyncio.wait((watching,))
    assert nodes[f"system:{OTHER}"].kind == estate_pb2.NODE_KIND_SYSTEM


async def _slowly(mesh: MeshRig, channel: grpc.aio.Channel) -> None:
    await send(mesh, SHARED, channel)
    await asyncio.sleep(FAR_APART)
