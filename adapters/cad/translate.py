"""The contract's messages to what the host asks and answers, and back; pure. The host's codes stand in the tables here and nowhere else.

Records and messages are named alike (`adapters.kit.alike`); what is different is told here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from adapters.cad.records import Block, Control, Incident, Kind, Line, Unit
from adapters.cad.wire import Unreadable
from adapters.kit.alike import Codes, message_of, values_of
from adapters.kit.latin import Transcript, to_latin
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as service
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.call import Officer
from metip.common.v1 import answer_pb2 as answer
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.options.v1.options_pb2 import PURPOSE_INCIDENT_RESPONSE, Purpose

CODES: Final[Codes] = {
    kind.DESCRIPTOR.name: {code: kind.Value(prefix + word) for code, word in (pair.split(":") for pair in words.split())}
    for kind, prefix, words in (
        (cad.Grade, "GRADE_", "I:IMMEDIATE S:SIGNIFICANT E:EXTENDED R:REFERRED"),
        (cad.IncidentState, "INCIDENT_STATE_", "OPN:OPEN ASG:ASSIGNED RES:RESULTED CLO:CLOSED"),
        (cad.Origin, "ORIGIN_", "999:EMERGENCY_CALL 101:NON_EMERGENCY_CALL OFF:OFFICER AGY:AGENCY ALM:ALARM CTR:COUNTER"),
        (
            cad.UnitState,
            "UNIT_STATE_",
            "0:EMERGENCY 1:ON_DUTY 2:AVAILABLE 3:MEAL 4:ASSIGNED 5:EN_ROUTE 6:ON_SCENE 7:COMMITTED 9:PRISONER 10:OFF_DUTY",
        ),
    )
}
_ENTRIES = (
    "OPN:opening RMK:remark GRD:grading ASG:assignment UST:unit_progress LNK:link RES:result CLO:closure REO:reopening RET:retraction"
)
ENTRIES: Final[Mapping[str, str]] = dict(pair.split(":") for pair in _ENTRIES.split())
"""Kind of line to its name in the contract."""
MOST: Final[Mapping[str, int]] = {"text": 12_000, "location.text": 130, "caller.name": 54, "street": 35}
"""Characters of a text once it is written as the host holds it; 200 where nothing is said."""


def create(request: service.CreateIncidentRequest, officer: Officer | None, copy: Transcript) -> Block:
    """An incident to be opened. Raises `Fault` INVALID_REQUEST, as the others do."""
    parts = (("", request), ("location.", request.location), ("", request.location.grid), ("caller.", request.caller))
    known = {name: value for path, part in parts for name, value in _values(Incident, part, copy, path).items()}
    line = Line(**_values(Line, request, copy) | {"kind": "OPN", "grade": ""})
    copy.settle()
    return Block(Kind.CREATE, 0, _control(request, officer), (Incident(**known),), (line,))


def update(request: service.UpdateIncidentRequest, officer: Officer | None, copy: Transcript) -> Block:
    """A line to be added."""
    name = request.WhichOneof("change") or ""
    kind = next(code for code, entry in ENTRIES.items() if entry == name)
    values = {"happened_at": _values(Line, request, copy)["happened_at"]} | _values(Line, getattr(request, name), copy, f"{name}.")
    copy.settle()
    return Block(Kind.UPDATE, 0, _control(request, officer), (Incident(request.cad_number.value),), (Line(kind=kind, **values),))


def inquire(request: service.GetIncidentRequest, officer: Officer | None) -> Block:
    """A question for one incident."""
    return Block(Kind.INQUIRE, 0, _control(request, officer, after=request.after_line), (Incident(request.cad_number.value),))


def search(request: service.SearchIncidentsRequest, officer: Officer | None, copy: Transcript) -> Block:
    """A search, by the example of an incident."""
    around, units = request.surroundings, (request.call_sign,) if request.call_sign else ()
    wanted = Incident(call_signs=units, **_values(Incident, request, copy), **_values(Incident, around.centre, copy))
    days = {"first_day": _day("opened.from", getattr(request.opened, "from")), "last_day": _day("opened.to", request.opened.to)}
    asked = _control(request, officer, street=_text(copy, "street", request.street), radius=around.radius_m, **days)
    copy.settle()
    return Block(Kind.SEARCH, 0, asked, (wanted,))


def resources(request: service.GetResourceRequest | service.ListResourcesRequest, officer: Officer | None) -> Block:
    """A question for a unit, or for those of a station."""
    return Block(Kind.UNITS, 0, _control(request, officer), units=(Unit(**values_of(Unit, request, CODES)),))


def set_state(request: service.SetResourceStateRequest, officer: Officer | None) -> Block:
    """A unit's new state."""
    unit = Unit(**values_of(Unit, request, CODES), **values_of(Unit, request.position, CODES))
    return Block(Kind.UNIT_STATE, 0, _control(request, officer), units=(unit,))


def incident(reply: Block) -> cad.Incident:
    """The incident of a reply, with its log."""
    held = reply.incidents[0]
    told = [log_line(line, held) for line in reply.lines]
    return message_of(cad.Incident, held, CODES, headline=headline(held), caller=message_of(cad.Caller, held, CODES), lines=told)


def headline(held: Incident) -> cad.IncidentHeadline:
    """Where an incident stands."""
    return message_of(cad.IncidentHeadline, held, CODES, location=message_of(cad.IncidentLocation, held, CODES, grid=_grid(held)))


def log_line(line: Line, held: Incident) -> cad.LogLine:
    """A line; the opening with what its incident says of origin and caller. A kind that no table has leaves the entry unset."""
    made, name, more = message_of(cad.LogLine, line, CODES), ENTRIES.get(line.kind), dict[str, Any]()
    if name == "opening":
        more = {"origin": CODES["Origin"].get(held.origin, 0), "caller": message_of(cad.Caller, held, CODES)}
    elif name == "unit_progress":
        more = {"state_code": line.state}
    if name:
        entry = getattr(made, name)
        entry.CopyFrom(message_of(type(entry), line, CODES, **more))
    return made


def resource(unit: Unit) -> cad.Resource:
    """A unit."""
    return message_of(cad.Resource, unit, CODES, state_code=unit.state, position=_grid(unit))


def event(block: Block) -> PublishIncidentEventRequest:
    """The message of an event. What the contract does not allow is left for the exchange to refuse. Raises `Unreadable`."""
    if len(block.incidents) != 1 or len(block.lines) != 1:
        raise Unreadable(block.number)
    held, line = block.incidents[0], block.lines[0]
    told = headline(held)
    return PublishIncidentEventRequest(
        access=AccessContext(purpose=PURPOSE_INCIDENT_RESPONSE, reference=told.cad_number.value),
        cad_number=told.cad_number,
        line_number=line.number,
        line=log_line(line, held),
        headline=told,
    )


def provenance(reply: Block, copy: Transcript | None = None) -> answer.Provenance:
    """Where an answer comes from and what must be said about it."""
    remarks = copy.warnings if copy else []
    if reply.control.unmatched:
        remarks.append(answer.Warning(code="GAZETTEER", text="the place is not in the gazetteer"))
    return message_of(answer.Provenance, reply.control, {}, system="CAD", truncated=reply.control.more, warnings=remarks)


def confirmed(reply: Block, copy: Transcript) -> dict[str, Any]:
    """What every confirmation of a command says."""
    return {"already_recorded": reply.control.duplicate, "provenance": provenance(reply, copy)}


def _control(request: Any, officer: Officer | None, **more: Any) -> Control:
    """Who asks, and why."""
    access, by = request.access, officer.warrant_number if officer else ""
    why = to_latin(f"{Purpose.Name(access.purpose).removeprefix('PURPOSE_')} {access.reference}".upper())
    return Control(getattr(request, "client_reference", ""), to_latin(by), why, **more)


def _values(kind: type, message: Any, copy: Transcript, path: str = "") -> dict[str, Any]:
    return values_of(kind, message, CODES, lambda name, text: _text(copy, f"{path}{name}", text))


def _text(copy: Transcript, path: str, text: str) -> str:
    return copy.copy(path, text.upper().replace("\t", " "), MOST.get(path, MOST.get(path.rpartition(".")[2], 200)))


def _day(path: str, day: CivilDate) -> date:
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        raise Fault(Reason.INVALID_REQUEST, f"{path} is no day", fields=((path, "is no day"),)) from None


def _grid(held: Incident | Unit) -> cad.GridReference | None:
    return message_of(cad.GridReference, held, CODES) if held.easting else None
