"""`field=value` as it is typed on a command line, into a message: `a.b=value`, `list[0].c=value`, `map[key]=value`, repeated by repetition.

Pure. Every assignment is tried, and every problem is reported at once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from hub.cli.values import FieldError, scalar
from hub.cli.writing import WRITERS, fill

STEP: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]]*)\])?")


@dataclass(frozen=True)
class Step:
    """One part of a path: a field, and the place in its list or map."""

    name: str
    place: str | None


def assign(message: Message, assignments: Iterable[str]) -> tuple[str, ...]:
    """Applies assignments to a message and gives every problem, `assignment: what is wrong`.

    What the message held before (a sample's values) gives way: a list starts anew, a `oneof` changes sides.
    """
    given: set[tuple[str, ...]] = set()
    problems = []
    for text in assignments:
        path, equals, value = text.partition("=")
        try:
            if not equals:
                raise FieldError("write field=value")
            _walk(message, _steps(path), value, (), given)
        except FieldError as error:
            problems.append(f"{path or text}: {error}")
    return tuple(problems)


def _steps(path: str) -> tuple[Step, ...]:
    found = []
    position = 0
    while True:
        match = STEP.match(path, position)
        if match is None:
            raise FieldError("write a path such as name.family_name, list[0] or map[key]")
        found.append(Step(match[1], match[2]))
        position = match.end()
        if position == len(path):
            return tuple(found)
        if path[position] != ".":
            raise FieldError("write a path such as name.family_name, list[0] or map[key]")
        position += 1


def _walk(message: Any, steps: Sequence[Step], value: str, above: tuple[str, ...], given: set[tuple[str, ...]]) -> None:
    step, rest = steps[0], steps[1:]
    field = _field(message.DESCRIPTOR, step.name)
    here = (*above, field.name)
    _take_side(message, field, above, given)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _into_map(getattr(message, field.name), field, step, rest, value, here, given)
    elif field.is_repeated:
        _into_list(message, field, step, rest, value, here, given)
    elif step.place is not None:
        raise FieldError(f"{field.name} is no list")
    elif rest:
        given.add(here)
        _walk(_inside(message, field), rest, value, here, given)
    else:
        if (*here, "=") in given:
            raise FieldError("is given twice, and it is no list")
        given |= {here, (*here, "=")}
        _set(message, field, value)


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor:
    for field in descriptor.fields:
        if name in (field.name, field.json_name):
            return field
    names = [field.name for field in descriptor.fields]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}" if names else "it has none"
    raise FieldError(f"{descriptor.name} has no field {name}; {hint}")


def _take_side(message: Any, field: FieldDescriptor, above: tuple[str, ...], given: set[tuple[str, ...]]) -> None:
    """Refuses the second side of a `oneof`; only a side that was given counts, not one that a sample brought."""
    if field.containing_oneof is None:
        return
    other = message.WhichOneof(field.containing_oneof.name)
    if other not in (None, field.name) and (*above, other) in given:
        raise FieldError(f"excludes {other}, which is given too")


def _into_list(
    message: Any, field: FieldDescriptor, step: Step, rest: Sequence[Step], value: str, here: tuple[str, ...], given: set[tuple[str, ...]]
) -> None:
    items = getattr(message, field.name)
    if here not in given:
        given.add(here)
        del items[:]
    if step.place is None:
        if rest:
            raise FieldError(f"{field.name} is a list: say which, such as {field.name}[0].{rest[0].name}")
        _append(items, field, value)
        return
    if not step.place.isdecimal():
        raise FieldError(f"{field.name} is a list: its places are numbers from 0")
    place = int(step.place)
    if place > len(items):
        raise FieldError(f"there are {len(items)} before it; the next is {field.name}[{len(items)}]")
    if field.message_type is None:
        if rest:
            raise FieldError(f"{field.name} holds plain values, without fields")
        written = scalar(field, value)
        items[place:] = [written, *items[place + 1 :]]
        return
    if place == len(items):
        items.add()
    if rest:
        _walk(items[place], rest, value, (*here, step.place), given)
    else:
        items[place].Clear()
        _fill(items[place], value)


def _append(items: Any, field: FieldDescriptor, value: str) -> None:
    if value.startswith("["):
        for one in _json_list(value):
            _append(items, field, one)
    elif field.message_type is None:
        items.append(scalar(field, value))
    else:
        filled = items.add()
        try:
            _fill(filled, value)
        except FieldError:
            del items[-1]
            raise


def _json_list(value: str) -> list[str]:
    import json

    try:
        found = json.loads(value)
    except ValueError as error:
        raise FieldError(f"is no JSON list: {error}") from None
    return [one if isinstance(one, str) else json.dumps(one) for one in found]


def _into_map(
    items: Any, field: FieldDescriptor, step: Step, rest: Sequence[Step], value: str, here: tuple[str, ...], given: set[tuple[str, ...]]
) -> None:
    if step.place is None:
        raise FieldError(f"{field.name} is a map: write {field.name}[key]=value")
    entry: Any = field.message_type
    key = scalar(entry.fields_by_name["key"], step.place)
    kind = entry.fields_by_name["value"]
    if kind.message_type is None:
        if rest:
            raise FieldError(f"{field.name} holds plain values, without fields")
        items[key] = scalar(kind, value)
    elif rest:
        _walk(items[key], rest, value, (*here, step.place), given)
    else:
        _fill(items[key], value)


def _inside(message: Any, field: FieldDescriptor) -> Any:
    if field.message_type is None:
        raise FieldError(f"{field.name} is a plain value, without fields")
    inner = getattr(message, field.name)
    inner.SetInParent()
    return inner


def _set(message: Any, field: FieldDescriptor, value: str) -> None:
    if field.message_type is None:
        setattr(message, field.name, scalar(field, value))
        return
    fresh = type(getattr(message, field.name))()
    _fill(fresh, value)
    getattr(message, field.name).CopyFrom(fresh)
    getattr(message, field.name).SetInParent()


def _fill(message: Any, value: str) -> None:
    """A whole message from one text: as people write it, or as JSON."""
    kind = message.DESCRIPTOR
    if value.startswith("{") and kind.full_name not in WRITERS:
        try:
            json_format.Parse(value, message)
        except json_format.ParseError as error:
            raise FieldError(str(error)) from None
        return
    try:
        filled = fill(message, value)
    except ValueError as error:
        raise FieldError(str(error)) from None
    if not filled:
        names = ", ".join(field.name for field in kind.fields) or "none"
        raise FieldError(f"is a {kind.name}: give its fields ({names}), or JSON in braces")
