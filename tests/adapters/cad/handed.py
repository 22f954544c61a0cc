"""Handovers of other control rooms and agencies that only tests use."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS, PublishHandoverRequest
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.pole_pb2 import Bs7666Address
from metip.options.v1.options_pb2 import PURPOSE_INCIDENT_RESPONSE

OWN, ROOM, FIRE = "POL-01CAD", "POL-01CC", "FRS-LFB"
SECRET = "Quackenbush"
"""What a caller is called; it may be in no error."""


def location(**more: Any) -> contract.Location:
    """Behind a station, in as many ways as there are."""
    said: dict[str, Any] = {
        "description": "Behind the station\nnorth side",
        "address": Bs7666Address(primary="12", street="Test Road", uprn=999_000_007_919),
        "postcode": "ZZ2 2AB",
        "easting": 691_363,
        "northing": 181_474,
        "latitude": 51.5,
        "longitude": 0.0,
        "what3words": "filled.count.soap",
    }
    return contract.Location(**{**said, **more})


def incident(reference: str, agency: str = FIRE, **more: Any) -> contract.Incident:
    """An incident with something of everything, logged two minutes ago."""
    said: dict[str, Any] = {
        "type": contract.INCIDENT_TYPE_FIRE,
        "agency_type_code": "214",
        "priority": contract.PRIORITY_SIGNIFICANT,
        "major_incident": True,
        "location": location(),
        "hazards": [
            contract.Hazard(kind=contract.HAZARD_KIND_FIRE, detail="Gas bottles"),
            contract.Hazard(kind=contract.HAZARD_KIND_STRUCTURE),
        ],
        "access_route": "From the north",
        "casualties": [contract.CasualtyCount(severity=contract.CASUALTY_SEVERITY_URGENT, count=2)],
        "involved": [contract.Involvement(agency="AMB-LAS", kind=contract.INVOLVEMENT_KIND_REQUIRED)],
        "caller": contract.Caller(name=SECRET, telephone="07700 900123", at_scene=True, no_contact=True),
        "narrative": "Smoke from the roof.",
        "status": contract.INCIDENT_STATUS_OPEN,
    }
    made = contract.Incident(origin=contract.AgencyReference(agency=agency, reference=reference), **{**said, **more})
    made.opened_at.FromDatetime(datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2))
    return made


def handover(reference: str, **more: Any) -> PublishHandoverRequest:
    """A message of the fire brigade's about its own incident; its creation, unless told otherwise."""
    said: dict[str, Any] = {
        "access": AccessContext(purpose=PURPOSE_INCIDENT_RESPONSE, reference=reference),
        "message_id": str(uuid.uuid4()),
        "from_agency": FIRE,
        "to_agencies": [OWN],
        "direction": HANDOVER_DIRECTION_FROM_PARTNERS,
        "origin_agency": FIRE,
        "origin_reference": reference,
    }
    content = set(more) & {one.name for one in PublishHandoverRequest.DESCRIPTOR.oneofs_by_name["content"].fields}
    made = PublishHandoverRequest(**{**said, **({} if content else {"incident_create": incident(reference)}), **more})
    made.sent_at.FromDatetime(datetime.now(UTC).replace(microsecond=0))
    return made


def words(reference: str, text: str, **more: Any) -> PublishHandoverRequest:
    """Words about it."""
    return handover(reference, free_text=contract.FreeText(text=text), **more)


def graded(reference: str, priority: contract.Priority.ValueType, number: int, **more: Any) -> PublishHandoverRequest:
    """Another priority, by an update of that number."""
    return handover(reference, update_number=number, incident_update=contract.IncidentChange(priority=priority, **more))
