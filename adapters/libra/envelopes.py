"""Native records of the CJS Exchange around cases and results: its SOAP messages, its routing envelope, and its deliveries.

`SubmitRequest` and the like are bodies of SOAP 1.1 messages (`spi.wsdl`); `RouteData` and `RouteDataResp` are documents that stand as text
in their `message`, and hold a payload as text in turn (`cjseOperations.xsd`); `DeliverRequest` holds its payload as an element (Bichard 7).
"""

import re
from datetime import datetime
from typing import Annotated, Final

from adapters.kit.binding import At, Kind, Payload, record
from adapters.kit.texts import INSTANT, matching, one_of, whole
from adapters.libra.records import TEXT

ENDPOINT: Final = "http://schemas.cjse.gov.uk/endpoint/types/"
OPERATIONS: Final = "http://schemas.cjse.gov.uk/common/operations"
ENTITIES: Final = "http://schemas.cjse.gov.uk/common/businessentities"
DELIVER: Final = "http://schemas.cjse.gov.uk/messages/deliver/2006-05"
MESSAGING: Final = "http://schemas.cjse.gov.uk/messages/messaging/2006-05"
METADATA: Final = "http://schemas.cjse.gov.uk/messages/metadata/2006-05"
FORMAT: Final = "http://schemas.cjse.gov.uk/messages/format/2006-05"
ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
VERSION: Final = {"VersionNumber": "1.0"}
CODE: Final = whole(99_999)
IDENTIFIER: Final = Kind(lambda text: re.sub(r"\s+", "", text))
"""Identifiers of the exchange, which may hold no space; a sender that prints prettily puts line ends around and into them."""


@record(ADDRESSING, "ReplyTo")
class ReplyTo:
    """Header of a request: the URL at which its sender takes deliveries."""

    address: Annotated[str, At("Address", TEXT)] = ""


@record(ENDPOINT, "SubmitRequestMes")
class SubmitRequest:
    """Hands a document to systems."""

    request_id: Annotated[str, At("RequestID", IDENTIFIER)] = ""
    source_id: Annotated[str, At("SourceID", IDENTIFIER)] = ""
    destination_ids: Annotated[tuple[str, ...], At("DestinationID", IDENTIFIER)] = ()
    mode: Annotated[str, At("ExecMode", matching("ASYNCH|SYNCH|ROUTE"))] = ""
    timestamp: Annotated[datetime | None, At("Timestamp", INSTANT)] = None
    message: Annotated[str, Payload("Message")] = ""


@record(ENDPOINT, "SubmitResponseMes")
class SubmitResponse:
    """Says whether a document was taken."""

    request_id: Annotated[str, At("RequestID", IDENTIFIER)] = ""
    code: Annotated[int | None, At("ResponseCode", CODE)] = None
    text: Annotated[str, At("ResponseText", TEXT)] = ""


@record(ENDPOINT)
class RetrieveFilter:
    """Bounds a retrieval."""

    since: Annotated[datetime | None, At("TimeFrom", INSTANT)] = None
    until: Annotated[datetime | None, At("TimeTo", INSTANT)] = None


@record(ENDPOINT, "RetrieveRequestMes")
class RetrieveRequest:
    """Asks for what is waiting."""

    request_id: Annotated[str, At("RequestID", IDENTIFIER)] = ""
    source_id: Annotated[str, At("SourceID", IDENTIFIER)] = ""
    filter: Annotated[RetrieveFilter | None, At("Filter")] = None


@record(ENDPOINT, "RetrieveResponseMes")
class RetrieveResponse:
    """Gives what was waiting."""

    request_id: Annotated[str, At("RequestID", IDENTIFIER)] = ""
    code: Annotated[int | None, At("ResponseCode", CODE)] = None
    text: Annotated[str, At("ResponseText", TEXT)] = ""
    last: Annotated[datetime | None, At("TimeLast", INSTANT)] = None
    messages: Annotated[tuple[str, ...], Payload("Message")] = ()


@record(OPERATIONS, **VERSION)
class System:
    """A party to a route: who sent, under which correlation id."""

    correlation_id: Annotated[str, At("CorrelationID", IDENTIFIER)] = ""
    system_id: Annotated[str, At("SystemID", IDENTIFIER)] = ""
    unit: Annotated[str, At("OrganizationalUnitID", IDENTIFIER)] = ""
    data_controller: Annotated[str, At("DataController", TEXT)] = ""


@record(ENTITIES, **VERSION)
class DataStream:
    """A payload with its type and the sender's own name for it."""

    system: Annotated[str, At("System", IDENTIFIER)] = ""
    type: Annotated[str, At("DataStreamType", IDENTIFIER)] = ""
    id: Annotated[str, At("SystemDataStreamID", IDENTIFIER)] = ""
    content: Annotated[str, Payload("DataStreamContent")] = ""


@record(OPERATIONS, **VERSION)
class Route:
    """One way for a payload."""

    id: Annotated[str, At("RouteID", IDENTIFIER)] = ""
    source: Annotated[str, At("RouteSourceSystem", IDENTIFIER)] = ""
    destination: Annotated[str, At("RouteDestinationSystem", IDENTIFIER)] = ""


@record(OPERATIONS, **VERSION)
class Routes:
    """The ways for a payload."""

    routes: Annotated[tuple[Route, ...], At("Route")] = ()


@record(OPERATIONS, "RouteData", RequestResponse="Request", **VERSION)
class RouteData:
    """Asks the exchange to route a payload."""

    sender: Annotated[System | None, At("RequestFromSystem")] = None
    stream: Annotated[DataStream | None, At("DataStream")] = None
    routes: Annotated[Routes | None, At("Routes")] = None


@record(OPERATIONS)
class Status:
    """What became of a payload on one route."""

    kind: Annotated[str, At("StatusClass", TEXT)] = ""
    code: Annotated[int | None, At("Code", CODE)] = None
    description: Annotated[str, At("Description", TEXT)] = ""
    context: Annotated[str, At("ResponseContext", TEXT)] = ""
    route: Annotated[str, At("RouteId", IDENTIFIER)] = ""


@record(OPERATIONS, "RouteDataResp", **VERSION)
class RouteDataResp:
    """Says what became of a payload on each of its routes."""

    receiver: Annotated[System | None, At("ResponseToSystem")] = None
    statuses: Annotated[tuple[Status, ...], At("OperationStatus")] = ()


@record(MESSAGING)
class Party:
    """A system by its name, its unit and its environment."""

    name: Annotated[str, At("Name", TEXT)] = ""
    unit: Annotated[str, At("OrgUnitCode", IDENTIFIER)] = ""
    environment: Annotated[str, At("Environment", TEXT)] = ""


@record(METADATA, SchemaVersion="1.0")
class DeliveryMetadata:
    """Where a delivery comes from and when it was made."""

    origin: Annotated[Party | None, At("OriginatingSystem")] = None
    created: Annotated[datetime | None, At("CreationDateTime", INSTANT)] = None
    expires: Annotated[datetime | None, At("ExpiryDateTime", INSTANT)] = None
    destination: Annotated[str, At("SenderRequestedDestination", TEXT)] = ""


@record(MESSAGING)
class MessageType:
    """The type of a payload."""

    type: Annotated[str, At("Type", TEXT)] = ""
    version: Annotated[str, At("Version", TEXT)] = ""


@record(FORMAT, SchemaVersion="1.0")
class DeliveryFormat:
    """What kind of payload a delivery holds."""

    type: Annotated[MessageType | None, At("MessageType")] = None


@record(DELIVER, "DeliverRequest")
class DeliverRequest:
    """Delivers a payload to one system."""

    message_id: Annotated[str, At("MessageIdentifier", TEXT, namespace=MESSAGING)] = ""
    sender: Annotated[Party | None, At("RequestingSystem", namespace=MESSAGING)] = None
    ack_requested: Annotated[str, At("AckRequested", one_of("01"), namespace=MESSAGING)] = ""
    metadata: Annotated[DeliveryMetadata | None, At("MessageMetadata", namespace=METADATA)] = None
    format: Annotated[DeliveryFormat | None, At("MessageFormat", namespace=FORMAT)] = None
    message: Annotated[str, Payload("Message", inside=True)] = ""


@record(DELIVER, "DeliverResponse")
class DeliverResponse:
    """Says whether a delivery was taken, in the codes of a submission (assumed: the interface's own answer is not public)."""

    message_id: Annotated[str, At("MessageIdentifier", TEXT, namespace=MESSAGING)] = ""
    code: Annotated[int | None, At("ResponseCode", CODE)] = None
