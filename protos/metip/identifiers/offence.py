"""Codes of an offence: the CJS code, the NPCC (formerly ACPO) code, the Home Office classification.

Only the shape is judged. Which codes exist is a look-up in reference data that changes weekly and is loaded elsewhere.
Sources: Bichard 7's code and published fixtures; the Common Platform's published code for the two special heads.
"""

from __future__ import annotations

from .parsed import Parsed, accepted, match, require

# Act or source (2), year (2), reason (3), qualifier. COML stands for common law; XX00 (indictment) has the plain shape.
_CJS = "(?:[A-Z]{2}[0-9]{2}|COML)[0-9]{3}[A-Z0-9]?"
_NPCC = r"(?:[0-9]{1,3}\.){1,2}[0-9]{1,3}(?:\.[0-9]{1,3})?"


def parse_cjs_offence_code(raw: str) -> Parsed:
    """Reads a CJS offence code of seven or eight characters, such as `TH68023` and `TH68023A`."""
    found = match(raw, _CJS, "an offence code of seven or eight characters")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def parse_npcc_offence_code(raw: str) -> Parsed:
    """Reads an NPCC offence code of two to four numbers. Canonical is parted by full stops; PNC parts it by colons."""
    colons = _NPCC.replace(r"\.", ":")
    found = match(raw, f"{_NPCC}|{colons}", "two to four numbers parted by full stops or by colons")
    return found if isinstance(found, Parsed) else accepted(raw, found[0].replace(":", "."))


def colon_npcc_offence_code(canonical: str) -> str:
    """The form on PNC, parted by colons. Raises ValueError when not canonical."""
    return require(_NPCC, canonical, "NPCC offence code")[0].replace(".", ":")


def parse_home_office_classification(raw: str) -> Parsed:
    """Reads a Home Office crime classification, `nnn/nn`."""
    found = match(raw, "[0-9]{3}/[0-9]{2}", "of the form nnn/nn")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
