"""What is fuzzed of Merlin: each answer, questions as its simulator reads them, and its faults."""

from typing import Any

from adapters.kit.asking import Refusals
from adapters.kit.binding import WireError
from adapters.merlin import records
from adapters.merlin.translate import TRANSLATION
from adapters.merlin.upstream import FAULTS, FIELDS, PATIENCE, _open_episode
from adapters.merlin.wire import element_of, record_of
from metip.merlin.v1 import report_service_pb2 as service
from tests.fuzz import bodies
from tests.fuzz.declaring import Decoder

REFUSALS = Refusals("Merlin", code="code", meanings=FAULTS, fields=FIELDS, patience=PATIENCE, also=_open_episode)
KINDS: dict[type[Any], type[Any] | None] = {
    records.Found: service.SearchReportsResponse,
    records.Fetched: service.GetReportResponse,
    records.Raised: service.RaiseReportResponse,
    records.Amended: service.UpdateReportResponse,
    records.Ticket: None,
    records.Find: None,
    records.Fetch: None,
    records.Raise: None,
    records.Amend: None,
    records.Logon: None,
}


def _decoder(kind: type[Any], message: type[Any] | None) -> Decoder:
    return Decoder(
        name=kind.__name__,
        decode=bodies.inside(lambda element: record_of(element, kind)),
        refuses=(WireError, *bodies.REFUSES),
        encode=bodies.around(element_of),
        translate=None if message is None else lambda record: TRANSLATION.message(record, message),
    )


DECODERS = (
    *(_decoder(kind, message) for kind, message in KINDS.items()),
    Decoder(name="fault", decode=bodies.fault, refuses=bodies.REFUSES, translate=REFUSALS.fault),
)
