"""The console on the whole estate: contracts with their samples, an operation tried out under the consumer's own grants, streams, and
records that name whoever signed in."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from browsers import Browser, browser
from command_line import metip
from journals_of_mesh import rows
from mesh_rig import MeshRig
from samples import query

from hub.contracts import load
from hub.contracts.messages import Messages
from hub.contracts.samples import sample_of
from hub.identity import issue_operator_token
from hub.laptop.layout import TRUST_DOMAIN
from hub.mesh.inputs import console_identity
from metip.common.v1.access_pb2 import AccessContext
from metip.console.v1.try_service_pb2 import TryOperationRequest, TryOperationResponse
from metip.hub.v1.catalogue_service_pb2 import GetInterfaceRequest, GetInterfaceResponse, ListInterfacesRequest, ListInterfacesResponse
from metip.ledger.v1.ledger_service_pb2 import SummariseUseRequest
from metip.ledger.v1.record_pb2 import Record
from metip.options.v1.options_pb2 import PURPOSE_AUDIT, Purpose
from metip.traffic.v1.traffic_service_pb2 import WatchTrafficRequest, WatchTrafficResponse

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRY = "metip.console.v1.TryService/TryOperation"
GET_INTERFACE = "metip.hub.v1.CatalogueService/GetInterface"
ASKED = query().operation.name
MASK = "•••"


@pytest_asyncio.fixture(loop_scope="session")
async def page(mesh: MeshRig) -> AsyncIterator[Browser]:
    """A browser at the console."""
    async with browser(mesh.ports.console, mesh.store.ca_certificate) as found:
        yield found


def token(mesh: MeshRig, *roles: str, user: str = "alex") -> str:
    """A sign-in."""
    return issue_operator_token(
        mesh.store, user, roles, authorised_party=console_identity(TRUST_DOMAIN), lifetime=timedelta(minutes=5), now=datetime.now(UTC)
    )


def actions(mesh: MeshRig, action: str) -> list[Record]:
    """What the hub recorded of that."""
    found = (Record.FromString(record) for _, record, _ in rows(mesh.home.journals / "hub.sqlite"))
    return [one for one in found if one.operation == action]


async def tried(mesh: MeshRig, page: Browser, operation: str, request: Any, user: str = "alex") -> TryOperationResponse:
    """Tries an operation with a request as JSON; it must have been carried out."""
    asked = TryOperationRequest(operation=operation, request=request if isinstance(request, str) else json.dumps(request))
    answer = await page.call(TRY, asked, token=token(mesh, "operations", user=user))
    assert answer.status == "OK", (answer.status, answer.reason, answer.trailers)
    return TryOperationResponse.FromString(answer.messages[0])


async def test_every_interface_is_described_with_its_operations_and_who_may_call_them(mesh: MeshRig, page: Browser) -> None:
    reading = token(mesh, "operations-read")
    listed = await page.call("metip.hub.v1.CatalogueService/ListInterfaces", ListInterfacesRequest(), token=reading)
    for one in ListInterfacesResponse.FromString(listed.messages[0]).interfaces:
        answer = await page.call(GET_INTERFACE, GetInterfaceRequest(interface=one.name), token=reading)
        found = GetInterfaceResponse.FromString(answer.messages[0])
        assert [operation.explained.operation for operation in found.operations] == [f"{one.name}/{name}" for name in one.operations]
        consumers = {permission.consumer for operation in found.operations for permission in operation.permissions}
        assert f"spiffe://{TRUST_DOMAIN}/consumer/developer" in consumers
        assert found.messages


async def test_an_interface_that_is_not_on_the_mesh_is_not_found(mesh: MeshRig, page: Browser) -> None:
    for name in ("metip.nobody.v1.NoService", "metip.hub.v1.RegistryService"):
        answer = await page.call(GET_INTERFACE, GetInterfaceRequest(interface=name), token=token(mesh, "operations-read"))
        assert answer.status == "NOT_FOUND"


async def test_the_sample_of_an_operation_is_answered_masked_and_recorded_by_name(mesh: MeshRig, page: Browser) -> None:
    answer = await page.call(GET_INTERFACE, GetInterfaceRequest(interface=ASKED.partition("/")[0]), token=token(mesh, "operations"))
    found = GetInterfaceResponse.FromString(answer.messages[0])
    detail = next(one for one in found.operations if one.explained.operation == ASKED)
    before = len(actions(mesh, "console/try"))
    result = await tried(mesh, page, ASKED, detail.sample, user="jo.sample")
    assert (result.status, result.consumer) == ("OK", console_identity(TRUST_DOMAIN))
    (reply,) = result.replies
    assert MASK in reply
    assert result.call_id
    record = actions(mesh, "console/try")[-1]
    assert len(actions(mesh, "console/try")) == before + 1
    assert record.consumer == "sso://token-issuer.metip.local/jo.sample"
    assert (record.purpose, record.outcome) == (json_purpose(detail.sample), "OK")


async def test_what_is_tried_is_judged_as_any_call_and_the_refusal_is_told(mesh: MeshRig, page: Browser) -> None:
    messages = Messages(load(date.min))
    sample = sample_of(messages.contracts.operations[ASKED], messages)
    assert sample is not None
    document = messages.document(sample.request)
    document["access"]["purpose"] = "PURPOSE_TRAINING"
    result = await tried(mesh, page, ASKED, document)
    assert (result.status, result.refusal.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_PERMITTED")
    assert result.refusal.advice
    assert not result.replies
    result = await tried(mesh, page, ASKED, {})
    assert result.status == "INVALID_ARGUMENT"
    assert [one.field for one in result.refusal.violations]


@pytest.mark.parametrize(
    ("operation", "request_text", "reason"),
    [
        (ASKED, "{", "INVALID_REQUEST"),
        (ASKED, '{"no_such_field": "QUACKENBUSH"}', "INVALID_REQUEST"),
        (ASKED, '{"access": {"purpose": "QUACKENBUSH"}}', "INVALID_REQUEST"),
        (ASKED, "[]", "INVALID_REQUEST"),
        ("metip.hub.v1.RegistryService/Register", "{}", "NO_TRACE"),
        ("metip.nobody.v1.NoService/Nothing", "{}", "NO_TRACE"),
        ("metip.exchange.v1.ExchangeService/PublishBatch", "{}", "PRECONDITION"),
    ],
)
async def test_what_is_no_request_of_an_operation_on_the_mesh_is_not_tried(
    operation: str, request_text: str, reason: str, mesh: MeshRig, page: Browser
) -> None:
    before = len(actions(mesh, "console/try"))
    answer = await page.call(TRY, TryOperationRequest(operation=operation, request=request_text), token=token(mesh, "operations"))
    assert answer.reason == reason
    assert "QUACKENBUSH" not in str(answer.trailers), "no value of a request is repeated"
    assert len(actions(mesh, "console/try")) == before


async def test_whoever_may_only_read_tries_nothing(mesh: MeshRig, page: Browser) -> None:
    answer = await page.call(TRY, TryOperationRequest(operation=ASKED, request="{}"), token=token(mesh, "operations-read"))
    assert answer.reason == "ROLE_NEEDED"


async def test_a_stream_of_the_hubs_reaches_a_browser(mesh: MeshRig, page: Browser) -> None:
    stream = page.stream("metip.traffic.v1.TrafficService/WatchTraffic", WatchTrafficRequest(), token=token(mesh, "operations-read"))
    first = await anext(stream)
    assert WatchTrafficResponse.FromString(first).ByteSize()
    await stream.aclose()  # type: ignore[attr-defined]


async def test_the_ledger_knows_whoever_signed_in_by_the_token_that_envoy_verified(mesh: MeshRig, page: Browser) -> None:
    request = SummariseUseRequest(access=AccessContext(purpose=PURPOSE_AUDIT, justification="a look at how much it is used"))
    answer = await page.call("metip.ledger.v1.LedgerService/SummariseUse", request, token=token(mesh, "operations-read", user="look"))
    assert answer.status == "OK", answer.trailers
    record = actions(mesh, "ledger/summarise")[-1]
    assert (record.consumer, record.unit) == ("sso://token-issuer.metip.local/look", "operations")


async def test_the_command_line_prints_an_address_that_signs_in(mesh: MeshRig, page: Browser) -> None:
    said = await metip(mesh.home.root, "console", "--role", "operations-read", "--lifetime", "1m", "--json")
    address, _, signed = said.json["address"].partition("#token=")
    assert address == f"https://127.0.0.1:{mesh.ports.console}/"
    assert (await page.call("metip.hub.v1.MeshService/GetMesh", token=signed)).status == "OK"
    assert (await page.call(TRY, token=signed)).reason == "ROLE_NEEDED"


async def test_check_looks_at_the_console(mesh: MeshRig) -> None:
    said = await metip(mesh.home.root, "check", "--only", "edge", "--json")
    found = [one for one in said.json["findings"] if "console" in one["what"]]
    assert [one["state"] for one in found] == ["ok", "ok"], found


def json_purpose(text: str) -> int:
    """The purpose that a request states."""
    return int(Purpose.Value(json.loads(text)["access"]["purpose"]))
