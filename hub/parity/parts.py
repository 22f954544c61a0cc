"""What a message holds, as values by path, under its parity rules: by this it is judged how alike two records are."""

from collections.abc import Hashable
from typing import Any, Final

from google.protobuf.message import Message

from hub.parity.rules import is_map, rule_of
from hub.parity.values import READERS

MOST: Final = 400
"""Parts that are looked at; more say no more about likeness."""


def parts_of(message: Message) -> dict[str, Hashable]:
    """Values by path; what is ignored is left out, and texts are in the form in which they are compared."""
    found: dict[str, Hashable] = {}
    _gather(message, "", found)
    return found


def _gather(message: Any, path: str, found: dict[str, Hashable]) -> None:
    for field, value in message.ListFields():
        rule = rule_of(field)
        if rule.ignore or rule.clock or len(found) >= MOST:
            continue
        at = f"{path}{field.name}"
        if is_map(field):
            found[at] = len(value)
        elif field.is_repeated:
            for place, one in enumerate(value):
                _put(field, one, f"{at}[{place}]", found)
        else:
            _put(field, value, at, found)


def _put(field: Any, value: Any, at: str, found: dict[str, Hashable]) -> None:
    rule = rule_of(field)
    if field.message_type is None:
        found[at] = rule.normalise(value) if rule.normalise is not None and isinstance(value, str) else value
    elif reader := READERS.get(field.message_type.full_name):
        found[at] = reader.read(value, rule)
    else:
        _gather(value, f"{at}.", found)
