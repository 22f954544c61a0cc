"""Settings as their contract has them, and back: fields go by the same names on both sides.

Lengths of time are seconds, instants are unix seconds, and a map is its pairs in order of the key.
"""

from dataclasses import fields
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from hub.traffic.settings import (
    Breaker,
    CallLimit,
    Drain,
    FaultInjection,
    Maintenance,
    Paused,
    Pin,
    Sampling,
    Setting,
    Shares,
    Versions,
)
from metip.traffic.v1 import traffic_state_pb2 as api

KINDS: Final[dict[str, Any]] = {
    "shares": Shares,
    "pin": Pin,
    "fault": FaultInjection,
    "maintenance": Maintenance,
    "limit": CallLimit,
    "breaker": Breaker,
    "drain": Drain,
    "versions": Versions,
    "paused": Paused,
    "sampling": Sampling,
}
"""By the field of the contract's `Setting`, which is also the first word of the key."""
DURATION, TIMESTAMP = "google.protobuf.Duration", "google.protobuf.Timestamp"


def message_of(setting: Setting) -> api.Setting:
    """The contract's message."""
    kind = setting.key[0]
    found = api.Setting()
    part: Any = getattr(found, kind)
    part.SetInParent()
    for field in fields(setting):
        value = getattr(setting, field.name)
        descriptor = part.DESCRIPTOR.fields_by_name[field.name]
        if _map(descriptor):
            getattr(part, field.name).update(dict(value))
        elif descriptor.message_type is None:
            setattr(part, field.name, value)
        elif value:
            _set_time(getattr(part, field.name), descriptor, value)
    return found


def setting_of(message: api.Setting) -> Setting:
    """The value. Raises ValueError for a message without a kind."""
    kind = message.WhichOneof("kind")
    if kind is None:
        raise ValueError("a setting of no kind")
    part, cls = getattr(message, kind), KINDS[kind]
    found: Setting = cls(**{field.name: _value(part, part.DESCRIPTOR.fields_by_name[field.name], field.default) for field in fields(cls)})
    return found


def text_of(setting: Setting) -> str:
    """The setting as one line of JSON, to be kept."""
    return json_format.MessageToJson(message_of(setting), indent=None, preserving_proto_field_name=True)


def read(text: str) -> Setting:
    """What `text_of` wrote."""
    return setting_of(json_format.Parse(text, api.Setting()))


def _value(part: Any, descriptor: FieldDescriptor, default: Any) -> Any:
    value = getattr(part, descriptor.name)
    if _map(descriptor):
        return tuple(sorted(value.items()))
    if descriptor.message_type is None:
        return value
    if not part.HasField(descriptor.name):
        return default
    return value.ToNanoseconds() / 1e9


def _set_time(into: Any, descriptor: FieldDescriptor, value: float) -> None:
    assert descriptor.message_type is not None
    assert descriptor.message_type.full_name in (DURATION, TIMESTAMP)
    into.FromNanoseconds(round(value * 1e6) * 1000)


def _map(descriptor: FieldDescriptor) -> bool:
    return descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry
