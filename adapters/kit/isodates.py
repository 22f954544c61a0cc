"""Days and times of the shared contract as ISO 8601 has them, and times of day that a far system keeps in UTC; pure.

Reading never guesses: what is no day or time is None.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from metip.common.v1.time_pb2 import CivilDate, LocalTime

LONDON: Final = ZoneInfo("Europe/London")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])Z?", re.ASCII)


def day_text(day: CivilDate) -> str:
    """`YYYY-MM-DD`, unknown parts 00; '' for none."""
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}" if day.year or day.month or day.day else ""


def read_day(text: str | None) -> CivilDate | None:
    """The reverse."""
    parts = _DAY.fullmatch(text or "")
    if parts is None or int(parts[2]) > 12 or int(parts[3]) > 31 or not any(map(int, parts.groups())):
        return None
    return CivilDate(year=int(parts[1]), month=int(parts[2]), day=int(parts[3]))


def time_text(at: LocalTime, on: CivilDate) -> str:
    """`HH:MM` with London's offset at noon of that day, such as `14:30+01:00`."""
    minutes = _ahead(day_text(on))
    return f"{at.hour:02d}:{at.minute:02d}+{minutes // 60:02d}:{minutes % 60:02d}"


def read_time(text: str | None, on: str | None) -> LocalTime | None:
    """`HH:MM` in UTC as London's clocks showed it on a day; past midnight it is still that day's."""
    parts = _TIME.fullmatch(text or "")
    if parts is None:
        return None
    minutes = (int(parts[1]) * 60 + int(parts[2]) + _ahead(on or "")) % (24 * 60)
    return LocalTime(hour=minutes // 60, minute=minutes % 60)


def read_instant(text: str) -> datetime | None:
    """A moment in UTC, in which one without an offset is; None for what is none, or lies outside the calendar there."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _ahead(day: str) -> int:
    """London's minutes ahead of UTC at noon of a day; 0 for one that is not known."""
    try:
        noon = datetime.combine(date.fromisoformat(day), time(12), LONDON)
    except ValueError:
        return 0
    return int((noon.utcoffset() or timedelta()).total_seconds()) // 60
