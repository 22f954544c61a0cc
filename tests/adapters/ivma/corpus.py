"""What is fuzzed of the vehicle register: its answers under every status, and what they come to."""

from adapters.ivma import translate, wire
from adapters.ivma.records import Document, Enquiry, Vehicle
from adapters.ivma.upstream import _read
from adapters.kit.http import HttpAnswer
from metip.faults import Fault
from tests.fuzz.declaring import Decoder


def translated(document: Document) -> object:
    """The finding of a vehicle."""
    return translate.register_finding(document) if isinstance(document, Vehicle) else None


def outcome(data: bytes) -> object:
    """What becomes of any body under any status."""
    return [_told(HttpAnswer(status, data)) for status in (200, 400, 404, 429, 500, 503)]


def _told(answer: HttpAnswer) -> bool:
    try:
        return isinstance(_read(answer, Enquiry(registration_number="AB01ABC")), Vehicle)
    except Fault:
        return False


DECODERS = (
    Decoder(name="document", decode=wire.decode, refuses=(wire.WireError,), encode=wire.encode, translate=translated),
    Decoder(name="outcome", decode=outcome, refuses=()),
)
