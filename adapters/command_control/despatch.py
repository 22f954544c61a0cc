"""From the log of the legacy despatch system to handovers: what of each line Command and Control is told.

An opening creates the incident as its headline has it, unless an agency passed it to the police: that one came by Command and Control, as
did any line that names an agency, and neither goes back. An
incident entered from paper after an outage gets the priority at which nobody is sent; its words say the true grade. Gradings change the
priority, assignments and units' progress are states of resources, and all else is words.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_TO_PARTNERS, PublishHandoverRequest
from metip.command_control.v1.resource_pb2 import RESOURCE_STATE_UNSPECIFIED, Resource, ResourceState

# Both contracts number the four grades alike, and the four states of an incident.
STATES = frozenset(ResourceState.keys())
WORDS: Mapping[str, Callable[[Any], str]] = {
    "remark": lambda entry: str(entry.text),
    "link": lambda entry: f"Linked to CAD {entry.cad_number.value or entry.cad_number.as_received}.",
    "result": lambda entry: f"Resulted {', '.join(entry.class_codes)}. {entry.crime_report_number.value} {entry.text}".rstrip(),
    "reopening": lambda entry: f"Reopened: {entry.reason}",
    "retraction": lambda entry: f"Line {entry.line_number} is retracted: {entry.reason}",
}


def handover(event: PublishIncidentEventRequest, sender: str, to: str) -> PublishHandoverRequest | None:
    """What a line comes to; None for nothing."""
    if event.line.agency:
        return None
    kind = event.line.WhichOneof("entry") or ""
    request = PublishHandoverRequest(
        access=event.access,
        message_id=str(uuid5(NAMESPACE_URL, f"{sender}/{event.cad_number.value}/{event.line_number}")),
        from_agency=sender,
        to_agencies=[to],
        sent_at=event.line.entered_at,
        direction=HANDOVER_DIRECTION_TO_PARTNERS,
        origin_agency=sender,
        origin_reference=event.cad_number.value,
        update_number=event.line_number,
    )
    origin, line = contract.AgencyReference(agency=sender, reference=event.cad_number.value), event.line
    match kind:
        case "opening" if line.opening.origin != cad.ORIGIN_AGENCY:
            request.incident_create.CopyFrom(_incident(event, origin))
        case "grading":
            request.incident_update.priority = contract.Priority.ValueType(line.grading.grade)
            request.incident_update.narrative = line.grading.reason
        case "assignment" | "unit_progress":
            sign = line.assignment.call_sign or line.unit_progress.call_sign
            request.resource_status.CopyFrom(Resource(callsign=sign, agency=sender, assigned_to=origin, as_of=line.happened_at))
            request.resource_status.state = _state(line.unit_progress.state)
        case "closure":
            request.incident_close.closed_at.CopyFrom(line.happened_at)
            request.incident_close.code = contract.CLOSURE_CODE_RESOLVED
        case _ if kind in WORDS:
            request.free_text.text = WORDS[kind](getattr(line, kind))
    return request if request.WhichOneof("content") else None


def _incident(event: PublishIncidentEventRequest, origin: contract.AgencyReference) -> contract.Incident:
    line, head = event.line, event.headline
    paper = f"ENTERED FROM PAPER, graded {'ISER'[head.grade - 1 : head.grade] or '?'} at the time. " if line.back_entered else ""
    grid, caller = head.location.grid, line.opening.caller
    return contract.Incident(
        origin=origin,
        opened_at=head.opened_at,
        cad_number=event.cad_number,
        agency_type_code="".join(head.opening_codes[:1]),
        priority=contract.PRIORITY_REFERRED if paper else contract.Priority.ValueType(head.grade),
        location=contract.Location(description=head.location.text, easting=grid.easting, northing=grid.northing),
        caller=contract.Caller(name=caller.name, telephone=caller.telephone, no_contact=caller.do_not_contact),
        narrative=f"{paper}{line.opening.text}",
        status=contract.IncidentStatus.ValueType(head.state),
    )


def _state(state: cad.UnitState.ValueType) -> ResourceState.ValueType:
    """A unit's state by its name, where both contracts have it."""
    name = cad.UnitState.Name(state).replace("UNIT_STATE", "RESOURCE_STATE") if state in cad.UnitState.values() else ""
    return ResourceState.Value(name) if name in STATES else RESOURCE_STATE_UNSPECIFIED
