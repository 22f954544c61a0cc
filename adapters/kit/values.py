"""The value types that all contracts share, as far systems hold them and back: days, times, instants, identifiers. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from metip.common.v1 import identifiers_pb2
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers import PARSERS, Parsed
from metip.options.v1 import options_pb2

M = TypeVar("M", bound=Message)
Parts = tuple[int, int, int]
"""Year, month and day, each 0 when unknown."""


@dataclass(frozen=True, slots=True)
class Value:
    """How one type of value goes over: `out` from a record to a message, None where there is nothing to say, and `back`."""

    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


def identifier(kind: type[M], received: str) -> M:
    """An identifier that was received: canonical where it parses, and as received where that is something else; never repaired."""
    canonical = _parser(kind)(received).canonical
    return kind(value=canonical, as_received="" if canonical == received else received)


def received(message: Any) -> str:
    """An identifier as a far system compares it; one that is none of its kind goes as it came."""
    return str(message.value or message.as_received)


def identified(kind: type[Message], *, always: bool = False) -> Value:
    """How identifiers of a kind go over; none is no message, or with `always` an empty one."""
    return Value(lambda text: identifier(kind, text or "") if text or always else None, received)


def timestamp(at: datetime | None) -> Timestamp | None:
    """An aware instant as a message; None when there is none."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def civil_date(parts: Parts) -> CivilDate | None:
    """A day whose parts may be unknown; None when all are."""
    return CivilDate(year=parts[0], month=parts[1], day=parts[2]) if any(parts) else None


def parts(message: CivilDate) -> Parts:
    """The parts of a day, 0 for unknown."""
    return message.year, message.month, message.day


def _day(value: date | None) -> CivilDate | None:
    return CivilDate(year=value.year, month=value.month, day=value.day) if value else None


def _day_of(message: CivilDate) -> date | None:
    return date(*parts(message)) if all(parts(message)) else None


def _parser(kind: type[Message]) -> Callable[[str], Parsed]:
    """The parser of an identifier, which the contract names."""
    found = _parsers.get(kind)
    if found is None:
        value: Any = kind.DESCRIPTOR.fields_by_name["value"]
        found = _parsers[kind] = PARSERS[value.GetOptions().Extensions[options_pb2.field].subject_identifier]
    return found


_parsers: dict[type[Message], Callable[[str], Parsed]] = {}


DAY: Final = Value(_day, _day_of)
"""A whole day as `date`; a partial one is none. `back` raises `ValueError` for one that no calendar has."""
DAY_IN_PARTS: Final = Value(lambda known: civil_date(known or (0, 0, 0)), parts)
CLOCK: Final = Value(
    lambda at: LocalTime(hour=at.hour, minute=at.minute) if at else None, lambda message: time(message.hour, message.minute)
)
"""A time of day as `time`, to the minute."""
INSTANT: Final = Value(timestamp, lambda message: datetime.fromtimestamp(message.seconds, UTC))
"""An instant as aware `datetime`, to the second."""
IDENTIFIERS: Final = {
    kind.DESCRIPTOR.full_name: identified(kind)
    for kind in (getattr(identifiers_pb2, name) for name in identifiers_pb2.DESCRIPTOR.message_types_by_name)
}
"""All kinds of identifiers, by their messages' full names."""
