"""Enums of the contracts paired with COPA's codes. Pure.

Both lists may grow apart: a code that the contract lacks reads as unspecified, a value that COPA lacks is written as no code.
"""

from collections.abc import Mapping
from typing import Any

from adapters.copa import codes
from metip.common.v1 import pole_pb2
from metip.copa.v1 import case_file_pb2 as contract
from metip.libra.v1 import result_pb2
from metip.options.v1 import options_pb2


class Vocabulary:
    """One enum and its codes; `table` has the enum's value without prefix by code, `more` further values that go by a code."""

    def __init__(self, enum: Any, prefix: str, table: Mapping[str, str], *more: tuple[str, str]) -> None:
        self._values = {code: enum.Value(f"{prefix}_{word}") for code, word in table.items()}
        self._codes = {value: code for code, value in self._values.items()} | {enum.Value(f"{prefix}_{word}"): code for word, code in more}

    def value(self, code: str) -> Any:
        """The enum's value for a code; 0, unspecified, for one that the table lacks."""
        return self._values.get(code, 0)

    def code(self, value: int) -> str:
        """The code for a value; '' for one that the table lacks."""
        return self._codes.get(value, "")


STATUS = Vocabulary(contract.CaseStatus, "CASE_STATUS", codes.STATUSES)
REASON = Vocabulary(options_pb2.Purpose, "PURPOSE", codes.REASONS)
PLEA = Vocabulary(result_pb2.CourtPlea, "COURT_PLEA", codes.PLEAS, ("GUILTY_6", "G"))
VERDICT = Vocabulary(result_pb2.CourtFinding, "COURT_FINDING", codes.VERDICTS)
SEX = Vocabulary(pole_pb2.Sex, "SEX", codes.SEXES)
