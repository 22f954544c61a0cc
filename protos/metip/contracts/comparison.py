"""Rules for comparing two platforms, as a contract states them: what would mean nothing is refused, so that nobody relies on it."""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from metip.contracts.model import Fault
from metip.options.v1 import options_pb2 as options

Messages = Mapping[str, DescriptorProto]
TIMESTAMP = ".google.protobuf.Timestamp"
MEASURED = frozenset({TIMESTAMP, ".google.protobuf.Duration", ".metip.common.v1.CivilDate", ".metip.common.v1.LocalTime"})
"""Messages that have a unit in which a tolerance is stated."""
WITHOUT_SIZE = frozenset(
    {
        FieldDescriptorProto.TYPE_STRING,
        FieldDescriptorProto.TYPE_BYTES,
        FieldDescriptorProto.TYPE_BOOL,
        FieldDescriptorProto.TYPE_ENUM,
        FieldDescriptorProto.TYPE_MESSAGE,
    }
)
"""Types of fields that are no numbers."""


def method_faults(
    file: FileDescriptorProto, service: ServiceDescriptorProto, method: MethodDescriptorProto, known: Messages
) -> Iterator[Fault]:
    """What is wrong with the parity rules of an operation, and of all that its replies hold. `known` has messages by `.full.name`."""
    name = f"{file.package}.{service.name}/{method.name}"
    said = method.options.Extensions[options.operation]
    if said.HasField("parity"):
        if not method.server_streaming:
            yield Fault(name, "says how its replies are compared, and has one", "Mark the fields of the reply instead")
        yield from _identified(name, said.parity, method.output_type, known)
    for of, message in _reached(method.output_type, known):
        for field in message.field:
            option = field.options.Extensions[options.field]
            if option.HasField("parity"):
                yield from _field_faults(f"{of.lstrip('.')}.{field.name}", field, option.parity, known)


def _reached(start: str, known: Messages) -> Iterable[tuple[str, DescriptorProto]]:
    seen: dict[str, DescriptorProto] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in known and name not in seen:
            seen[name] = known[name]
            waiting += [field.type_name for field in known[name].field if field.type == FieldDescriptorProto.TYPE_MESSAGE]
    return seen.items()


def _field_faults(name: str, field: FieldDescriptorProto, said: options.Parity, known: Messages) -> Iterator[Fault]:
    many = field.label == FieldDescriptorProto.LABEL_REPEATED
    if said.tolerance < 0 or (said.tolerance and field.type in WITHOUT_SIZE and field.type_name not in MEASURED):
        yield Fault(name, "has a tolerance that means nothing", "State one of 0 or more, and only on numbers, dates and times")
    if said.unordered and not many:
        yield Fault(name, "is unordered and no list", "Take unordered out")
    if options.NORMALISE_UNSPECIFIED in said.normalise:
        yield Fault(name, "is normalised in no way", "Name a step: NORMALISE_TRIM and the like")
    for step in said.normalise:
        text = field.type == FieldDescriptorProto.TYPE_STRING or _of_text(field, known)
        fits = field.type_name == TIMESTAMP if step == options.NORMALISE_DATE else text
        if step and not fits:
            yield Fault(name, f"has {options.Normalise.Name(step)}, which is not for its type", "Take it out, or mark another field")
    if said.clock and (many or field.type_name != TIMESTAMP):
        yield Fault(name, "is a clock and no instant", "Use clock on a google.protobuf.Timestamp only")
    if said.identified_by and not (many and field.type == FieldDescriptorProto.TYPE_MESSAGE):
        yield Fault(name, "names what identifies its entries, and has none", "Use identified_by on lists of messages only")
    else:
        yield from _identified(name, said, field.type_name, known)


def _of_text(field: FieldDescriptorProto, known: Messages) -> bool:
    """Whether a field is a map to text: its entry is a nested message, which is not among the top-level ones."""
    return field.label == FieldDescriptorProto.LABEL_REPEATED and field.type_name.endswith("Entry") and field.type_name not in known


def _identified(name: str, said: options.Parity, kind: str, known: Messages) -> Iterator[Fault]:
    for path in said.identified_by:
        if not _leads(kind, path.split("."), known):
            yield Fault(name, f"is identified by {path}, which is no single value of its entries", "Correct the path")


def _leads(kind: str, path: list[str], known: Messages) -> bool:
    for place, part in enumerate(path):
        found = next((one for one in known[kind].field if one.name == part), None) if kind in known else None
        last, nested = place == len(path) - 1, found is not None and found.type == FieldDescriptorProto.TYPE_MESSAGE
        if found is None or found.label == FieldDescriptorProto.LABEL_REPEATED or nested == last:
            return False
        kind = found.type_name
    return True
