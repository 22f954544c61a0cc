"""Messages that people write in one piece: dates, times, spans, identifiers; text in, fields out. The counterpart of `short_form`. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from hub.cli.options import seconds
from hub.cli.rendering import CIVIL_DATE, DATE_RANGE, DURATION, LOCAL_TIME, TIMESTAMP, is_identifier

PARTIAL_DATE: Final = re.compile(r"([0-9]{4}|\?{4})(?:-([0-9]{2}|\?\?)(?:-([0-9]{2}|\?\?))?)?")


def fill(message: Any, text: str) -> bool:
    """Fills a message from one text; False for a message that has no such form. Raises `ValueError` that says how it is written."""
    writer = WRITERS.get(message.DESCRIPTOR.full_name)
    if writer is not None:
        writer(message, text)
        return True
    if is_identifier(message.DESCRIPTOR) and message.DESCRIPTOR.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING:
        message.value = text
        return True
    return False


def _timestamp(message: Any, text: str) -> None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write one such as 2026-11-23T10:15:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no zone; add Z for UTC, or an offset such as +01:00")
    message.FromDatetime(at)


def _duration(message: Any, text: str) -> None:
    length = seconds(text)
    if length is None:
        raise ValueError(f"{text!r} is no time; write one such as 250ms, 2s or 1.5m")
    message.FromTimedelta(timedelta(seconds=length))


def _civil_date(message: Any, text: str) -> None:
    found = PARTIAL_DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date; write YYYY-MM-DD, or as much of it as is known, such as 1980-05")
    year, month, day = (int(part) if part and part.isdecimal() else 0 for part in found.groups())
    if year and month and day:
        try:
            date(year, month, day)
        except ValueError:
            raise ValueError(f"there is no {text}") from None
    message.year, message.month, message.day = year, month, day


def _local_time(message: Any, text: str) -> None:
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day; write HH:MM")
    message.hour, message.minute = int(found[1]), int(found[2])


def _date_range(message: Any, text: str) -> None:
    first, dots, last = text.partition("..")
    if not dots or not (first or last):
        raise ValueError(f"{text!r} is no range of dates; write 2026-01-01..2026-01-31, either end may be left out")
    if first:
        _civil_date(getattr(message, "from"), first)
    if last:
        _civil_date(message.to, last)


WRITERS: Final[Mapping[str, Callable[[Any, str], None]]] = {
    TIMESTAMP: _timestamp,
    DURATION: _duration,
    CIVIL_DATE: _civil_date,
    LOCAL_TIME: _local_time,
    DATE_RANGE: _date_range,
}
"""Forms by the message's full name."""
