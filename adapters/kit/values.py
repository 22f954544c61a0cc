"""The value types that all contracts share, as far systems hold them and back: days, times, instants, identifiers. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from metip.common.v1 import identifiers_pb2
from metip.common.v1.identifiers_pb2 import CroNumber
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers import PARSERS, Parsed
from metip.options.v1 import options_pb2

M = TypeVar("M", bound=Message)
Parts = tuple[int, int, int]
"""Year, month and day, each 0 when unknown."""
UNKNOWN: Final[Parts] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Value:
    """How one type of value goes over: `out` from a record to a message, None where there is nothing to say, and `back`."""

    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


def identifier(kind: type[M], received: str, written: Callable[[str], str] = str) -> M:
    """An identifier that was received: canonical where it parses, and as received where that is something else; never repaired.

    `written` is how the far system writes a canonical one. The contract has no canonical form for the CRO numbers of the old small file.
    """
    canonical = _parser(kind)(received).canonical
    if issubclass(kind, CroNumber) and canonical.startswith("SF"):
        canonical = ""
    return kind(value=canonical, as_received="" if canonical and written(canonical) == received else received)


def received(message: Any, written: Callable[[str], str] = str) -> str:
    """An identifier as a far system writes and compares it; one that is none of its kind goes as it came."""
    return written(message.value) if message.value else str(message.as_received)


def identified(kind: type[Message], *, always: bool = False, written: Callable[[str], str] = str) -> Value:
    """How identifiers of a kind go over; none is no message, or with `always` an empty one."""
    return Value(
        lambda text: identifier(kind, text or "", written) if text or always else None,
        lambda message: received(message, written),
    )


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


def on_the_clock(zone: ZoneInfo, *fields: tuple[str, str]) -> Callable[[Any], Any]:
    """What moves days and times of a record that name a zone to the clock of another; each pair names a day and its time."""

    def moved(record: Any) -> Any:
        changes: dict[str, date | time] = {}
        for day, at in fields:
            on, clock = getattr(record, day), getattr(record, at)
            if on and clock and clock.tzinfo:
                instant = datetime.combine(on, clock).astimezone(zone)
                changes |= {day: instant.date(), at: instant.time()}
        return replace(record, **changes) if changes else record

    return moved


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
DAY_IN_PARTS: Final = Value(lambda known: civil_date(known or UNKNOWN), parts)
CLOCK: Final = Value(
    lambda at: LocalTime(hour=at.hour, minute=at.minute) if at else None, lambda message: time(message.hour, message.minute)
)
"""A time of day as `time`, to the minute."""
INSTANT: Final = Value(timestamp, lambda message: datetime.fromtimestamp(message.seconds, UTC))
"""An instant as aware `datetime`, to the second."""
USUAL: Final[Mapping[type[Message], Value]] = {
    **{kind: identified(kind) for kind in (getattr(identifiers_pb2, name) for name in identifiers_pb2.DESCRIPTOR.message_types_by_name)},
    CivilDate: DAY,
    LocalTime: CLOCK,
    Timestamp: INSTANT,
}
"""How each goes over where a system has no way of its own."""
