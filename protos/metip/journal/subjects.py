"""Whose data a message holds, and how many records: found by the contract's annotations, with one plan per type of message.

A field that is marked `subject_identifier` names a subject by that kind. A message with a date of birth beside a name (a `PersonName`, or a
family name and given names) names one by `name_and_birth`, and so does each alias beside them. An identifier that does not parse and a date
that is not whole name nobody. Only messages on the way to one of these are walked into.
"""

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from metip.journal.blinding import NAME_AND_BIRTH, name_and_birth, normal_form
from metip.options.v1 import options_pb2 as options

Subject = tuple[str, str]
"""Kind of identifier and its normal form."""
NAME, DATE = "metip.common.v1.PersonName", "metip.common.v1.CivilDate"
BIRTH: Final = "date_of_birth"
NO_RECORDS: Final = ("google.protobuf.", "metip.common.v1.Provenance", "metip.common.v1.Warning", NAME, DATE)
"""Beginnings of the names of types that are no records of anybody."""
PLANS: Final = 2048


def subjects(message: Message, found: list[Subject] | None = None) -> list[Subject]:
    """Each identifier of a data subject in the message, as often as it is there, in no order that means anything; added to `found`."""
    found = [] if found is None else found
    for step in _plan(message.DESCRIPTOR):
        step(message, found)
    return found


def records(message: Message) -> int:
    """How many records about people a reply holds.

    A reply that holds one record, with whatever hangs on it, is one; otherwise each entry of its lists counts, and of an entry that only
    groups records (of a source, say), each of these. Receipts, provenance and identifiers are no records.
    """
    singles, lists = _counted(message.DESCRIPTOR)
    if any(message.HasField(name) for name in singles):
        return 1
    return sum(map(records, _all(message, lists, groups=True))) + sum(len(getattr(message, name)) for name, groups in lists if not groups)


Step = Callable[[Any, list[Subject]], None]


@lru_cache(maxsize=PLANS)
def _plan(kind: Descriptor) -> tuple[Step, ...]:
    steps: list[Step] = []
    for field in kind.fields:
        marked = _field_options(field).subject_identifier
        if marked and field.type == FieldDescriptor.TYPE_STRING:
            steps.append(_identified(field.name, marked, repeated=field.is_repeated))
        elif field.message_type is not None and not _is_map(field) and _leads(field.message_type):
            steps.append(_inside(field.name, repeated=field.is_repeated))
    if _is_described(kind):
        steps.append(_described(kind))
    return tuple(steps)


def _leads(kind: Descriptor) -> bool:
    """Whether a subject may be found in a message of the type, however deep; types may hold themselves."""
    seen: set[str] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if one.full_name in seen:
            continue
        seen.add(one.full_name)
        if _is_described(one) or any(_field_options(field).subject_identifier for field in one.fields):
            return True
        waiting += [field.message_type for field in one.fields if field.message_type is not None and not _is_map(field)]
    return False


def _identified(name: str, kind: str, *, repeated: bool) -> Step:
    def step(message: Any, found: list[Subject]) -> None:
        value = getattr(message, name)
        for text in value if repeated else (value,):
            if text and (normal := _normal(kind, text)):
                found.append((kind, normal))

    return step


_normal = lru_cache(maxsize=8192)(normal_form)


def _inside(name: str, *, repeated: bool) -> Step:
    def step(message: Any, found: list[Subject]) -> None:
        if repeated:
            for one in getattr(message, name):
                subjects(one, found)
        elif message.HasField(name):
            subjects(getattr(message, name), found)

    return step


def _is_described(kind: Descriptor) -> bool:
    known = kind.fields_by_name
    birth = known.get(BIRTH)
    if birth is None or birth.message_type is None or birth.message_type.full_name != DATE or birth.is_repeated:
        return False
    return bool(_names_in(kind)) or ("family_name" in known and known["family_name"].type == FieldDescriptor.TYPE_STRING)


def _names_in(kind: Descriptor) -> list[FieldDescriptor]:
    return [field for field in kind.fields if field.message_type is not None and field.message_type.full_name == NAME]


def _described(kind: Descriptor) -> Step:
    names = [(field.name, field.is_repeated) for field in _names_in(kind)]
    flat = not names and "family_name" in kind.fields_by_name
    given = "given_names" in kind.fields_by_name

    def step(message: Any, found: list[Subject]) -> None:
        if not message.HasField(BIRTH) or (born := _date(getattr(message, BIRTH))) is None:
            return
        if flat:
            called = [(message.family_name, message.given_names if given else "")]
        else:
            every = [one for name, repeated in names for one in (getattr(message, name) if repeated else (getattr(message, name),))]
            called = [(one.family_name, one.given_names[0] if one.given_names else "") for one in every]
        for family, forenames in called:
            if family:
                first, *_ = forenames.split() or [""]
                found.append((NAME_AND_BIRTH, name_and_birth(family, first, born)))

    return step


def _date(civil: Any) -> date | None:
    try:
        return date(civil.year, civil.month, civil.day)
    except (ValueError, OverflowError):  # a part is unknown, or there is no such day
        return None


@lru_cache(maxsize=PLANS)
def _counted(kind: Descriptor) -> tuple[tuple[str, ...], tuple[tuple[str, bool], ...]]:
    """Fields that hold one record, and lists, each with whether its entries only group records."""
    held = [field for field in kind.fields if field.message_type is not None and not _is_map(field) and _is_record(field.message_type)]
    singles = tuple(field.name for field in held if not field.is_repeated)
    return singles, tuple((field.name, _groups(field)) for field in held if field.is_repeated)


def _is_record(kind: Descriptor) -> bool:
    if kind.full_name.startswith(NO_RECORDS) or _message_options(kind).personal == options.PERSONAL_DATA_NONE:
        return False
    return not any(field.name == "value" and _field_options(field).subject_identifier for field in kind.fields)


def _groups(held: FieldDescriptor) -> bool:
    """Whether an entry holds nothing personal but lists of records."""
    kind: Any = held.message_type
    others = [one for one in kind.fields if not (one.is_repeated and one.message_type is not None and _is_record(one.message_type))]
    return len(others) < len(kind.fields) and all(_field_options(one).personal == options.PERSONAL_DATA_NONE for one in others)


def _all(message: Any, lists: tuple[tuple[str, bool], ...], *, groups: bool) -> Iterator[Message]:
    for name, grouping in lists:
        if grouping is groups:
            yield from getattr(message, name)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


@lru_cache(maxsize=4 * PLANS)
def _field_options(field: FieldDescriptor) -> options.Field:
    # Descriptors of another pool have options of another class, which know no extension of ours until they are read again.
    return descriptor_pb2.FieldOptions.FromString(field.GetOptions().SerializeToString()).Extensions[options.field]


def _message_options(kind: Descriptor) -> options.Message:
    return descriptor_pb2.MessageOptions.FromString(kind.GetOptions().SerializeToString()).Extensions[options.message]
