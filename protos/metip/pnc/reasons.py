"""Why somebody asks, in the far system's own numbers; pure. PNC carries the number, its successor the number with its words.

The numbers changed their meaning over the years (8 was general administration, licensing and firearms in 1986 and is another agency in
2026), so that they are a table by date. Two strings of 2026 are real, from Bichard 7's requests to LEDS; the categories of 1986 were told
to Parliament (Hansard, 18 November 1986); everything else is (assumed) and marked so, the pairing with the platform's purposes included.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from metip.options.v1.options_pb2 import Purpose


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason: the host's number and its words."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.code} - {self.words}"


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """The reasons that hold from a day on, by purpose of the platform."""

    effective: datetime.date
    codes: Mapping["Purpose.ValueType", ReasonCode]


OTHER: Final = ReasonCode("0", "Other")  # (assumed): the free text says it
_STREET = ReasonCode("1", "Stop in the street")  # 1986
_PROCESS = ReasonCode("2", "Process/verbal warning")  # 1986
_ARREST = ReasonCode("4", "Arrest")  # 1986
_CRIME = ReasonCode("6", "Crime or alleged crime")  # 1986
_MAJOR_MINOR = ReasonCode("7", "Admin, major/minor process")  # 1986

_UNCHANGED: Final[Mapping["Purpose.ValueType", ReasonCode]] = {
    Purpose.PURPOSE_STREET_STOP: _STREET,
    Purpose.PURPOSE_ROAD_TRAFFIC: _PROCESS,
    Purpose.PURPOSE_ARREST_DETENTION: _ARREST,
    Purpose.PURPOSE_CRIME_INVESTIGATION: _CRIME,
    Purpose.PURPOSE_PROSECUTION: _MAJOR_MINOR,
}

# The oldest first.
TABLES: Final = (
    ReasonTable(
        datetime.date(1986, 11, 18),
        {**_UNCHANGED, Purpose.PURPOSE_LICENSING_VETTING: ReasonCode("8", "Admin, general/licensing/firearms")},
    ),
    # The strings are those of 2026; that they hold since LEDS began is (assumed), as is that 1 to 7 are still those of 1986.
    ReasonTable(
        datetime.date(2022, 3, 1),
        {
            **_UNCHANGED,
            Purpose.PURPOSE_OTHER_AGENCY: ReasonCode("8", "On behalf of another authorised agency"),
            Purpose.PURPOSE_AUDIT: ReasonCode("9", "Update/Confirm/Broadcast"),
        },
    ),
)


def reason_code(purpose: "Purpose.ValueType", on: datetime.date) -> ReasonCode:
    """The host's reason for a purpose on a day; `OTHER` for one that the day's table does not have."""
    held = [table for table in TABLES if table.effective <= on] or [TABLES[0]]
    return held[-1].codes.get(purpose, OTHER)
