"""What is fuzzed of COPA: each reply, questions as its simulator reads them, and its faults."""

from datetime import UTC, datetime
from typing import Any

from adapters.copa import records
from adapters.copa.translate import TRANSLATION
from adapters.copa.upstream import FAULTS, FIELDS, PATIENCE, _other_version
from adapters.copa.wire import element_of, record_of
from adapters.kit.asking import Refusals
from adapters.kit.binding import WireError
from adapters.kit.soap import envelope
from metip.copa.v1 import case_file_service_pb2 as service
from tests.fuzz import bodies
from tests.fuzz.declaring import Decoder

REFUSALS = Refusals("COPA", code="ErrorCode", meanings=FAULTS, fields=FIELDS, patience=PATIENCE, also=_other_version)
REPLIES: dict[type[Any], type[Any] | None] = {
    records.GetCaseReply: service.GetCaseFileResponse,
    records.OpenCaseReply: service.CreateCaseFileResponse,
    records.AmendCaseReply: service.UpdateCaseFileResponse,
    records.FileResultReply: None,
    records.GetCase: None,
    records.OpenCase: None,
    records.AmendCase: None,
    records.FileResult: None,
}
RESULT = records.Result(
    key="K1",
    asn="2601ZD0100000900001A",
    court="2576",
    heard=(2026, 11, 3),
    filed=datetime(2026, 11, 4, 9, 30, tzinfo=UTC),
    decisions=(records.Decision(sequence=1, code="TH68006", verdict="G", disposals=(records.Disposal(code=1015, text="Fined £100"),)),),
)
FILED: dict[type[Any], Any] = {
    records.FileResult: records.FileResult(urn="01ZD9000126", version=3, result=RESULT),
    records.FileResultReply: records.FileResultReply(version=4, as_at=datetime(2026, 11, 4, 9, 30, tzinfo=UTC)),
}
"""Results come as messages, which no case of this system shows."""


def _decoder(kind: type[Any], message: type[Any] | None) -> Decoder:
    return Decoder(
        name=kind.__name__,
        decode=bodies.inside(lambda element: record_of(element, kind)),
        refuses=(WireError, *bodies.REFUSES),
        seeds=lambda: [envelope(element_of(FILED[kind]))] if kind in FILED else [],
        encode=bodies.around(element_of),
        translate=None if message is None else lambda record: TRANSLATION.message(record, message),
    )


DECODERS = (
    *(_decoder(kind, message) for kind, message in REPLIES.items()),
    Decoder(name="fault", decode=bodies.fault, refuses=bodies.REFUSES, translate=REFUSALS.fault),
)
