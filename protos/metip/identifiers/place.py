"""Identifiers of a place: unique property reference number (UPRN) and unique street reference number (USRN).

Both are whole numbers; canonical has no leading zeros. Ranges: the BS7666 schema of the Standard Prosecutor Interface.
"""

from __future__ import annotations

from .parsed import Parsed, accepted, match, refused

HIGHEST_UPRN = 999_999_999_999
HIGHEST_USRN = 99_999_999


def parse_uprn(raw: str) -> Parsed:
    """Reads a unique property reference number: 1 to 999,999,999,999."""
    return _number(raw, HIGHEST_UPRN)


def parse_usrn(raw: str) -> Parsed:
    """Reads a unique street reference number: 1 to 99,999,999."""
    return _number(raw, HIGHEST_USRN)


def _number(raw: str, highest: int) -> Parsed:
    found = match(raw, "[0-9]+", "a whole number")
    if isinstance(found, Parsed):
        return found
    number = int(found[0])
    return accepted(raw, str(number)) if 1 <= number <= highest else refused(raw, f"is not in 1 to {highest}")
