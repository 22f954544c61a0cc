"""One file a version of a record: XML in ISO-8859-1 whose last line is a trailer that proves that it is whole. Everything is assumed.

    <?xml version='1.0' encoding='ISO-8859-1'?>
    <CustodyExport Format="1"><CustodyRecord Number="01ZD/17/26" Version="2" …>…</CustodyRecord>
    <Trailer Elements="9" Sha256="…"/></CustodyExport>

The trailer counts the elements of the record, itself among them, and digests every byte before the line break that it follows. The law: a
file without its trailer is never read as a record, however much of it there is; one whose trailer does not fit is damaged, and stays so.

A record's fields are attributes named like them (`suite_name` is `SuiteName`), records in it are elements named after the field, and where
the field is a tuple any number of elements named after their kind. What is empty is left out. An instant stands in local time with the
name of the clock, `25/10/2026 01:30 GMT`, so that no hour is ambiguous on the night the clocks go back.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints
from zoneinfo import ZoneInfo

from lxml import etree

from adapters.custody.records import CustodyRecord
from adapters.kit.soap import Element, SoapError, parse_xml

R = TypeVar("R")
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
    element = _element("CustodyRecord", record)
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
    return _record(root[0], CustodyRecord, "CustodyRecord")


def number_of(data: bytes) -> str:
    """The custody record number at the start of a file that may lack its end; '' when that is missing too."""
    found = START.search(data)
    return found[1].decode("ascii") if found else ""


def _count(element: Element) -> int:
    return sum(1 for _ in element.iter())


# Records and elements


class _Place(NamedTuple):
    """A field's place on the wire."""

    field: str
    name: str
    kind: type
    many: bool
    needed: bool


@cache
def _places(kind: Any) -> tuple[_Place, ...]:
    hints = get_type_hints(kind)
    return tuple(_place(field, hints[field.name]) for field in dataclasses.fields(kind))


def _place(field: "dataclasses.Field[Any]", hint: Any) -> _Place:
    inside = [one for one in get_args(hint) if one not in (NoneType, Ellipsis)]
    kind = inside[0] if inside else hint
    many = getattr(hint, "__origin__", None) is tuple
    name = kind.__name__ if many else "".join(part.capitalize() for part in field.name.split("_"))
    return _Place(field.name, name, kind, many, needed=field.default is dataclasses.MISSING)


def _element(name: str, record: Any) -> Element:
    element = etree.Element(name)
    for place in _places(type(record)):  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
        value = getattr(record, place.field)
        if place.kind in VALUES:
            if place.needed or value not in ("", 0, None, False):
                element.set(place.name, VALUES[place.kind].write(value))
        else:
            for one in value if place.many else (() if value is None else (value,)):
                element.append(_element(place.name, one))
    return element


def _record(element: Element, kind: type[R], path: str) -> R:
    values: dict[str, Any] = {}
    for place in _places(kind):  # type: ignore[arg-type]  # as above
        here = f"{path}/{place.name}"
        if place.kind in VALUES:
            text = element.get(place.name)
            if text is not None:
                values[place.field] = _value(text, place.kind, here)
        else:
            found: list[Any] = [_record(child, place.kind, here) for child in element.iterchildren(place.name)]
            if len(found) > 1 and not place.many:
                raise Damaged(f"{here} is there more than once")
            if place.many:
                values[place.field] = tuple(found)
            elif found:
                values[place.field] = found[0]
        if place.needed and place.field not in values:
            raise Damaged(f"{here} is missing")
    return kind(**values)


# Values


class _Value(NamedTuple):
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    """Raises ValueError or KeyError for a text that is no such value."""


def _value(text: str, kind: type, path: str) -> Any:
    try:
        return VALUES[kind].read(text)
    except (ValueError, KeyError, OverflowError):
        raise Damaged(f"{path} can't be read") from None


def _write_instant(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local:%d/%m/%Y %H:%M} {local.tzname()}"


def _read_instant(text: str) -> datetime:
    local, _, clock = text.rpartition(" ")
    return datetime.strptime(local, "%d/%m/%Y %H:%M").replace(tzinfo=CLOCKS[clock]).astimezone(UTC)


def _read_number(text: str) -> int:
    if re.fullmatch("[0-9]{1,9}", text) is None:
        raise ValueError("no number")
    return int(text)


def _read_date(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()


VALUES: Mapping[type, _Value] = {
    str: _Value(str, str),
    int: _Value(str, _read_number),
    bool: _Value(lambda said: "Y" if said else "N", {"Y": True, "N": False}.__getitem__),
    date: _Value(lambda day: f"{day.day:02d}/{day.month:02d}/{day.year:04d}", _read_date),
    datetime: _Value(_write_instant, _read_instant),
}
