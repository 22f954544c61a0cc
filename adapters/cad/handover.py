"""From what other control rooms and agencies hand over to commands of the host: what opens an incident, and what is a line of one; pure.

What the host has a field for goes there: grade, type, place, caller. All else becomes words, field by field, so that nothing is lost. What
it can't hold is refused with the field's name and none of its content. What began here never comes in again: no test, nothing that the
force's own rooms sent, no incident of CAD's own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.cad import translate
from adapters.cad.records import Block, Incident
from adapters.kit.latin import Transcript, to_latin
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as service
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS, PublishHandoverRequest
from metip.common.v1.identifiers_pb2 import CadNumber
from metip.faults import Fault, Reason
from metip.identifiers import parse_cad_number

TYPES: Final[Mapping[int, str]] = {
    contract.INCIDENT_TYPE_COLLISION_INJURY: "100",
    contract.INCIDENT_TYPE_COLLISION_DAMAGE: "100",
    contract.INCIDENT_TYPE_MISSING_PERSON: "601",
    contract.INCIDENT_TYPE_CRIME_VIOLENCE: "001",
}
"""The host's type codes that come nearest (assumed); the words name the type itself."""
OTHER_TYPE: Final = "900"
"""Help for another agency: every type that has no code of its own (assumed)."""
HELD: Final = (
    ("", ("origin", "priority", "narrative")),
    ("caller", ("name", "telephone", "no_contact")),
    ("location", ("easting", "northing")),
)
"""What of a created incident the host has fields for, by its part of the message; its narrative begins the words."""
TITLES: Final[Mapping[str, str]] = {
    "incident_create": "also logged there",
    "incident_request_assistance": "asks for help",
    "resource_status": "tells of a resource",
    "incident_close": "closed there",
}
"""What the words of a message begin with, by its content."""
SPEAKING: Final = frozenset({"narrative", "text"})
"""Fields whose words need no name before them."""
RECENT: Final = timedelta(days=6)
"""An incident of before that is opened with the time of the message: the host takes times of seven days, of which one is for the way."""
PLACE: Final = translate.MOST["location.text"]


def concerns(request: PublishHandoverRequest, agency: str) -> bool:
    """Whether a handover is for this system, whose name among agencies is given."""
    return (
        request.direction == HANDOVER_DIRECTION_FROM_PARTNERS
        and not request.test
        and agency in request.to_agencies
        and request.from_agency != agency
        and not (request.origin_agency == agency and request.HasField("incident_create"))
    )


def question(request: PublishHandoverRequest, agency: str) -> Block:
    """The question for the incident that a handover is about: for one of CAD's own by its number, for any other by its origin."""
    own = parse_cad_number(request.origin_reference).canonical if request.origin_agency == agency else ""
    asked = translate.inquire(service.GetIncidentRequest(access=request.access, cad_number=CadNumber(value=own)), None)
    return asked if request.origin_agency == agency else replace(asked, incidents=(Incident(agency_reference=_reference(request)),))


def graded(request: PublishHandoverRequest) -> bool:
    """Whether it changes the grade by a numbered update, so that those of its sender that are in the log matter."""
    return bool(request.update_number and request.incident_update.priority)


def commands(request: PublishHandoverRequest, found: Block | None) -> Iterator[Block]:
    """What the host is to do, each once however often it is sent; `found` is its incident with its log, None when it has none.

    Raises `Fault` INVALID_REQUEST for what the host can't hold.
    """
    if found is None:
        yield _opening(request)
        return
    again = request.HasField("incident_create") and found.lines[0].agency == request.from_agency
    over = request.HasField("incident_close") and found.incidents[0].state == "CLO"
    if not again and not over:
        yield from _lines(request, found)


def _opening(request: PublishHandoverRequest) -> Block:
    """The incident to be opened. Its words are the narrative, and a line for each thing that the host has no field for."""
    created = request.incident_create
    told: Any = contract.Incident()
    if not created.priority:
        raise _unheld("incident_create.priority", "CAD needs a grade")
    told.CopyFrom(created)
    place = _place(told.location)
    recent = request.sent_at.ToDatetime() - created.opened_at.ToDatetime() < RECENT
    for part, names in HELD + ((("", ("opened_at",)),) if recent else ()):
        for name in names:
            (getattr(told, part) if part else told).ClearField(name)
    grid = cad.GridReference(easting=created.location.easting, northing=created.location.northing)
    caller = created.caller
    opening = service.CreateIncidentRequest(
        access=request.access,
        client_reference=str(uuid5(NAMESPACE_URL, _reference(request))),
        origin=cad.ORIGIN_AGENCY,
        grade=cad.Grade.ValueType(created.priority),
        opening_codes=[TYPES.get(created.type, OTHER_TYPE)],
        location=cad.IncidentLocation(text=place, grid=grid),
        caller=cad.Caller(name=caller.name, telephone=caller.telephone, do_not_contact=caller.no_contact),
        text="\n".join(filter(None, (created.narrative, *_words(told)))),
        happened_at=created.opened_at if recent else request.sent_at,
    )
    block = translate.create(opening, None, Transcript())
    return replace(_marked(block, request), incidents=(replace(block.incidents[0], agency_reference=_reference(request)),))


def _lines(request: PublishHandoverRequest, found: Block) -> Iterator[Block]:
    """A grading, unless a later update of the same sender is in the log, and a remark with all else."""
    content = request.WhichOneof("content") or ""
    told: Any = type(getattr(request, content))()
    told.CopyFrom(getattr(request, content))
    later = graded(request) and any(
        line.agency == request.from_agency and line.update_number > request.update_number for line in found.lines
    )
    if request.incident_update.priority and not later:
        yield _line(request, found, grading=cad.Grading(grade=cad.Grade.ValueType(told.priority)))
        told.ClearField("priority")
    title = f"update {request.update_number} came late" if later else TITLES.get(content, "")
    if words := "\n".join(_words(told, but=("origin",))):
        yield _line(request, found, remark=cad.Remark(text=f"{title}\n{words}" if title else words))


def _line(request: PublishHandoverRequest, found: Block, **change: Any) -> Block:
    """A line for the log; the same message makes the same command."""
    line = service.UpdateIncidentRequest(
        access=request.access,
        cad_number=CadNumber(value=found.incidents[0].cad_number),
        client_reference=str(uuid5(NAMESPACE_URL, f"{request.from_agency} {request.message_id} {next(iter(change))}")),
        happened_at=request.sent_at,
        **change,
    )
    return _marked(translate.update(line, None, Transcript()), request)


def _marked(block: Block, request: PublishHandoverRequest) -> Block:
    """The command with who said it, so that it never goes back to them."""
    return replace(block, lines=(replace(block.lines[0], agency=request.from_agency, update_number=request.update_number),))


def _place(location: Any) -> str:
    """The place in words, as far as the host holds so many; what they tell is taken out of the location."""
    address = type(location.address)(uprn=location.address.uprn)
    ways = {
        "description": " ".join(location.description.split()),
        "address": ", ".join(_words(location.address, but=("uprn",), labelled=False)),
        "postcode": location.postcode,
    }
    if not any(ways.values()):
        degrees = f"{location.latitude:.6f} {location.longitude:.6f}" if location.HasField("latitude") else ""
        return str(location.what3words or degrees or f"{location.easting} {location.northing}")
    place = ""
    for name, words in ways.items():
        longer = ", ".join(filter(None, (place, words)))
        if words and len(to_latin(longer)) <= PLACE:
            place = longer
            location.ClearField(name)
            if name == "address" and address.uprn:
                location.address.CopyFrom(address)
    if not place:
        raise _unheld("incident_create.location.description", f"CAD holds {PLACE} characters of a place, and no shorter one is given")
    return place


def _words(message: Message, *, but: Collection[str] = (), labelled: bool = True) -> Iterator[str]:
    """Every field that is set, in words: a line for each, and one for each item of a list."""
    for field, value in message.ListFields():
        label = "" if field.name in SPEAKING else field.name.replace("_", " ")
        for one in value if field.is_repeated else (value,):
            words = _word(field, one, label)
            if words and field.name not in but:
                yield f"{label}: {words}" if labelled and label and words != label else words


def _word(field: FieldDescriptor, value: Any, label: str) -> str:
    if field.enum_type is not None:
        prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
        return str(field.enum_type.values_by_number[value].name.removeprefix(prefix).replace("_", " "))
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return ", ".join(_words(value, labelled=False))
    return label if value is True else str(value)


def _reference(request: PublishHandoverRequest) -> str:
    return f"{request.origin_agency} {request.origin_reference}"


def _unheld(field: str, words: str) -> Fault:
    return Fault(Reason.INVALID_REQUEST, f"{field}: {words}", fields=((field, words),))
