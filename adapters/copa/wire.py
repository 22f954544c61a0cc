"""The codec of COPA's interface: native records to elements in COPA's namespace and back, with no I/O.

Its law is the one by which .NET writes contracts (assumed, as everything about COPA's wire): a field is an element of its name in capitals
and small letters, a list an element that holds one for each item, and what is empty is left out. Days are `dd/mm/yyyy` with zeros for what
is unknown, instants UTC. Elements that no record has are passed over, so that a newer COPA can say more. Everything that can go wrong is a
`WireError`, which names the place and never what stands there.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from lxml import etree

from adapters.copa.records import Day

Element = etree._Element
R = TypeVar("R")

NAMESPACE: Final = "urn:x-copa:casefile:2"
PATH: Final = "/copa/CaseFile.svc"


class WireError(ValueError):
    """An element that is no such record, or a record that makes no element."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where} {problem}")


def _read_day(text: str) -> Day:
    found = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if found is None or int(found[1]) > 31 or int(found[2]) > 12:
        raise ValueError("no dd/mm/yyyy")
    return int(found[3]), int(found[2]), int(found[1])


def _read_number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", text):
        raise ValueError("no number")
    return int(text)


def _read_flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text == "true"


def _read_instant(text: str) -> datetime:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError("no instant")
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value that is no record stands in an element; `read` raises ValueError for a text that is none."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind(str, str),
    int: Kind(str, _read_number),
    bool: Kind(lambda value: "true" if value else "false", _read_flag),
    Day: Kind(lambda value: f"{value[2]:02d}/{value[1]:02d}/{value[0]:04d}", _read_day),
    datetime: Kind(lambda value: value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), _read_instant),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One field of a record, with its place on the wire."""

    field: str
    tag: str
    empty: Any
    """The value when the element is absent; `dataclasses.MISSING` when it may not be."""
    many: bool
    held: Any
    """The type of the value, or of each of many."""
    item: str
    """Tag of each of many."""


def action(record: object) -> str:
    """The SOAP action of a question."""
    return f"{NAMESPACE}/{type(record).__name__}"


def element_of(record: object) -> Element:
    """The element of a record that stands alone. Raises `WireError` for a character that no document can hold."""
    return _written(_qualified(type(record).__name__), record)


def record_of(element: Element, kind: type[R]) -> R:
    """The record of that kind in an element that stands alone.

    Raises `WireError` for an element of another name, a missing part that is required, or a value that is none of its kind.
    """
    if element.tag != _qualified(kind.__name__):
        raise WireError(kind.__name__, "is not what stands there")
    return _read(element, kind)


def _qualified(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _written(tag: str, value: Any, kind: Kind | None = None, where: str = "") -> Element:
    element = etree.Element(tag, nsmap={None: NAMESPACE})
    if kind is not None:
        try:
            element.text = kind.write(value)
        except (ValueError, OverflowError):
            raise WireError(where, "holds something that can't be sent") from None
        return element
    for place in places(type(value)):
        held = getattr(value, place.field)
        if held == place.empty:
            continue
        kind, where = KINDS.get(place.held), f"{type(value).__name__}.{place.tag}"
        if place.many:
            inside = etree.SubElement(element, _qualified(place.tag))
            inside.extend([_written(_qualified(place.item), one, kind, where) for one in held])
        else:
            element.append(_written(_qualified(place.tag), held, kind, where))
    return element


def _read(element: Element, kind: type[R]) -> R:
    values: dict[str, Any] = {}
    for place in places(kind):
        inside = element.find(_qualified(place.tag))
        where = f"{kind.__name__}.{place.tag}"
        if inside is None:
            if place.empty is MISSING:
                raise WireError(where, "is missing")
        elif place.many:
            values[place.field] = tuple(_value(one, place.held, where) for one in inside.iterfind(_qualified(place.item)))
        else:
            values[place.field] = _value(inside, place.held, where)
    return kind(**values)


def _value(element: Element, held: Any, where: str) -> Any:
    kind = KINDS.get(held)
    if kind is None:
        return _read(element, held)
    try:
        return kind.read(element.text or "")
    except ValueError:
        raise WireError(where, "is of another kind") from None


_known: dict[type[Any], tuple[Place, ...]] = {}


def places(kind: type[Any]) -> tuple[Place, ...]:
    """The places of a record's fields, in order, worked out once."""
    found = _known.get(kind)
    if found is None:
        hints = get_type_hints(kind)
        found = _known[kind] = tuple(_place(field, hints[field.name]) for field in dataclasses.fields(kind))
    return found


def _place(field: "dataclasses.Field[Any]", hint: Any) -> Place:
    tag = "".join(part.capitalize() for part in field.name.split("_"))
    many = Ellipsis in get_args(hint)
    held = hint if hint in KINDS else next((one for one in get_args(hint) if one not in (NoneType, Ellipsis)), hint)
    return Place(field.name, tag, field.default, many, held, "string" if held is str else held.__name__)
