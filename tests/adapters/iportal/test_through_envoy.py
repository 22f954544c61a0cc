"""The portal as browsers reach it: JSON and grpc-web through the real Envoy, with the systems behind it."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from grpc_web import BINARY, TEXT, ask
from json_client import post
from mesh_rig import MeshRig, running_mesh, until

from metip.cases.v1.case_pb2 import Fault
from metip.iportal.v1.portal_service_pb2 import (
    ComposePersonViewRequest,
    ComposePersonViewResponse,
    GetStatusRequest,
    GetStatusResponse,
)
from metip.iportal.v1.view_pb2 import SectionStatus

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = "metip.iportal.v1.PortalService"
SYSTEMS = ("iportal", "pnc", "connect", "cris", "merlin", "cad", "footwear", "copa")
ACCESS = {"purpose": "PURPOSE_CRIME_INVESTIGATION", "justification": "Suspect in a burglary", "reference": "1234/23NOV26"}
PERSON = {"access": ACCESS, "description": {"family_name": "Halzerwick", "given_names": "Calquol"}}
ANSWERED = {"pnc": "ANSWERED", "connect": "ANSWERED", "cris": "ANSWERED", "merlin": "ANSWERED"}
OK, INVALID_ARGUMENT = 0, 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    async with running_mesh(tmp_path_factory.mktemp("mesh"), systems=SYSTEMS) as rig:

        async def all_there() -> bool:
            return set((await view(rig)).values()) == {"ANSWERED"}

        await until(all_there, within=30)
        yield rig


def statuses(sections: list[Any]) -> dict[str, str]:
    return {one["source"]: one["status"].removeprefix("SECTION_STATUS_") for one in sections}


async def view(mesh: MeshRig) -> dict[str, str]:
    answer = await post(mesh, f"{SERVICE}/ComposePersonView", PERSON)
    return statuses(answer.document.get("sections", [])) or {"": "no view"}


def request(**changed: Any) -> bytes:
    asked: ComposePersonViewRequest = json_format.ParseDict({**PERSON, **changed}, ComposePersonViewRequest())
    return asked.SerializeToString()


async def test_a_view_comes_as_one_json_document(mesh: MeshRig) -> None:
    answer = await post(mesh, f"{SERVICE}/ComposePersonView", PERSON)
    assert answer.status == 200
    assert statuses(answer.document["sections"]) == ANSWERED
    first = answer.document["sections"][0]["entries"][0]
    assert (first["reference"], first["person"]["name"]["family_name"]) == ("2005/9007919R", "HALZERWICK")
    assert answer.document["composed_at"].endswith("Z")


async def test_a_source_that_is_down_is_a_section_and_the_page_is_http_200(mesh: MeshRig) -> None:
    async with mesh.dials({"cris": [Fault(dial="drop")]}):
        answer = await post(mesh, f"{SERVICE}/ComposePersonView", PERSON)
    assert answer.status == 200
    assert statuses(answer.document["sections"]) == {**ANSWERED, "cris": "UNAVAILABLE"}


async def test_a_source_that_hangs_does_not_hold_up_the_page(mesh: MeshRig) -> None:
    async with mesh.dials({"merlin": [Fault(dial="hang")]}):
        answer = await post(mesh, f"{SERVICE}/ComposePersonView", PERSON, within=2.0)
    assert statuses(answer.document["sections"]) == {**ANSWERED, "merlin": "TIMED_OUT"}


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("ComposeAddressView", {"access": ACCESS, "postcode": "ZZ18 8RB"}),
        ("ComposeIncidentView", {"access": ACCESS, "crime_report_number": {"value": "9907919/26"}}),
        ("GetStatus", {}),
    ],
)
async def test_every_operation_is_reached_by_json(mesh: MeshRig, method: str, asked: dict[str, Any]) -> None:
    answer = await post(mesh, f"{SERVICE}/{method}", asked)
    assert answer.status == 200
    assert answer.document


async def test_json_that_breaks_the_contract_is_http_400(mesh: MeshRig) -> None:
    assert (await post(mesh, f"{SERVICE}/ComposePersonView", {"access": ACCESS})).status == 400
    assert (await post(mesh, f"{SERVICE}/ComposePersonView", {**PERSON, "access": {**ACCESS, "purpose": "NO_SUCH"}})).status == 400


async def test_json_without_an_officers_token_is_http_401(mesh: MeshRig) -> None:
    assert (await post(mesh, f"{SERVICE}/ComposePersonView", PERSON, token=False)).status == 401


@pytest.mark.parametrize("kind", [BINARY, TEXT], ids=["binary", "text"])
async def test_a_view_comes_over_grpc_web(mesh: MeshRig, kind: str) -> None:
    answer = await ask(mesh, f"{SERVICE}/ComposePersonView", request(), kind=kind)
    assert (answer.http_status, answer.grpc_status) == (200, OK)
    assert answer.headers["content-type"].startswith(kind.removesuffix("+proto"))
    (message,) = answer.messages
    sections = ComposePersonViewResponse.FromString(message).sections
    assert {one.source: SectionStatus.Name(one.status).removeprefix("SECTION_STATUS_") for one in sections} == ANSWERED
    assert sections[0].entries[0].reference == "2005/9007919R"


async def test_grpc_web_and_json_show_the_same(mesh: MeshRig) -> None:
    web = ComposePersonViewResponse.FromString((await ask(mesh, f"{SERVICE}/ComposePersonView", request())).messages[0])
    document = (await post(mesh, f"{SERVICE}/ComposePersonView", PERSON)).document
    shown = json_format.ParseDict(document, ComposePersonViewResponse())
    assert [[entry.reference for entry in one.entries] for one in web.sections] == [
        [entry.reference for entry in one.entries] for one in shown.sections
    ]


async def test_a_refusal_over_grpc_web_has_its_status_and_details_in_the_trailers(mesh: MeshRig) -> None:
    answer = await ask(mesh, f"{SERVICE}/ComposePersonView", request(description={"family_name": "H"}))
    assert (answer.http_status, answer.grpc_status, list(answer.messages)) == (200, INVALID_ARGUMENT, [])
    packed = answer.trailers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    assert (info.reason, info.domain) == ("INVALID_REQUEST", "iportal.metip")


async def test_grpc_web_without_an_officers_token_is_refused_at_the_edge(mesh: MeshRig) -> None:
    answer = await ask(mesh, f"{SERVICE}/ComposePersonView", request(), token=False)
    assert (answer.http_status, list(answer.messages)) == (401, [])


async def test_a_header_that_only_envoy_may_write_is_dropped_from_grpc_web_too(mesh: MeshRig) -> None:
    forged = base64.urlsafe_b64encode(json.dumps({"sub": "P999999"}).encode()).decode()
    answer = await ask(mesh, f"{SERVICE}/ComposePersonView", request(), token=False, x_metip_officer=forged)
    assert (answer.http_status, list(answer.messages)) == (401, [])


async def test_the_status_needs_no_officer(mesh: MeshRig) -> None:
    answer = await ask(mesh, f"{SERVICE}/GetStatus", GetStatusRequest().SerializeToString(), token=False)
    assert answer.grpc_status == OK
    told = {one.source: one.answers for one in GetStatusResponse.FromString(answer.messages[0]).sources if one.HasField("answers")}
    assert told["pnc"]
