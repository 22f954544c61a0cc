"""What contracts declare, each element by full name with its comment: what pages and documents about interfaces are written from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

# Numbers of the fields by which a comment's path goes down (descriptor.proto).
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, NESTED, NESTED_ENUMS, ONEOFS = 2, 3, 4, 8
WELL_KNOWN: Final = "google.protobuf."


@dataclass
class Elements:
    """Messages and enums by full name, and what is said of them and their parts."""

    messages: dict[str, DescriptorProto] = field(default_factory=dict)
    enums: dict[str, EnumDescriptorProto] = field(default_factory=dict)
    entries: set[str] = field(default_factory=set)
    """Messages that only stand for the entries of a map."""
    comments: dict[str, str] = field(default_factory=dict)
    """Of messages, fields (`<message>.<field>`), oneofs, enums, values (`<enum>.<value>`), services and methods (`<service>/<method>`)."""

    def said(self, name: str) -> str:
        """The comment of an element as one text, lines joined; empty when there is none."""
        return self.comments.get(name, "")

    def used_by(self, *names: str) -> tuple[str, ...]:
        """Messages and enums that these are made of, themselves first, in the order in which they are met; well-known types aside."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            if name in found or name.startswith(WELL_KNOWN):
                continue
            found[name] = None
            if name in self.messages:
                waiting += [one.type_name.lstrip(".") for one in self.messages[name].field if one.type_name]
        return tuple(name for name in found if name not in self.entries)

    def map_entry(self, one: FieldDescriptorProto) -> DescriptorProto | None:
        """The entry type of a field that is a map; None for any other field."""
        name = one.type_name.lstrip(".")
        return self.messages[name] if name in self.entries else None


def elements(files: FileDescriptorSet) -> Elements:
    """Reads every file of the set."""
    found = Elements()
    for file in files.file:
        said = {tuple(place.path): _joined(place.leading_comments) for place in file.source_code_info.location if place.leading_comments}
        for number, message in enumerate(file.message_type):
            _message(found, file.package, message, (MESSAGES, number), said)
        for number, enum in enumerate(file.enum_type):
            _enum(found, file.package, enum, (ENUMS, number), said)
        for path, name in _services(file):
            found.comments[name] = said.get(path, "")
    return found


def _services(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for number, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (SERVICES, number), name
        for at, method in enumerate(service.method):
            yield (SERVICES, number, FIELDS, at), f"{name}/{method.name}"


def _message(found: Elements, scope: str, message: DescriptorProto, path: tuple[int, ...], said: dict[tuple[int, ...], str]) -> None:
    name = f"{scope}.{message.name}"
    found.messages[name] = message
    found.comments[name] = said.get(path, "")
    if message.options.map_entry:
        found.entries.add(name)
    for number, one in enumerate(message.field):
        found.comments[f"{name}.{one.name}"] = said.get((*path, FIELDS, number), "")
    for number, oneof in enumerate(message.oneof_decl):
        found.comments[f"{name}.{oneof.name}"] = said.get((*path, ONEOFS, number), "")
    for number, nested in enumerate(message.nested_type):
        _message(found, name, nested, (*path, NESTED, number), said)
    for number, enum in enumerate(message.enum_type):
        _enum(found, name, enum, (*path, NESTED_ENUMS, number), said)


def _enum(found: Elements, scope: str, enum: EnumDescriptorProto, path: tuple[int, ...], said: dict[tuple[int, ...], str]) -> None:
    name = f"{scope}.{enum.name}"
    found.enums[name] = enum
    found.comments[name] = said.get(path, "")
    for number, value in enumerate(enum.value):
        found.comments[f"{name}.{value.name}"] = said.get((*path, FIELDS, number), "")


def _joined(comment: str) -> str:
    """Lines of a paragraph as one line; paragraphs stay apart."""
    paragraphs = "\n".join(line.strip() for line in comment.strip().splitlines()).split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)
