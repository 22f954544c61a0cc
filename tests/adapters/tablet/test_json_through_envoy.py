"""What a thin client gets: searches and reports as JSON through the real Envoy, the exchange and the systems behind them included."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from json_client import JsonAnswer, post
from mesh_rig import MeshRig, running_mesh, until

from metip.cases.v1.case_pb2 import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEARCH, REPORT = "metip.tablet.v1.OfficerSearchService", "metip.tablet.v1.OfficerReportService/SubmitReport"
TRACK = "metip.exchange.v1.ExchangeService/Track"
ACCESS = {"purpose": "PURPOSE_INCIDENT_RESPONSE", "justification": "Met at the scene", "reference": "90001/23NOV26"}
SHEET = {
    "borough": "ZD",
    "classification": {"code": "044/00"},
    "committed": {"from_date": {"year": 2024, "month": 5, "day": 17}},
    "modus_operandi": "Cycle left locked to railings. Lock cut and cycle removed.",
    "parties": [{"role": "PARTY_ROLE_VICTIM", "person": {"name": {"family_name": "Dalquimsby-Jasvexmoor"}}}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    async with running_mesh(tmp_path_factory.mktemp("mesh"), systems=("tablet", "pnc", "cris", "merlin", "connect")) as rig:
        yield rig


async def search(mesh: MeshRig, method: str, asked: dict[str, Any], *, within: float = 10.0) -> tuple[list[Any], dict[str, str]]:
    """Matches, and the status of each source."""
    answer = await post(mesh, f"{SEARCH}/{method}", {"access": ACCESS, **asked}, within=within)
    assert answer.status == 200, answer.body
    outcomes = {one["outcome"]["source"]: one["outcome"]["status"] for one in answer.documents if "outcome" in one}
    return [one["match"] for one in answer.documents if "match" in one], outcomes


async def submit(mesh: MeshRig, submission_id: str, *, tables: int = 12, **sheet: Any) -> JsonAnswer:
    asked = {"access": ACCESS, "submission_id": submission_id, "code_tables_version": tables, "crime": {**SHEET, **sheet}}
    return await post(mesh, REPORT, asked)


def unheard_of() -> str:
    """A mark that nothing bears yet, so that what bears it can be counted."""
    return uuid4().hex[:7].upper()


def stolen(mark: str) -> list[dict[str, str]]:
    """Property that bears a mark."""
    return [{"involvement": "PROPERTY_INVOLVEMENT_STOLEN", "description": "Moped", "identifying_mark": mark}]


async def recorded_with(mesh: MeshRig, mark: str) -> list[str]:
    """Numbers of the crime reports whose property bears the mark."""
    matches, _ = await search(mesh, "SearchVehicles", {"vrm": {"value": mark}})
    return [one["reference"] for one in matches if one["source"] == "cris"]


async def test_a_vehicle_search_streams_one_document_a_line(mesh: MeshRig) -> None:
    matches, outcomes = await search(mesh, "SearchVehicles", {"vrm": {"value": "UJ50DNP"}})
    assert {(one["source"], one["role"]) for one in matches} >= {("pnc", "register"), ("pnc", "lost stolen"), ("cris", "property")}
    assert outcomes == {
        **dict.fromkeys(("pnc", "cris", "connect"), "SOURCE_STATUS_ANSWERED"),
        "merlin": "SOURCE_STATUS_NOT_SEARCHABLE",
    }


async def test_a_source_that_hangs_does_not_hold_up_an_address_search(mesh: MeshRig) -> None:
    async with mesh.dials({"cris": [Fault(dial="hang")]}):
        _, outcomes = await search(mesh, "SearchAddresses", {"postcode": "ZZ12 3AQ"}, within=1.5)
    assert (outcomes["cris"], outcomes["connect"]) == ("SOURCE_STATUS_TIMED_OUT", "SOURCE_STATUS_ANSWERED")


async def test_a_report_is_recorded_once_however_often_it_is_sent(mesh: MeshRig) -> None:
    submission, mark = str(uuid4()), unheard_of()
    first = (await submit(mesh, submission, property=stolen(mark))).document
    second = (await submit(mesh, submission, property=stolen(mark))).document
    assert (first["destination"], first["state"]) == ("REPORT_DESTINATION_CRIS", "SUBMISSION_STATE_RECORDED")
    assert second["crime_report_number"] == first["crime_report_number"]
    assert (first.get("repeated_submission", False), second["repeated_submission"]) == (False, True)
    assert await recorded_with(mesh, mark) == [first["crime_report_number"]["value"]]


async def test_old_code_tables_are_refused_with_the_version_that_is_required(mesh: MeshRig) -> None:
    answer = await submit(mesh, str(uuid4()), tables=10)
    assert answer.status == 400
    info, broken = (one for one in answer.document["details"] if "Help" not in one["@type"])
    assert (info["reason"], info["metadata"]["required_version"]) == ("INVALID_REQUEST", "12")
    assert broken["field_violations"] == [{"field": "code_tables_version", "description": "must be 12; 11 is still taken"}]


async def test_a_report_that_cris_can_not_take_is_kept_and_recorded_once_it_can(mesh: MeshRig) -> None:
    submission, mark = str(uuid4()), unheard_of()
    async with mesh.dials({"cris": [Fault(dial="maintenance")]}):
        first = (await submit(mesh, submission, property=stolen(mark))).document
        again = (await submit(mesh, submission, property=stolen(mark))).document
    assert (first["state"], "crime_report_number" in first) == ("SUBMISSION_STATE_UNDER_WAY", False)
    assert (again["message_id"], again["repeated_submission"]) == (first["message_id"], True)

    async def delivered() -> bool:
        return set((await standing(mesh, first["message_id"])).values()) == {"STATE_PROCESSED"}

    await until(delivered, within=30)
    assert set(await standing(mesh, first["message_id"])) == {"cris", "merlin"}
    (number,) = await recorded_with(mesh, mark)
    recorded = (await submit(mesh, submission, property=stolen(mark))).document
    assert (recorded["state"], recorded["repeated_submission"]) == ("SUBMISSION_STATE_RECORDED", True)
    assert recorded["crime_report_number"]["value"] == number
    assert await recorded_with(mesh, mark) == [number]


async def standing(mesh: MeshRig, message_id: str) -> dict[str, str]:
    """Where each delivery of a message stands, by subscriber."""
    found = (await post(mesh, TRACK, {"message_id": message_id}, token=False)).document
    return {one["subscription"].partition(":")[0]: one["state"] for one in found["message"]["deliveries"]}


async def test_what_cris_refuses_is_told_with_the_tablets_own_field(mesh: MeshRig) -> None:
    answer = await submit(mesh, str(uuid4()), classification={"code": "045/01"})
    broken = next(one for one in answer.document["details"] if one["@type"].endswith("BadRequest"))
    assert (answer.status, [one["field"] for one in broken["field_violations"]]) == (400, ["crime.classification.code"])
