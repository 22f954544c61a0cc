"""References that police systems give to what happened: crime, CAD, custody record and Merlin references.

| kind                  | canonical form        | example         |
|-----------------------|-----------------------|-----------------|
| crime reference       | nnnnnnn/yy            | 0123456/21      |
| CAD number            | n/ddMMMyy             | 1234/23NOV26    |
| custody record number | FFSS/n/yy             | 01ZD/1234/21    |
| Merlin reference      | yyTTTnnnnnn           | 21PAC123456     |

All four formats are (assumed): the systems' own documents are not public. None has a check letter. A CAD number starts
again at 1 every day, so that it means nothing without its date.
"""

from __future__ import annotations

import re
from datetime import date

from .parsed import Parsed, accepted, in_range, match, refused, require

MERLIN_TYPES = ("PAC", "MIS", "ACN")
"""Pre-assessment checklist for a child, missing person, adult coming to notice (assumed)."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CUSTODY = "([A-Z0-9]{4})/([0-9]{1,6})/([0-9]{2})"


def parse_cris_crime_reference(raw: str) -> Parsed:
    """Reads a crime reference: seven digits, a slash, two digits of the year. Leading zeros belong to it."""
    found = match(raw, "[0-9]{7}/[0-9]{2}", "seven digits, a slash and two digits of the year")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def build_cris_crime_reference(serial: int, year: int) -> str:
    """The crime reference of a serial and a year (four digits). Raises ValueError when either is out of range."""
    year_digits = in_range(year, 1900, 2099, "the year") % 100
    return f"{in_range(serial, 0, 9_999_999, 'the serial'):07d}/{year_digits:02d}"


def parse_cad_number(raw: str) -> Parsed:
    """Reads a CAD number with its date, `1234/23NOV26`, which `CAD` may precede. Two year digits mean 20yy."""
    shape = "one to five digits, a slash and a date such as 23NOV26"
    found = match(raw, "(?:CAD)?([0-9]{1,5})/([0-9]{2})([A-Z]{3})([0-9]{2})", shape, drop=" ")
    if isinstance(found, Parsed):
        return found
    number, day, month, year = found.groups()
    if int(number) == 0:
        return refused(raw, "has the number 0; numbers start at 1")
    try:
        on = date(2000 + int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        return refused(raw, "holds a date that does not exist")
    return accepted(raw, build_cad_number(int(number), on))


def build_cad_number(number: int, on: date) -> str:
    """The CAD number of a day's incident. Raises ValueError when the number is not 1 to 99999 or the year not 20yy."""
    in_range(on.year, 2000, 2099, "the year")
    return f"{in_range(number, 1, 99_999, 'the number')}/{on.day:02d}{_MONTHS[on.month - 1]}{on.year % 100:02d}"


def parse_custody_number(raw: str) -> Parsed:
    """Reads a custody record number: force and station, serial without leading zeros, two digits of the year."""
    found = match(raw, _CUSTODY, "force and station, serial and year, parted by slashes")
    return found if isinstance(found, Parsed) else accepted(raw, f"{found[1]}/{int(found[2])}/{found[3]}")


def build_custody_number(force_station: str, serial: int, year: int) -> str:
    """The custody record number of its parts; year in four digits. Raises ValueError when a part is out of range."""
    year_digits = in_range(year, 1900, 2099, "the year") % 100
    serial = in_range(serial, 0, 999_999, "the serial")
    return require(_CUSTODY, f"{force_station}/{serial}/{year_digits:02d}", "custody record number")[0]


def parse_merlin_reference(raw: str) -> Parsed:
    """Reads a Merlin reference: two digits of the year, the type of report, six digits; blanks and slashes ignored."""
    shape = f"a year, one of {', '.join(MERLIN_TYPES)} and six digits"
    found = match(raw, f"[0-9]{{2}}(?:{'|'.join(MERLIN_TYPES)})[0-9]{{6}}", shape, drop=" /")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def build_merlin_reference(year: int, report_type: str, serial: int) -> str:
    """The reference of a year (four digits), one of MERLIN_TYPES and a serial. Raises ValueError when out of range."""
    if report_type not in MERLIN_TYPES:
        raise ValueError(f"the type must be one of {', '.join(MERLIN_TYPES)}")
    year_digits = in_range(year, 1900, 2099, "the year") % 100
    return f"{year_digits:02d}{report_type}{in_range(serial, 0, 999_999, 'the serial'):06d}"


def merlin_type(canonical: str) -> str:
    """The type of report in a canonical Merlin reference. Raises ValueError when not canonical."""
    if re.fullmatch(f"[0-9]{{2}}(?:{'|'.join(MERLIN_TYPES)})[0-9]{{6}}", canonical) is None:
        raise ValueError("not a canonical Merlin reference")
    return canonical[2:5]
