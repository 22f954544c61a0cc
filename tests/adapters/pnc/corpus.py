"""What is fuzzed of the PNC: frames on its line, and replies with the messages that they make up."""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.kit.framing import Deframer, FrameError, frame
from adapters.pnc import translate
from adapters.pnc.records import OPERATIONS, Transaction
from adapters.pnc.replies import reply_codes
from adapters.pnc.upstream import refusal
from adapters.pnc.wire import WireError, decode, encode
from metip.pnc.v1 import arrest_summons_service_pb2 as arrests
from metip.pnc.v1 import case_update_service_pb2 as updates
from metip.pnc.v1 import driver_enquiry_service_pb2 as drivers
from metip.pnc.v1 import person_enquiry_service_pb2 as persons
from metip.pnc.v1 import property_enquiry_service_pb2 as properties
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as vehicles
from tests.fuzz.declaring import Decoder

BESIDE_THE_CHECKOUT = Path(__file__).parents[4] / "shared" / "reference"
FOLDER = Path(os.environ.get("METIP_REFERENCE_DIR") or BESIDE_THE_CHECKOUT) / "pnc" / "exchanges"
MESSAGE = re.compile(rb"<\?xml[^>]*\?>\s*<(\w+)>.*?</\1>", re.DOTALL)
AT = datetime(2026, 11, 25, 10, tzinfo=UTC)
ANSWERS: tuple[type[Any], ...] = (
    arrests.GetArrestSummonsResponse,
    persons.GetPersonResponse,
    persons.SearchPersonsResponse,
    vehicles.GetVehicleResponse,
    drivers.GetDriverResponse,
    properties.SearchPropertyResponse,
)
UPDATES: tuple[type[Any], ...] = (
    updates.RecordDisposalRequest,
    updates.RecordRemandRequest,
    updates.RecordDeferredSentenceRequest,
    updates.RecordVariationRequest,
)


def reference() -> Iterable[bytes]:
    """What Bichard 7 recorded, where it lies beside the repository."""
    return (found.group() for path in sorted(FOLDER.glob("*.txt")) for found in MESSAGE.finditer(path.read_bytes()))


def translated(reply: Transaction) -> object:
    """Every message that the reply could make up, and what it refuses; the receipt too where it says anything."""
    made: list[object] = [translate.answer(kind, reply, AT) for kind in ANSWERS]
    made += [translate.read(kind, reply.segments, AT.date()) for kind in UPDATES]
    made += [refusal(function, reply) for function in OPERATIONS]
    made += [reply.problems(), translate.disposal_receipt(reply) if reply_codes(reply) else None]
    return made


def unframed(data: bytes) -> list[bytes]:
    """The messages in a stream that ends with the last of them. Raises `FrameError`."""
    line, found = Deframer(), []
    for start in range(0, len(data), 1000):
        line.feed(data[start : start + 1000])
        while (message := line.take()) is not None:
            found.append(message)
    line.end()
    return found


DECODERS = (
    Decoder(name="transaction", decode=decode, refuses=(WireError,), seeds=reference, encode=encode, translate=translated),
    Decoder(
        name="frames",
        decode=unframed,
        refuses=(FrameError,),
        seeds=lambda: [frame(one) for one in reference()] or [frame(b"<A/>"), frame(b"x" * 2000) + frame(b"y")],
        encode=lambda messages: b"".join(map(frame, messages)),
    ),
)
