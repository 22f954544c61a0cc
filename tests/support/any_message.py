"""Messages of any type filled at random, and changed at random, for properties that hold for every contract."""

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

TEXTS = ("", "A", "SMITH", "O'BRIEN", "Müller", "1980-05-17", "17/05/1980", "0042", "42", "N1 1AA", "  x ", "ŁÓDŹ 12", "a&amp;b", "\u200b")
NUMBERS = (0, 1, 2, 7, 10, 12, 60, 100, 1980, 2**31 - 1)
FLOATS = (0.0, -0.0, 1.5, 1.25, 1e9, -3.75, float("nan"), float("inf"))
DEEPEST = 4


def filled(kind: type[Message], dice: random.Random, depth: int = 0) -> Any:
    """A message with about two thirds of its fields set."""
    found = kind()
    for field in kind.DESCRIPTOR.fields:
        if dice.random() < 0.67:
            _fill(found, field, dice, depth)
    return found


def changed(message: Message, dice: random.Random) -> Any:
    """A copy in which one field somewhere is filled anew."""
    found = type(message)()
    found.CopyFrom(message)
    at: Any = found
    while True:
        inside = [one for field, value in at.ListFields() for one in _messages(field, value)]
        if not inside or dice.random() < 0.3:
            break
        at = dice.choice(inside)
    fields = at.DESCRIPTOR.fields
    if fields:
        field = dice.choice(fields)
        at.ClearField(field.name)
        _fill(at, field, dice, DEEPEST - 1)
    return found


def _messages(field: FieldDescriptor, value: Any) -> list[Any]:
    if field.message_type is None or field.message_type.GetOptions().map_entry:
        return []
    return list(value) if field.is_repeated else [value]


def _fill(message: Any, field: Any, dice: random.Random, depth: int) -> None:
    entry: Any = field.message_type
    if entry is not None and depth >= DEEPEST:
        return
    if entry is not None and entry.GetOptions().map_entry:
        held = getattr(message, field.name)
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        for _ in range(dice.randint(0, 3)):
            if value.message_type is None:
                held[_value(key, dice)] = _value(value, dice)
            else:
                held[_value(key, dice)].CopyFrom(filled(type(value.message_type._concrete_class()), dice, depth + 1))
    elif field.is_repeated:
        held = getattr(message, field.name)
        for _ in range(dice.randint(0, 3)):
            if entry is None:
                held.append(_value(field, dice))
            else:
                held.add().CopyFrom(filled(entry._concrete_class, dice, depth + 1))
    elif entry is not None:
        getattr(message, field.name).CopyFrom(filled(entry._concrete_class, dice, depth + 1))
        getattr(message, field.name).SetInParent()
    else:
        setattr(message, field.name, _value(field, dice))


def _value(field: FieldDescriptor, dice: random.Random) -> Any:
    if field.enum_type is not None:
        return dice.choice([*field.enum_type.values_by_number, 12345])
    if field.type == FieldDescriptor.TYPE_STRING:
        return dice.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return dice.choice(TEXTS).encode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return dice.choice(FLOATS)
    return dice.choice(NUMBERS)
