"""Messages that are one value each: instants, lengths of time, civil dates, times of day; how they are read, told apart and hinted at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.parity import hints
from hub.parity.hints import NANOS, Hint
from hub.parity.rules import Rule

LONDON: Final = ZoneInfo("Europe/London")
MINUTE: Final = 60
AHEAD, BEHIND = "clock an hour ahead", "clock an hour behind"
LARGEST: Final = 253_402_300_799
"""The last second of the year 9999, which is the last instant of a `Timestamp`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How values of one type are compared. `near` takes the tolerance of the field; `empty` says whether a value is none."""

    read: Callable[[Any, Rule], Any]
    near: Callable[[Any, Any, float], bool]
    hint: Callable[[Any, Any], Hint]
    empty: Callable[[Any], bool] = lambda _: False


def _instant(value: Any, rule: Rule) -> int:
    nanoseconds: int = value.seconds * NANOS + value.nanos
    if rule.by_day and 0 <= value.seconds < LARGEST:
        local = datetime.fromtimestamp(value.seconds, UTC).astimezone(LONDON)
        return local.date().toordinal() * hints.DAY * NANOS
    return nanoseconds


def shift(one: int, other: int) -> str:
    """How one clock stands to another as a wrong time zone would have it: an hour, to a minute; empty for anything else."""
    apart = (other - one) / NANOS
    if abs(abs(apart) - hints.HOUR) > MINUTE:
        return ""
    return AHEAD if apart > 0 else BEHIND


def _near_instants(one: int, other: int, tolerance: float) -> bool:
    return bool(tolerance) and abs(one - other) <= tolerance * NANOS


def _date(value: Any, _rule: Rule) -> tuple[int, int, int]:
    return value.year, value.month, value.day


def _near_dates(one: tuple[int, int, int], other: tuple[int, int, int], tolerance: float) -> bool:
    if not tolerance:
        return False
    try:
        return abs((date(*one) - date(*other)).days) <= tolerance
    except ValueError:
        return False


def _time(value: Any, _rule: Rule) -> tuple[int]:
    return (value.hour * 60 + value.minute,)


def _hint_of_times(one: tuple[int], other: tuple[int]) -> Hint:
    return hints.of_instant(one[0] * 60 * NANOS, other[0] * 60 * NANOS)


INSTANT: Final = Reader(_instant, _near_instants, hints.of_instant)
READERS: Final[dict[str, Reader]] = {
    "google.protobuf.Timestamp": INSTANT,
    "google.protobuf.Duration": INSTANT,
    "metip.common.v1.CivilDate": Reader(_date, _near_dates, hints.of_date, lambda value: not any(value)),
    "metip.common.v1.LocalTime": Reader(_time, lambda one, other, tolerance: abs(one[0] - other[0]) <= tolerance, _hint_of_times),
}
"""Readers by the full name of the type."""
