"""How single fields are compared: what can be absent, plain values, and messages that are one value each."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from hub.parity import hints
from hub.parity.differences import Difference, Found, Kind, Step
from hub.parity.rules import Rule
from hub.parity.values import INSTANT, Reader, shift


def present(field: FieldDescriptor, rule: Rule, compare: Step) -> Step:
    """A field that can be absent: a message, `optional`, an alternative."""
    name, lax, message, clock = field.name, rule.unset_is_default, field.message_type is not None, rule.clock

    def step(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = before.HasField(name), after.HasField(name)
        if mine and theirs:
            compare(getattr(before, name), getattr(after, name), f"{path}{name}", found)
        elif (mine or theirs) and not clock:
            held = getattr(before if mine else after, name)
            empty = not held.ByteSize() if message else held == field.default_value
            if not (lax and empty):
                kind, hint = Kind.MISSING if mine else Kind.ADDED, "empty" if empty else ""
                found.append(Difference(f"{path}{name}", kind, hint, "", held if mine else None, None if mine else held, field))

    return step


def implicit(field: FieldDescriptor, compare: Step) -> Step:
    """A field whose absence is its default."""
    name = field.name

    def step(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = getattr(before, name), getattr(after, name)
        if mine != theirs:
            compare(mine, theirs, f"{path}{name}", found)

    return step


def scalar(field: FieldDescriptor, rule: Rule) -> Step:
    """A number, a text, bytes, a yes or no, an enum."""
    tolerance, normalise, enum = rule.tolerance, rule.normalise, field.enum_type
    text, boolean = field.type == FieldDescriptor.TYPE_STRING, field.type == FieldDescriptor.TYPE_BOOL
    numeric = not text and not boolean and enum is None and field.type != FieldDescriptor.TYPE_BYTES

    def compare(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = before, after
        if text and normalise is not None:
            mine, theirs = normalise(before), normalise(after)
        if mine == theirs or (numeric and (abs(mine - theirs) <= tolerance or (mine != mine and theirs != theirs))):
            return
        if boolean:
            kind, hint = Kind.CHANGED, ("inverted", "yes became no" if mine else "no became yes")
        elif not mine or not theirs:
            kind, hint = (Kind.MISSING if mine else Kind.ADDED), ("", "")
        elif text:
            kind, hint = Kind.CHANGED, hints.of_text(mine, theirs)
        elif enum is not None:
            known = enum.values_by_number
            kind, hint = Kind.CHANGED, ("another code", "") if theirs in known and mine in known else ("unknown code", "")
        elif numeric:
            kind, hint = Kind.CHANGED, hints.of_number(mine, theirs)
        else:
            kind, hint = Kind.CHANGED, ("truncated", f"at {len(theirs)}") if mine.startswith(theirs) else (hints.OTHER, "")
        found.append(Difference(path, kind, *hint, before, after, field))

    return compare


def value(field: FieldDescriptor, rule: Rule, reader: Reader) -> Step:
    """A message that is one value: a date, an instant, a length of time."""

    def clocks(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = reader.read(before, rule), reader.read(after, rule)
        if hint := shift(mine, theirs):
            found.append(Difference(path, Kind.CHANGED, hint, "", mine, theirs, field))

    def compare(before: Any, after: Any, path: str, found: Found) -> None:
        mine, theirs = reader.read(before, rule), reader.read(after, rule)
        if mine != theirs and not reader.near(mine, theirs, rule.tolerance):
            if reader.empty(mine) == reader.empty(theirs):
                kind, hint = Kind.CHANGED, reader.hint(mine, theirs)
            else:
                kind, hint = Kind.MISSING if reader.empty(theirs) else Kind.ADDED, ("", "")
            found.append(Difference(path, kind, *hint, mine, theirs, field))

    return clocks if rule.clock and reader is INSTANT else compare
