"""The result of reading an identifier: what was received, its one canonical form, or what is wrong with it.

The law of this package: nothing is guessed. A value that does not fit is refused, never repaired, because a repaired
identifier may be somebody else's. HM Prison and Probation Service's person record works the same way: an invalid PNC id
becomes empty, never a near match. And no problem text repeats the value, so that it may be logged and sent back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 40
"""Characters beyond which a value is no identifier of any kind here (the longest, an arrest/summons number, has 24)."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One identifier as read. Its repr shows neither form, since most of these values identify a person.

    `raw` is what was received, unchanged. `canonical` is the one form to store, compare and index ('' when invalid).
    `problem` completes the sentence "the identifier ..." ('' when valid) and never repeats the value.
    """

    raw: str = field(repr=False)
    canonical: str = field(repr=False)
    problem: str = ""

    @property
    def valid(self) -> bool:
        """Whether the value has a canonical form. A valid identifier may still belong to nothing and nobody."""
        return not self.problem


def accepted(raw: str, canonical: str) -> Parsed:
    """The result for a value that was understood."""
    return Parsed(raw=raw, canonical=canonical)


def refused(raw: str, problem: str) -> Parsed:
    """The result for a value that was not understood; `problem` must not hold any part of the value."""
    return Parsed(raw=raw, canonical="", problem=problem)


def match(raw: str, pattern: str, shape: str, *, drop: str = "") -> re.Match[str] | Parsed:
    """Matches the whole of `raw`, in upper case and without surrounding blanks, against `pattern`.

    `shape` says in words what the pattern wants; `drop` holds the characters that people put in for reading. A pattern
    is compiled on first use and kept by `re`, so that importing this package stays cheap.
    """
    text = raw.strip()
    if not text:
        return refused(raw, "is empty")
    if len(text) > LONGEST:
        return refused(raw, f"is longer than {LONGEST} characters")
    # Checked before upper(), which turns some letters outside ASCII into ASCII ones: that would be a guess.
    if not text.isascii():
        return refused(raw, "holds a character outside ASCII")
    text = text.upper()
    for character in drop:
        text = text.replace(character, "")
    found = re.fullmatch(pattern, text)
    return found if found is not None else refused(raw, f"is not {shape}")


def require(pattern: str, canonical: str, what: str) -> re.Match[str]:
    """Matches a value that the caller says is canonical. Raises ValueError, without the value, when it is not."""
    found = re.fullmatch(pattern, canonical)
    if found is None:
        raise ValueError(f"not a canonical {what}")
    return found


def in_range(value: int, low: int, high: int, what: str) -> int:
    """`value`, when it lies in low..high. Raises ValueError, without the value, when it does not."""
    if not low <= value <= high:
        raise ValueError(f"{what} must lie in {low}..{high}")
    return value
