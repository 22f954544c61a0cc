"""Identifiers of a person: PNC id, CRO number, driver number, National Insurance number.

| kind                      | canonical form              | check                                                  |
|---------------------------|-----------------------------|--------------------------------------------------------|
| PNC id                    | yyyy/nnnnnnnL               | letter of yy + serial in 7 digits                      |
| CRO number                | nnnnnn/yyL                  | letter of yy + serial in 6 digits                      |
| CRO number, small file    | SFyy/nL (1 to 6 digits)     | letter of yy + serial as written                       |
| driver number             | 16 characters               | month of birth 01-12 or 51-62, day 01-31               |
| National Insurance number | two letters, 6 digits, A-D? | letters that HM Revenue and Customs uses               |

Sources: the check sums and the year rule, HM Prison and Probation Service's person record; the forms, Bichard 7's
published fixtures; the driver and National Insurance patterns, the Standard Prosecutor Interface schemas of HM Courts.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from .check_letter import LETTER, WRONG_LETTER, check_letter
from .parsed import Parsed, accepted, in_range, match, refused, require

_PNC_LONG = rf"([0-9]{{4}})/([0-9]{{7}})({LETTER})"
# The letter is read as any letter, so that a wrong one (an O, say) is reported as a wrong letter, not as a wrong shape.
_PNC_ANY = r"(?:([0-9]{4})/([0-9]{1,7})|([0-9]{4})([0-9]{7})|([0-9]{2})/?([0-9]{1,7}))([A-Z])"
_CRO_ANY = r"(?:([0-9]{1,6})/([0-9]{2})|SF([0-9]{2})/([0-9]{1,6}))([A-Z])"
# Surname (5, padded with 9), decade of birth, month (50 more for a woman), day, year, initials (2, padded with 9),
# one character that tells apart people who would share a number, two check letters. Meaning of the parts: (assumed).
_DRIVER = r"[A-Z0-9]{5}[0-9](?:[05][1-9]|[16][0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z0-9]{3}[A-Z]{2}"
_NINO = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]?"


def parse_pnc_id(raw: str, *, today: date | None = None) -> Parsed:
    """Reads a PNC id: `yyyy/nnnnnnnL`, `yy/nL` with one to seven digits, either with the slash left out.

    Canonical is the long form. Two year digits above those of `today` mean 19yy, others 20yy; when None, `today` is the
    current date, and this is the only place in the package where the clock is read. The year is that of the record.
    """
    found = match(raw, _PNC_ANY, "of the form yyyy/nnnnnnnL or yy/nnnnnnnL")
    if isinstance(found, Parsed):
        return found
    slash_year, slash_serial, plain_year, plain_serial, short_year, short_serial, letter = found.groups()
    year = slash_year or plain_year or _century(short_year, today or datetime.now(tz=UTC).date()) + short_year
    serial = (slash_serial or plain_serial or short_serial).zfill(7)
    if letter != check_letter(year[2:] + serial):
        return refused(raw, WRONG_LETTER)
    return accepted(raw, f"{year}/{serial}{letter}")


def _century(year_digits: str, today: date) -> str:
    """The first two digits of a year given by its last two: nobody's record was made in a year still to come."""
    this_century = today.year // 100
    return str(this_century if int(year_digits) <= today.year % 100 else this_century - 1)


def build_pnc_id(year: int, serial: int) -> str:
    """The canonical PNC id of a year (four digits) and a serial. Raises ValueError when either is out of range."""
    in_range(year, 1900, 2099, "the year")
    digits = f"{in_range(serial, 0, 9_999_999, 'the serial'):07d}"
    return f"{year}/{digits}{check_letter(f'{year % 100:02d}{digits}')}"


def short_pnc_id(canonical: str) -> str:
    """The form that PNC itself prints, `yy/nL`, leading zeros of the serial left out.

    The century is lost: only years up to 99 before today come back as they were. Raises ValueError when not canonical.
    """
    year, serial, letter = require(_PNC_LONG, canonical, "PNC id").groups()
    return f"{year[2:]}/{int(serial)}{letter}"


def plain_pnc_id(canonical: str) -> str:
    """The long form without its slash, which the court schemas do not allow. Raises ValueError when not canonical."""
    return require(_PNC_LONG, canonical, "PNC id")[0].replace("/", "")


def parse_cro(raw: str) -> Parsed:
    """Reads a Criminal Records Office number, `nnnnnn/yyL`, or `SFyy/nL` of the older small file.

    The serial of the first is padded to six digits. That of the second is kept as written, zeros included, since the
    letter is made from the digits as written.
    """
    found = match(raw, _CRO_ANY, "of the form nnnnnn/yyL or SFyy/nnnnnnL")
    if isinstance(found, Parsed):
        return found
    serial, year, small_file_year, small_file_serial, letter = found.groups()
    if small_file_year is not None:
        digits, canonical = small_file_year + small_file_serial, f"SF{small_file_year}/{small_file_serial}{letter}"
    else:
        digits, canonical = year + serial.zfill(6), f"{serial.zfill(6)}/{year}{letter}"
    return accepted(raw, canonical) if letter == check_letter(digits) else refused(raw, WRONG_LETTER)


def build_cro(year: int, serial: int) -> str:
    """The canonical CRO number of a year (four digits) and a serial. Raises ValueError when either is out of range."""
    year_digits = f"{in_range(year, 1900, 2099, 'the year') % 100:02d}"
    digits = f"{in_range(serial, 0, 999_999, 'the serial'):06d}"
    return f"{digits}/{year_digits}{check_letter(year_digits + digits)}"


def parse_driver_number(raw: str) -> Parsed:
    """Reads a driver number of Great Britain: 16 characters, blanks ignored. Its two check letters are not verified."""
    found = match(raw, _DRIVER, "a driver number of 16 characters with a month and day of birth in it", drop=" ")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def build_driver_number(surname: str, initials: str, born: date, *, female: bool, tail: str) -> str:
    """The driver number of a name, one or two initials, a date of birth and the last three characters, `tail`.

    Characters of the name that are not letters of A-Z are left out. Raises ValueError when the parts make no number.
    """
    letters = re.sub("[^A-Z]", "", surname.upper())
    month = born.month + (50 if female else 0)
    birth = f"{born.year // 10 % 10}{month:02d}{born.day:02d}{born.year % 10}"
    return require(_DRIVER, f"{letters[:5]:9<5}{birth}{initials[:2].upper():9<2}{tail}", "driver number")[0]


def parse_national_insurance_number(raw: str) -> Parsed:
    """Reads a National Insurance number, blanks ignored; the last letter may be missing."""
    found = match(raw, _NINO, "two letters in use, six digits and a letter A to D", drop=" ")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
