"""Codes of an organisation and of its people: OU code, force, force and station, court, worker reference.

Only the shape is judged; which codes exist is a look-up in reference data (84 forces, 6,410 organisation units).
Sources: Bichard 7's published standing data; the Standard Prosecutor Interface schemas for the worker reference.
"""

from __future__ import annotations

from .parsed import Parsed, accepted, match, refused


def parse_ou_code(raw: str) -> Parsed:
    """Reads an organisation unit code: top level (one character, none for police), then three levels of two.

    A police code given as force and station only (`01ZD`) means the whole station, whose bottom level is 00 (assumed).
    """
    shape = "an organisation unit code of six or seven characters"
    found = match(raw, "[A-JZ0-9]?[A-Z0-9]{6}|[0-9]{2}[A-Z0-9]{2}", shape)
    if isinstance(found, Parsed):
        return found
    return accepted(raw, f"{found[0]}00" if len(found[0]) == 4 else found[0])


def parse_force_code(raw: str) -> Parsed:
    """Reads a force code: two digits (01 and 02 Metropolitan Police, 48 City of London, 93 British Transport)."""
    found = match(raw, "[0-9]{2}", "two digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def parse_force_station_code(raw: str) -> Parsed:
    """Reads a force and station code, FFSS: exactly four letters or digits, such as `01ZD`."""
    found = match(raw, "[A-Z0-9]{4}", "four letters or digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def parse_court_code(raw: str) -> Parsed:
    """Reads a Petty Sessional Area court code: 100 to 9999, canonical in four digits."""
    found = match(raw, "[0-9]{3,4}", "three or four digits")
    if isinstance(found, Parsed):
        return found
    return accepted(raw, found[0].zfill(4)) if int(found[0]) >= 100 else refused(raw, "is below 100")


def parse_worker_reference(raw: str) -> Parsed:
    """Reads a warrant ("collar") or pay number: 1 to 15 letters or digits, blanks ignored (format assumed)."""
    found = match(raw, "[A-Z0-9]{1,15}", "1 to 15 letters or digits", drop=" ")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
