"""Why somebody asks, in the far system's own numbers, by date (`reasons.yaml`); pure. PNC has the number, its successor the words too."""

import datetime
from dataclasses import dataclass
from typing import Final

from metip.options.v1.options_pb2 import Purpose
from metip.tables import read_table


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason: the host's number and its words."""

    code: str
    words: str

    @classmethod
    def of(cls, text: str) -> "ReasonCode":
        """A reason as the tables have it, `8 - On behalf of another authorised agency`."""
        code, _, words = text.partition(" - ")
        return cls(code, words)

    def __str__(self) -> str:
        return f"{self.code} - {self.words}"


_READ: Final = read_table(__file__, "reasons.yaml")
OTHER: Final = ReasonCode.of(_READ["other"])
TABLES: Final = tuple(
    (table["from"], {Purpose.Value(purpose): ReasonCode.of(text) for purpose, text in table["reasons"].items()})
    for table in _READ["tables"]
)
"""The day from which reasons hold, and the reasons by purpose; the oldest first."""


def reason_code(purpose: "Purpose.ValueType", on: datetime.date) -> ReasonCode:
    """The host's reason for a purpose on a day; `OTHER` for one that the day's table does not have."""
    held = [reasons for effective, reasons in TABLES if effective <= on] or [TABLES[0][1]]
    return held[-1].get(purpose, OTHER)
