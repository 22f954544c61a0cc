"""Native records of the CJS Exchange around cases and results: its SOAP messages, its routing envelope, and its deliveries.

`SubmitRequest` and the like are bodies of SOAP 1.1 messages (`spi.wsdl`); `RouteData` and `RouteDataResp` are documents that stand as text
in their `message`, and hold a payload as text in turn (`cjseOperations.xsd`); `DeliverRequest` holds its payload as an element (Bichard 7).
"""

from datetime import datetime
from typing import Annotated, Final

from adapters.libra.layout import IDENTIFIER, MOMENT, TEXT, Attribute, Document, Leaf, Part, matching, one_of, record, whole

ENDPOINT: Final = "http://schemas.cjse.gov.uk/endpoint/types/"
OPERATIONS: Final = "http://schemas.cjse.gov.uk/common/operations"
ENTITIES: Final = "http://schemas.cjse.gov.uk/common/businessentities"
DELIVER: Final = "http://schemas.cjse.gov.uk/messages/deliver/2006-05"
MESSAGING: Final = "http://schemas.cjse.gov.uk/messages/messaging/2006-05"
METADATA: Final = "http://schemas.cjse.gov.uk/messages/metadata/2006-05"
FORMAT: Final = "http://schemas.cjse.gov.uk/messages/format/2006-05"
VERSION: Final = {"VersionNumber": "1.0"}
CODE = whole(99_999)


@record(ENDPOINT, "SubmitRequestMes")
class SubmitRequest:
    """Hands a document to systems."""

    request_id: Annotated[str, Leaf("RequestID", IDENTIFIER)] = ""
    source_id: Annotated[str, Leaf("SourceID", IDENTIFIER)] = ""
    destination_ids: Annotated[tuple[str, ...], Leaf("DestinationID", IDENTIFIER)] = ()
    mode: Annotated[str, Leaf("ExecMode", matching("ASYNCH|SYNCH|ROUTE"))] = ""
    timestamp: Annotated[datetime | None, Leaf("Timestamp", MOMENT)] = None
    message: Annotated[str, Document("Message")] = ""


@record(ENDPOINT, "SubmitResponseMes")
class SubmitResponse:
    """Says whether a document was taken."""

    request_id: Annotated[str, Leaf("RequestID", IDENTIFIER)] = ""
    code: Annotated[int | None, Leaf("ResponseCode", CODE)] = None
    text: Annotated[str, Leaf("ResponseText", TEXT)] = ""


@record(ENDPOINT)
class RetrieveFilter:
    """Bounds a retrieval."""

    since: Annotated[datetime | None, Leaf("TimeFrom", MOMENT)] = None
    until: Annotated[datetime | None, Leaf("TimeTo", MOMENT)] = None


@record(ENDPOINT, "RetrieveRequestMes")
class RetrieveRequest:
    """Asks for what is waiting."""

    request_id: Annotated[str, Leaf("RequestID", IDENTIFIER)] = ""
    source_id: Annotated[str, Leaf("SourceID", IDENTIFIER)] = ""
    filter: Annotated[RetrieveFilter | None, Part("Filter")] = None


@record(ENDPOINT, "RetrieveResponseMes")
class RetrieveResponse:
    """Gives what was waiting."""

    request_id: Annotated[str, Leaf("RequestID", IDENTIFIER)] = ""
    code: Annotated[int | None, Leaf("ResponseCode", CODE)] = None
    text: Annotated[str, Leaf("ResponseText", TEXT)] = ""
    last: Annotated[datetime | None, Leaf("TimeLast", MOMENT)] = None
    messages: Annotated[tuple[str, ...], Document("Message")] = ()


@record(OPERATIONS, **VERSION)
class System:
    """A party to a route: who sent, under which correlation id."""

    correlation_id: Annotated[str, Leaf("CorrelationID", IDENTIFIER)] = ""
    system_id: Annotated[str, Leaf("SystemID", IDENTIFIER)] = ""
    unit: Annotated[str, Leaf("OrganizationalUnitID", IDENTIFIER)] = ""
    data_controller: Annotated[str, Leaf("DataController", TEXT)] = ""


@record(ENTITIES, **VERSION)
class DataStream:
    """A payload with its type and the sender's own name for it."""

    system: Annotated[str, Leaf("System", IDENTIFIER)] = ""
    type: Annotated[str, Leaf("DataStreamType", IDENTIFIER)] = ""
    id: Annotated[str, Leaf("SystemDataStreamID", IDENTIFIER)] = ""
    content: Annotated[str, Document("DataStreamContent")] = ""


@record(OPERATIONS, **VERSION)
class Route:
    """One way for a payload."""

    id: Annotated[str, Leaf("RouteID", IDENTIFIER)] = ""
    source: Annotated[str, Leaf("RouteSourceSystem", IDENTIFIER)] = ""
    destination: Annotated[str, Leaf("RouteDestinationSystem", IDENTIFIER)] = ""


@record(OPERATIONS, **VERSION)
class Routes:
    """The ways for a payload."""

    routes: Annotated[tuple[Route, ...], Part("Route")] = ()


@record(OPERATIONS, "RouteData", **VERSION)
class RouteData:
    """Asks the exchange to route a payload."""

    kind: Annotated[str, Attribute("RequestResponse")] = "Request"
    sender: Annotated[System | None, Part("RequestFromSystem")] = None
    stream: Annotated[DataStream | None, Part("DataStream")] = None
    routes: Annotated[Routes | None, Part("Routes")] = None


@record(OPERATIONS)
class Status:
    """What became of a payload on one route."""

    kind: Annotated[str, Leaf("StatusClass", TEXT)] = ""
    code: Annotated[int | None, Leaf("Code", CODE)] = None
    description: Annotated[str, Leaf("Description", TEXT)] = ""
    context: Annotated[str, Leaf("ResponseContext", TEXT)] = ""
    route: Annotated[str, Leaf("RouteId", IDENTIFIER)] = ""


@record(OPERATIONS, "RouteDataResp", **VERSION)
class RouteDataResp:
    """Says what became of a payload on each of its routes."""

    receiver: Annotated[System | None, Part("ResponseToSystem")] = None
    statuses: Annotated[tuple[Status, ...], Part("OperationStatus")] = ()


@record(MESSAGING)
class Party:
    """A system by its name, its unit and its environment."""

    name: Annotated[str, Leaf("Name", TEXT)] = ""
    unit: Annotated[str, Leaf("OrgUnitCode", IDENTIFIER)] = ""
    environment: Annotated[str, Leaf("Environment", TEXT)] = ""


@record(METADATA, SchemaVersion="1.0")
class DeliveryMetadata:
    """Where a delivery comes from and when it was made."""

    origin: Annotated[Party | None, Part("OriginatingSystem")] = None
    created: Annotated[datetime | None, Leaf("CreationDateTime", MOMENT)] = None
    expires: Annotated[datetime | None, Leaf("ExpiryDateTime", MOMENT)] = None
    destination: Annotated[str, Leaf("SenderRequestedDestination", TEXT)] = ""


@record(MESSAGING)
class MessageType:
    """The type of a payload."""

    type: Annotated[str, Leaf("Type", TEXT)] = ""
    version: Annotated[str, Leaf("Version", TEXT)] = ""


@record(FORMAT, SchemaVersion="1.0")
class DeliveryFormat:
    """What kind of payload a delivery holds."""

    type: Annotated[MessageType | None, Part("MessageType")] = None


@record(DELIVER, "DeliverRequest")
class DeliverRequest:
    """Delivers a payload to one system."""

    message_id: Annotated[str, Leaf("MessageIdentifier", TEXT, namespace=MESSAGING)] = ""
    sender: Annotated[Party | None, Part("RequestingSystem", namespace=MESSAGING)] = None
    ack_requested: Annotated[str, Leaf("AckRequested", one_of("01"), namespace=MESSAGING)] = ""
    metadata: Annotated[DeliveryMetadata | None, Part("MessageMetadata", namespace=METADATA)] = None
    format: Annotated[DeliveryFormat | None, Part("MessageFormat", namespace=FORMAT)] = None
    message: Annotated[str, Document("Message", inside=True)] = ""


@record(DELIVER, "DeliverResponse")
class DeliverResponse:
    """Says whether a delivery was taken, in the codes of a submission (assumed: the interface's own answer is not public)."""

    message_id: Annotated[str, Leaf("MessageIdentifier", TEXT, namespace=MESSAGING)] = ""
    code: Annotated[int | None, Leaf("ResponseCode", CODE)] = None
