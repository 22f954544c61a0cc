"""Single values between contract and wire: dates, times, money, durations, numbers, addresses; pure.

The wire's forms are those of Bichard 7's recorded exchanges. Reading never guesses: what does not parse stays unset, or is kept as it was
received where the contract has a place for that. Writing refuses what the wire cannot hold.
"""

import calendar
import datetime
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from adapters.kit import Fault, Reason
from adapters.kit.mapping import PLAIN_NUMBER, STANDARD, Codec, Codes, codes_of
from adapters.pnc.records import TABLE
from metip import identifiers
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, CroNumber, PncId, PtiUrn, Vrm
from metip.common.v1.pole_pb2 import AddressLines, Sex
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.identifiers.parsed import Parsed
from metip.pnc.v1 import arrest_summons_service_pb2, case_update_service_pb2, court_case_pb2, driver_enquiry_service_pb2, driver_pb2
from metip.pnc.v1 import person_enquiry_service_pb2, person_pb2, property_enquiry_service_pb2, vehicle_enquiry_service_pb2
from metip.pnc.v1.court_case_pb2 import DurationUnit, SentenceDuration

LIFE: Final = "Y999"
NO_AUTHORITY: Final = "0000"
MOST: Final = 20
"""Rows in an answer."""
CONDITION, CONDITION_LINE = 200, 50
LINE, LINES = 35, 5
# What telephones and word processors type for characters that the host has. Other characters outside Latin-1 are refused: the host would
# drop them or store something else.
_TYPED: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032", "'") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"))


def typed(text: str) -> str:
    """A text in the host's characters. Raises `ValueError` for one that the host does not have."""
    plain = text.translate(_TYPED)
    if any(ord(character) >= 0x100 for character in plain):
        raise ValueError("holds a character that the host does not have")
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
    """A bound of a range as the wire has it: unknown parts become the first or the last day that they allow; blank for an open side.

    Raises `ValueError` for a day that does not exist or whose month is unknown.
    """
    if not date.year:
        if date.month or date.day:
            raise ValueError("has no year")
        return ""
    if date.day and not date.month:
        raise ValueError("has a day but no month")
    month = date.month or (12 if last else 1)
    day = date.day or (calendar.monthrange(date.year, month)[1] if last else 1)
    try:
        return datetime.date(date.year, month, day).strftime("%d%m%Y")
    except ValueError:
        raise ValueError("is no day of the calendar") from None


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


# Identifiers: the canonical form in the contract, PNC's own print on the wire. What the host printed goes back as it came: it compares, and
# nobody here can know better.


def read_pnc_id(text: str, today: datetime.date) -> PncId | None:
    """Two digits of a year later than today's mean the last century."""
    return _read(PncId, text, identifiers.parse_pnc_id(text, today=today))


def read_long_pnc_id(text: str) -> PncId | None:
    """A number of a segment that has room for four digits of the year, so that no century is guessed."""
    parsed = identifiers.parse_pnc_id(text, today=datetime.date.max)
    return (PncId(value=text) if parsed.canonical == text else PncId(as_received=text)) if text else None


def read_cro(text: str) -> CroNumber | None:
    """A number of the older small file (`SF...`) has no canonical form in the contract and stays as received."""
    return CroNumber(as_received=text) if text.startswith("SF") else _read(CroNumber, text, identifiers.parse_cro(text))


def read_court_case(text: str) -> CourtCaseReference | None:
    """Any of its forms."""
    return _read(CourtCaseReference, text, identifiers.parse_court_case_reference(text))


def arrest_summons_number_text(number: ArrestSummonsNumber) -> str:
    """`yy/FFUU/SS/nL`.

    Raises `Fault` DUMMY_NUMBER for one that a court made up (Bichard 7's exception HO100321) and `ValueError` for a check letter that
    does not fit; the host is not troubled with either.
    """
    parsed = identifiers.parse_arrest_summons_number(number.value)
    if not parsed.valid:
        raise ValueError(parsed.problem, "value")
    if identifiers.is_dummy_arrest_summons_number(parsed.canonical):
        words = "a court made the number up, so that there is no arrest behind it"
        raise Fault(Reason.DUMMY_NUMBER, words, metadata={"exception": "HO100321"})
    return identifiers.slash_arrest_summons_number(parsed.canonical)


def read_arrest_summons_number(text: str) -> ArrestSummonsNumber | None:
    """Any of its forms."""
    return _read(ArrestSummonsNumber, text, identifiers.parse_arrest_summons_number(text))


def _read(kind: Any, text: str, parsed: Parsed) -> Any:
    return (kind(value=parsed.canonical) if parsed.valid else kind(as_received=text)) if text else None


def pnc_id(today: datetime.date) -> Codec:
    """PNC ids in their short form, read on a day."""
    return _identifier(lambda text: read_pnc_id(text, today), identifiers.short_pnc_id)


def _identifier(read: Callable[[str], Any], printed: Callable[[str], str] = str) -> Codec:
    return Codec(lambda number, width: printed(number.value) if number.value else number.as_received, read)


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


def address_lines(text: str) -> AddressLines:
    """An address of one run of text as lines, one for each part between commas; none is lost, but more than five share the last."""
    lines = [line for part in text.split(",") if part.strip() for line in textwrap.wrap(part.strip(), LINE)]
    if len(lines) > LINES:
        lines[LINES - 1 :] = [" ".join(lines[LINES - 1 :])]
    return AddressLines(line=lines)


CONTRACT: Final = tuple(
    module.DESCRIPTOR
    for module in (
        *(arrest_summons_service_pb2, case_update_service_pb2, court_case_pb2, driver_enquiry_service_pb2, driver_pb2, person_pb2),
        *(person_enquiry_service_pb2, property_enquiry_service_pb2, vehicle_enquiry_service_pb2),
    )
)
_ENUMS: Final = (Sex.DESCRIPTOR, *(kind for file in CONTRACT for kind in file.enum_types_by_name.values()))
_CODES: Final = codes_of(TABLE["codes"], _ENUMS)
_UNITS: Final = _CODES["DurationUnit"]
CODECS: Final[Mapping[str, Codec | Codes]] = {
    **STANDARD,
    **_CODES,
    "text": Codec(lambda text, width: typed(text), str),
    "CivilDate": Codec(lambda date, width: date_text(date), read_date),
    "first_day": Codec(lambda date, width: bound_text(date, last=False), read_date),
    "last_day": Codec(lambda date, width: bound_text(date, last=True), read_date),
    "LocalTime": Codec(lambda time, width: f"{time.hour:02d}{time.minute:02d}", read_time),
    "SentenceDuration": Codec(lambda duration, width: duration_text(duration), read_duration),
    "money": Codec(lambda pence, width: f"{pence // 100:07d}.{pence % 100:02d}" if pence else "", read_amount),
    "PncId": pnc_id(datetime.date.max),
    "long_pnc_id": _identifier(read_long_pnc_id),
    "CroNumber": _identifier(read_cro),
    "CourtCaseReference": _identifier(read_court_case, identifiers.short_court_case_reference),
    "ArrestSummonsNumber": Codec(lambda number, width: arrest_summons_number_text(number), read_arrest_summons_number),
    "PtiUrn": _identifier(lambda text: PtiUrn(value=text) if text else None),
    "Vrm": _identifier(lambda text: Vrm(value=text) if text else None),
    "serial": Codec(lambda text, width: re.sub("[-./ ]", "", text), str),
    "AddressLines": Codec(lambda lines, width: ", ".join(lines.line), address_lines),
    "names": Codec(lambda names, width: typed(" ".join(names)), lambda text: text.split(maxsplit=2)),
    "pairs": Codec(lambda pairs, width: "".join(f"{pair:<2}" for pair in pairs), paired, padded=True),
    "conditions": Codec(
        lambda conditions, width: "".join(bail_condition(typed(one)) for one in conditions if one.strip()), read_conditions, padded=True
    ),
    "authority": Codec(lambda code, width: code or NO_AUTHORITY, lambda text: text.replace(NO_AUTHORITY, "")),
    "limit": Codec(lambda limit, width: str(limit or MOST), PLAIN_NUMBER.read),
    "number_or_blank": Codec(lambda number, width: f"{number:0{width}d}" if number else "", PLAIN_NUMBER.read),
}
