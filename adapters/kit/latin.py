"""Text as a far system holds it that knows ISO-8859-1 (Latin-1) only, printable, lines parted by a line feed.

A character that it lacks is replaced by its plainest likeness (Łódź becomes Lódz), a control character by a blank, and what has no
likeness by a question mark; nothing is replaced in silence: a `Transcript` keeps which fields were touched.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from metip.common.v1.answer_pb2 import Warning as Remark
from metip.faults import Fault, Reason

CHARACTERS = "CHARACTERS"
"""Code of the warning that some characters of a field were replaced."""

_ALIKE: Mapping[str, str] = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc",
    '"': "\u201c\u201d\u201e\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "\n": "\u2028\u2029",
    "": "\u200b\u200c\u200d\u2060\ufe0f\ufeff",
    "*": "\u2022",
    "EUR": "\u20ac",
}
_LETTERS = "\u0141L \u0142l \u0110D \u0111d \u0126H \u0127h \u014aN \u014bn \u0166T \u0167t \u0131i \u0152OE \u0153oe \u1e9eSS"
LIKENESSES: Mapping[str, str] = MappingProxyType(
    {character: likeness for likeness, alike in _ALIKE.items() for character in alike} | {pair[0]: pair[1:] for pair in _LETTERS.split()}
)
"""Likenesses that Unicode's own decomposition does not give (assumed)."""


def to_latin(text: str) -> str:
    """The text with every character that Latin-1 lacks replaced."""
    composed = _composed(text)
    return composed if composed.isascii() and composed.isprintable() else "".join(map(_likeness, composed))


def _composed(text: str) -> str:
    """The same text by Unicode's own account, so that to write it this way is no replacement."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _likeness(character: str) -> str:
    if character in "\n\t":
        return character
    if unicodedata.category(character) == "Cc":
        return " "
    if character <= "\xff":
        return character
    if character in LIKENESSES:
        return LIKENESSES[character]
    parts = (part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return "".join(part if "\x20" <= part <= "\x7e" else LIKENESSES.get(part, "?") for part in parts)


class Transcript:
    """The texts of one request as the far system will hold them, which of its fields were touched, and which no longer fit."""

    def __init__(self) -> None:
        self._touched: dict[str, None] = {}
        self._too_long: dict[str, str] = {}

    def copy(self, path: str, text: str, most: int) -> str:
        """The text for a field of that path in the contract and at most that many characters."""
        held = to_latin(text)
        if held != _composed(text):
            self._touched[path] = None
        if len(held) > most:
            self._too_long[path] = f"has {len(held)} of at most {most} characters once written as the far system holds it"
        return held

    def settle(self) -> None:
        """Raises `Fault` INVALID_REQUEST when a text no longer fits its field."""
        if self._too_long:
            problems = tuple(self._too_long.items())
            raise Fault(Reason.INVALID_REQUEST, f"fields are too long: {', '.join(self._too_long)}", fields=problems)

    @property
    def warnings(self) -> list[Remark]:
        """A warning for each field that was touched; it names the field and repeats none of it."""
        words = "characters that the far system lacks were replaced"
        return [Remark(code=CHARACTERS, text=f"{path}: {words}") for path in self._touched]
