"""How values stand as text in documents: the simple types of XML Schema, with the limits that an interface sets. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from adapters.kit.binding import Kind

ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})?"


def bounded(longest: int) -> Kind:
    """Texts up to that length, kept as they stand."""

    def read(text: str) -> str:
        if len(text) > longest:
            raise ValueError("too long")
        return text

    return Kind(read)


def stripped(longest: int) -> Kind:
    """Texts up to that length, without blanks at both ends."""
    return Kind(lambda text: str(bounded(longest).read(text.strip())))


def matching(pattern: str) -> Kind:
    """Texts of one form."""
    return Kind(_matching(pattern))


def one_of(letters: str) -> Kind:
    """One of these characters."""
    return matching(f"[{letters}]")


def whole(most: int, width: int = 0) -> Kind:
    """Whole numbers from 0 to `most`, written with leading zeros up to `width`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\+?[0-9]{1,18}", text.strip()) or int(text) > most:
            raise ValueError("no number of this size")
        return int(text)

    return Kind(read, lambda value: f"{value:0{width}d}")


def flag(yes: str = "Y", no: str = "N") -> Kind:
    """Yes or no, by two words."""
    return Kind({yes: True, no: False}.__getitem__, lambda value: yes if value else no)


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text.strip()):
            raise ValueError("not of this form")
        return text.strip()

    return read


def _date(text: str) -> date:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})" + ZONE, text.strip())
    day = date.fromisoformat(found[1] if found else "")
    if not 1800 <= day.year <= 2200:
        raise ValueError("no year of this business")
    return day


def _time(text: str) -> time:
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?" + ZONE, text.strip())
    if not found:
        raise ValueError("no time")
    zone = None
    if found[3]:
        hours, minutes = (0, 0) if found[3] == "Z" else (int(found[3][1:3]), int(found[3][4:]))
        zone = timezone((-1 if found[3][0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    return time(int(found[1]), int(found[2]), tzinfo=zone)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.strip()))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


TEXT: Final = Kind(str)
"""Text as it stands."""
DATE: Final = Kind(_date, date.isoformat)
"""A date from 1800 to 2200. A time zone on a date is left out: what is meant is the day that is printed."""
TIME: Final = Kind(_time, time.isoformat)
"""A time of day, aware where it names a zone; seconds and their fractions are left out."""
INSTANT: Final = Kind(_instant, lambda value: value.isoformat(timespec="milliseconds"))
"""A time with its date; one without a zone is taken as UTC."""
