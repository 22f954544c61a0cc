"""Dates, instants and lengths of time as contracts and settings hold them, to and from Python's; pure."""

from datetime import date, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from metip.common.v1.time_pb2 import CivilDate


def civil(day: date | None) -> CivilDate | None:
    """A whole date; None stays None."""
    return CivilDate(year=day.year, month=day.month, day=day.day) if day else None


def digits(told: CivilDate) -> str:
    """`yyyy-mm-dd`, with zeros for what is unknown; '' when all of it is."""
    return f"{told.year:04d}-{told.month:02d}-{told.day:02d}" if told.year or told.month or told.day else ""


def instant(at: datetime) -> Timestamp:
    """The instant; one without a time zone is UTC."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def seconds(settings: Any, name: str, otherwise: float) -> float:
    """The seconds in a field of the settings that holds a Duration, or otherwise when it is unset."""
    return float(getattr(settings, name).ToTimedelta().total_seconds()) if settings.HasField(name) else otherwise
