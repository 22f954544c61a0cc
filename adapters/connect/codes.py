"""CONNECT's own codes, each table in one place (assumed unless a source is named). Numbers are those of the contract's enumerations."""

from collections.abc import Mapping


def _numbered(codes: str) -> Mapping[str, int]:
    """Codes in the order of the enumeration, from 1."""
    return {code: number for number, code in enumerate(codes.split(), 1)}


COLLECTIONS = ("nominals", "vehicles", "locations", "investigations", "custody-records", "intelligence-reports")
PATHS: Mapping[str, str] = dict(zip("NVLICR", COLLECTIONS, strict=True))
"""The first letter of an id to the collection, and to its `EntityKind`."""
KIND = _numbered("N V L I C R")
SECTION = _numbered(
    "identity description identifiers addresses warnings vehicle premises offence progress detention care disposal intelligence links"
)
SOURCE = _numbered("CONNECT CRIS CRIMINT MERLIN AIRSPACE NSPIS COPA EWMS")
ROLE = _numbered("VIC SUS WIT DP KPR RES LOC INV SUB ARR")
SUBJECT = "SUB"  # what an intelligence report is about
STATUS = _numbered("OPEN DETECTED SCREENED_OUT")
STEP = _numbered("VNA DARA HATE")
OBSERVATION = _numbered("L1 L2 L3 L4")
OUTCOME = _numbered("CHG CAU BAIL RUI NFA")
RELEASE = _numbered("UNC BAIL COURT TRF")
HIDDEN = "RESTRICTED"  # the change by which a record becomes restricted
CHANGE = {**_numbered("CREATED UPDATED MERGED UNMERGED ERASED"), HIDDEN: 5, "OPENED": 1}
SOURCE_GRADE, INFORMATION_GRADE, HANDLING = _numbered("1 2 3"), _numbered("A B C D E"), _numbered("P C")
"""The three characters of a 3x5x2 grading (College of Policing, Authorised Professional Practice)."""
SEX: Mapping[str, int] = {"M": 1, "F": 2, "U": 9}
SEEN: Mapping[str, int] = {f"IC{number}": number for number in range(1, 10)}
OURS = ("CONNECT", "2.0.0")
NSPIS = ("NSPIS", "1.0.0")
MAJOR: Mapping[str, str] = {"CONNECT": "2", **dict.fromkeys(["CRIS", "CRIMINT", "MERLIN", "AIRSPACE", "NSPIS", "COPA", "EWMS"], "1")}
"""The major version of each source's meanings that this adapter understands; values under any other are left out."""

PURPOSE: Mapping[int, str] = {1: "STOP", 2: "TRAFFIC", 3: "DET", 4: "INV", 5: "INC", 6: "SAFE", 7: "PROS", 10: "AUDIT", 11: "AUDIT"}
"""`Purpose` to CONNECT's reason code."""
