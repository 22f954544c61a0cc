"""Messages as people read them: `field: value` lines, dates and identifiers as they are written, enum values without their prefix."""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from hub.cli.printing import clean, span
from metip.masking import MASK, VALUES, is_harmless

TIMESTAMP, DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
CIVIL_DATE, LOCAL_TIME, DATE_RANGE = "metip.common.v1.CivilDate", "metip.common.v1.LocalTime", "metip.common.v1.DateRange"
INDENT: Final = "  "
LONGEST_CODE: Final = 2
"""Characters; a shorter text is a code that says little by itself."""


def prefix_of(enum: EnumDescriptor) -> str:
    """What every value of an enum begins with by the contracts' style: `SOURCE_STATUS_` for `SourceStatus`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", enum.name).upper() + "_"


def enum_word(enum: EnumDescriptor, number: int) -> str:
    """An enum value without its prefix; the bare number where the contract does not know it."""
    value = enum.values_by_number.get(number)
    return value.name.removeprefix(prefix_of(enum)) if value else str(number)


def lines(message: Message, indent: str = "", *, masked: bool = False) -> Iterator[str]:
    """The fields that are set, one to a line, nested ones indented, in the order of the contract; `masked`, what is personal is `•••`."""
    for field, value in message.ListFields():
        mapped = field.message_type is not None and field.message_type.GetOptions().map_entry
        if masked and (mapped or _hidden(field)):
            many = f", {len(value)} times" if field.is_repeated and not mapped and len(value) > 1 else ""
            yield f"{indent}{field.name}: {MASK}{many}"
        elif mapped:
            entry: Any = field.message_type
            kind = entry.fields_by_name["value"]
            yield f"{indent}{field.name}:"
            for key in sorted(value):
                yield from _entry(clean(str(key)), kind, value[key], indent + INDENT)
        elif field.is_repeated:
            yield from _list(field, value, indent, masked)
        else:
            yield from _entry(field.name, field, value, indent, masked)


def _hidden(field: FieldDescriptor) -> bool:
    """Whether a field is masked in one piece; a message that is written on several lines is masked by its own fields."""
    kind: Any = field.message_type
    if kind is None or kind.full_name in VALUES:
        return not is_harmless(field)
    return kind.full_name.startswith("google.protobuf.") or (is_identifier(kind) and not all(map(is_harmless, kind.fields)))


def _list(field: FieldDescriptor, values: Any, indent: str, masked: bool) -> Iterator[str]:
    written = [_inline(field, value) for value in values]
    if all(text is not None for text in written):
        yield f"{indent}{field.name}: {', '.join(filter(None, written))}"
        return
    for place, value in enumerate(values, 1):
        yield f"{indent}{field.name} {place} of {len(values)}:"
        yield from lines(value, indent + INDENT, masked=masked)


def _entry(name: str, field: FieldDescriptor, value: Any, indent: str, masked: bool = False) -> Iterator[str]:
    text = _inline(field, value)
    if text is None:
        nested = list(lines(value, indent + INDENT, masked=masked))
        yield f"{indent}{name}:" if nested else f"{indent}{name}: (nothing more)"
        yield from nested
        return
    first, *rest = text.splitlines() or [""]
    yield f"{indent}{name}: {clean(first)}"
    for line in rest:
        yield f"{indent}{' ' * len(name)}  {clean(line)}"


def one_line(message: Message) -> str:
    """What tells one message from another, in one line: texts, dates, words; no lists, numbers or bare codes. What is personal is `•••`."""
    return "  ".join(dict.fromkeys(_words(message, depth=3)))


def _words(message: Message, depth: int) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        if _hidden(field):
            yield MASK
        elif field.is_repeated:
            if field.type == FieldDescriptor.TYPE_STRING:
                yield clean(" ".join(value))
        elif field.type == FieldDescriptor.TYPE_BOOL:
            yield field.name.replace("_", " ")
        elif field.type == FieldDescriptor.TYPE_STRING:
            if len(value) > LONGEST_CODE:
                yield clean(value)
        elif field.message_type is not None and short_form(value) is None:
            yield from _words(value, depth - 1) if depth else ()
        elif field.message_type is not None or field.enum_type is not None:
            yield clean(_inline(field, value) or "")


def _inline(field: FieldDescriptor, value: Any) -> str | None:
    """A value in one piece; None for a message that has no short form."""
    if field.message_type is not None:
        return short_form(value)
    if field.enum_type is not None:
        return enum_word(field.enum_type, value)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "yes" if value else "no"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return f"{len(value)} bytes: {value[:16].hex(' ')}{' …' if len(value) > 16 else ''}"
    return str(value)


def short_form(message: Any) -> str | None:
    """A message that people write in one piece (a date, a time, an identifier) as they write it; None for any other."""
    name = message.DESCRIPTOR.full_name
    if name == TIMESTAMP:
        return f"{message.ToDatetime(tzinfo=UTC):%Y-%m-%d %H:%M:%S} UTC"
    if name == DURATION:
        length: timedelta = message.ToTimedelta()
        return span(length.total_seconds())
    if name == CIVIL_DATE:
        return _date(message)
    if name == LOCAL_TIME:
        return f"{message.hour:02}:{message.minute:02}"
    if name == DATE_RANGE:
        ends = (_date(end) if message.HasField(which) else "" for which, end in (("from", getattr(message, "from")), ("to", message.to)))
        return "..".join(ends)
    if is_identifier(message.DESCRIPTOR):
        return message.value or f"{message.as_received} (as received)"
    return None


def is_identifier(descriptor: Any) -> bool:
    """Whether a message is an identifier: a `value` in its canonical form, and what was received where there is none."""
    names = set(descriptor.fields_by_name)
    return "value" in names and names <= {"value", "as_received"} and descriptor.fields_by_name["value"].message_type is None


def _date(message: Any) -> str:
    year = f"{message.year:04}" if message.year else "????"
    month = f"{message.month:02}" if message.month else "??"
    day = f"{message.day:02}" if message.day else "??"
    return f"{year}-{month}-{day}"
