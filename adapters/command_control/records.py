"""The native records of Multi Agency Incident Transfer messages, and of the enquiries beside them.

The text of the standard's schema is not public, so what messages contain is built like the contract (assumed); another form would stand
here. Codes and identifiers are text, '' for none; instants are aware and to the second.
"""

from datetime import datetime
from typing import Annotated, Any, Final

from adapters.kit.documents import Record
from adapters.kit.mirror import Mirrored, record_type
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1.resource_pb2 import AssistanceRequest, Resource

Reference = record_type(contract.AgencyReference)
QUESTIONS = tuple(map(record_type, (service.GetIncidentRequest, service.SearchIncidentsRequest, service.ListResourcesRequest)))
ANSWERS = tuple(map(record_type, (service.GetIncidentResponse, service.SearchIncidentsResponse, service.ListResourcesResponse)))
"""The standard has no enquiries; these are of Command and Control itself."""

DUPLICATE: Final = "DUPLICATE"  # accepted: the incident was there already
TEST: Final = "TEST"  # accepted as a test of the line: nothing follows from it
UNKNOWN_AGENCY: Final = "UNKNOWN_AGENCY"
UNKNOWN_INCIDENT: Final = "UNKNOWN_INCIDENT"
SUPERSEDED: Final = "SUPERSEDED"  # a later update was taken before
VERSION: Final = "VERSION"  # that version of the standard is not spoken
INVALID: Final = "INVALID"
BUSY: Final = "BUSY"
"""Codes of rooms (assumed)."""


class Header(Record):
    """What each message begins with. `to_agencies` are parted by blanks; at `reply_to` the sender takes acknowledgements (assumed)."""

    message_id: str
    to_agencies: str = ""
    from_agency: str = ""
    sent_at: datetime | None = None
    version: str = ""
    test: bool = False
    reply_to: str = ""


class Ack(Mirrored):
    """What a room says of a message: the second acknowledgement, after HTTP's own."""

    message_id: str
    accepted: bool
    their_incident: Annotated[Any, contract.AgencyReference] = None
    code: str = ""
    reason: str = ""


class Message(Mirrored):
    """One message, with one of its seven contents. `extension` is the `Extension` element as XML, which nobody here reads."""

    header: Header
    origin: Annotated[Any, contract.AgencyReference] = None
    update_number: int = 0
    incident_create: Annotated[Any, contract.Incident] = None
    incident_update: Annotated[Any, contract.IncidentChange] = None
    incident_request_assistance: Annotated[Any, AssistanceRequest] = None
    resource_status: Annotated[Any, Resource] = None
    incident_close: Annotated[Any, contract.IncidentClosure] = None
    free_text: Annotated[Any, contract.FreeText] = None
    ack: Ack | None = None
    extension: str = ""


class Refused(Record):
    """Answers an enquiry with a code."""

    code: str
