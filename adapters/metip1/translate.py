"""Records of the old bus and messages of the contracts: one literal table (`records.table`), read in both directions; pure.

What the bus does to values is its dialect's: days are dd/mm/yyyy, in one service with years of two digits; instants are London's clock
without a zone; enums are codes, zero-filled numbers or names padded with spaces. All of that is undone. Names are in capitals and end after
30 letters, and that stays, since nobody can know what was lost. A code or an identifier that nobody knows is never repaired.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.kit.values import identifier, received
from adapters.metip1.wire import NAMESPACE, Item, Layout, Record
from metip.common.v1.time_pb2 import CivilDate, LocalTime

LONDON: Final = ZoneInfo("Europe/London")
NAME: Final = 30
"""Letters of each part of a name (assumed)."""
AHEAD: Final = 1
"""Years by which an instant with a year of two digits may lie ahead; a day may not, since only births are told so."""
CODES: Final[Mapping[str, Mapping[int, str]]] = {"metip.common.v1.Sex": {1: "M", 2: "F", 9: "U"}}
"""Enums that the bus has letters for in every service, unpadded."""
IDENTIFIERS: Final = ("value", "as_received")


class TranslationError(ValueError):
    """A record that is of another kind, or a message that the bus can't be told; the text names the place and repeats no value."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one service prints what the contracts have types for."""

    short_years: bool = False
    named_codes: bool = False
    """Whether an enum's code is its value's name, padded with spaces, rather than its number, filled with zeros."""
    code_width: int = 2
    digits: int = 1
    """Least width of a number, filled with zeros."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value stands as text. `write` is told whether it is a question's; both raise `ValueError`."""

    simple: str
    read: Callable[[str], Any]
    write: Callable[[Any, bool], str]
    length: int = 0
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One field and its element."""

    field: FieldDescriptor
    element: str
    kind: Kind | None
    inner: "Form | None"


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of message in one service, and its record there."""

    layout: Layout
    steps: tuple[Step, ...]
    made: Callable[[], Any]

    def native(self, message: Message, *, asking: bool) -> Record:
        """The record of a message: as the bus prints it, or with `asking` as it is asked. Raises `TranslationError`."""
        return _native(self, message, self.layout.name, asking)

    def contract(self, record: Record) -> Any:
        """The message of a record. Raises `TranslationError`."""
        message = self.made()
        _contract(self, record, message, self.layout.name)
        return message


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says of one kind of record: the fields of the contract that have an element, and those that have none."""

    record: str
    message: str
    fields: tuple[tuple[str, str, str], ...]
    """Element, field, and `name` where the text is somebody's name."""
    without: tuple[str, ...]


def rows(text: str) -> tuple[Row, ...]:
    """The rows of a table. Each begins a line with record and message; `Element=field`, `Element=field:name` and `-field` follow."""
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        record, message, *words = block.split()
        spelt = [re.fullmatch(r"(\w+)=(\w+)(?::(name))?", word) for word in words if word[0] != "-"]
        fields = tuple((one[1], one[2], one[3] or "") for one in spelt if one is not None)
        if len(fields) < len(spelt):
            raise ValueError(f"{record} has a word that is no field")
        found.append(Row(record, message, fields, tuple(word[1:] for word in words if word[0] == "-")))
    return tuple(found)


class Forms:
    """The forms of one service, by the name of the message; roots are named as the table names them."""

    def __init__(self, table: tuple[Row, ...], dialect: Dialect, namespace: str = NAMESPACE, *, today: Callable[[], date]) -> None:
        self._rows = {row.message: row for row in table}
        self._dialect, self._namespace, self._today = dialect, namespace, today
        self._made: dict[str, Form] = {}

    def form(self, message: Descriptor) -> Form:
        """The form of a message. Raises `KeyError` for a message or field that the table does not have or the contract does not."""
        name = message.full_name
        if name not in self._made:
            row = self._rows[name]
            steps = tuple(self._step(message.fields_by_name[field], element, mark) for element, field, mark in row.fields)
            layout = Layout(row.record, self._namespace, tuple(map(_item, steps)))
            self._made[name] = Form(layout, steps, message_factory.GetMessageClass(message))
        return self._made[name]

    def _step(self, field: FieldDescriptor, element: str, mark: str) -> Step:
        kind = NAMES if mark else self._kind(field)
        inner = self.form(field.message_type) if kind is None and field.message_type is not None else None
        return Step(field, element, kind, inner)

    def _kind(self, field: FieldDescriptor) -> Kind | None:
        if field.enum_type is not None:
            return _codes(field.enum_type, self._dialect)
        if field.message_type is not None:
            return self._value(field.message_type)
        if field.type == field.TYPE_STRING:
            return TEXT
        if field.type == field.TYPE_BOOL:
            return FLAG
        return Kind("number", _number, lambda number, asking: f"{number:0{self._dialect.digits}d}")

    def _value(self, message: Descriptor) -> Kind | None:
        if message.full_name == "metip.common.v1.CivilDate":
            return Kind("day", lambda text: _day(text, self._latest(0)), lambda day, asking: _printed(day, self._latest(0), asking))
        if message.full_name == "google.protobuf.Timestamp":
            return Kind(
                "instant", lambda text: _instant(text, self._latest(AHEAD)), lambda at, asking: _stamped(at, self._latest(AHEAD), asking)
            )
        if message.full_name == "metip.common.v1.LocalTime":
            return CLOCK
        if tuple(field.name for field in message.fields) == IDENTIFIERS:
            kind: Any = message_factory.GetMessageClass(message)
            return Kind("identifier", lambda text: _identified(kind, text), lambda one, asking: received(one), length=40)
        return None

    def _latest(self, ahead: int) -> int | None:
        """The last year that one of two digits may mean; None where years have four."""
        return self._today().year + ahead if self._dialect.short_years else None


def _native(form: Form, message: Any, where: str, asking: bool) -> Record:
    record: Record = {}
    for step in form.steps:
        field, value = step.field, getattr(message, step.field.name)
        if not (message.HasField(field.name) if field.has_presence else value or field.type == field.TYPE_BOOL):
            continue
        place = f"{where}/{step.element}"
        said = [_said(step, one, place, asking) for one in (value if field.is_repeated else (value,))]
        record[step.element] = said if field.is_repeated else said[0]
    return record


def _said(step: Step, value: Any, place: str, asking: bool) -> Any:
    if step.inner is not None:
        return _native(step.inner, value, place, asking)
    assert step.kind is not None
    try:
        return step.kind.write(value, asking)
    except (ValueError, OverflowError):
        raise TranslationError(f"{place} can't be told to the bus") from None


def _contract(form: Form, record: Record, message: Any, where: str) -> None:
    for step in form.steps:
        said = record.get(step.element)
        if said is None:
            continue
        name, place = step.field.name, f"{where}/{step.element}"
        if step.inner is not None:
            for one in said if step.field.is_repeated else (said,):
                inside = getattr(message, name).add() if step.field.is_repeated else getattr(message, name)
                inside.SetInParent()
                _contract(step.inner, one, inside, place)
            continue
        assert step.kind is not None
        try:
            for one in said if step.field.is_repeated else (said,):
                _put(message, step.field, step.kind.read(one))
        except (ValueError, OverflowError, TypeError):
            raise TranslationError(f"{place} is of another kind") from None


def _put(message: Any, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(message, field.name).append(value)
    elif field.message_type is not None:
        if value is not None:
            getattr(message, field.name).CopyFrom(value)
    else:
        setattr(message, field.name, value)


def _item(step: Step) -> Item:
    many = step.field.is_repeated
    if step.inner is not None:
        return Item(step.element, layout=step.inner.layout, many=many)
    assert step.kind is not None
    return Item(step.element, step.kind.simple, many=many, length=step.kind.length, codes=step.kind.codes)


# Values


def _number(text: str) -> int:
    if re.fullmatch(" *[0-9]{1,20} *", text) is None:
        raise ValueError
    return int(text)


def _flag(text: str) -> bool:
    if text.strip() not in ("Y", "N"):
        raise ValueError
    return text.strip() == "Y"


def _codes(enum: EnumDescriptor, dialect: Dialect) -> Kind:
    letters = CODES.get(enum.full_name)
    prefix = next(value.name for value in enum.values if value.number == 0).removesuffix("UNSPECIFIED")
    width = dialect.code_width
    if letters is not None:
        printed = letters
    elif dialect.named_codes:
        printed = {value.number: value.name.removeprefix(prefix)[:width].ljust(width) for value in enum.values if value.number}
    else:
        printed = {value.number: f"{value.number:0{width}d}" for value in enum.values if value.number}
    known = {code.strip(): number for number, code in printed.items()}
    if len(known) < len(printed):
        raise ValueError(f"codes of {enum.full_name} are the same in {width} letters")
    return Kind(
        "code", lambda text: known.get(text.strip(), 0), lambda number, asking: printed.get(number, ""), codes=tuple(printed.values())
    )


def _day(text: str, latest: int | None) -> CivilDate | None:
    said = text.strip()
    if not said.strip("0/"):
        return None
    found = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{4})" if latest is None else "([0-9]{2})/([0-9]{2})/([0-9]{2})", said)
    if found is None:
        raise ValueError
    year = int(found[3]) if latest is None else _century(int(found[3]), latest)
    return CivilDate(year=year, month=int(found[2]), day=int(found[1]))


def _century(two: int, latest: int) -> int:
    """The last year that ends so and is not after `latest`."""
    return latest - (latest - two) % 100


def _printed(day: CivilDate, latest: int | None, asking: bool) -> str:
    if latest is None:
        return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"
    if asking and _century(day.year % 100, latest) != day.year:
        raise ValueError  # the bus would take it for another century's
    return f"{day.day:02d}/{day.month:02d}/{day.year % 100:02d}"


def _instant(text: str, latest: int | None) -> Timestamp | None:
    if not text.strip():
        return None
    day, _, clock = text.strip().partition(" ")
    on = _day(day, latest)
    found = re.fullmatch("([0-9]{2}):([0-9]{2}):([0-9]{2})", clock)
    if on is None or found is None:
        raise ValueError
    # Of the hour that comes twice in autumn the first is meant, since nothing says which (assumed).
    local = datetime(on.year, on.month, on.day, int(found[1]), int(found[2]), int(found[3]), tzinfo=LONDON)
    stamp = Timestamp()
    stamp.FromDatetime(local.astimezone(UTC))
    return stamp


def _stamped(stamp: Timestamp, latest: int | None, asking: bool) -> str:
    at = datetime.fromtimestamp(stamp.seconds, LONDON)
    return f"{_printed(CivilDate(year=at.year, month=at.month, day=at.day), latest, asking)} {at:%H:%M:%S}"


def _clock(text: str) -> LocalTime | None:
    found = re.fullmatch("([0-9]{2}):?([0-9]{2})", text.strip())
    if found is None:
        if text.strip():
            raise ValueError
        return None
    return LocalTime(hour=int(found[1]), minute=int(found[2]))


def _identified(kind: type[Message], text: str) -> Message | None:
    """Canonical where it parses, else as it came, never repaired; padding is the bus's."""
    return identifier(kind, text.rstrip()) if text.strip() else None


TEXT: Final = Kind("text", lambda text: text.rstrip(" "), lambda text, asking: text)
NAMES: Final = Kind(
    "name", lambda text: text.rstrip(" "), lambda text, asking: text if asking else text.upper()[:NAME].rstrip(), length=NAME
)
FLAG: Final = Kind("flag", _flag, lambda said, asking: "Y" if said else "N")
CLOCK: Final = Kind("time", _clock, lambda at, asking: f"{at.hour:02d}:{at.minute:02d}")


def described(message: str) -> Descriptor:
    """The descriptor of a message whose module was imported. Raises `KeyError`."""
    return descriptor_pool.Default().FindMessageTypeByName(message)
