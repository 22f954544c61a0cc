"""Lines of the legacy log: what Command and Control is told of each."""

from typing import Any

import protovalidate
import pytest

from adapters.command_control import despatch
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import resource_pb2 as resources
from metip.command_control.v1.handover_service_pb2 import PublishHandoverRequest
from metip.common.v1.identifiers_pb2 import CadNumber, CrimeReportNumber
from tests.adapters.command_control.asking import OWN, ROOM, line, opening

NUMBER = CadNumber(value="90002/23NOV26")
CRIME = CrimeReportNumber(value="9901234/26")
LINES: dict[str, tuple[dict[str, Any], str]] = {
    "remark": ({"remark": cad.Remark(text="Second call.")}, "Second call."),
    "link": ({"link": cad.Link(cad_number=NUMBER)}, "Linked to CAD 90002/23NOV26."),
    "result": (
        {"result": cad.Result(class_codes=["214", "300"], crime_report_number=CRIME, text="Fire out.")},
        "Resulted 214, 300. 9901234/26 Fire out.",
    ),
    "reopening": ({"reopening": cad.Reopening(reason="Smoke again")}, "Reopened: Smoke again"),
    "retraction": ({"retraction": cad.Retraction(line_number=3, reason="Other log")}, "Line 3 is retracted: Other log"),
}


def told(event: PublishIncidentEventRequest) -> PublishHandoverRequest:
    """What a line comes to, which keeps the contract's rules."""
    found = despatch.handover(event, OWN, ROOM)
    assert found is not None
    protovalidate.validate(found)
    return found


def test_an_opening_creates_the_incident() -> None:
    request = told(opening())
    found = request.incident_create
    assert (request.origin_agency, request.origin_reference, request.update_number) == (OWN, "90001/23NOV26", 1)
    assert (found.priority, found.agency_type_code, found.status) == (contract.PRIORITY_SIGNIFICANT, "214", contract.INCIDENT_STATUS_OPEN)
    assert (found.location.description, found.location.easting) == ("12 TEST ROAD", 691_363)
    assert (found.caller.no_contact, found.narrative) == (True, "Smoke from the roof.")


def test_an_opening_from_paper_sends_nobody_and_says_the_true_grade() -> None:
    found = told(opening(paper=True, grade=cad.GRADE_IMMEDIATE)).incident_create
    assert found.priority == contract.PRIORITY_REFERRED
    assert found.narrative == "ENTERED FROM PAPER, graded I at the time. Smoke from the roof."


def test_an_opening_from_paper_of_no_grade_says_so() -> None:
    assert "graded ? at" in told(opening(paper=True, grade=cad.GRADE_UNSPECIFIED)).incident_create.narrative


def test_what_an_agency_passed_to_the_police_is_not_told_again() -> None:
    assert despatch.handover(opening(origin_of=cad.ORIGIN_AGENCY), OWN, ROOM) is None


@pytest.mark.parametrize("entry", LINES)
def test_a_line_that_came_by_a_handover_does_not_go_back(entry: str) -> None:
    event = line(2, **LINES[entry][0])
    event.line.agency = ROOM
    assert despatch.handover(event, OWN, ROOM) is None


def test_a_line_of_no_known_kind_is_not_told() -> None:
    assert despatch.handover(line(2), OWN, ROOM) is None


@pytest.mark.parametrize(("entry", "words"), LINES.values(), ids=LINES)
def test_all_else_is_words(entry: dict[str, Any], words: str) -> None:
    assert told(line(2, **entry)).free_text.text == words


def test_a_grading_changes_the_priority() -> None:
    found = told(line(2, grading=cad.Grading(grade=cad.GRADE_IMMEDIATE, reason="Children inside"))).incident_update
    assert (found.priority, found.narrative) == (contract.PRIORITY_IMMEDIATE, "Children inside")


def test_an_assignment_names_the_unit_and_the_incident() -> None:
    found = told(line(2, assignment=cad.Assignment(call_sign="ZD95X"))).resource_status
    assert (found.callsign, found.assigned_to.reference, found.state) == ("ZD95X", "90001/23NOV26", 0)


@pytest.mark.parametrize("state", cad.UnitState.values(), ids=cad.UnitState.Name)
def test_a_units_state_is_told_where_both_contracts_have_it(state: cad.UnitState.ValueType) -> None:
    found = told(line(2, unit_progress=cad.UnitProgress(call_sign="ZD95X", state=state, state_code="9"))).resource_status
    name = cad.UnitState.Name(state).removeprefix("UNIT_STATE_")
    known = {one.removeprefix("RESOURCE_STATE_") for one in resources.ResourceState.keys()}  # noqa: SIM118 - an enum's wrapper
    assert resources.ResourceState.Name(found.state) == f"RESOURCE_STATE_{name if name in known else 'UNSPECIFIED'}"


def test_a_closure_closes() -> None:
    assert told(line(9, closure=cad.Closure())).incident_close.code == contract.CLOSURE_CODE_RESOLVED


def test_a_line_is_known_by_its_incident_and_number() -> None:
    words = cad.Remark(text="x")
    first = told(line(2, remark=words)).message_id
    assert told(line(2, remark=words)).message_id == first
    assert len({first, told(line(3, remark=words)).message_id, told(line(2, cad_number=NUMBER.value, remark=words)).message_id}) == 3


def test_the_four_grades_are_numbered_alike() -> None:
    theirs = {name.removeprefix("GRADE_"): int(number) for name, number in cad.Grade.items()}
    assert theirs == {name.removeprefix("PRIORITY_"): int(number) for name, number in contract.Priority.items()}


@pytest.mark.parametrize(
    ("theirs", "ours"), [("OPEN", "OPEN"), ("ASSIGNED", "DESPATCHED"), ("RESULTED", "ATTENDED"), ("CLOSED", "CLOSED")], ids=str
)
def test_the_states_of_an_incident_are_numbered_alike(theirs: str, ours: str) -> None:
    assert int(cad.IncidentState.Value(f"INCIDENT_STATE_{theirs}")) == int(contract.IncidentStatus.Value(f"INCIDENT_STATUS_{ours}"))
