"""Arrest/summons numbers (ASN): the number under which PNC opens a case against a person.

| form       | shape                                   | where                                    |
|------------|-----------------------------------------|------------------------------------------|
| 20 letters | yy FF UU SS nnnnnnnnnnn L               | court and case systems; canonical here   |
| 21 letters | yy t FF UU SS nnnnnnnnnnn L             | the same with a top-level letter         |
| slash      | yy/FFUU/SS/nL, no leading zeros         | PNC                                      |

FF force, UU unit, SS system. The check letter is made from FF and SS (each only where it is all digits), yy and the
11-digit sequence; the unit and the top-level letter are not in the sum. The place of the top-level letter in the slash
form is (assumed); everything else is from Bichard 7's code and published fixtures.
"""

from __future__ import annotations

import re

from .check_letter import LETTER, WRONG_LETTER, check_letter
from .parsed import Parsed, accepted, in_range, match, refused, require

_COMPACT = r"([0-9]{2})([A-Z0-9]?)([A-Z0-9]{2})([A-Z0-9]{2})([A-Z0-9]{2})([0-9]{11})([A-Z])"
_SLASH = r"([0-9]{2})/([A-Z0-9]?)([A-Z0-9]{2})([A-Z0-9]{2})/([A-Z0-9]{2})/([0-9]{1,11})([A-Z])"

# Made up by a court or prosecutor that had no number: forms that Bichard 7 knows. There is no arrest behind them, so
# they are accepted as they stand, check letter or not, and must never be sent to PNC (its exception HO100321).
_LETTERED_DUMMY = "[0-9]{4}NRPR[0-9A-Z]{12}"
_DUMMY = "|".join(
    (
        _LETTERED_DUMMY,
        "0800[NP]P01[0-9]{11}" + LETTER,
        "[0-9]{2}12LN00[0-9]{11}" + LETTER,
        "[0-9]{2}00NP00[0-9]{11}" + LETTER,
        "[0-9]{2}6300[0-9]{13}" + LETTER,
        "[0-9]{2}06SS[0-9A-Z]{2}[0-9]{11}" + LETTER,
        "[0-9]{2}00XX[0-9A-Z]{2}[0-9]{11}" + LETTER,
        "[0-9]{2}50(?:11|12|21|41|42|43|OF|SJ)[0-9A-Z]{2}[0-9]{11}" + LETTER,
    )
)


def parse_arrest_summons_number(raw: str) -> Parsed:
    """Reads an arrest/summons number in any of its three forms. Canonical is the form of 20 or 21 characters.

    A dummy number is accepted; ask `is_dummy_arrest_summons_number` before sending it anywhere.
    """
    shape = "20 or 21 characters, or of the form yy/FFUU/SS/nL, ending in digits and a check letter"
    found = match(raw, f"{_SLASH}|{_COMPACT}|{_LETTERED_DUMMY}", shape)
    if isinstance(found, Parsed):
        return found
    parts = found.groups()[:7] if found[1] is not None else found.groups()[7:]
    if parts[0] is None:  # only the dummy with letters among its last twelve is in neither form
        return accepted(raw, found[0])
    year, top, force, unit, system, sequence, letter = parts
    canonical = f"{year}{top}{force}{unit}{system}{sequence.zfill(11)}{letter}"
    if is_dummy_arrest_summons_number(canonical) or letter == _letter(year, force, system, sequence):
        return accepted(raw, canonical)
    return refused(raw, WRONG_LETTER)


def _letter(year: str, force: str, system: str, sequence: str) -> str:
    return check_letter("".join(part for part in (force, system) if part.isdigit()) + year + sequence.zfill(11))


def is_dummy_arrest_summons_number(canonical: str) -> bool:
    """Whether a canonical number is of a form that courts and prosecutors use for a case without an arrest."""
    return re.fullmatch(_DUMMY, canonical) is not None


def build_arrest_summons_number(year: int, force_station: str, system: str, sequence: int, *, top: str = "") -> str:
    """The canonical number of its parts: year (four digits), force and unit (`01ZD`), system (`01`), sequence.

    Raises ValueError when a part is out of range.
    """
    year_digits = f"{in_range(year, 1900, 2099, 'the year') % 100:02d}"
    digits = f"{in_range(sequence, 0, 99_999_999_999, 'the sequence'):011d}"
    letter = _letter(year_digits, force_station[:2], system, digits)
    return require(_COMPACT, f"{year_digits}{top}{force_station}{system}{digits}{letter}", "arrest/summons number")[0]


def slash_arrest_summons_number(canonical: str) -> str:
    """The form that PNC prints, `yy/FFUU/SS/nL`. Raises ValueError when not canonical or without a numeric sequence."""
    year, top, force, unit, system, sequence, letter = require(_COMPACT, canonical, "arrest/summons number").groups()
    return f"{year}/{top}{force}{unit}/{system}/{int(sequence)}{letter}"
