"""Messages of a contract and native records whose fields are named alike, made of one another; pure.

Texts, numbers, flags and instants stay as they are. An enum is a code of a table in the record, an identifier (a message with `value` and
`as_received`) its text, a repeated field a tuple. Fields that only one of the two has, and other messages, are the caller's own affair.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from metip.identifiers import PARSERS
from metip.options.v1 import options_pb2 as options

M = TypeVar("M", bound=Message)
Codes = Mapping[str, Mapping[str, int]]
"""Name of an enum to its values by the far system's code."""


def message_of(made: type[M], record: Any, codes: Codes, **more: Any) -> M:
    """The message of a record. A code that its table lacks is UNSPECIFIED, an identifier that does not parse is only `as_received`."""
    alike = (field for field in made.DESCRIPTOR.fields if field.name not in more and hasattr(record, field.name))
    return made(**{field.name: _read(field, getattr(record, field.name), codes) for field in alike}, **more)


def values_of(kind: type, message: Message, codes: Codes, text: Callable[[str, str], str] = lambda name, text: text) -> dict[str, Any]:
    """Values for the fields of a kind of record. `text` is given the name and value of each text, and gives what the record is to have."""
    names = message.DESCRIPTOR.fields_by_name
    alike = (names[one.name] for one in fields(kind) if one.name in names)
    return {field.name: _held(field, getattr(message, field.name), codes, message, text) for field in alike if _plain(field)}


def _read(field: Any, value: Any, codes: Codes) -> Any:
    if field.is_repeated:
        return [one for one in (_one(field, each, codes) for each in value) if one is not None]
    return _one(field, value, codes)


def _one(field: Any, value: Any, codes: Codes) -> Any:
    if field.enum_type is not None:
        return codes[field.enum_type.name].get(value, 0)
    kind = _identifier(field.message_type)
    if not kind or not value:
        return value if value or field.message_type is None else None
    canonical = PARSERS[kind](value).canonical
    return GetMessageClass(field.message_type)(value=canonical, as_received="" if canonical == value else value)


def _held(field: Any, value: Any, codes: Codes, message: Message, text: Callable[[str, str], str]) -> Any:
    if field.is_repeated:
        return tuple(each.value if field.message_type else each for each in value)
    if field.enum_type is not None:
        return next((code for code, number in codes[field.enum_type.name].items() if number == value), "")
    if isinstance(value, Timestamp):
        return value.ToDatetime(UTC) if message.HasField(field.name) else None
    if field.message_type is not None:
        return value.value
    return text(field.name, value) if isinstance(value, str) else value


def _plain(field: Any) -> bool:
    return (
        field.message_type is None
        or field.message_type.full_name == Timestamp.DESCRIPTOR.full_name
        or bool(_identifier(field.message_type))
    )


@cache
def _identifier(message: Descriptor | None) -> str:
    """Kind of the identifier that the message is, by its contract; '' for any other."""
    if message is None or [field.name for field in message.fields] != ["value", "as_received"]:
        return ""
    return str(message.fields_by_name["value"].GetOptions().Extensions[options.field].subject_identifier)
