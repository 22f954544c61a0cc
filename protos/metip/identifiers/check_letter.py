"""The check letter that PNC ids, CRO numbers, arrest/summons numbers and court case references share.

A number taken modulo 23 picks one of 23 letters (I, O and S never appear). The alphabet and the sums are published in
the code of Bichard 7 (arrest/summons numbers) and of HM Prison and Probation Service's person record (PNC, CRO).
The letter catches typing errors only: it proves nothing about whether the record exists.
"""

from __future__ import annotations

ALPHABET = "ZABCDEFGHJKLMNPQRTUVWXY"
LETTER = "[A-HJ-NP-RT-Z]"
"""The regular expression for one check letter."""

WRONG_LETTER = "has a check letter that does not fit its digits"


def check_letter(digits: str) -> str:
    """The letter for a run of ASCII digits. Raises ValueError when `digits` is empty or holds anything else."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("a check letter is made from digits only")
    return ALPHABET[int(digits) % len(ALPHABET)]
