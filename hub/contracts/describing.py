"""Contracts as people read them: messages, fields and enums with the comments and marks that their files have, found by full name.

Protobuf keeps a comment by its place in the file; here it is kept by the name of what it is about.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

from buf.validate import validate_pb2
from hub.contracts import Interface
from hub.contracts.messages import Messages
from metip.masking import field_options, is_harmless
from metip.options.v1 import options_pb2

OURS: Final = "metip."
MESSAGES, ENUMS, FIELDS, NESTED, NESTED_ENUMS, VALUES = 4, 5, 2, 3, 4, 2
"""Numbers of these fields in protobuf's own descriptors: of a file the first two, of a message the next three, of an enum the last."""
KINDS: Final[dict[int, str]] = {
    number: name.removeprefix("TYPE_").lower() for name, number in descriptor_pb2.FieldDescriptorProto.Type.items() if "TYPE_" in name
}
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an enum."""

    name: str
    number: int
    description: str


@dataclass(frozen=True, slots=True)
class Enumeration:
    """One enum."""

    name: str
    description: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    name: str
    number: int
    kind: str
    """`string`, the full name of a message or an enum, or `map<string, uint32>`."""
    repeated: bool
    oneof: str
    """Empty for none."""
    description: str
    personal: str
    """NONE, PERSONAL, SENSITIVE or CRIMINAL_OFFENCE; what has no mark is personal."""
    subject_identifier: str
    ordering_key: bool
    idempotency_key: bool
    rules: tuple[str, ...]
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Described:
    """One message type."""

    name: str
    description: str
    fields: tuple[Field, ...]


class Describing:
    """Describes what the interfaces of a set of contracts are made of."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def types_of(self, interface: Interface) -> tuple[tuple[Described, ...], tuple[Enumeration, ...]]:
        """Every message and enum that an interface's operations send and answer, each by name."""
        messages, enums = dict[str, Any](), dict[str, Any]()
        waiting: list[Any] = [self._messages.kind(name).DESCRIPTOR for one in interface.operations for name in (one.request, one.reply)]
        while waiting:
            kind = waiting.pop()
            if kind.full_name in messages or not kind.full_name.startswith(OURS):
                continue
            if not kind.GetOptions().map_entry:
                messages[kind.full_name] = kind
            for field in kind.fields:
                if field.message_type is not None:
                    waiting.append(field.message_type)
                if field.enum_type is not None and field.enum_type.full_name.startswith(OURS):
                    enums[field.enum_type.full_name] = field.enum_type
        return (
            tuple(self._described(messages[name]) for name in sorted(messages)),
            tuple(self._enumeration(enums[name]) for name in sorted(enums)),
        )

    @cached_property
    def _comments(self) -> dict[str, str]:
        """Comments by the full name of what they are about; a value of an enum goes by the enum's name and its own."""
        return {
            name: " ".join(comment.split())
            for file in FileDescriptorSet.FromString(self._messages.contracts.descriptor_set).file
            if file.package.startswith(OURS)
            for name, comment in _comments(file)
        }

    def _described(self, kind: Any) -> Described:
        fields = tuple(self._field(kind, field) for field in kind.fields)
        return Described(kind.full_name, self._comments.get(kind.full_name, ""), fields)

    def _field(self, kind: Any, field: FieldDescriptor) -> Field:
        said = field_options(field)
        oneof = field.containing_oneof
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        own = descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString())
        return Field(
            name=field.name,
            number=field.number,
            kind=_kind(field),
            repeated=field.is_repeated and not is_map,
            oneof=oneof.name if oneof is not None and not oneof.name.startswith("_") else "",
            description=self._comments.get(f"{kind.full_name}.{field.name}", ""),
            personal="NONE" if is_harmless(field) else _class(said.personal),
            subject_identifier=said.subject_identifier,
            ordering_key=said.ordering_key,
            idempotency_key=said.idempotency_key,
            rules=tuple(_rules(own.Extensions[validate_pb2.field])),
            deprecated=own.deprecated,
        )

    def _enumeration(self, kind: Any) -> Enumeration:
        values = (Value(one.name, one.number, self._comments.get(f"{kind.full_name}.{one.name}", "")) for one in kind.values)
        return Enumeration(kind.full_name, self._comments.get(kind.full_name, ""), tuple(values))


def _class(marked: int) -> str:
    number: Any = marked or options_pb2.PERSONAL_DATA_PERSONAL
    return options_pb2.PersonalData.Name(number).removeprefix("PERSONAL_DATA_")


def _kind(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            return f"map<{_kind(key)}, {_kind(value)}>"
        return str(field.message_type.full_name)
    return str(field.enum_type.full_name) if field.enum_type is not None else KINDS[field.type]


def _rules(rules: Any, above: str = "") -> Iterator[str]:
    """What is set of protovalidate's rules, each as `string.max_len: 40`."""
    for field, value in rules.ListFields():
        name = f"{above}{field.name}"
        if field.name in ("cel", "cel_expression"):
            yield from (one.message or one.expression for one in value)
        elif field.message_type is not None and not field.is_repeated and field.message_type.full_name.startswith("buf."):
            yield from _rules(value, f"{name}.")
        elif field.enum_type is not None:
            yield f"{name}: {field.enum_type.values_by_number[value].name}"
        elif field.is_repeated:
            yield f"{name}: {', '.join(map(_text, value))}"
        else:
            yield f"{name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "ToJsonString"):
        return str(value.ToJsonString())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    said = {tuple(at.path): at.leading_comments for at in file.source_code_info.location if at.leading_comments}
    names = (
        *_of_messages(file.message_type, (MESSAGES,), file.package),
        *_of_enums(file.enum_type, (ENUMS,), file.package),
    )
    yield from ((name, said[path]) for path, name in names if path in said)


def _of_messages(kinds: Iterable[DescriptorProto], above: Path, package: str) -> Iterator[tuple[Path, str]]:
    for place, kind in enumerate(kinds):
        here, name = (*above, place), f"{package}.{kind.name}"
        yield here, name
        yield from (((*here, FIELDS, number), f"{name}.{field.name}") for number, field in enumerate(kind.field))
        yield from _of_messages(kind.nested_type, (*here, NESTED), name)
        yield from _of_enums(kind.enum_type, (*here, NESTED_ENUMS), name)


def _of_enums(kinds: Iterable[EnumDescriptorProto], above: Path, package: str) -> Iterator[tuple[Path, str]]:
    for place, kind in enumerate(kinds):
        here, name = (*above, place), f"{package}.{kind.name}"
        yield here, name
        yield from (((*here, VALUES, number), f"{name}.{value.name}") for number, value in enumerate(kind.value))
