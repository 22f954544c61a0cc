"""What is fuzzed of the warehouse: the frames of PostgreSQL's line. Its driver reads the rest; what it gives is made of values."""

import struct
from collections.abc import Iterable

from adapters.cdw.framing import Framing
from tests.fuzz.declaring import Decoder

RECORDED = False


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def streams() -> Iterable[bytes]:
    """What a server says as a session begins, answers and complains (protocol 3)."""
    begin = _message(b"R", bytes(4)) + _message(b"S", b"server_version\x0016.4\x00") + _message(b"K", bytes(8)) + _message(b"Z", b"I")
    rows = _message(b"1", b"") + _message(b"T", struct.pack(">h", 1) + b"records\x00" + bytes(18)) + _message(b"D", b"\x00\x01" + bytes(8))
    yield from (begin, begin + rows + _message(b"C", b"SELECT 1\x00"), _message(b"E", b"SFATAL\x00C57P01\x00\x00"))


def fits(data: bytes) -> bool:
    """Whether the stream is made of messages; it comes in parts, whatever they are."""
    whole, parts = Framing(), Framing()
    answer = whole.fits(data)
    in_parts = all(parts.fits(data[start : start + 3]) for start in range(0, min(len(data), 3000), 3))
    if len(data) <= 3000 and answer and not in_parts:
        raise AssertionError("it depends on the parts")
    return answer


DECODERS = (Decoder(name="frames", decode=fits, refuses=(), seeds=streams),)
