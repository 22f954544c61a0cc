"""Enums of the contract paired with Merlin's codes. Pure.

Both lists may grow apart: a code that the contract lacks reads as unspecified, a value that Merlin lacks is written as no code.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.merlin import codes
from metip.common.v1 import pole_pb2
from metip.merlin.v1 import report_pb2 as contract
from metip.options.v1 import options_pb2


class Vocabulary:
    """One enum and its codes; `table` has the enum's value without prefix by code."""

    def __init__(self, enum: Any, prefix: str, table: Mapping[str, str]) -> None:
        self._values = {code: enum.Value(f"{prefix}_{word}") for code, word in table.items()}
        self._codes = {value: code for code, value in self._values.items()}

    def value(self, code: str) -> Any:
        """The enum's value for a code; 0, unspecified, for one that the table lacks."""
        return self._values.get(code, 0)

    def code(self, value: int) -> str:
        """The code for a value; '' for one that the table lacks."""
        return self._codes.get(value, "")

    def values(self, found: Iterable[str]) -> list[Any]:
        """The value of each code."""
        return [self.value(code) for code in found]

    def codes(self, values: Iterable[int]) -> tuple[str, ...]:
        """The code of each value that has one."""
        return tuple(self._codes[value] for value in values if value in self._codes)


TYPE = Vocabulary(contract.ReportType, "REPORT_TYPE", codes.TYPES)
STATUS = Vocabulary(contract.ReportStatus, "REPORT_STATUS", codes.STATUSES)
RISK = Vocabulary(contract.RiskLevel, "RISK_LEVEL", codes.RISKS)
ROLE = Vocabulary(contract.PersonRole, "PERSON_ROLE", codes.ROLES)
VULNERABILITY = Vocabulary(contract.Vulnerability, "VULNERABILITY", codes.VULNERABILITIES)
CONCERN = Vocabulary(contract.ConcernDomain, "CONCERN_DOMAIN", codes.CONCERNS)
PARTNER = Vocabulary(contract.Partner, "PARTNER", codes.PARTNERS)
BASIS = Vocabulary(contract.LegalBasis, "LEGAL_BASIS", codes.BASES)
PURPOSE = Vocabulary(options_pb2.Purpose, "PURPOSE", codes.REASONS)
SEX = Vocabulary(pole_pb2.Sex, "SEX", codes.SEXES)
