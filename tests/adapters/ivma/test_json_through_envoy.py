"""What a car gets: checks as JSON through the real Envoy, from real adapters and simulators, in the bytes that were promised."""

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from google.protobuf import json_format
from json_client import JsonAnswer, post
from mesh_rig import MeshRig, running_mesh

from adapters.ivma import answers
from metip.cases.v1.case_pb2 import Fault
from metip.ivma.v1 import vehicle_check_service_pb2 as api

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = "metip.ivma.v1.VehicleCheckService"
ACCESS = {"purpose": "PURPOSE_ROAD_TRAFFIC", "justification": "Stopped at the roadside", "reference": "1240/23NOV26"}
STOLEN, OF_INTEREST = "UJ50DNP", "KE01CVV"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    async with running_mesh(tmp_path_factory.mktemp("mesh"), systems=("ivma", "pnc", "cad")) as rig:
        yield rig


async def check(mesh: MeshRig, vrm: str, **more: Any) -> JsonAnswer:
    return await post(mesh, f"{SERVICE}/CheckVehicle", {"access": ACCESS, "vrm": {"value": vrm}, **more})


def statuses(document: Any) -> dict[str, str]:
    return {one["source"]: one["status"].removeprefix("SOURCE_STATUS_") for one in document["sources"]}


async def test_a_check_comes_back_in_one_packet_and_is_counted_as_envoy_prints_it(mesh: MeshRig) -> None:
    answer = await check(mesh, STOLEN, situation="VEHICLE_SITUATION_MOVING")
    assert answer.status == 200
    document = answer.document
    assert document["markers"][0]["mark"] == "MARK_STOLEN"
    assert statuses(document) == {"pnc": "ANSWERED", "dvla": "ANSWERED", "cad": "NOT_SEARCHABLE"}
    assert len(answer.body) <= 1200
    read = json_format.Parse(answer.body, api.CheckVehicleResponse())
    assert answers.size(read) == len(answer.body), "what bounds an answer must count as Envoy prints"


async def test_a_source_that_hangs_costs_its_patience_and_no_more(mesh: MeshRig) -> None:
    async with mesh.dials({"ivma": [Fault(dial="hang")]}):
        started = time.monotonic()
        document = (await check(mesh, STOLEN)).document
        assert time.monotonic() - started < 5.0
    assert statuses(document) == {"pnc": "ANSWERED", "dvla": "TIMED_OUT", "cad": "NOT_SEARCHABLE"}
    assert document["facts"]["make"] == "FORD"


async def test_an_incident_close_by_is_asked_of_cad_through_the_mesh(mesh: MeshRig) -> None:
    because = {"purpose": "PURPOSE_INCIDENT_RESPONSE"}
    opened = {
        "access": because,
        "client_reference": str(uuid4()),
        "origin": "ORIGIN_EMERGENCY_CALL",
        "grade": "GRADE_IMMEDIATE",
        "opening_codes": ["004"],
        "location": {"text": "outside 2 Jasjorham Street"},
        "text": "Two people demanded a telephone and ran off.",
    }
    number = (await post(mesh, "metip.cad.v1.IncidentService/CreateIncident", opened)).document["cad_number"]
    held = await post(mesh, "metip.cad.v1.IncidentService/GetIncident", {"access": because, "cad_number": number})
    document = (await check(mesh, STOLEN, position=held.document["incident"]["headline"]["location"]["grid"])).document
    assert statuses(document) == {"pnc": "ANSWERED", "dvla": "ANSWERED", "cad": "ANSWERED"}
    assert number["value"] in {one.get("reference") for one in document["markers"]}


async def test_nothing_that_is_not_for_open_air_is_in_the_bytes_of_an_overlooked_screen(mesh: MeshRig) -> None:
    answer = await check(mesh, OF_INTEREST, screen_overlooked=True)
    assert (answer.document["withheld"], "markers" in answer.document, "keeper" in answer.document) == (1, False, False)
    assert b"OF_INTEREST" not in answer.body


async def test_a_sighting_is_rated(mesh: MeshRig) -> None:
    seen = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    asked = {"access": ACCESS, "vrm": {"value": STOLEN}, "camera": "CAR-0117", "seen_at": seen}
    document = (await post(mesh, f"{SERVICE}/EnrichAnprHit", asked)).document
    assert (document["priority"], document["expect"], "stale" in document) == ("HIT_PRIORITY_IMMEDIATE", "WHITE FORD FOCUS", False)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no mark": ({"access": ACCESS, "vrm": {}}, 400, "INVALID_REQUEST"),
    "another purpose": ({"access": {**ACCESS, "purpose": "PURPOSE_TRAINING"}, "vrm": {"value": STOLEN}}, 403, "PURPOSE_NOT_PERMITTED"),
    "too late": ({"access": ACCESS, "vrm": {"value": STOLEN}, "asked_at": "2025-11-23T12:00:00Z"}, 400, "PRECONDITION"),
}


@pytest.mark.parametrize(("asked", "status", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_is_json_with_its_reason(mesh: MeshRig, asked: dict[str, Any], status: int, reason: str) -> None:
    answer = await post(mesh, f"{SERVICE}/CheckVehicle", asked)
    assert answer.status == status
    details = [one for one in answer.document["details"] if one["@type"].endswith("google.rpc.ErrorInfo")]
    assert [one["reason"] for one in details] == [reason]
    assert STOLEN not in json.dumps(answer.document)


async def test_no_token_no_answer(mesh: MeshRig) -> None:
    asked = {"access": ACCESS, "vrm": {"value": STOLEN}}
    assert (await post(mesh, f"{SERVICE}/CheckVehicle", asked, token=False)).status == 401
