"""A message and a JSON object by one table of paths, so that both ways agree. Pure.

The law: what the table does not name is passed over; what is not there stays unset; what is of another kind is refused by its place, and
nothing of it is shown. A code that the table does not have is read as 0, the enumeration's unspecified.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.kit.json_documents import camel
from metip.common.v1 import identifiers_pb2
from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason
from metip.identifiers import (
    Parsed,
    parse_arrest_summons_number,
    parse_cad_number,
    parse_cris_crime_reference,
    parse_cro,
    parse_custody_number,
    parse_pnc_id,
    parse_vrm,
)

Tree = Mapping[str, Any]
M = TypeVar("M", bound=Message)


class MappingError(ValueError):
    """A document that is not of the table's kinds, or a message whose values have no place in a document."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value stands in the document. Both ways raise `ValueError` or `TypeError`; None and '' mean that there is nothing."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _text(said: Any) -> str:
    if type(said) is not str:
        raise TypeError("no text")
    said.encode()  # half a surrogate pair is no text, and says so with a ValueError
    return said


def _number(said: Any) -> int:
    if type(said) is not int or not 0 <= said < 2**53:  # what JSON can carry; a field that is narrower refuses the rest
        raise TypeError("no number")
    return said


def _texts(said: Any) -> list[str]:
    if type(said) is not list:
        raise TypeError("no list")
    return [_text(one) for one in said]


def _instant(said: Any) -> Timestamp | None:
    found = datetime.fromisoformat(_text(said))
    if found.tzinfo is None:
        raise ValueError("local to nowhere")
    return stamp(found.astimezone(UTC).replace(microsecond=0))


def _day(said: Any) -> CivilDate | None:
    if not said:
        return None
    found = re.fullmatch("([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", _text(said))
    if found is None:
        raise ValueError("no day")
    return CivilDate(year=int(found[1]), month=int(found[2] or 0), day=int(found[3] or 0))


def _written_day(day: CivilDate) -> str:
    """As far as it is known; without the year, or with a day and no month, it can't be said."""
    parts = [f"{day.year:04d}"] + [f"{part:02d}" for part in ((day.month, day.day) if day.month else ()) if part]
    return "-".join(parts) if day.year else ""


def _truth(said: Any) -> bool:
    if type(said) is not bool:
        raise TypeError("neither true nor false")
    return said


TEXT = Kind(_text, str)
NUMBER = Kind(_number, int)
TEXTS = Kind(_texts, list)
TRUTH = Kind(_truth, bool)
INSTANT = Kind(_instant, lambda stamp: stamp.ToDatetime().replace(microsecond=0).isoformat() + "Z")
DAY = Kind(_day, _written_day)
"""`yyyy`, `yyyy-mm` or `yyyy-mm-dd`."""
YES_NO = Kind({"Y": True, "N": False}.__getitem__, lambda said: "Y" if said else "N")


def coded(table: Mapping[str, int]) -> Kind:
    """A code for each value of an enumeration."""
    codes = {number: code for code, number in table.items()}
    return Kind(lambda said: table.get(_text(said), 0), lambda number: codes.get(number, ""))


def each_coded(table: Mapping[str, int]) -> Kind:
    """Codes of several values of an enumeration, each once and in its order; those that the table does not have are passed over."""
    codes = {number: code for code, number in table.items()}
    return Kind(
        lambda said: sorted({table[one] for one in _texts(said) if one in table}),
        lambda numbers: [codes[number] for number in numbers if number in codes],
    )


def identifier(kind: type[Any], parse: Callable[[str], Parsed], form: Callable[[str], str] = str) -> Kind:
    """An identifier, canonical where it parses; `form` gives the way in which the far system writes it."""

    def read(said: Any) -> Any:
        canonical = parse(_text(said)).canonical
        return kind(value=canonical, as_received="" if canonical == said else said[:40]) if said else None

    return Kind(read, lambda message: form(message.value) if message.value else message.as_received)


BY_MESSAGE: Mapping[str, Kind] = {
    "google.protobuf.Timestamp": INSTANT,
    "metip.common.v1.CivilDate": DAY,
    "metip.common.v1.PncId": identifier(identifiers_pb2.PncId, parse_pnc_id),
    "metip.common.v1.CroNumber": identifier(identifiers_pb2.CroNumber, parse_cro),
    "metip.common.v1.ArrestSummonsNumber": identifier(identifiers_pb2.ArrestSummonsNumber, parse_arrest_summons_number),
    "metip.common.v1.CrimeReportNumber": identifier(identifiers_pb2.CrimeReportNumber, parse_cris_crime_reference),
    "metip.common.v1.CadNumber": identifier(identifiers_pb2.CadNumber, parse_cad_number),
    "metip.common.v1.CustodyNumber": identifier(identifiers_pb2.CustodyNumber, parse_custody_number),
    "metip.common.v1.Vrm": identifier(identifiers_pb2.Vrm, parse_vrm),
}


@dataclass(frozen=True, slots=True)
class At:
    """One value: its path in the message, its path in the document."""

    ours: str
    theirs: str
    kind: Kind | None = None
    """Unset means that of the field's type, for texts, numbers, instants, days and the identifiers that all share."""


@dataclass(frozen=True, slots=True)
class Each:
    """Any number of messages, each by a table of its own."""

    ours: str
    theirs: str
    table: "Table"


Table = tuple[At | Each, ...]


def alike(ours: str, theirs: str, names: str, kind: Kind | None = None) -> Table:
    """Values that have the same names on both sides, there in camel case, under these two places; '' is the top."""
    places = [(f"{ours}.{name}".lstrip("."), f"{theirs}.{camel(name)}".lstrip(".")) for name in names.split()]
    return tuple(At(here, there, kind) for here, there in places)


def under(ours: str, theirs: str, table: Table) -> Table:
    """The table, one level deeper on either side; '' leaves a side as it is."""
    return tuple(replace(row, ours=f"{ours}.{row.ours}".lstrip("."), theirs=f"{theirs}.{row.theirs}".lstrip(".")) for row in table)


def filled(message: M, table: "Table", tree: Tree) -> M:
    """A message with what a far system answered. Raises `Fault` UPSTREAM_FAULT."""
    try:
        read_into(message, table, tree)
    except MappingError as error:
        raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered something else: {error}") from None
    return message


def document(request: Message, table: "Table") -> dict[str, Any]:
    """What a request says, as the far system takes it. Raises `Fault` INVALID_REQUEST."""
    try:
        return written(request, table)
    except MappingError as error:
        raise Fault(Reason.INVALID_REQUEST, f"the far system can't be told everything: {error}") from None


def stamp(instant: datetime | None) -> Timestamp | None:
    """An instant as a message has it."""
    if instant is None:
        return None
    found = Timestamp()
    found.FromDatetime(instant)
    return found


def read_into(message: Message, table: Table, tree: Tree, where: str = "") -> None:
    """Fills a message from a document. Raises `MappingError`."""
    for row in table:
        place = f"{where}{row.theirs}"
        said = _found(tree, row.theirs.split("."), place)
        if said is None:
            continue
        try:
            if isinstance(row, Each):
                _read_each(message, row, said, place)
            else:
                holder, name = _holder(message, row.ours.split("."))
                _put(holder, name, (row.kind or _kind_of(holder.DESCRIPTOR.fields_by_name[name])).read(said))
        except MappingError:
            raise
        except (ValueError, TypeError, KeyError, OverflowError):
            raise MappingError(f"{place} is of another kind") from None


def written(message: Message, table: Table) -> dict[str, Any]:
    """The document of a message. Raises `MappingError`."""
    tree: dict[str, Any] = {}
    for row in table:
        said = _said(message, row.ours.split("."))
        if said is None:
            continue
        try:
            value = [written(one, row.table) for one in said] if isinstance(row, Each) else _written(message, row, said)
        except (ValueError, OverflowError):
            raise MappingError(f"{row.ours} can't be said") from None
        if value not in ("", None, []):
            *groups, last = row.theirs.split(".")
            inside = tree
            for name in groups:
                inside = inside.setdefault(name, {})
            inside[last] = value
    return tree


def _written(message: Message, row: At, said: Any) -> Any:
    if row.kind is not None:
        return row.kind.write(said)
    holder, name = _holder(message, row.ours.split("."))
    return _kind_of(holder.DESCRIPTOR.fields_by_name[name]).write(said)


def _read_each(message: Message, row: Each, said: Any, place: str) -> None:
    if type(said) is not list:
        raise TypeError("no list")
    holder, name = _holder(message, row.ours.split("."))
    for number, one in enumerate(said):
        read_into(getattr(holder, name).add(), row.table, one, f"{place}[{number}].")


def _found(tree: Any, path: Iterable[str], place: str) -> Any:
    for name in path:
        if tree is None:
            return None
        if not isinstance(tree, Mapping):
            raise MappingError(f"{place} is in no object")
        tree = tree.get(name)
    return tree


def _holder(message: Any, path: list[str]) -> tuple[Any, str]:
    for name in path[:-1]:
        message = getattr(message, name)
    return message, path[-1]


def _put(holder: Any, name: str, value: Any) -> None:
    if isinstance(value, Message):
        getattr(holder, name).CopyFrom(value)
    elif isinstance(value, list):
        getattr(holder, name).extend(value)
    elif value is not None:
        setattr(holder, name, value)


def _kind_of(field: Any) -> Kind:
    if field.message_type is not None:
        return BY_MESSAGE[field.message_type.full_name]
    if field.type == field.TYPE_STRING:
        return TEXTS if field.is_repeated else TEXT
    return TRUTH if field.type == field.TYPE_BOOL else NUMBER


def _said(message: Any, path: list[str]) -> Any:
    """A value that is set; None for one that is not."""
    holder, name = _holder(message, path)
    field = holder.DESCRIPTOR.fields_by_name[name]
    there = holder.HasField(name) if field.has_presence else bool(getattr(holder, name))
    return getattr(holder, name) if there else None
