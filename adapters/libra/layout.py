"""How the fields of a native record stand in XML: each field's annotation names its element and how the element's text is read.

Reading is lenient. Nothing is required, an element counts by its local name in whatever namespace, and a text that is none of its kind
leaves the field unset, so that the reader can keep the element aside. Writing is strict: schema order, schema namespaces.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final, TypeVar, dataclass_transform, get_args, get_type_hints

R = TypeVar("R")
FREE_TEXT, LONGEST_NAME, LONGEST_TEXT, LONGEST_REFERENCE = 20_000, 35, 255, 40


@dataclass(frozen=True, slots=True)
class Kind:
    """How one type of value stands in an element. `read` raises ValueError for a text that is no such value."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


@dataclass(frozen=True, slots=True)
class Leaf:
    """Marks a field that is an element of text, or where the field is a tuple any number of them."""

    name: str
    kind: Kind
    namespace: str = ""
    """Where it is not the record's own."""
    unless: str = ""
    """The field that takes precedence where a document has both sides of a choice."""
    after: str = ""
    """The element that each of several stands right behind."""


@dataclass(frozen=True, slots=True)
class Part:
    """Marks a field that is an element holding another record, or where the field is a tuple any number of them."""

    name: str
    namespace: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Marks a field of text that is an attribute."""

    name: str


@dataclass(frozen=True, slots=True)
class Document:
    """Marks a field of text that holds another document, as escaped text; where a sender put the document itself there, it is read too."""

    name: str
    inside: bool = False
    """Whether it is written as an element, not as text."""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record as a whole is on the wire."""

    namespace: str
    root: str = ""
    """Name of the element where the record is a document."""
    fixed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Attributes that are always the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """One field of a record, with its place on the wire."""

    field: str
    mark: Any
    empty: Any
    many: bool
    record: type[Any] | None
    """The record in a `Part`."""


def _bounded(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > longest:
            raise ValueError("too long")
        return text

    return read


def _stripped(longest: int) -> Callable[[str], str]:
    return lambda text: _bounded(longest)(text.strip())


def _date(text: str) -> date:
    """An XML Schema date. A time zone on a date is left out: courts mean the day that they print."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?", text.strip())
    day = date.fromisoformat(found[1] if found else "")
    if not 1800 <= day.year <= 2200:
        raise ValueError("no year of this business")
    return day


def _time(text: str) -> time:
    """An XML Schema time, aware where it names a zone; seconds and their fractions are left out."""
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?", text.strip())
    if not found:
        raise ValueError("no time")
    zone = None
    if found[3]:
        hours, minutes = (0, 0) if found[3] == "Z" else (int(found[3][1:3]), int(found[3][4:]))
        zone = timezone((-1 if found[3][0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    return time(int(found[1]), int(found[2]), tzinfo=zone)


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\+?[0-9]{1,12}", text.strip()) or int(text) > most:
            raise ValueError("no number of this size")
        return int(text)

    return read


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text.strip()):
            raise ValueError("not of this form")
        return text.strip()

    return read


def _pence(text: str) -> int:
    found = re.fullmatch(r"\+?([0-9]{1,12})(?:\.([0-9]{0,2})0*)?", text.strip())
    if not found:
        raise ValueError("no amount in pounds and pence")
    return int(found[1]) * 100 + int(f"{found[2] or '':0<2}")


def _moment(text: str) -> datetime:
    """An XML Schema time with its date; one without a zone is taken as UTC."""
    at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.strip()))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def whole(most: int, width: int = 0) -> Kind:
    """Whole numbers from 0 to `most`, written with leading zeros up to `width`."""
    return Kind(_number(most), lambda value: f"{value:0{width}d}")


def matching(pattern: str) -> Kind:
    """Texts of one form."""
    return Kind(_matching(pattern))


def one_of(letters: str) -> Kind:
    """One of these characters."""
    return matching(f"[{letters}]")


FREE: Final = Kind(_bounded(FREE_TEXT))
"""Sentences, kept as they stand."""
TEXT: Final = Kind(_stripped(LONGEST_TEXT))
NAME: Final = Kind(_stripped(LONGEST_NAME))
REFERENCE: Final = Kind(_stripped(LONGEST_REFERENCE))
IDENTIFIER: Final = Kind(lambda text: re.sub(r"\s+", "", text))
"""Identifiers of the exchange, which may hold no space; a sender that prints prettily puts line ends around and into them."""
PADDED: Final = Kind(_bounded(LONGEST_TEXT))
"""Texts whose blanks mean something."""
DATE: Final = Kind(_date, date.isoformat)
TIME: Final = Kind(_time, time.isoformat)
PENCE: Final = Kind(_pence, lambda value: f"{value // 100}.{value % 100:02d}")
MOMENT: Final = Kind(_moment, lambda value: value.isoformat(timespec="milliseconds"))

SHAPES: dict[type[Any], Shape] = {}
_known: dict[type[Any], tuple[Place, ...]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(namespace: str, root: str = "", **fixed: str) -> Callable[[type[R]], type[R]]:
    """Makes a class a native record of the wire: a frozen dataclass that shows nothing of itself, in this namespace."""

    def made(cls: type[R]) -> type[R]:
        whole = dataclass(frozen=True, slots=True, kw_only=True, repr=False)(cls)
        SHAPES[whole] = Shape(namespace, root, fixed)
        return whole

    return made


def places(record: type[Any]) -> tuple[Place, ...]:
    """The places of a record's fields in schema order, worked out once; fields without a mark have none."""
    found = _known.get(record)
    if found is None:
        hints = get_type_hints(record, include_extras=True)
        marked = [
            (field, get_args(hints[field.name])) for field in dataclasses.fields(record) if hasattr(hints[field.name], "__metadata__")
        ]
        found = _known[record] = tuple(_place(field, *arguments) for field, arguments in marked)
    return found


def _place(field: "dataclasses.Field[Any]", held: Any, mark: Any) -> Place:
    inside = [one for one in (held, *get_args(held)) if dataclasses.is_dataclass(one) and isinstance(one, type)]
    return Place(field.name, mark, field.default, field.default == (), inside[0] if inside else None)
