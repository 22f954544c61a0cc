"""What is fuzzed of CRIS: each answer, questions as its simulator reads them, and its faults."""

from typing import Any, get_args

from adapters.cris import records, translate, wire
from adapters.cris.codes import ENCODING
from adapters.cris.upstream import fault_of
from metip.cris.v1 import crime_report_service_pb2 as service
from tests.fuzz import bodies
from tests.fuzz.declaring import Decoder

ANSWERS: dict[type[Any], type[Any]] = {
    records.Found: service.SearchCrimeReportsResponse,
    records.Given: service.GetCrimeReportResponse,
    records.Created: service.CreateCrimeReportResponse,
    records.Added: service.AddDetailResponse,
    records.Updated: service.UpdateCrimeReportResponse,
}
assert set(ANSWERS) == set(get_args(records.Answer))


def _answer(kind: type[Any], message: type[Any]) -> Decoder:
    return Decoder(
        name=kind.__name__,
        decode=bodies.inside(lambda element: wire.read(kind, element)),
        refuses=(wire.WireError, *bodies.REFUSES),
        encode=bodies.around(wire.write, ENCODING),
        translate=lambda record: translate.answer(record, message, ()),
    )


DECODERS = (
    *(_answer(kind, message) for kind, message in ANSWERS.items()),
    Decoder(
        name="question",
        decode=bodies.inside(wire.question),
        refuses=(wire.WireError, *bodies.REFUSES),
        encode=bodies.around(wire.write, ENCODING),
    ),
    Decoder(
        name="fault",
        decode=bodies.fault,
        refuses=bodies.REFUSES,
        translate=lambda said: (fault_of(said.detail, need_to_know=True), fault_of(said.detail, need_to_know=False)),
    ),
)
