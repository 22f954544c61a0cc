"""Between the contract and the standard's records: codes, who sends to whom, and how a message is known."""

from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from adapters.command_control.records import DUPLICATE, Header, Message, Reference
from adapters.kit.mirror import Mirror
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS, PublishHandoverRequest
from metip.command_control.v1.incident_service_pb2 import Acknowledgement
from metip.common.v1.access_pb2 import AccessContext
from metip.options.v1 import options_pb2

MIRROR = Mirror(
    {
        "metip.command_control.v1.Priority": {1: "I", 2: "S", 3: "E", 4: "R"},
        "metip.command_control.v1.CasualtySeverity": {1: "P1", 2: "P2", 3: "P3", 4: "DEAD", 5: "UNINJURED"},
        "metip.command_control.v1.ResourceState": {1: "0", 2: "2", 3: "3", 4: "5", 5: "6", 6: "9"},
    }
)
"""Codes of call grades, triage and radio states; any other code is the name of its value in the contract (assumed)."""


def command(request: Any, origin: Any, **content: Any) -> Message:
    """The message of an officer's command, with the content that the request has under another name. The same creation, or the same update
    by its number, makes the same message."""
    number = getattr(request, "update_number", 0)
    message_id = _id("", origin, number, request.test) if number or "incident_create" in content else str(uuid4())
    header = MIRROR.record(request, Header, message_id=message_id, to_agencies=request.to_agency)
    inside = {field: MIRROR.alike(one) for field, one in content.items()}
    return MIRROR.record(request, Message, header=header, origin=MIRROR.alike(origin), **inside)


def handed_on(request: PublishHandoverRequest, message_id: str) -> Message:
    """The message of a handover, for everybody but the agency that sends it; `to_agencies` is empty when nobody is left."""
    to = " ".join(one for one in request.to_agencies if one != request.from_agency)
    header = MIRROR.record(request, Header, message_id=message_id, to_agencies=to)
    origin = Reference(agency=request.origin_agency, reference=request.origin_reference)
    return MIRROR.record(request, Message, header=header, origin=origin)


def handed_over(message: Message) -> PublishHandoverRequest:
    """The handover of a partner's message. Raises ValueError, without content, for one that lacks origin or content, or
    holds what can't be."""
    header, created = message.header, message.incident_create
    origin = created.origin if created else message.origin
    contents = [one for one in PublishHandoverRequest.DESCRIPTOR.oneofs_by_name["content"].fields if getattr(message, one.name)]
    if origin is None or len(contents) != 1:
        raise ValueError("needs an origin and one content")
    purpose = options_pb2.PURPOSE_TRAINING if header.test else options_pb2.PURPOSE_INCIDENT_RESPONSE
    request = MIRROR.message(
        message,
        PublishHandoverRequest,
        access=AccessContext(purpose=purpose, reference=origin.reference[:50]),
        message_id=_id(header.from_agency, origin, 0, header.test) if created else header.message_id,
        to_agencies=dict.fromkeys(header.to_agencies.split()),
        direction=HANDOVER_DIRECTION_FROM_PARTNERS,
        protocol_version=header.version,
        origin_agency=origin.agency,
        origin_reference=origin.reference,
    )
    request.MergeFrom(MIRROR.message(header, PublishHandoverRequest, message_id=request.message_id, to_agencies=()))
    return request


def acknowledgement(message_id: str, answer: Message | None) -> Acknowledgement:
    """What became of a message; without an answer somebody must ring."""
    if answer is None or answer.ack is None:
        return Acknowledgement(message_id=message_id, voice_fallback=True)
    said = MIRROR.message(answer.ack, Acknowledgement, already_existed=answer.ack.code == DUPLICATE)
    if answer.header.sent_at:
        said.acknowledged_at.FromDatetime(answer.header.sent_at)
    return said


def _id(sender: str, origin: Any, number: int, test: bool) -> str:
    """An id that follows from what a message is about, whatever id its sender gives it each time."""
    return str(uuid5(NAMESPACE_URL, f"{sender}/{origin.agency}/{origin.reference}/{number}/{test}"))
