"""The codec of CRIS's documents: a record to the XML element that carries it, and back, with no I/O.

The law: a field's element is the field's name in capitals; nothing is an attribute; only the root has a namespace. What is empty has no
element. Dates are dd/mm/yyyy with 00 (and 0000) for parts that are unknown, times HH:MM, instants both with seconds and without a zone.
Elements that no record has are passed over, so that a later release of CRIS may add some. Errors name elements, never what they hold.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime, time
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from lxml import etree

from adapters.cris import records
from adapters.cris.codes import NAMESPACE
from adapters.cris.records import Day

Element = etree._Element
T = TypeVar("T")

ROOTS: dict[type, str] = {
    records.Search: "SEARCH_REPORTS",
    records.Found: "SEARCH_REPORTS_REPLY",
    records.Get: "GET_REPORT",
    records.Given: "GET_REPORT_REPLY",
    records.Create: "CREATE_REPORT",
    records.Created: "CREATE_REPORT_REPLY",
    records.AddDet: "ADD_DETS",
    records.Added: "ADD_DETS_REPLY",
    records.Update: "UPDATE_REPORT",
    records.Updated: "UPDATE_REPORT_REPLY",
}
QUESTIONS: dict[str, type] = {ROOTS[kind]: kind for kind in get_args(records.Question)}


class WireError(ValueError):
    """A document that is not what it should be; the text names the element and repeats none of it."""


def write(record: records.Question | records.Answer) -> Element:
    """The element of a question or an answer."""
    root = etree.Element(f"{{{NAMESPACE}}}{ROOTS[type(record)]}", nsmap={"cris": NAMESPACE})
    _fill(root, record)
    return root


def read(kind: type[T], element: Element) -> T:
    """The record of a root element. Raises `WireError` when it is another document, lacks something or holds nonsense."""
    if element.tag != f"{{{NAMESPACE}}}{ROOTS[kind]}":
        raise WireError(f"the document is no {ROOTS[kind]}")
    return cast("T", _read(kind, element))


def action(kind: type) -> str:
    """The SOAPAction of a question."""
    return f"{NAMESPACE}#{ROOTS[kind]}"


def question(element: Element) -> records.Question:
    """Reads whichever question a root element asks. Raises `WireError`."""
    name = etree.QName(element).localname
    if name not in QUESTIONS:
        raise WireError("the document is no question that CRIS knows")
    return cast("records.Question", read(QUESTIONS[name], element))


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise ValueError
    return int(text)


def _day(text: str) -> Day:
    found = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if not found:
        raise ValueError
    return Day(int(found[3]), int(found[2]), int(found[1]))


def _print_day(day: Day) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - CRIS prints local time; translate.py gives it its zone


def _flag(text: str) -> bool:
    return {"Y": True, "N": False}[text]


SCALARS: dict[type, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    str: (str, str),
    int: (_whole, str),
    bool: (_flag, lambda flag: "Y" if flag else "N"),
    Day: (_day, _print_day),
    time: (lambda text: datetime.strptime(text, "%H:%M").time(), lambda at: at.strftime("%H:%M")),  # noqa: DTZ007 - as above
    datetime: (_instant, lambda at: at.strftime("%d/%m/") + f"{at.year:04d}" + at.strftime(" %H:%M:%S")),
}


class _Field(NamedTuple):
    name: str
    tag: str
    kind: type
    """Of the value, or of each item of a list."""
    many: bool
    optional: bool


@cache
def _fields(record: type) -> tuple[_Field, ...]:
    hints = get_type_hints(record)
    return tuple(_field(field.name, hints[field.name]) for field in fields(record))


def _field(name: str, hint: Any) -> _Field:
    many = get_origin(hint) is tuple
    optional = isinstance(hint, UnionType)
    kind = get_args(hint)[0] if many or optional else hint
    return _Field(name, name.upper(), kind, many, optional)


def _fill(element: Element, record: Any) -> None:
    kind: type = type(record)
    for field in _fields(kind):
        value = getattr(record, field.name)
        if field.many and value:
            listed = etree.SubElement(element, field.tag)
            for item in value:
                _append(listed, "ITEM", field.kind, item)
        elif not field.many and value is not None and (value != "" or field.optional):
            _append(element, field.tag, field.kind, value)


def _append(element: Element, tag: str, kind: type, value: Any) -> None:
    inner = etree.SubElement(element, tag)
    if kind in SCALARS:
        inner.text = SCALARS[kind][1](value)
    else:
        _fill(inner, value)


def _read(kind: type, element: Element) -> Any:
    if kind in SCALARS:
        try:
            return SCALARS[kind][0](element.text or "")
        except (ValueError, KeyError):
            raise WireError(f"{etree.QName(element).localname} holds no {kind.__name__.lower()}") from None
    found = {etree.QName(inner).localname: inner for inner in element if isinstance(inner.tag, str)}
    return kind(**dict(_values(kind, found)))


def _values(kind: type, found: dict[str, Element]) -> Iterator[tuple[str, Any]]:
    for field in _fields(kind):
        inner = found.get(field.tag)
        if inner is not None:
            yield field.name, tuple(_read(field.kind, item) for item in inner.iterfind("ITEM")) if field.many else _read(field.kind, inner)
        elif field.many:
            yield field.name, ()
        elif field.optional:
            yield field.name, None
        elif field.kind is str:
            yield field.name, ""
        else:
            raise WireError(f"{field.tag} is missing")
