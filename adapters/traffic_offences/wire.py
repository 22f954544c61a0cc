"""Batches and acknowledgements: XML in UTF-8, header, records, and a trailer with their count and a digest. Everything is assumed.

    <?xml version='1.0' encoding='UTF-8'?>
    <OffenceBatch Format="1"><Header Sender="MPS" …/><Offence Reference="…" …>…</Offence>
    <Trailer Records="1" Sha256="…"/></OffenceBatch>

An acknowledgement is the same with `Verdict` and `Result`. Records are written as `adapters.kit.elements` writes them. The digest is of
every byte before the line break that the trailer follows.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from lxml import etree

from adapters.kit.elements import PLAIN, Elements, Unreadable
from adapters.kit.soap import SoapError, parse_xml
from adapters.traffic_offences.records import Acknowledgement, Batch, Header, Offence, Result, Verdict

H = TypeVar("H")
R = TypeVar("R")
FORMAT = "1"
BATCH, ACKNOWLEDGEMENT = "OffenceBatch", "Acknowledgement"
ELEMENTS = Elements(PLAIN)
END = re.compile(rb'\n<Trailer Records="([0-9]{1,6})" Sha256="([0-9a-f]{64})"/></[A-Za-z]+>\s*\Z')
REFERENCE = re.compile(rb'<Offence Reference="([0-9A-Za-z-]{1,50})"')


class Incomplete(ValueError):
    """A file without its trailer: the rest may still come."""


class Damaged(ValueError):
    """A file that can't be read; the text says why and repeats none of it."""


def check(offence: Offence) -> None:
    """Raises ValueError for an offence with a character that XML lacks."""
    ELEMENTS.write("Offence", offence)


def encode_batch(batch: Batch) -> bytes:
    """The whole file. Raises ValueError for a character that XML lacks."""
    return _sealed(BATCH, "Header", batch.header, "Offence", batch.offences)


def decode_batch(data: bytes) -> Batch:
    """The batch in a file. Raises `Incomplete` or `Damaged`."""
    header, offences = _opened(data, BATCH, "Header", Header, "Offence", Offence)
    return Batch(header=header, offences=offences)


def encode_acknowledgement(acknowledgement: Acknowledgement) -> bytes:
    """The whole file."""
    return _sealed(ACKNOWLEDGEMENT, "Verdict", acknowledgement.verdict, "Result", acknowledgement.results)


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """The acknowledgement in a file. Raises `Incomplete` or `Damaged`."""
    verdict, results = _opened(data, ACKNOWLEDGEMENT, "Verdict", Verdict, "Result", Result)
    return Acknowledgement(verdict=verdict, results=results)


def references(data: bytes) -> tuple[str, ...]:
    """The senders' references in a batch, whether or not the rest of it can be read."""
    return tuple(found.decode("ascii") for found in REFERENCE.findall(data))


def _sealed(root: str, first: str, head: Any, each: str, records: Sequence[Any]) -> bytes:
    elements = [ELEMENTS.write(first, head), *(ELEMENTS.write(each, record) for record in records)]
    body = "".join(etree.tostring(element, encoding="unicode") for element in elements)
    data = f"<?xml version='1.0' encoding='UTF-8'?>\n<{root} Format=\"{FORMAT}\">{body}".encode()
    return data + f'\n<Trailer Records="{len(records)}" Sha256="{hashlib.sha256(data).hexdigest()}"/></{root}>\n'.encode()


def _opened(data: bytes, root: str, first: str, head: type[H], each: str, kind: type[R]) -> tuple[H, tuple[R, ...]]:
    end = END.search(data)
    if end is None:
        raise Incomplete("there is no trailer")
    if hashlib.sha256(data[: end.start()]).hexdigest().encode("ascii") != end[2]:
        raise Damaged("the digest does not fit")
    try:
        document = parse_xml(data)
    except SoapError as error:
        raise Damaged(str(error)) from None
    tags = [child.tag for child in document]
    if document.tag != root or document.get("Format") != FORMAT or tags != [first, *[each] * (len(tags) - 2), "Trailer"]:
        raise Damaged(f"no {root} of format {FORMAT}")
    if len(tags) - 2 != int(end[1]):
        raise Damaged("the count of records does not fit")
    try:
        return ELEMENTS.read(document[0], head, first), tuple(ELEMENTS.read(element, kind, each) for element in document[1:-1])
    except Unreadable as error:
        raise Damaged(str(error)) from None
