"""Identifiers of a vehicle: registration mark (VRM, its number plate) and identification number (VIN, its chassis).

| scheme                    | shape                                      | from          |
|---------------------------|--------------------------------------------|---------------|
| CURRENT                   | 2 letters, 2 digits (age), 3 letters       | 1 Sep 2001    |
| PREFIX                    | year letter, 1-3 digits, 3 letters         | 1983 to 2001  |
| SUFFIX                    | 3 letters, 1-3 digits, year letter         | 1963 to 1982  |
| NORTHERN_IRELAND          | dateless, with an I or a Z among letters   | -             |
| DATELESS                  | 1-3 letters and 1-4 digits, either order   | before 1963   |
| OTHER                     | anything else: trade, diplomatic, foreign  | -             |

Sources: DVLA leaflet INF104 for the current scheme; the letter sets of the older ones are (assumed). VIN: ISO 3779
(general knowledge). No plate is refused for being of no known scheme: it is what an officer read off a car.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from enum import StrEnum

from .parsed import LONGEST, Parsed, accepted, match, refused

LONGEST_VRM = 11
"""Characters that the Standard Prosecutor Interface has for a registration mark."""

_SEPARATORS = ".-\u00b7\u2022"
_CURRENT = "[A-HJ-PR-Y]{2}([0-9]{2})[A-HJ-PR-Z]{3}"


class VrmScheme(StrEnum):
    """The scheme that a registration mark belongs to, judged by its shape."""

    CURRENT = "CURRENT"
    PREFIX = "PREFIX"
    SUFFIX = "SUFFIX"
    NORTHERN_IRELAND = "NORTHERN_IRELAND"
    DATELESS = "DATELESS"
    OTHER = "OTHER"


# Read from the top, the first that fits wins.
_SCHEMES = (
    (VrmScheme.CURRENT, _CURRENT),
    (VrmScheme.PREFIX, "[A-HJ-NPR-TV-Y][0-9]{1,3}[A-Z]{3}"),
    (VrmScheme.SUFFIX, "[A-Z]{3}[0-9]{1,3}[A-Y]"),
    (VrmScheme.NORTHERN_IRELAND, "(?=.*[IZ])(?:[A-Z]{1,3}[0-9]{1,4}|[0-9]{1,4}[A-Z]{1,3})"),
    (VrmScheme.DATELESS, "[A-Z]{1,3}[0-9]{1,4}|[0-9]{1,4}[A-Z]{1,3}"),
)


def parse_vrm(raw: str) -> Parsed:
    """Reads a registration mark of any country: capital letters and digits without blanks, hyphens and dots.

    Accents and umlauts of foreign plates are left out, as on a register that knows A to Z only (assumed); other scripts
    are refused, since a plate abroad must be in Latin letters and Arabic numerals (Vienna Convention on Road Traffic).
    """
    if len(raw.strip()) > LONGEST:
        return refused(raw, f"is longer than {LONGEST} characters")
    letters = (mark for mark in unicodedata.normalize("NFD", raw) if not unicodedata.combining(mark))
    plain = "".join(mark for mark in letters if not mark.isspace() and mark not in _SEPARATORS)
    if not plain:
        return refused(raw, "is empty")
    # Checked before upper(), which turns some letters outside ASCII into ASCII ones: that would be a guess.
    if not plain.isascii() or not plain.isalnum():
        return refused(raw, "holds something other than letters of A to Z and digits")
    if len(plain) > LONGEST_VRM:
        return refused(raw, f"is longer than {LONGEST_VRM} characters")
    return accepted(raw, plain.upper())


def vrm_scheme(canonical: str) -> VrmScheme:
    """The scheme of a canonical registration mark; OTHER when it fits none."""
    return next((scheme for scheme, shape in _SCHEMES if re.fullmatch(shape, canonical)), VrmScheme.OTHER)


def vrm_period(canonical: str) -> tuple[date, date] | None:
    """First and last day on which a mark of the current scheme was issued, by its age identifier.

    02 to 49 stand for March to August of that year, 51 to 99 for September to February from the year less 50. None for
    another scheme and for 00, 01 and 50, which were never issued: the scheme began with 51.
    """
    found = re.fullmatch(_CURRENT, canonical)
    age = int(found[1]) if found is not None else 0
    if age in (0, 1, 50):
        return None
    if age < 50:
        return date(2000 + age, 3, 1), date(2000 + age, 8, 31)
    return date(1950 + age, 9, 1), date(1951 + age, 3, 1) - timedelta(days=1)


def parse_vin(raw: str) -> Parsed:
    """Reads a vehicle identification number: 17 characters without I, O and Q, blanks ignored.

    The check digit in ninth place is a North American rule and is not verified.
    """
    found = match(raw, "[A-HJ-NPR-Z0-9]{17}", "17 letters and digits without I, O and Q", drop=" ")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
