"""For wires whose documents prove that they are whole: what is changed is sealed again, or nothing behind the seal would be reached."""

import hashlib
import re
from collections.abc import Callable

from tests.fuzz.declaring import Decoder

TRAILER = re.compile(rb'\n<Trailer (\w+)="[0-9]+" Sha256="[0-9a-f]{64}"/></(\w+)>\s*\Z')


def sealed(decoder: Decoder, seal: Callable[[bytes], bytes], opened: Callable[[bytes], bytes]) -> Decoder:
    """The decoder, given documents without their seal."""
    encode = decoder.encode
    return Decoder(
        name=f"{decoder.name}, sealed",
        decode=lambda data: decoder.decode(seal(data)),
        refuses=decoder.refuses,
        seeds=lambda: [opened(one) for one in decoder.seeds()],
        encode=None if encode is None else lambda record: opened(encode(record)),
        translate=decoder.translate,
        faults=decoder.faults,
        also=decoder.also,
    )


def trailer(root: str, counted: str, count: Callable[[bytes], int]) -> Callable[[bytes], bytes]:
    """Seals with a trailer that has a count and a SHA-256, before the root's end where a change has put that there."""
    end = re.compile(rb"</%s>\s*\Z" % root.encode())

    def seal(data: bytes) -> bytes:
        data = end.sub(b"", data)
        digest = hashlib.sha256(data).hexdigest()
        return data + f'\n<Trailer {counted}="{min(count(data), 999_999)}" Sha256="{digest}"/></{root}>\n'.encode()

    return seal


def without_trailer(data: bytes) -> bytes:
    """What stands before the trailer."""
    return TRAILER.sub(b"", data)
