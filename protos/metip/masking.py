"""Shows a message without what is personal in it: by the contract's annotations, and nothing that is not marked as harmless is shown.

The law: an unmarked field counts as personal. A message that holds a marked field is walked into, so that its harmless parts are seen.
Dates and times say nothing by themselves: the field that holds one decides. Maps are masked as a whole, since a key may be personal; so
is all that has no marks of ours, such as `Any`, `Struct` and wrappers. Fields that the contract does not know are left out.
"""

from functools import lru_cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from metip.options.v1 import options_pb2 as options

MASK: Final = "•••"
VALUES: Final = frozenset(
    {
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "metip.common.v1.CivilDate",
        "metip.common.v1.LocalTime",
        "metip.common.v1.DateRange",
    }
)
"""Messages that are one value: personal or not by the field that holds them."""


def masked(message: Message) -> dict[str, Any]:
    """The message as a JSON object under its fields' own names; what is personal is `•••`, and what is not set is left out."""
    return {field.name: _shown(field, value) for field, value in message.ListFields()}


def _shown(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return MASK
    if field.is_repeated:
        return [_one(field, one) for one in value]
    return _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> Any:
    harmless = is_harmless(field)
    if field.message_type is None:
        return _plain(field, value) if harmless else MASK
    if field.message_type.full_name in VALUES:
        return json_format.MessageToDict(value, preserving_proto_field_name=True) if harmless else MASK
    return masked(value)


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named is not None else int(value)
    return f"{len(value)} bytes" if isinstance(value, bytes) else value


@lru_cache(maxsize=4096)
def is_harmless(field: FieldDescriptor) -> bool:
    """Whether the field, or failing that its message, is marked as not personal."""
    own = field_options(field)
    if own.personal != options.PERSONAL_DATA_UNSPECIFIED:
        return bool(own.personal == options.PERSONAL_DATA_NONE)
    assert field.containing_type is not None, "a field that was set belongs to a message"
    return bool(_message_options(field.containing_type).personal == options.PERSONAL_DATA_NONE)


def field_options(field: FieldDescriptor) -> options.Field:
    """What the contract says of a field, whichever pool its descriptor is of."""
    # Descriptors of another pool have options of another class, which know no extension of ours until they are read again.
    said = descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString())
    return said.Extensions[options.field]


def _message_options(kind: Descriptor) -> options.Message:
    said = descriptor_pb2.MessageOptions.FromString(kind.GetOptions().SerializeToString())
    return said.Extensions[options.message]
