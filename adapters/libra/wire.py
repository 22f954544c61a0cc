"""The codec of the CJS Exchange: bytes to native records and back, with no I/O.

What stands where, the records say; how they are read and written is the matter of `adapters.kit.binding`. A payload loses nothing here:
what has no place is kept aside with its path, and is written again at that path. Stray text between elements is passed over, and so is all
of this around payloads, in the exchange's own envelopes. What is no document of ours at all is a `WireError`, which names the place, never
what stands there.
"""

import re
from hashlib import sha256
from typing import Any, Final
from xml.sax.saxutils import unescape

from lxml import etree

from adapters.kit.binding import Documents, WireError, standing_alone
from adapters.libra import cases_sent, envelopes, results
from adapters.libra.records import BS7666, SPI

__all__ = ["WireError", "decode", "decode_text", "digest", "element_of", "encode", "encode_text", "opened"]
DOCUMENTS: Final = Documents(
    *standing_alone(cases_sent, results, envelopes),
    prefixes={
        SPI: {None: SPI, "bsa": BS7666},
        envelopes.ADDRESSING: {"wsa": envelopes.ADDRESSING},
        envelopes.ENDPOINT: {"tns1": envelopes.ENDPOINT},
        envelopes.OPERATIONS: {None: envelopes.OPERATIONS, "ent": envelopes.ENTITIES},
        envelopes.DELIVER: {None: envelopes.DELIVER, "msg": envelopes.MESSAGING, "mm": envelopes.METADATA, "mf": envelopes.FORMAT},
    },
    keeping=True,
)
DEEPEST_ESCAPING = 3
element_of, encode, opened = DOCUMENTS.element_of, DOCUMENTS.encode, DOCUMENTS.decode


def decode(data: bytes) -> Any:
    """The record in a document, or in the body of a SOAP envelope around it. Raises `WireError`."""
    return DOCUMENTS.decode(data)[0]


def decode_text(text: str) -> Any:
    """The record in a document that stood as text in another one, escaped once more than needed perhaps. Raises `WireError`."""
    text = text.strip().removeprefix("\ufeff")
    for _ in range(DEEPEST_ESCAPING):
        if not text.startswith("&"):
            break
        text = unescape(text)
    # What its declaration says of an encoding was true of some bytes that are gone.
    return decode(re.sub(r"^\s*<\?xml[^?]*\?>", "", text).encode())


def encode_text(record: object) -> str:
    """A document as text that goes into another one."""
    return etree.tostring(element_of(record), encoding="unicode")


def digest(record: object) -> str:
    """SHA-256 of a document's content, in hexadecimal; white space and prefixes of the sender play no part."""
    return sha256(encode(record)).hexdigest()
