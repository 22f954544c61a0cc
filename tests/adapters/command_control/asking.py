"""Incidents, handovers and lines of a legacy log that only tests use."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_TO_PARTNERS, PublishHandoverRequest
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CadNumber
from metip.common.v1.pole_pb2 import Bs7666Address
from metip.options.v1 import options_pb2

AT = datetime(2026, 11, 23, 8, 14, tzinfo=UTC)
ACCESS = AccessContext(purpose=options_pb2.PURPOSE_INCIDENT_RESPONSE, reference="90001/23NOV26")
OWN, ROOM, FIRE = "POL-01CAD", "POL-01CC", "FRS-LFB"
SECRET = "Quackenbush"
"""What a caller is called; it may be in no log and no error."""


def at(stamp: Any, when: datetime) -> None:
    """Sets a timestamp."""
    stamp.FromDatetime(when)


def origin(reference: str, agency: str = OWN) -> contract.AgencyReference:
    """A reference."""
    return contract.AgencyReference(agency=agency, reference=reference)


def incident(reference: str, agency: str = OWN, **more: Any) -> contract.Incident:
    """An incident with something of everything."""
    said: dict[str, Any] = {
        "type": contract.INCIDENT_TYPE_FIRE,
        "agency_type_code": "214",
        "priority": contract.PRIORITY_IMMEDIATE,
        "major_incident": True,
        "location": contract.Location(
            description="Behind the station\nnorth side",
            address=Bs7666Address(primary="12", street="Test Road", uprn=999_000_007_919),
            postcode="ZZ2 2AB",
            easting=691_363,
            northing=181_474,
            latitude=51.5,
            longitude=0.0,
            what3words="filled.count.soap",
        ),
        "hazards": [contract.Hazard(kind=contract.HAZARD_KIND_FIRE, detail="Gas bottles")],
        "access_route": "From the north",
        "casualties": [contract.CasualtyCount(severity=contract.CASUALTY_SEVERITY_URGENT, count=2)],
        "involved": [contract.Involvement(agency=FIRE, kind=contract.INVOLVEMENT_KIND_REQUIRED)],
        "caller": contract.Caller(name=SECRET, telephone="07700 900123", at_scene=True),
        "narrative": "Smoke from the roof.",
        "status": contract.INCIDENT_STATUS_OPEN,
        "cad_number": CadNumber(value="90001/23NOV26"),
    }
    found = contract.Incident(origin=origin(reference, agency), **{**said, **more})
    at(found.opened_at, AT)
    return found


def create(reference: str, **more: Any) -> service.CreateIncidentRequest:
    """Asks for an incident to be logged."""
    return service.CreateIncidentRequest(**{"access": ACCESS, "incident": incident(reference), **more})


def update(reference: str, number: int, **more: Any) -> service.UpdateIncidentRequest:
    """Asks for an incident to be changed; words, unless told otherwise."""
    content = more or {"free_text": contract.FreeText(text=f"Line {number}")}
    return service.UpdateIncidentRequest(access=ACCESS, origin=origin(reference), update_number=number, **content)


def handover(reference: str, **more: Any) -> PublishHandoverRequest:
    """An incident that the force's other rooms hand over."""
    said: dict[str, Any] = {
        "access": ACCESS,
        "message_id": str(uuid.uuid4()),
        "from_agency": OWN,
        "to_agencies": [ROOM],
        "direction": HANDOVER_DIRECTION_TO_PARTNERS,
        "origin_agency": OWN,
        "origin_reference": reference,
    }
    content = set(more) & {one.name for one in PublishHandoverRequest.DESCRIPTOR.oneofs_by_name["content"].fields}
    request = PublishHandoverRequest(**{**said, **({} if content else {"incident_create": incident(reference)}), **more})
    at(request.sent_at, AT)
    return request


def line(
    number: int, *, cad_number: str = "90001/23NOV26", grade: int = 2, paper: bool = False, **entry: Any
) -> PublishIncidentEventRequest:
    """A line of a legacy log."""
    said = cad.LogLine(number=number, operator="P1", terminal="LX01", back_entered=paper, **entry)
    at(said.happened_at, AT)
    at(said.entered_at, AT + timedelta(minutes=1))
    head = cad.IncidentHeadline(
        cad_number=CadNumber(value=cad_number),
        grade=cad.Grade.ValueType(grade),
        state=cad.INCIDENT_STATE_OPEN,
        opening_codes=["214", "300"],
        location=cad.IncidentLocation(text="12 TEST ROAD", grid=cad.GridReference(easting=691_363, northing=181_474), borough="ZD"),
    )
    at(head.opened_at, AT)
    number_of = CadNumber(value=cad_number)
    return PublishIncidentEventRequest(access=ACCESS, cad_number=number_of, line_number=number, line=said, headline=head)


def opening(number: int = 1, origin_of: int = cad.ORIGIN_EMERGENCY_CALL, **more: Any) -> PublishIncidentEventRequest:
    """The line that opens one."""
    caller = cad.Caller(name=SECRET, telephone="07700 900123", do_not_contact=True)
    said = cad.Opening(origin=cad.Origin.ValueType(origin_of), caller=caller, text="Smoke from the roof.")
    return line(number, opening=said, **more)
