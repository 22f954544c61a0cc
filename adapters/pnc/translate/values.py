"""Single values between contract and wire: dates, times, money, durations, numbers; pure.

The wire's forms are those of Bichard 7's recorded exchanges. Reading never guesses: what does not parse stays unset, or is kept as it was
received where the contract has a place for that. Writing refuses, by the field's path in the request, what the wire cannot hold.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from adapters.pnc.records import Segment, WireError
from adapters.pnc.segments import layout_of
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.pnc.v1.court_case_pb2 import DurationUnit, SentenceDuration
from metip.pnc.values import (
    TYPED,
    Identifier,
    address,
    arrest_summons_number_text,
    bound_day,
    court_case_text,
    cro_text,
    invalid,
    latin,
    pnc_id_text,
    read_arrest_summons_number,
    read_court_case,
    read_cro,
    read_pnc_id,
)

__all__ = [
    "Identifier",
    "address",
    "arrest_summons_number_text",
    "court_case_text",
    "cro_text",
    "invalid",
    "pnc_id_text",
    "read_arrest_summons_number",
    "read_court_case",
    "read_cro",
    "read_pnc_id",
]

UNITS: Final[Mapping[str, "DurationUnit.ValueType"]] = {
    "H": DurationUnit.DURATION_UNIT_HOURS,
    "D": DurationUnit.DURATION_UNIT_DAYS,
    "W": DurationUnit.DURATION_UNIT_WEEKS,
    "M": DurationUnit.DURATION_UNIT_MONTHS,
    "Y": DurationUnit.DURATION_UNIT_YEARS,
    "S": DurationUnit.DURATION_UNIT_SESSIONS,
}
LIFE: Final = "Y999"
_LETTERS: Final = {unit: letter for letter, unit in UNITS.items()}


def written(tag: str, paths: Mapping[str, str] | str, **values: str) -> Segment:
    """Builds a segment. `paths` leads from its fields to those of the request, or is the path of the whole segment.

    Raises `Fault` INVALID_REQUEST that names the request's field, never its value, for what does not fit or cannot be carried.
    """
    typed = {name: value.translate(TYPED) for name, value in values.items()}
    for name, value in typed.items():
        if not latin(value):
            raise invalid(_path(paths, name), "holds a character that the host does not have")
    try:
        return Segment.of(tag, **typed)
    except WireError as error:
        name = error.where.partition(".")[2].partition(" ")[0]
        raise invalid(_path(paths, name), str(error.reason)) from None


def raw(segment: Segment, name: str) -> str:
    """A field with its padding, for the few whose columns mean something."""
    layout = layout_of(segment.tag)
    return segment.body[layout.fields[name]] if layout else ""


# Dates DDMMYYYY, unknown parts 00; times HHMM; pounds 0000100.00.


def date_text(date: CivilDate) -> str:
    """A date as the wire has it; blank for none."""
    return f"{date.day:02d}{date.month:02d}{date.year:04d}" if date.year or date.month or date.day else ""


def read_date(text: str) -> CivilDate | None:
    """A date of the wire; None for blanks and for what is none."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()) or not int(text):
        return None
    day, month, year = int(text[:2]), int(text[2:4]), int(text[4:])
    return CivilDate(year=year, month=month, day=day) if month <= 12 and day <= 31 else None


def bound_text(date: CivilDate, path: str, *, last: bool) -> str:
    """A bound of a range as the wire has it; blank for an open side. Raises as `bound_day` does."""
    day = bound_day(date, path, last=last)
    return f"{day:%d%m%Y}" if day else ""


def time_text(time: LocalTime) -> str:
    """A time of day as the wire has it."""
    return f"{time.hour:02d}{time.minute:02d}"


def read_time(text: str) -> LocalTime | None:
    """A time of day of the wire; None for blanks and for what is none."""
    if len(text) != 4 or not (text.isascii() and text.isdigit()):
        return None
    hour, minute = int(text[:2]), int(text[2:])
    return LocalTime(hour=hour, minute=minute) if hour <= 23 and minute <= 59 else None


def amount_text(pence: int) -> str:
    """Money as the wire has it; blank for none."""
    return f"{pence // 100:07d}.{pence % 100:02d}" if pence else ""


def read_amount(text: str) -> int:
    """Money of the wire, in pence; 0 for blanks and for what is none."""
    pounds, point, pence = text.partition(".")
    if not point or len(pence) != 2 or not (pounds + pence).isascii() or not (pounds + pence).isdigit():
        return 0
    return int(pounds or "0") * 100 + int(pence)


def read_count(text: str) -> int:
    """A number of the wire; 0 for blanks and for what is none."""
    return int(text) if text.isascii() and text.isdigit() else 0


def duration_text(duration: SentenceDuration) -> str:
    """A duration as the wire has it: unit letter and number without leading zeros; blank for none."""
    if duration.unit == DurationUnit.DURATION_UNIT_LIFE:
        return LIFE
    letter = _LETTERS.get(duration.unit)
    return f"{letter}{duration.value}" if letter else ""


def read_duration(text: str) -> SentenceDuration | None:
    """A duration of the wire; None for blanks and for what is none."""
    if text == LIFE:
        return SentenceDuration(unit=DurationUnit.DURATION_UNIT_LIFE)
    unit, number = UNITS.get(text[:1]), text[1:]
    if unit is None or not (number.isascii() and number.isdigit()):
        return None
    return SentenceDuration(unit=unit, value=int(number))


def paired(letters: str) -> list[str]:
    """Qualifiers, which stand in pairs of columns; blank pairs are left out."""
    pairs = (letters[at : at + 2].strip() for at in range(0, len(letters), 2))
    return [pair for pair in pairs if pair]


def unpaired(qualifiers: Iterable[str]) -> str:
    """Qualifiers in pairs of columns."""
    return "".join(f"{qualifier:<2}" for qualifier in qualifiers)


def _path(paths: Mapping[str, str] | str, name: str) -> str:
    return paths if isinstance(paths, str) else paths.get(name, name)
