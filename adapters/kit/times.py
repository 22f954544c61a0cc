"""Dates and lengths of time as far systems and settings hold them; pure."""

from typing import Any

from metip.common.v1.time_pb2 import CivilDate


def digits(told: CivilDate) -> str:
    """`yyyy-mm-dd`, with zeros for what is unknown; '' when all of it is."""
    return f"{told.year:04d}-{told.month:02d}-{told.day:02d}" if told.year or told.month or told.day else ""


def seconds(settings: Any, name: str, otherwise: float) -> float:
    """The seconds in a field of the settings that holds a Duration, or otherwise when it is unset."""
    return float(getattr(settings, name).ToTimedelta().total_seconds()) if settings.HasField(name) else otherwise
