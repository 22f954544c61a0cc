"""What is fuzzed of the courts' exchange: whatever comes to the adapter's door or answers it, and what stands in that as text."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from adapters.kit.population import Population
from adapters.kit.soap import envelope
from adapters.libra import envelopes, translate
from adapters.libra.cases_sent import Case, NewCase
from adapters.libra.court import result_of, result_of_nobody
from adapters.libra.results import ResultedCases
from adapters.libra.upstream import Systems, submission
from adapters.libra.wire import WireError, decode, decode_text, digest, element_of, encode, encode_text, opened
from tests.adapters.libra.samples import sample_case
from tests.fuzz.declaring import Decoder

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "cjse"
ID = "0197c1d2-0000-7000-8000-000000000001"
AT = datetime(2026, 11, 25, 10, tzinfo=UTC)


def reference() -> Iterable[bytes]:
    """Published documents, where they lie beside the repository."""
    return (path.read_bytes() for path in sorted(FOLDER.glob("*/*.xml")))


@cache
def documents() -> Sequence[bytes]:
    """A document of each kind, made here, and the published ones."""
    return tuple(_documents())


def _documents() -> Iterator[bytes]:
    yield from reference()
    case = translate.case_record(sample_case())
    submitted = submission(case, ID, Systems("00101PoliceCaseSystem", "B00LIBRA", "Z00CJSE"), AT)
    results = (result_of(case.case or Case()), result_of(case.case or Case(), many=True), result_of_nobody(Population(2026)))
    party = envelopes.System(correlation_id=ID, system_id="B00LIBRA")
    routed = [
        envelopes.RouteData(sender=party, stream=envelopes.DataStream(system="B00LIBRA", id=ID, content=encode_text(one)))
        for one in results
    ]
    delivered = [envelopes.DeliverRequest(message_id=ID, message=encode_text(one)) for one in results]
    answered = envelopes.RouteDataResp(receiver=party, statuses=(envelopes.Status(code=1, route="1"), envelopes.Status(code=205)))
    held = envelopes.RetrieveResponse(request_id=ID, code=1, last=AT, messages=(encode_text(routed[0]), encode_text(answered)))
    asked = envelopes.RetrieveRequest(request_id=ID, filter=envelopes.RetrieveFilter(since=AT))
    taken = envelopes.SubmitResponse(request_id=ID, code=1, text="Success")
    for one in (case, submitted, *results, *routed, *delivered, answered, held, asked, taken):
        yield encode(one)
        yield envelope(element_of(one))


def translated(record: Any) -> object:
    """The messages that a document makes; what its payload is decides. Text in it that is none of ours is a `WireError`."""
    match record:
        case ResultedCases():
            return translate.results(record)
        case NewCase():
            return translate.case_message(record)
        case envelopes.DeliverRequest():
            payload = decode_text(record.message)
            return translate.delivered(record, payload) if isinstance(payload, ResultedCases) else payload
        case envelopes.RouteData():
            payload = decode_text(record.stream.content if record.stream else "")
            return translate.routed(record, payload) if isinstance(payload, ResultedCases) else payload
        case envelopes.SubmitRequest():
            return decode_text(record.message)
        case envelopes.RetrieveResponse():
            return [decode_text(message) for message in record.messages]
    return None


DECODERS = (
    Decoder(
        name="document",
        decode=decode,
        refuses=(WireError,),
        seeds=documents,
        encode=encode,
        translate=translated,
        faults=False,
        also=(WireError,),
    ),
    Decoder(name="door", decode=opened, refuses=(WireError,), seeds=documents, translate=lambda found: digest(found[0]), also=(WireError,)),
    Decoder(
        name="text",
        decode=lambda data: decode_text(data.decode("utf-8", "replace")),
        refuses=(WireError,),
        seeds=documents,
        encode=lambda record: encode_text(record).encode(),
        translate=translated,
        faults=False,
        also=(WireError,),
    ),
)
