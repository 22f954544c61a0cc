"""One file a version of a record: XML in ISO-8859-1 whose last line is a trailer that proves that it is whole. Everything is assumed.

    <?xml version='1.0' encoding='ISO-8859-1'?>
    <CustodyExport Format="1"><CustodyRecord Number="01ZD/17/26" Version="2" …>…</CustodyRecord>
    <Trailer Elements="9" Sha256="…"/></CustodyExport>

The trailer counts the elements of the record, itself among them, and digests every byte before the line break that it follows. The law: a
file without its trailer is never read as a record, however much of it there is; one whose trailer does not fit is damaged, and stays so.

The record is written as `adapters.kit.elements` writes records. An instant stands in local time with the name of the clock,
`25/10/2026 01:30 GMT`, so that no hour is ambiguous on the night the clocks go back.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from lxml import etree

from adapters.custody.records import CustodyRecord
from adapters.kit.elements import PLAIN, Elements, Unreadable, Value
from adapters.kit.soap import Element, SoapError, parse_xml

ENCODING = "ISO-8859-1"
FORMAT = "1"
LONDON = ZoneInfo("Europe/London")
CLOCKS: Mapping[str, timezone] = {"GMT": UTC, "BST": timezone(timedelta(hours=1))}

END = re.compile(rb'\n<Trailer Elements="([0-9]{1,6})" Sha256="([0-9a-f]{64})"/></CustodyExport>\s*\Z')
START = re.compile(rb'<CustodyRecord Number="([A-Z0-9/]{1,40})"')


class Incomplete(ValueError):
    """A file without its trailer: the rest may still come."""


class Damaged(ValueError):
    """A file that will never be a record; the text says why and repeats none of it."""


def encode(record: CustodyRecord) -> bytes:
    """The whole file. Raises ValueError for a character that XML lacks."""
    element = ELEMENTS.write("CustodyRecord", record)
    body = etree.tostring(element, encoding=ENCODING, xml_declaration=False)
    head = f"<?xml version='1.0' encoding='{ENCODING}'?>\n<CustodyExport Format=\"{FORMAT}\">".encode("ascii") + body
    trailer = f'\n<Trailer Elements="{_count(element)}" Sha256="{hashlib.sha256(head).hexdigest()}"/></CustodyExport>\n'
    return head + trailer.encode("ascii")


def decode(data: bytes) -> CustodyRecord:
    """The record in a file. Raises `Incomplete` or `Damaged`."""
    end = END.search(data)
    if end is None:
        raise Incomplete("there is no trailer")
    if hashlib.sha256(data[: end.start()]).hexdigest().encode("ascii") != end[2]:
        raise Damaged("the digest does not fit")
    try:
        root = parse_xml(data)
    except SoapError as error:
        raise Damaged(str(error)) from None
    if root.tag != "CustodyExport" or root.get("Format") != FORMAT or [child.tag for child in root] != ["CustodyRecord", "Trailer"]:
        raise Damaged(f"no export of format {FORMAT} with one record")
    if _count(root[0]) != int(end[1]):
        raise Damaged("the count of elements does not fit")
    try:
        return ELEMENTS.read(root[0], CustodyRecord, "CustodyRecord")
    except Unreadable as error:
        raise Damaged(str(error)) from None


def number_of(data: bytes) -> str:
    """The custody record number at the start of a file that may lack its end; '' when that is missing too."""
    found = START.search(data)
    return found[1].decode("ascii") if found else ""


def _count(element: Element) -> int:
    return sum(1 for _ in element.iter())


def _write_instant(at: datetime) -> str:
    name = at.astimezone(LONDON).tzname() or ""
    clock = name if name in CLOCKS else "GMT"  # London had others until 1847, and in the war
    local = at.astimezone(CLOCKS[clock])
    return f"{local:%d/%m}/{local.year:04d} {local:%H:%M} {clock}"


def _read_instant(text: str) -> datetime:
    local, _, clock = text.rpartition(" ")
    return datetime.strptime(local, "%d/%m/%Y %H:%M").replace(tzinfo=CLOCKS[clock]).astimezone(UTC)


def _read_date(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()


ELEMENTS = Elements(
    {
        **PLAIN,
        date: Value(lambda day: f"{day.day:02d}/{day.month:02d}/{day.year:04d}", _read_date),
        datetime: Value(_write_instant, _read_instant),
    }
)
