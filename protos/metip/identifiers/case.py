"""Identifiers of a case and of its penalty notice: court case reference, PTI-URN, notice number.

Sources: court case reference, Bichard 7's published fixtures (its letter is made from yy, the four digits of the court
and the serial in six digits); PTI-URN, the Standard Prosecutor Interface schemas; notice number, one weak public
description.
"""

from __future__ import annotations

from .check_letter import LETTER, WRONG_LETTER, check_letter
from .parsed import Parsed, accepted, in_range, match, refused, require

_REFERENCE = rf"([0-9]{{2}})/([0-9]{{4}})/([0-9]{{6}})({LETTER})"


def parse_court_case_reference(raw: str) -> Parsed:
    """Reads the reference that PNC gives to a court case: `yy/cccc/nnnnnnL`, with one to six digits of serial.

    Canonical has six digits; cccc is the court's Petty Sessional Area code.
    """
    found = match(raw, r"([0-9]{2})/([0-9]{4})/([0-9]{1,6})([A-Z])", "of the form yy/cccc/nnnnnnL")
    if isinstance(found, Parsed):
        return found
    year, court, serial, letter = found.groups()
    if letter != check_letter(year + court + serial.zfill(6)):
        return refused(raw, WRONG_LETTER)
    return accepted(raw, f"{year}/{court}/{serial.zfill(6)}{letter}")


def build_court_case_reference(year: int, court: int, serial: int) -> str:
    """The canonical reference of a year (four digits), court code and serial. Raises ValueError when out of range."""
    year_digits = f"{in_range(year, 1900, 2099, 'the year') % 100:02d}"
    court_digits = f"{in_range(court, 100, 9_999, 'the court code'):04d}"
    digits = f"{in_range(serial, 0, 999_999, 'the serial'):06d}"
    return f"{year_digits}/{court_digits}/{digits}{check_letter(year_digits + court_digits + digits)}"


def short_court_case_reference(canonical: str) -> str:
    """The form on PNC's wire, leading zeros of the serial left out. Raises ValueError when not canonical."""
    year, court, serial, letter = require(_REFERENCE, canonical, "court case reference").groups()
    return f"{year}/{court}/{int(serial)}{letter}"


def parse_pti_urn(raw: str) -> Parsed:
    """Reads a PTI-URN, the case number that police and prosecution share: force and unit, then 3 to 7 digits."""
    found = match(raw, "[A-Z0-9]{4}[0-9]{3,7}", "force and unit (four characters) and three to seven digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def build_pti_urn(force_station: str, serial: int, year: int) -> str:
    """The PTI-URN of a force and unit, a serial of five digits and a year, in that order (assumed).

    Raises ValueError when a part is out of range.
    """
    year_digits = f"{in_range(year, 1900, 2099, 'the year') % 100:02d}"
    digits = f"{in_range(serial, 0, 99_999, 'the serial'):05d}"
    return require("[A-Z0-9]{4}[0-9]{7}", f"{force_station}{digits}{year_digits}", "PTI-URN")[0]


def parse_notice_number(raw: str) -> Parsed:
    """Reads the number of a fixed penalty notice: 16 digits, blanks ignored."""
    found = match(raw, "[0-9]{16}", "16 digits", drop=" ")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
