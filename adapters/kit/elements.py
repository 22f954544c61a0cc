"""Native records as XML elements, for the wires that write them plainly; pure.

A record is a dataclass. Its fields of simple types are attributes named like them (`suite_name` is `SuiteName`), records in it are elements
named after the field, and where the field is a tuple any number of elements named after their kind. What is empty is left out, unless the
field has no default. How a value of a type is written is the wire's own matter.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from lxml import etree

from adapters.kit.soap import Element

R = TypeVar("R")


class Unreadable(ValueError):
    """An element that is not the record it should be; the text names the place and repeats no value."""


class Value(NamedTuple):
    """How values of one type are written and read."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    """Raises ValueError, KeyError or OverflowError for a text that is no such value."""


def _read_number(text: str) -> int:
    if re.fullmatch("[0-9]{1,9}", text) is None:
        raise ValueError("no number")
    return int(text)


PLAIN: Mapping[type, Value] = {
    str: Value(str, str),
    int: Value(str, _read_number),
    bool: Value(lambda said: "Y" if said else "N", {"Y": True, "N": False}.__getitem__),
}
"""Text, numbers of at most nine digits, and Y or N: for wires that have no other way."""
ISO: Mapping[type, Value] = {
    **PLAIN,
    date: Value(date.isoformat, date.fromisoformat),
    datetime: Value(datetime.isoformat, datetime.fromisoformat),
}
"""The same with dates and instants of ISO 8601."""


@dataclass(frozen=True)
class Elements:
    """Writes and reads records whose fields hold values of these types."""

    values: Mapping[type, Value]

    def write(self, name: str, record: Any) -> Element:
        """The record as an element of that name. Raises ValueError for a character that XML lacks."""
        element = etree.Element(name)
        for place in _places(type(record)):  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
            value = getattr(record, place.field)
            if place.kind in self.values:
                if place.needed or value not in ("", 0, None, False):
                    element.set(place.name, self.values[place.kind].write(value))
            else:
                for one in value if place.many else (() if value is None else (value,)):
                    element.append(self.write(place.name, one))
        return element

    def read(self, element: Element, kind: type[R], path: str) -> R:
        """The record in an element; `path` is where it stands in the document. What the record has no field for is passed over. Raises
        `Unreadable`."""
        values: dict[str, Any] = {}
        for place in _places(kind):  # type: ignore[arg-type]  # as above
            here = f"{path}/{place.name}"
            if place.kind in self.values:
                text = element.get(place.name)
                if text is not None:
                    values[place.field] = self._value(text, place.kind, here)
            else:
                found: list[Any] = [self.read(child, place.kind, here) for child in element.iterchildren(place.name)]
                if len(found) > 1 and not place.many:
                    raise Unreadable(f"{here} is there more than once")
                if place.many:
                    values[place.field] = tuple(found)
                elif found:
                    values[place.field] = found[0]
            if place.needed and place.field not in values:
                raise Unreadable(f"{here} is missing")
        return kind(**values)

    def _value(self, text: str, kind: type, path: str) -> Any:
        try:
            return self.values[kind].read(text)
        except (ValueError, KeyError, OverflowError):
            raise Unreadable(f"{path} can't be read") from None


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
