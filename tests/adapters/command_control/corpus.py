"""What is fuzzed between control rooms: messages that come to the adapter's door, answers to enquiries, and what they make."""

from collections.abc import Iterable
from typing import Any

from adapters.command_control import records, room, translate, wire
from adapters.command_control.records import Message
from adapters.command_control.upstream import _fault, plain
from adapters.kit.population import Population
from metip.command_control.v1 import incident_service_pb2 as service
from tests.fuzz.declaring import Decoder

ANSWERS: dict[str, Any] = {
    kind.DESCRIPTOR.name: kind for kind in (service.GetIncidentResponse, service.SearchIncidentsResponse, service.ListResourcesResponse)
}


def documents() -> Iterable[bytes]:
    """What agencies hand over, acknowledgements, and a refusal."""
    held = room.Room(Population(2026))
    for call in held.calls[:8]:
        for message in room.story(call, "POL-01CAD", room.ROOM):
            yield wire.encode(message)
            yield wire.encode(Message(header=message.header, ack=held.take(message, room.ROOM)))
    yield wire.encode(records.Refused(code=records.UNKNOWN_INCIDENT))


def translated(record: Any) -> object:
    """What the adapter makes of a document. A message that can't be published is a ValueError, and is answered so."""
    if isinstance(record, Message):
        ack = translate.acknowledgement(record.header.message_id, record)
        return ack, plain(record.ack.code) if record.ack else "", translate.handed_over(record)
    if isinstance(record, records.Refused):
        return _fault(record.code)
    kind = ANSWERS.get(type(record).__name__)
    return kind and translate.MIRROR.message(record, kind)


DECODERS = (
    Decoder(
        name="document",
        decode=wire.decode,
        refuses=(wire.WireError,),
        seeds=documents,
        encode=wire.encode,
        translate=translated,
        also=(ValueError,),
    ),
)
