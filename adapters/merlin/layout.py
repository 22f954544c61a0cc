"""How the fields of a native record stand on the wire: codes, dates and times as attributes, words as elements.

A record says it once, in the annotations of its fields; `adapters.merlin.wire` reads it there and does the same in both directions.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
Day = tuple[int, int, int]
"""Year, month and day, each 0 when unknown."""
UNKNOWN_DAY: Day = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Attribute:
    """Marks a field that is an attribute; how it is written follows from the field's type, by `KINDS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """Marks a field that is an element of text, or where the field is a tuple any number of them."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """Marks a field that is an element holding another record, or where the field is a tuple any number of them."""

    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How one type of value stands in an attribute.

    `read` raises ValueError for a text that is no such value, `write` for a value that the wire can't carry.
    """

    write: Callable[[Any], str]
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One field of a record, with its place on the wire."""

    field: str
    mark: Attribute | Words | Part
    empty: Any
    """The value of the field when the place is absent; `dataclasses.MISSING` when it may not be."""
    many: bool
    """Whether any number of elements may stand there."""
    kind: Kind
    record: type[Any]
    """The record in a `Part`."""

    @property
    def required(self) -> bool:
        """Whether a document without it is refused."""
        return self.empty is dataclasses.MISSING


def _write_when(value: datetime) -> str:
    at = value.astimezone(LONDON)
    return f"{at.year:04d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}"


def _read_when(text: str) -> datetime:
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise ValueError("not yyyyMMddHHmm")
    at = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:]), tzinfo=LONDON)
    return at.astimezone(UTC)


def _write_day(value: Day) -> str:
    return f"{value[0]:04d}{value[1]:02d}{value[2]:02d}"


def _read_day(text: str) -> Day:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise ValueError("not yyyyMMdd")
    day = (int(text[:4]), int(text[4:6]), int(text[6:]))
    if day[1] > 12 or day[2] > 31:
        raise ValueError("no day of a year")
    return day


def _read_flag(text: str) -> bool:
    if text not in ("Y", "N"):
        raise ValueError("neither Y nor N")
    return text == "Y"


def _read_number(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise ValueError("no whole number")
    return int(text)


TEXT = Kind(str, str)
FLAG = Kind(lambda value: "Y" if value else "N", _read_flag)
NUMBER = Kind(str, _read_number)
CODES = Kind(" ".join, lambda text: tuple(text.split()))
"""Codes, apart by blanks."""
WHEN = Kind(_write_when, _read_when)
"""An instant, aware, as `yyyyMMddHHmm` on the clock of Europe/London. Seconds are cut off; in the hour that the end of summer time repeats,
the wire does not say which of the two it means, and the first is read."""
DAY = Kind(_write_day, _read_day)
"""A day as `yyyyMMdd`, with zeros for what is unknown."""

KINDS: Mapping[Any, Kind] = {
    str: TEXT,
    bool: FLAG,
    int: NUMBER,
    tuple[str, ...]: CODES,
    datetime: WHEN,
    datetime | None: WHEN,
    Day: DAY,
}


_known: dict[type[Any], tuple[Place, ...]] = {}


def places(record: type[Any]) -> tuple[Place, ...]:
    """The places of a record's fields, in order, worked out once. A field without a default is required."""
    found = _known.get(record)
    if found is None:
        hints = get_type_hints(record, include_extras=True)
        found = _known[record] = tuple(_place(field, hints[field.name]) for field in dataclasses.fields(record))
    return found


def _place(field: "dataclasses.Field[Any]", hint: Any) -> Place:
    held, mark = get_args(hint)
    inside = [one for one in (held, *get_args(held)) if dataclasses.is_dataclass(one) and isinstance(one, type)]
    return Place(
        field=field.name,
        mark=mark,
        empty=field.default,
        many=field.default == () and not isinstance(mark, Attribute),
        kind=KINDS[held] if isinstance(mark, Attribute) else TEXT,
        record=inside[0] if inside else object,
    )
