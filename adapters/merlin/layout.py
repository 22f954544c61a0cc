"""How values of each type stand on Merlin's wire: codes, dates and times as attributes, words as elements."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.binding import Kind
from adapters.kit.texts import TEXT, flag
from adapters.kit.values import Parts

LONDON = ZoneInfo("Europe/London")


def _digits(text: str, many: int) -> str:
    if not re.fullmatch(f"[0-9]{{{many}}}", text):
        raise ValueError("not that many digits")
    return text


def _write_when(value: datetime) -> str:
    at = value.astimezone(LONDON)
    return f"{at.year:04d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}"


def _read_when(text: str) -> datetime:
    said = _digits(text, 12)
    at = datetime(int(said[:4]), int(said[4:6]), int(said[6:8]), int(said[8:10]), int(said[10:]), tzinfo=LONDON)
    return at.astimezone(UTC)


def _read_day(text: str) -> Parts:
    said = _digits(text, 8)
    day = (int(said[:4]), int(said[4:6]), int(said[6:]))
    if day[1] > 12 or day[2] > 31:
        raise ValueError("no day of a year")
    return day


def _read_number(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise ValueError("no whole number")
    return int(text)


FLAG = flag()
NUMBER = Kind(_read_number)
CODES = Kind(lambda text: tuple(text.split()), " ".join)
"""Codes, apart by blanks."""
WHEN = Kind(_read_when, _write_when)
"""An instant, aware, as `yyyyMMddHHmm` on the clock of Europe/London. Seconds are cut off; in the hour that the end of summer time repeats,
the wire does not say which of the two it means, and the first is read."""
DAY = Kind(_read_day, lambda value: f"{value[0]:04d}{value[1]:02d}{value[2]:02d}")
"""A day as `yyyyMMdd`, with zeros for what is unknown."""
KINDS: Mapping[Any, Kind] = {str: TEXT, bool: FLAG, int: NUMBER, tuple[str, ...]: CODES, datetime: WHEN, Parts: DAY}
