"""Identifiers of somebody who studies: Unique Learner Number, and the number under which a learning partner keeps a learner.

A Unique Learner Number has ten digits. Weighted by 10, 9, … 1 they add up to 10 modulo 11 (Higher Education Statistics Agency, student
record, field ULN); nine digits whose sum leaves no room for a tenth belong to no number. One that is issued never begins with 0, so those
that do are kept for invented learners.
"""

from __future__ import annotations

from .parsed import Parsed, accepted, in_range, match, refused

REMAINDER = 10


def parse_uln(raw: str) -> Parsed:
    """Reads a Unique Learner Number: ten digits, blanks ignored, of which the last is a check."""
    found = match(raw, "[0-9]{10}", "ten digits", drop=" ")
    if isinstance(found, Parsed):
        return found
    return accepted(raw, found[0]) if _sum(found[0]) % 11 == REMAINDER else refused(raw, "has a check digit that does not fit its digits")


def build_uln(serial: int) -> str:
    """The Unique Learner Number of nine digits. Raises ValueError when there is none."""
    digits = f"{in_range(serial, 0, 999_999_999, 'the serial'):09d}"
    check = (REMAINDER - _sum(digits)) % 11
    if check == REMAINDER:
        raise ValueError("no Unique Learner Number begins with these digits")
    return f"{digits}{check}"


def parse_learner_id(raw: str) -> Parsed:
    """Reads a learning partner's own number of a learner: 4 to 20 letters or digits (format assumed)."""
    found = match(raw, "[A-Z0-9]{4,20}", "4 to 20 letters or digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def _sum(digits: str) -> int:
    return sum(weight * int(digit) for weight, digit in zip(range(10, 0, -1), digits, strict=False))
