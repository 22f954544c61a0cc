"""Single values between contract and wire: dates, times, money, durations, numbers, addresses; pure.

The wire's forms are those of Bichard 7's recorded exchanges. Reading never guesses: what does not parse stays unset, or is kept as it was
received where the contract has a place for that. Writing refuses what the wire cannot hold.
"""

import datetime
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.kit.segments import STANDARD, Codec, codes
from adapters.pnc.records import TABLE
from metip import identifiers
from metip.common.v1.identifiers_pb2 import PncId, PtiUrn, Vrm
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.pnc.v1.court_case_pb2 import DurationUnit, SentenceDuration
from metip.pnc.values import (
    TYPED,
    Identifier,
    address_lines,
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

LIFE: Final = "Y999"
_UNITS: Final = codes(DurationUnit.DESCRIPTOR, TABLE["codes"]["DurationUnit"])
NO_AUTHORITY: Final = "0000"
MOST: Final = 20
"""Rows in an answer."""
CONDITION, CONDITION_LINE = 200, 50


def carried(text: str) -> str:
    """A text in the host's characters. Raises `Fault` INVALID_REQUEST for one that the host does not have."""
    plain = text.translate(TYPED)
    if not latin(plain):
        raise invalid("", "holds a character that the host does not have")
    return plain


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


def bound_text(date: CivilDate, *, last: bool) -> str:
    """A bound of a range as the wire has it; blank for an open side. Raises as `bound_day` does."""
    day = bound_day(date, "", last=last)
    return f"{day:%d%m%Y}" if day else ""


def read_time(text: str) -> LocalTime | None:
    """A time of day of the wire; None for blanks and for what is none."""
    if len(text) != 4 or not (text.isascii() and text.isdigit()):
        return None
    hour, minute = int(text[:2]), int(text[2:])
    return LocalTime(hour=hour, minute=minute) if hour <= 23 and minute <= 59 else None


def read_amount(text: str) -> int | None:
    """Money of the wire, in pence; None for what is none."""
    found = re.fullmatch(r"([0-9]*)\.([0-9]{2})", text)
    return int(found[1] or "0") * 100 + int(found[2]) if found else None


def duration_text(duration: SentenceDuration) -> str:
    """A duration as the wire has it: unit letter and number without leading zeros; blank for none."""
    if duration.unit == DurationUnit.DURATION_UNIT_LIFE:
        return LIFE
    letter = _UNITS.write(duration.unit, 1)
    return f"{letter}{duration.value}" if letter else ""


def read_duration(text: str) -> SentenceDuration | None:
    """A duration of the wire; None for blanks and for what is none."""
    if text == LIFE:
        return SentenceDuration(unit=DurationUnit.DURATION_UNIT_LIFE)
    unit: Any = _UNITS.read(text[:1])
    return SentenceDuration(unit=unit, value=int(text[1:])) if unit and re.fullmatch("[0-9]+", text[1:]) else None


# Identifiers: the canonical form in the contract, PNC's own print on the wire.


def read_long_pnc_id(text: str) -> PncId:
    """A number of a segment that has room for four digits of the year, so that no century is guessed."""
    canonical = identifiers.parse_pnc_id(text, today=datetime.date.max).canonical
    return PncId(value=text) if canonical == text else PncId(as_received=text)


def pnc_id(today: datetime.date) -> Codec:
    """PNC ids in their short form, read on a day."""
    return _identifier(pnc_id_text, lambda text: read_pnc_id(text, today))


def as_it_is(number: Identifier) -> str:
    """The canonical form, or what was received."""
    return number.value or number.as_received


def _identifier(write: Callable[[Any], str], read: Callable[[str], Any]) -> Codec:
    return Codec(lambda number, width: write(number), lambda text: read(text) if text else None)


# Lists in one field.


def paired(letters: str) -> list[str]:
    """Qualifiers, which stand in pairs of columns; blank pairs are left out."""
    pairs = (letters[at : at + 2].strip() for at in range(0, len(letters), 2))
    return [pair for pair in pairs if pair]


def bail_condition(text: str) -> str:
    """A condition as four lines of 50, broken between words; where that takes a fifth line, between letters, so that nothing is lost."""
    lines = textwrap.wrap(text, CONDITION_LINE, break_on_hyphens=False)
    if len(lines) > CONDITION // CONDITION_LINE:
        return text.ljust(CONDITION)
    return "".join(line.ljust(CONDITION_LINE) for line in lines).ljust(CONDITION)


def read_conditions(text: str) -> list[str]:
    """Each block of four lines is one condition, its lines joined by one blank; blank blocks are none."""
    blocks = (text[at : at + CONDITION] for at in range(0, len(text), CONDITION))
    cut = ([block[at : at + CONDITION_LINE].strip() for at in range(0, CONDITION, CONDITION_LINE)] for block in blocks)
    return [condition for lines in cut if (condition := " ".join(filter(None, lines)))]


CODECS: Final[Mapping[str, Codec]] = {
    **STANDARD,
    "CivilDate": Codec(lambda date, width: date_text(date), read_date),
    "first_day": Codec(lambda date, width: bound_text(date, last=False), read_date),
    "last_day": Codec(lambda date, width: bound_text(date, last=True), read_date),
    "LocalTime": Codec(lambda time, width: f"{time.hour:02d}{time.minute:02d}", read_time),
    "SentenceDuration": Codec(lambda duration, width: duration_text(duration), read_duration),
    "money": Codec(lambda pence, width: f"{pence // 100:07d}.{pence % 100:02d}" if pence else "", read_amount),
    "PncId": pnc_id(datetime.date.max),
    "long_pnc_id": _identifier(as_it_is, read_long_pnc_id),
    "CroNumber": _identifier(cro_text, read_cro),
    "CourtCaseReference": _identifier(court_case_text, read_court_case),
    "ArrestSummonsNumber": _identifier(lambda number: arrest_summons_number_text(number, ""), read_arrest_summons_number),
    "PtiUrn": _identifier(as_it_is, lambda text: PtiUrn(value=text)),
    "Vrm": _identifier(as_it_is, lambda text: Vrm(value=text)),
    "serial": Codec(lambda text, width: re.sub("[-./ ]", "", text), str),
    "AddressLines": Codec(lambda lines, width: ", ".join(lines.line), lambda text: address_lines(text) if text else None),
    "names": Codec(lambda names, width: " ".join(names), lambda text: text.split(maxsplit=2)),
    "pairs": Codec(lambda pairs, width: "".join(f"{pair:<2}" for pair in pairs), paired, padded=True),
    "conditions": Codec(
        lambda conditions, width: "".join(bail_condition(one) for one in conditions if one.strip()), read_conditions, padded=True
    ),
    "authority": Codec(lambda code, width: code or NO_AUTHORITY, lambda text: text.replace(NO_AUTHORITY, "")),
    "limit": Codec(lambda limit, width: str(limit or MOST), STANDARD["number"].read),
}
