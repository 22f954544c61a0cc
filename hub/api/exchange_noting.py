"""Keeps people and vehicles out of words that everybody may read: an identifier that can be told for one is refused. Pure."""

import re
from typing import Final

from metip.faults import Fault, Reason
from metip.identifiers import PARSERS

KINDS: Final = (
    "pnc_id",
    "cro",
    "driver_number",
    "national_insurance_number",
    "arrest_summons_number",
    "custody_number",
    "pti_urn",
    "vin",
)
"""Kinds of people, of what is theirs and of their cases whose form nothing else has."""
_PARTS: Final = re.compile(r"[^\s,;()\"]+")
_VRM: Final = re.compile(r"\b[A-Z]{2}[0-9]{2} ?[A-Z]{3}\b")
"""A current registration; older forms are also the names of systems and of changes."""


def check_words(words: str) -> None:
    """Raises `Fault` INVALID_REQUEST, which names the kind of identifier and never repeats it."""
    found = next((kind for part in _PARTS.findall(words) for kind in KINDS if PARSERS[kind](part.strip(".:'")).valid), None)
    if found is None and _VRM.search(words):
        found = "vrm"
    if found is not None:
        problem = f"holds what looks like a {found.replace('_', ' ')}: a note is for everybody, so it names nobody"
        raise Fault(Reason.INVALID_REQUEST, f"words {problem}", fields=(("words", problem),))
