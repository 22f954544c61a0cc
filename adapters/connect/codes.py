"""CONNECT's own codes, each table in one place (assumed unless a source is named). Numbers are those of the contract's enumerations."""

from collections.abc import Mapping


def _numbered(codes: str) -> Mapping[str, int]:
    """Codes in the order of the enumeration, from 1."""
    return {code: number for number, code in enumerate(codes.split(), 1)}


PATHS: Mapping[str, str] = {
    "N": "nominals",
    "V": "vehicles",
    "L": "locations",
    "I": "investigations",
    "C": "custody-records",
    "R": "intelligence-reports",
}
"""The first letter of an id to the collection."""
KIND = _numbered("N V L I C R")
"""`EntityKind` by the first letter of an id."""
SECTION = _numbered(
    "identity description identifiers addresses warnings vehicle premises offence progress detention care disposal intelligence links"
)
SOURCE = _numbered("CONNECT CRIS CRIMINT MERLIN AIRSPACE NSPIS COPA EWMS")
ROLE = _numbered("VIC SUS WIT DP KPR RES LOC INV SUB ARR")
STATUS = _numbered("OPEN DETECTED CLOSED")
STEP = _numbered("VNA DARA HATE")
OBSERVATION = _numbered("L1 L2 L3 L4")
OUTCOME = _numbered("CHG CAU BAIL RUI NFA")
RELEASE = _numbered("UNC BAIL COURT TRF")
CHANGE = _numbered("CREATED UPDATED MERGED UNMERGED WITHDRAWN")
SOURCE_GRADE, INFORMATION_GRADE, HANDLING = _numbered("1 2 3"), _numbered("A B C D E"), _numbered("P C")
"""The three characters of a 3x5x2 grading (College of Policing, Authorised Professional Practice)."""
GENDER: Mapping[str, int] = {"GNDR_0002": 1, "GNDR_0001": 2, "GNDR_0003": 9}
"""`GNDR_0001` is female in Single Online Home's data model; the other two are assumed."""
SEEN: Mapping[str, int] = {f"IC{number}": number for number in range(1, 10)}
ETHNICITY = "ESDD_"
"""Stands before a self-defined ethnicity there."""

OURS = ("CONNECT", "2.0.0")
NSPIS = ("NSPIS", "1.0.0")
MAJOR: Mapping[str, str] = {
    "CONNECT": "2",
    "CRIS": "1",
    "CRIMINT": "1",
    "MERLIN": "1",
    "AIRSPACE": "1",
    "NSPIS": "1",
    "COPA": "1",
    "EWMS": "1",
}
"""The major version of each source's meanings that this adapter understands; values under any other are left out."""

PURPOSE: Mapping[int, str] = {1: "STOP", 2: "TRAFFIC", 3: "DET", 4: "INV", 5: "INC", 6: "SAFE", 7: "PROS", 10: "AUDIT"}
"""`Purpose` to CONNECT's reason code."""


def code(table: Mapping[str, int], number: int) -> str:
    """The code of a number; '' when it has none."""
    return next((one for one, found in table.items() if found == number), "")
