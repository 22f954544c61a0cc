"""Shows a difference without what is personal in it: how long, of what sort, from where on; values only where the contract allows it."""

import json
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from hub.parity.differences import Difference, Kind
from hub.parity.hints import NANOS
from metip.masking import is_harmless, masked

LONGEST: Final = 160
NONE: Final = "nothing"


def shapes(one: Difference) -> tuple[str, str]:
    """What the primary had and what the shadow had, to be shown to anybody."""
    before, after = _shape(one.field, one.before), _shape(one.field, one.after)
    if isinstance(one.before, str) and isinstance(one.after, str) and one.before and one.after and not _harmless(one.field):
        after = f"{after}, other from the {_ordinal(_first_apart(one.before, one.after))} character"
    if one.kind in (Kind.STATUS, Kind.REORDERED, Kind.UNREADABLE) or one.before is one.after is None:
        return "", ""
    return before, after


def _harmless(field: FieldDescriptor | None) -> bool:
    return field is not None and is_harmless(field)


def _shape(field: FieldDescriptor | None, value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, Message):
        try:
            return _cut(json.dumps(masked(value), ensure_ascii=False))
        except ValueError:
            return "a message that has no JSON form"  # an instant outside the years that there are
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    harmless = _harmless(field)
    if isinstance(value, str):
        return (_cut(value) if harmless else f"text of {len(value)}") if value else "no text"
    if field is not None and field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return (named.name if named is not None else f"code {value}") if harmless else "a code" if value else "no code"
    if not harmless:
        return "a value" if value else "no value"
    if isinstance(value, tuple):
        return "-".join(f"{part:02}" if part else "??" for part in value)
    return f"{value / NANOS:.9f}".rstrip("0").rstrip(".") + " s" if field is not None and field.message_type is not None else str(value)


def _first_apart(one: str, other: str) -> int:
    """The place, from 1, of the first character that differs."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False), 1):
        if mine != theirs:
            return place
    return min(len(one), len(other)) + 1


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
