"""Whose data a message holds, and how many records: found by the contract's annotations, with one plan per type of message.

A field that is marked `subject_identifier` names a subject by that kind; `surname`, `forename` and `birth` do so together, as
`name_and_birth`, by the rule that stands at the option. An identifier that does not parse and a date that is not whole name nobody. Only
messages on the way to one of these are walked into.
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
SURNAME, FORENAME, BIRTH = "surname", "forename", "birth"
TOGETHER: Final = (SURNAME, FORENAME, BIRTH)
"""Marks that name somebody together only."""
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
        if marked and marked not in TOGETHER:
            steps.append(_identified(field.name, marked, repeated=field.is_repeated))
        elif field.message_type is not None and not _is_map(field) and _leads(field.message_type):
            steps.append(_inside(field.name, repeated=field.is_repeated))
    births = [field for field in kind.fields if _field_options(field).subject_identifier == BIRTH]
    if births:
        steps.append(_described(births))
    return tuple(steps)


def _leads(kind: Descriptor) -> bool:
    """Whether a subject may be found in a message of the type, however deep."""
    marks = (_field_options(field).subject_identifier for one in _nested(kind) for field in one.fields)
    return any(marked and marked not in (SURNAME, FORENAME) for marked in marks)


def _nested(kind: Descriptor) -> Iterator[Descriptor]:
    """A type and every type that it can hold; types may hold themselves."""
    seen: set[str] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if one.full_name not in seen:
            seen.add(one.full_name)
            yield one
            waiting += [field.message_type for field in one.fields if field.message_type is not None and not _is_map(field)]


def _identified(name: str, kind: str, *, repeated: bool) -> Step:
    def step(message: Any, found: list[Subject]) -> None:
        value = getattr(message, name)
        for one in value if repeated else (value,):
            if one and (normal := _normal(kind, str(one))):
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


def _described(births: list[FieldDescriptor]) -> Step:
    """Each name in a message that describes one person, with each of that person's births."""
    dates = [(field.name, field.is_repeated, _dates_of(field)) for field in births]

    def step(message: Any, found: list[Subject]) -> None:
        values = ((getattr(message, name), repeated, read) for name, repeated, read in dates if repeated or message.HasField(name))
        born = [day for value, repeated, read in values for one in (value if repeated else (value,)) if (day := read(one)) is not None]
        if born:
            names: list[tuple[str, str]] = []
            _gather(message, names)
            found += [(NAME_AND_BIRTH, name_and_birth(surname, forename, day)) for surname, forename in names for day in born]

    return step


def _gather(message: Any, found: list[tuple[str, str]]) -> None:
    """Surname and first forename of each name in a message; the forename is empty where there is none."""
    surname, forename, inside = _names(message.DESCRIPTOR)
    if surname and (family := getattr(message, surname)):
        given = getattr(message, forename) if forename else ""
        first, *_ = (given if isinstance(given, str) else given[0] if given else "").split() or [""]
        found.append((family, first))
    for name, repeated in inside:
        for one in getattr(message, name) if repeated else (getattr(message, name),):
            _gather(one, found)


@lru_cache(maxsize=PLANS)
def _names(kind: Descriptor) -> tuple[str, str, tuple[tuple[str, bool], ...]]:
    """The fields of a type that hold surname and forename ('' for none), and those that lead to further names."""
    marks = {_field_options(field).subject_identifier: field.name for field in kind.fields}
    held = [field for field in kind.fields if field.message_type is not None and not _is_map(field)]
    inside = tuple((field.name, field.is_repeated) for field in held if _names_somebody(field.message_type))
    return marks.get(SURNAME, ""), marks.get(FORENAME, ""), inside


def _names_somebody(kind: Any) -> bool:
    return any(_field_options(field).subject_identifier == SURNAME for one in _nested(kind) for field in one.fields)


def _dates_of(field: FieldDescriptor) -> Callable[[Any], date | None]:
    kind: Any = field.message_type
    return _date if kind.full_name == DATE else _one_day


def _one_day(days: Any) -> date | None:
    """The day of a range that begins and ends on it; None for any other."""
    first = _date(getattr(days, "from"))
    return first if first is not None and first == _date(days.to) else None


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
