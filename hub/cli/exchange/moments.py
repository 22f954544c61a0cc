"""Moments as operators type them, a time or an age such as 2h, and as they read them. Without a zone they are UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

AGE: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdwy])")
CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}


class Moment(click.ParamType[datetime]):
    """A time such as 2026-11-23T10:15, 2026-11-23 or 10:15, or an age such as 2h."""

    name = "time or age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC."""
        if isinstance(value, datetime):
            return value
        found = moment(value, datetime.now(UTC))
        if found is None:
            self.fail(f"{value!r} is no time and no age; write one such as 2026-11-23T10:15, 10:15 (both UTC), 90m or 2h", param, ctx)
        return found


def moment(text: str, now: datetime) -> datetime | None:
    """The moment that a text means at a time; None when it means none."""
    try:
        if age := AGE.fullmatch(text):
            return now - float(age[1]) * UNITS[age[2]]
        if clock := CLOCK.fullmatch(text):
            return now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def written(stamp: Any, *, precisely: bool = False) -> str:
    """A protobuf timestamp as `2026-11-23 10:15:00`, with milliseconds when precisely; empty for one that is not set."""
    if not (stamp.seconds or stamp.nanos):
        return ""
    found: datetime = stamp.ToDatetime(tzinfo=UTC)
    return f"{found:%Y-%m-%d %H:%M:%S}" + (f".{found.microsecond // 1000:03}" if precisely else "")


def age(stamp: Any, now: datetime) -> str:
    """How long ago a protobuf timestamp is, for people; empty for one that is not set."""
    from hub.cli.printing import span

    if not (stamp.seconds or stamp.nanos):
        return ""
    return span(max(0.0, (now - stamp.ToDatetime(tzinfo=UTC)).total_seconds()))
