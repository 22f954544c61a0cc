"""What is fuzzed of CONNECT: records, pages, the change feed that webhooks carry too, problems, tags, tokens, and what they make."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from adapters.connect import layout, translate, wire
from adapters.connect.records import Changes, Page, Refused
from adapters.connect.upstream import _fault
from adapters.kit.json_documents import decode, encode
from adapters.kit.rest import _token
from adapters.kit.webhooks import Seals
from metip.connect.v1 import custody_service_pb2 as custody
from metip.connect.v1 import intelligence_service_pb2 as intelligence
from metip.connect.v1 import investigation_service_pb2 as investigation
from metip.connect.v1 import location_service_pb2 as location
from metip.connect.v1 import person_service_pb2 as person
from metip.connect.v1 import vehicle_service_pb2 as vehicle
from metip.faults import Fault
from tests.fuzz.declaring import Decoder

RECORDS: tuple[tuple[type[Any], Any], ...] = (
    (person.GetPersonResponse, layout.PERSON_RECORD),
    (vehicle.GetVehicleResponse, layout.VEHICLE_RECORD),
    (location.GetLocationResponse, layout.LOCATION_RECORD),
    (investigation.GetInvestigationResponse, layout.INVESTIGATION),
    (investigation.CreateInvestigationResponse, layout.DONE),
    (investigation.LinkEntitiesResponse, layout.LINKED),
    (custody.GetCustodyRecordResponse, layout.CUSTODY_RECORD),
    (intelligence.GetIntelligenceReportResponse, layout.INTELLIGENCE),
)
SUMMARIES: tuple[tuple[type[Any], Any], ...] = (
    (person.SearchPersonsResponse, layout.PERSON_SUMMARY),
    (vehicle.SearchVehiclesResponse, layout.VEHICLE_SUMMARY),
    (location.SearchLocationsResponse, layout.LOCATION_SUMMARY),
)
RING = b"1000000\n" + b"0" * 64 + b'\n{"items":[]}'


def _each(ways: Iterable[Callable[[], object]]) -> list[object]:
    """Tries every way; a document that is right for one is a `Fault` for others."""
    made: list[object] = []
    for way in ways:
        try:
            made.append(way())
        except Fault:
            made.append(None)
    return made


def record(tree: Any) -> object:
    """A record, as each kind of answer would read it."""
    known = {**tree, "version": 1, "replayed": False}
    return _each(partial(lambda kind, table: translate.told(kind(), known, table), *one) for one in RECORDS)


def page(found: Page) -> object:
    """A page, as each search would read it."""
    return _each(partial(lambda kind, table: translate.listed(kind(), found, table), *one) for one in SUMMARIES)


def changes(found: Changes) -> object:
    """What would be published of each change."""
    return _each(partial(translate.change, one) for one in found.items)


def problem(found: Refused) -> object:
    """The fault, and where a merged record went."""
    merged = _each(partial(lambda kind, table: translate.told(kind(), found, table), *one) for one in RECORDS[:3])
    return _fault(found, 409, {}), _fault(found, 404, {wire.NEED_TO_KNOW: "1"}), merged


def _decoder(kind: type[Any], translated: Callable[[Any], object]) -> Decoder:
    return Decoder(
        name=kind.__name__, decode=lambda data: decode(kind, data), refuses=(wire.WireError,), encode=encode, translate=translated
    )


def ring(data: bytes) -> int:
    """Whether a ring is let in whose timestamp, signature and body are parts of the document."""
    timestamp, signature, body = [*data.split(b"\n", 2), b"", b""][:3]
    return Seals(b"key", lambda: 1_000_000.0).admit(timestamp.decode("latin-1"), signature.decode("utf-8", "surrogateescape"), body)


DECODERS = (
    _decoder(dict, record),
    _decoder(Page, page),
    _decoder(Changes, changes),
    _decoder(Refused, problem),
    Decoder(name="token", decode=_token, refuses=(), seeds=lambda: [b'{"access_token":"abc.DEF","token_type":"Bearer","expires_in":300}']),
    Decoder(
        name="tag",
        decode=lambda data: wire.version_of(data.decode("latin-1")),
        refuses=(wire.WireError,),
        seeds=lambda: [wire.tag_of(1).encode(), wire.tag_of(999_999_999).encode()],
        encode=lambda version: wire.tag_of(version).encode(),
    ),
    Decoder(name="ring", decode=ring, refuses=(), seeds=lambda: [RING, b"999999\nv1=\n"]),
)
