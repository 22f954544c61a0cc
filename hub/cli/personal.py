"""What is personal in an interface, for the register: how many fields of which class its messages have, and what subjects are found by.

As everywhere, a field without a mark of its own or of its message counts as personal. Why somebody asks is left out: it is of the asker.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hub.cli.messages import Messages
from hub.contracts import Interface

ASKERS: Final = "metip.common.v1.AccessContext"
FIRST: Final = ("SENSITIVE", "CRIMINAL_OFFENCE", "PERSONAL")
"""Classes in the order in which they are told, the gravest first."""


def personal_fields(interface: Interface, messages: Messages) -> str:
    """Such as `3 sensitive, 12 criminal offence, 40 personal; found by name and birth, pnc id`; `none` where there are none."""
    kinds = _reached(interface, messages)
    classes, identifiers = Counter[str](), set[str]()
    for kind in kinds:
        for field in kind.fields:
            options = _options(field)
            if options.subject_identifier:
                identifiers.add(options.subject_identifier)
            if field.message_type is None:
                classes[_class(field, options)] += 1
    said = ", ".join(f"{classes[one]} {one.replace('_', ' ').lower()}" for one in FIRST if classes[one])
    found = ", ".join(one.replace("_", " ") for one in sorted(identifiers))
    return (said or "none") + (f"; found by {found}" if said and found else "")


def _reached(interface: Interface, messages: Messages) -> Sequence[Any]:
    seen: dict[str, Any] = {}
    waiting = [messages.kind(name).DESCRIPTOR for one in interface.operations for name in (one.request, one.reply)]
    while waiting:
        kind: Any = waiting.pop()
        if kind.full_name not in seen and kind.full_name != ASKERS and not kind.full_name.startswith("google.protobuf."):
            seen[kind.full_name] = kind
            waiting += _inside(kind)
    return tuple(seen.values())


def _inside(kind: Any) -> Iterator[Any]:
    for field in kind.fields:
        if field.message_type is not None:
            yield field.message_type


def _class(field: Any, options: Any) -> str:
    """The class of a field; what says nothing is personal."""
    from metip.options.v1 import options_pb2

    said = options.personal or _of_message(field.containing_type) or options_pb2.PERSONAL_DATA_PERSONAL
    number: Any = said
    return options_pb2.PersonalData.Name(number).removeprefix("PERSONAL_DATA_")


def _options(field: Any) -> Any:
    # Descriptors of another pool have options of another class, which know no extension of ours until they are read again.
    from google.protobuf import descriptor_pb2

    from metip.options.v1 import options_pb2

    return descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString()).Extensions[options_pb2.field]


def _of_message(kind: Any) -> int:
    from google.protobuf import descriptor_pb2

    from metip.options.v1 import options_pb2

    said = descriptor_pb2.MessageOptions.FromString(kind.GetOptions().SerializeToString())
    return int(said.Extensions[options_pb2.message].personal)
