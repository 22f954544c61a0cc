"""`metip trace` on the whole estate: a search that asks several systems, and a message that goes through the exchange to others, each told
the same from every kind of id.

Both are whatever the contracts have most of: the search that consults most interfaces, the message that most systems subscribe to.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from command_line import metip
from mesh_rig import MeshRig

from hub.cli.journey.showing import document
from hub.cli.messages import installed
from hub.contracts.samples import samples
from hub.exchange.keys import key_reader
from metip.call import CALL_ID_HEADER
from metip.common.v1.access_pb2 import AccessContext
from metip.journey.v1 import journey_service_pb2 as api
from metip.journey.v1.journey_service_pb2_grpc import JourneyServiceStub
from metip.options.v1.options_pb2 import PURPOSE_AUDIT
from metip.tracing import trace_id_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRACTS = installed().contracts
SAMPLES = [one for one in samples(installed()) if one.status == "OK" and not one.dials]
SEARCH = max((one for one in SAMPLES if one.operation.server_streams), key=lambda one: len(one.operation.consults))
MESSAGE = max(
    (one for one in SAMPLES if one.operation.delivery is not None and one.operation.personal),
    key=lambda one: sum(each.operation == one.operation.name for each in CONTRACTS.subscriptions),
)
PTI_URN = "pti_urn"
CASE = next(
    one for one in SAMPLES if one.operation.delivery is not None and any(field.name == PTI_URN for field, _ in one.request.ListFields())
)
"""A message about a case, which everybody knows by its number."""
SUBSCRIBERS = {one.system for one in CONTRACTS.subscriptions if one.operation == MESSAGE.operation.name}
WHY = AccessContext(purpose=PURPOSE_AUDIT, reference="1234/23NOV26", justification="a test asks")


async def journey(mesh: MeshRig, any_id: str, **more: Any) -> dict[str, Any]:
    """A journey as `metip trace --json` prints it, from the hub itself; nothing where there is none."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.home.hub_socket}") as channel:
        try:
            request = api.GetJourneyRequest(id=any_id, **more)
            return document(
                await JourneyServiceStub(channel).GetJourney(request, metadata=[("x-metip-operator", "os://test/test")], timeout=20)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return {}


async def whole(mesh: MeshRig, any_id: str, steps: int, begun: datetime) -> dict[str, Any]:
    """The journey, once nothing of it is on its way and nothing is missing: the call that was begun then, at the earliest, is in it."""
    async with asyncio.timeout(30):
        while True:
            found = await journey(mesh, any_id)
            if found and not found["open"] and len(found["steps"]) >= steps and _all_there(found, begun):
                return found
            await asyncio.sleep(0.3)


def _all_there(found: dict[str, Any], begun: datetime) -> bool:
    there = all(one["state"] != "missing" for one in found["steps"])
    return there and any(datetime.fromisoformat(one["at"]) >= begun for one in of_kind(found, "call"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def searched(mesh: MeshRig) -> AsyncIterator[dict[str, Any]]:
    """A search, and its journey by its call id."""
    begun = now()
    call: Any = mesh.channel().unary_stream(f"/{SEARCH.operation.name}")
    metadata = mesh.token() if SEARCH.operation.officer_admissible else []
    answers = call(SEARCH.request.SerializeToString(), metadata=metadata, timeout=20)
    assert [one async for one in answers]
    call_id = dict(await answers.initial_metadata())[CALL_ID_HEADER]
    yield await whole(mesh, call_id, steps=4 * len(SEARCH.operation.consults), begun=begun) | {"asked": call_id}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def published(mesh: MeshRig) -> AsyncIterator[dict[str, Any]]:
    """A message, and its journey by its message id; whoever handed it over first, since the far system may have done so too."""
    begun = now()
    key = key_reader(MESSAGE.operation.idempotency_fields)(MESSAGE.request)
    done = await metip(mesh.home.root, "messages", "publish", MESSAGE.operation.name, "--sample", "--json")
    message_id = done.json["message_id"]
    yield await whole(mesh, message_id, steps=4 * len(SUBSCRIBERS), begun=begun) | {"asked": message_id, "key": key}


def now() -> datetime:
    """The time, as exactly as Envoy's log tells it."""
    found = datetime.now(UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def told(journey: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a journey says, step by step."""
    return [tuple(json.dumps(one[name]) for name in sorted(one)) for one in journey["steps"]]


def of_kind(journey: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in journey["steps"] if one["kind"] == kind]


async def test_a_search_is_told_across_consumer_envoy_adapters_and_far_systems(mesh: MeshRig, searched: dict[str, Any]) -> None:
    root, *_ = searched["steps"]
    assert (root["call_id"], root["what"], root["who"]) == (searched["asked"], SEARCH.operation.name, mesh.spiffe_id("developer"))
    assert searched["journey_id"] == trace_id_of(searched["asked"])
    asked = {one["what"] for one in of_kind(searched, "call")[1:]}
    assert asked
    assert asked <= set(SEARCH.operation.consults)
    adapters, far = of_kind(searched, "adapter"), of_kind(searched, "far_system")
    assert {one["who"] for one in far} == {name.split(".")[1] for name in asked}
    assert all(one["milliseconds"] > 0 for one in far)
    assert all(one["record"] is not None for one in adapters if CONTRACTS.operations[one["what"]].personal)
    assert len(of_kind(searched, "envoy")) == len(of_kind(searched, "call"))
    names = {one["step_id"]: one for one in searched["steps"]}
    assert all(names[one["parent_id"]]["kind"] == "adapter" for one in of_kind(searched, "call")[1:])


async def test_a_search_is_told_alike_from_a_call_it_made_a_record_and_its_trace(mesh: MeshRig, searched: dict[str, Any]) -> None:
    part = of_kind(searched, "call")[-1]["call_id"]
    records = [one["record"] for one in searched["steps"] if one["record"] is not None]
    for any_id in (part, str(records[0]), str(records[-1]), searched["journey_id"], f"00-{searched['journey_id']}-00f067aa0ba902b7-01"):
        assert told(await journey(mesh, any_id)) == told(searched), any_id


async def test_a_message_is_told_from_its_producer_to_every_subscriber_s_far_system(mesh: MeshRig, published: dict[str, Any]) -> None:
    root, envoy, accepted, *_ = published["steps"]
    assert [one["kind"] for one in (root, envoy, accepted)] == ["call", "envoy", "accepted"]
    assert (accepted["message_id"], root["what"]) == (published["asked"], MESSAGE.operation.name)
    assert accepted["record"] is not None
    assert {one["where"].partition(":")[0] for one in of_kind(published, "delivery")} <= SUBSCRIBERS
    for attempt in of_kind(published, "attempt"):
        below = [
            one
            for one in published["steps"]
            if one["attempt"] == attempt["attempt"] and one["step_id"].count(attempt["where"].partition(":")[0])
        ]
        assert {"envoy", "adapter"} <= {one["kind"] for one in below}
    assert all(one["record"] is not None for one in of_kind(published, "adapter"))


async def test_a_message_is_told_alike_from_its_call_its_records_its_trace_and_its_business_key(
    mesh: MeshRig, published: dict[str, Any]
) -> None:
    call_id = published["steps"][0]["call_id"]
    records = [one["record"] for one in published["steps"] if one["record"] is not None]
    for any_id in (call_id, str(records[0]), str(records[-1]), published["journey_id"]):
        assert told(await journey(mesh, any_id)) == told(published), any_id
    by_key = await journey(mesh, published["key"], access=WHY)
    assert by_key["asked_by"] == "business_key"
    assert told(by_key) == told(published)


async def test_a_business_key_needs_a_reference_and_a_reason_and_its_asking_is_recorded(mesh: MeshRig, published: dict[str, Any]) -> None:
    without = await metip(mesh.home.root, "trace", published["key"])
    assert (without.code, "business key is personal" in without.err, published["key"] in without.err) == (2, True, False)
    done = await metip(mesh.home.root, "trace", published["key"], "--reference", "1234/23NOV26", "--reason", "a test asks", "--json")
    assert (done.code, told(done.json)) == (0, told(published))
    async with asyncio.timeout(20):
        while True:
            found = await metip(mesh.home.root, "ledger", "search", "--operation", "journey/find", "--reason", "a test asks", "--json")
            if found.json["records"]:
                break
            await asyncio.sleep(0.3)
    assert {one["kind"] for one in found.json["records"]} == {"ACTION"}


async def test_a_case_is_told_alike_from_its_number_and_from_its_message(mesh: MeshRig) -> None:
    begun = now()
    async with asyncio.timeout(40):  # the same sample has the same key, so it is one message however often it is handed over
        while (done := await metip(mesh.home.root, "messages", "publish", CASE.operation.name, "--sample", "--json")).code:  # noqa: ASYNC110 - the command line is asked
            await asyncio.sleep(0.5)
    by_message = await whole(mesh, done.json["message_id"], steps=4, begun=begun)
    number = next(value.value for field, value in CASE.request.ListFields() if field.name == PTI_URN)
    asked = {"kind": api.ID_KIND_BUSINESS_KEY, "identifier": PTI_URN, "access": WHY}
    by_number = await journey(mesh, number, **asked)
    stories = {by_number["journey_id"]: by_number}
    for other in by_number["others"]:  # the same case in other hands, on an estate that is shared
        one = await journey(mesh, other["id"])
        stories[one["journey_id"]] = one
    assert told(stories[by_message["journey_id"]]) == told(by_message)
    assert number not in json.dumps(by_number)


async def test_the_table_shows_the_tree_and_an_unknown_id_says_so(mesh: MeshRig, searched: dict[str, Any]) -> None:
    shown = await metip(mesh.home.root, "trace", searched["asked"])
    assert shown.code == 0
    assert all(one["line"] in shown.out for one in searched["steps"])
    assert "read: ledger:" in shown.out
    unknown = await metip(mesh.home.root, "trace", str(uuid4()))
    assert unknown.code == 1
    assert "no source knows anything by that id" in unknown.err
