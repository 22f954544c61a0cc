"""What is fuzzed of the Home Office's files: acknowledgements, batches that it gave back, and batches as its simulator reads them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from cases import case_files, read_case

from adapters.kit.soap import SoapError, parse_xml
from adapters.traffic_offences import records, wire
from adapters.traffic_offences.acknowledging import _message_id
from adapters.traffic_offences.translate import offence
from metip.traffic_offences.v1.offence_service_pb2 import SubmitOffenceRequest
from tests.fuzz.declaring import Decoder
from tests.fuzz.sealing import sealed, trailer, without_trailer

CREATED = f"{datetime(2026, 11, 1, 10, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"


def notices() -> list[records.Offence]:
    """Those of the recorded cases that keep the contract."""
    found = []
    for number, path in enumerate(case_files(("traffic_offences",))):
        case, request = read_case(path).case, SubmitOffenceRequest()
        if case.request.Unpack(request) and case.WhichOneof("outcome") == "answered":
            found.append(offence(request, f"0197c1d2-0000-7000-8000-{number:012d}"))
    return found


def batches() -> Iterable[bytes]:
    """One notice, and all of them."""
    header = records.Header(sender="MPS", batch="1", created=CREATED)
    known = notices()
    for offences in (*((one,) for one in known), tuple(known)):
        yield wire.encode_batch(records.Batch(header=header, offences=offences))


def acknowledgements() -> Iterable[bytes]:
    """Of a batch that was taken, and of one that was not."""
    results = tuple(records.Result(reference=one.reference, outcome="AR"[number % 2], code="N03") for number, one in enumerate(notices()))
    for verdict in (records.Verdict(batch="a.xml", outcome="A"), records.Verdict(batch="a.xml", outcome="R", code="B01")):
        yield wire.encode_acknowledgement(records.Acknowledgement(verdict=verdict, results=results))


def _records(data: bytes) -> int:
    for root in (f"</{wire.BATCH}>".encode(), f"</{wire.ACKNOWLEDGEMENT}>".encode()):
        try:
            return len(parse_xml(data + root)) - 1
        except SoapError:
            continue
    return data.count(b"<Offence ") + data.count(b"<Result ")


REFUSES = (wire.Incomplete, wire.Damaged)
BATCH = Decoder(name="batch", decode=wire.decode_batch, refuses=REFUSES, seeds=batches, encode=wire.encode_batch)
ACKNOWLEDGEMENT = Decoder(
    name="acknowledgement",
    decode=wire.decode_acknowledgement,
    refuses=REFUSES,
    seeds=acknowledgements,
    encode=wire.encode_acknowledgement,
    translate=lambda told: [_message_id(one.reference) for one in told.results],
)
DECODERS = (
    BATCH,
    ACKNOWLEDGEMENT,
    sealed(BATCH, trailer(wire.BATCH, "Records", _records), without_trailer),
    sealed(ACKNOWLEDGEMENT, trailer(wire.ACKNOWLEDGEMENT, "Records", _records), without_trailer),
    Decoder(
        name="references", decode=wire.references, refuses=(), seeds=batches, translate=lambda found: [_message_id(one) for one in found]
    ),
)
