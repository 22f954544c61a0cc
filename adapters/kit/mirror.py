"""Native records to messages and back, where both are built alike: field by field, by name; pure.

A record is a dataclass; where the far side's schema is not public, its class may follow from the message. What only one of the two has is
passed over. A native code is its enum value's name without the enum's prefix, unless a table says otherwise; one that nobody knows becomes
0, and 0 becomes the empty code.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.kit import elements
from adapters.kit.documents import Record
from adapters.kit.elements import Value
from metip.faults import Fault, Reason
from metip.identifiers.registry import PARSERS
from metip.options.v1 import options_pb2

M = TypeVar("M", bound=Message)
R = TypeVar("R")
DECIMALS = 6
"""Of a number that is native text."""


class Decimal(str):
    """A number as text, such as a latitude; '' for none. Zero says something, so it is no number, which records leave out."""

    __slots__ = ()


PLAIN = {
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_ENUM: str,
    FieldDescriptor.CPPTYPE_DOUBLE: Decimal,
}
"""Types of record fields; any other is a number."""


def _instant_of(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found.astimezone(UTC).replace(microsecond=0)


def _like(pattern: str, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError("of another form")
        return kind(text)

    return read


VALUES: Mapping[type, Value] = {
    **elements.PLAIN,
    int: Value(str, _like(r"\d{1,12}", int)),
    Decimal: Value(str, _like(r"-?\d{1,3}(\.\d{1,12})?", Decimal)),
    datetime: Value(lambda at: at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), _instant_of),
}
"""How their values are written where nothing else is known: instants in UTC to the second. One of another zone is read."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Mirrored(Record):
    """A record some of whose fields are built like messages: `Annotated[Any, Message]`, with None or () as the default."""

    def __init_subclass__(cls) -> None:
        hints: dict[str, Any] = cls.__annotations__
        for name, hint in hints.items():
            if get_origin(hint) is Annotated:
                kind: Any = record_type(hint.__metadata__[0])
                hints[name] = tuple[kind, ...] if getattr(cls, name) == () else kind | None
        super().__init_subclass__()


@cache
def record_type(message: Any) -> Any:
    """The record built like a message: text, numbers, codes as text, instants, and records of what is inside; nothing in it is needed."""
    hints: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for one in message.DESCRIPTOR.fields:
        inner: Any = _record_field(one)
        whole = one.message_type is not None and inner is not str
        hints[one.name] = tuple[inner, ...] if one.is_repeated else inner | None if whole else inner
        defaults[one.name] = () if one.is_repeated else None if whole else inner()
    return type(message.DESCRIPTOR.name, (Record,), {"__annotations__": hints, **defaults, "__module__": __name__})


def _record_field(one: Any) -> Any:
    if one.message_type is None:
        return PLAIN.get(one.cpp_type, int)
    kind: Any = message_factory.GetMessageClass(one.message_type)
    return datetime if kind is Timestamp else str if _identifier(kind) else record_type(kind)


@dataclass(frozen=True)
class Mirror:
    """Turns one into the other. `codes` are native codes by the enum's full name and the value's number."""

    codes: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def message(self, record: Any, kind: type[M], **more: Any) -> M:
        """The message of a record, with `more` set. Raises ValueError, without the value, for text that should be a number."""
        found = kind(**more)
        for name, described in found.DESCRIPTOR.fields_by_name.items():
            value = getattr(record, name, None)
            if name in more or value in (None, "", (), 0, False):
                continue
            if described.is_repeated:
                getattr(found, name).extend(self._inside(one, described) for one in value)
            elif described.message_type is not None:
                getattr(found, name).CopyFrom(self._inside(value, described))
            else:
                setattr(found, name, self._inside(value, described))
        return found

    def alike(self, message: Message) -> Any:
        """The record of a message, built like it."""
        kind: Any = type(message)
        return self.record(message, record_type(kind))

    def record(self, message: Message, kind: type[R], **more: Any) -> R:
        """The record of a message, with `more` set. Raises `Fault` INVALID_REQUEST for an instant outside the calendar."""
        values: dict[str, Any] = {}
        for name, hint in _hints(kind).items():  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
            described = message.DESCRIPTOR.fields_by_name.get(name)
            if described is None or name in more:
                continue
            if described.is_repeated:
                values[name] = tuple(self._outside(one, described, hint) for one in getattr(message, name))
            elif not described.has_presence or message.HasField(name):
                values[name] = self._outside(getattr(message, name), described, hint)
        return kind(**values, **more)

    def code(self, described: Any, number: int) -> str:
        """The native code of an enum value; empty for 0."""
        if number == 0:
            return ""
        special = self.codes.get(described.full_name)
        return special.get(number, "") if special is not None else _plain(described).get(number, "")

    def _inside(self, value: Any, described: Any) -> Any:
        if described.enum_type is not None:
            return self._numbers(described.enum_type).get(value, 0)
        if described.message_type is None:
            return float(value) if described.type == FieldDescriptor.TYPE_DOUBLE else value
        kind: Any = message_factory.GetMessageClass(described.message_type)
        if kind is Timestamp:
            stamp = Timestamp()
            stamp.FromDatetime(value)
            return stamp
        parser = _identifier(kind)
        if parser is None:
            return self.message(value, kind)
        canonical = PARSERS[parser](value).canonical
        return kind(value=canonical, as_received="" if canonical == value else value[:40])

    def _outside(self, value: Any, described: Any, hint: Any) -> Any:
        if described.enum_type is not None:
            return self.code(described.enum_type, value)
        if described.message_type is None:
            return hint(f"{value:.{DECIMALS}f}") if described.type == FieldDescriptor.TYPE_DOUBLE else value
        if isinstance(value, Timestamp):
            try:
                return value.ToDatetime(tzinfo=UTC).replace(microsecond=0)
            except (ValueError, OverflowError):
                raise Fault(Reason.INVALID_REQUEST, "an instant lies outside the calendar") from None
        kind: Any = type(value)
        return (value.value or value.as_received) if _identifier(kind) else self.record(value, hint)

    def _numbers(self, described: Any) -> Mapping[str, int]:
        return {code: number for number, code in self.codes.get(described.full_name, _plain(described)).items() if number}


@cache
def _plain(described: Any) -> Mapping[int, str]:
    prefix = described.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {one.number: one.name.removeprefix(prefix) for one in described.values}


@cache
def _identifier(kind: Any) -> str | None:
    """The name of the parser of an identifier message; None for any other message."""
    value = kind.DESCRIPTOR.fields_by_name.get("value")
    if value is None or "as_received" not in kind.DESCRIPTOR.fields_by_name:
        return None
    return str(value.GetOptions().Extensions[options_pb2.field].subject_identifier)


@cache
def _hints(kind: Any) -> Mapping[str, type[Any]]:
    """The type of each field of a record; of a tuple and of what may be None, that of what is inside."""
    hints = get_type_hints(kind)
    return {one.name: _inner(hints[one.name]) for one in dataclasses.fields(kind)}


def _inner(hint: Any) -> type[Any]:
    inside = [one for one in get_args(hint) if one not in (NoneType, Ellipsis)]
    found: type[Any] = inside[0] if inside else hint
    return found
