"""Enums of the contract paired with the courts' codes. Pure.

A code that the contract lacks is kept aside by the codec, so that it never comes here; a value that the courts lack is written as no code.
"""

from collections.abc import Mapping
from typing import Any, Final

from metip.libra.v1 import case_pb2, court_pb2, result_pb2


class Vocabulary:
    """One enum and its codes; `table` has the enum's value without prefix by code."""

    def __init__(self, enum: Any, prefix: str, table: Mapping[str, str]) -> None:
        self._values = {code: enum.Value(f"{prefix}_{word}") for code, word in table.items()}
        self._codes = {value: code for code, value in self._values.items()}

    def value(self, code: str) -> Any:
        """The enum's value for a code; 0, unspecified, for none."""
        return self._values.get(code, 0)

    def code(self, value: int) -> str:
        """The code for a value; '' for unspecified."""
        return self._codes.get(value, "")


INITIATION: Final = Vocabulary(
    case_pb2.Initiation, "INITIATION", {"C": "CHARGE", "R": "REQUISITION", "S": "SUMMONS", "J": "SINGLE_JUSTICE"}
)
SUMMONS: Final = Vocabulary(
    case_pb2.SummonsType,
    "SUMMONS_TYPE",
    {"A": "ON_APPLICATION", "E": "SERIOUS_OR_EITHER_WAY", "M": "MAGISTRATES_COURTS_ACT", "W": "WITNESS_STATEMENT"},
)
LANGUAGE: Final = Vocabulary(case_pb2.CourtLanguage, "COURT_LANGUAGE", {"E": "ENGLISH", "W": "WELSH"})
DATE_CODE: Final = Vocabulary(
    court_pb2.DateCode,
    "DATE_CODE",
    {"1": "ON_OR_IN", "2": "BEFORE", "3": "AFTER", "4": "BETWEEN", "5": "ON_OR_ABOUT", "6": "ON_OR_BEFORE"},
)
REMAND: Final = Vocabulary(
    court_pb2.RemandStatus,
    "REMAND_STATUS",
    {
        "A": "NOT_APPLICABLE",
        "B": "CONDITIONAL_BAIL",
        "U": "UNCONDITIONAL_BAIL",
        "C": "PRISON_CUSTODY",
        "P": "POLICE_CUSTODY",
        "L": "CARE",
        "S": "SECURE_CARE",
    },
)
PRESENT: Final = Vocabulary(result_pb2.PresentAtHearing, "PRESENT_AT_HEARING", {"Y": "YES", "N": "NO", "A": "REPRESENTED"})
PLEA: Final = Vocabulary(
    result_pb2.CourtPlea,
    "COURT_PLEA",
    {
        "1": "GUILTY",
        "2": "NOT_GUILTY",
        "3": "NONE",
        "4": "CONSENTS",
        "5": "OPPOSED",
        "6": "GUILTY_6",
        "7": "ADMITS",
        "8": "DENIES",
    },
)
FINDING: Final = Vocabulary(
    result_pb2.CourtFinding,
    "COURT_FINDING",
    {"G": "GUILTY", "N": "NOT_GUILTY", "A": "GUILTY_OF_ALTERNATIVE", "O": "NO_CONVICTION", "C": "CAUTION"},
)
UNIT: Final = Vocabulary(
    result_pb2.CourtDurationUnit,
    "COURT_DURATION_UNIT",
    {"D": "DAYS", "H": "HOURS", "W": "WEEKS", "M": "MONTHS", "Y": "YEARS", "S": "SESSIONS", "L": "LIFE"},
)
