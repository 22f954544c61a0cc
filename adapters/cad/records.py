"""What the message switch carries, as values; each field with the tag of its rows. All tags and codes are assumed.

Fields are named as in the contract where they mean the same. A section of a block begins with the row of its record's first field, which is
always written; what else is empty is left out.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated


class Kind(StrEnum):
    """Kinds of blocks: those that the adapter sends, those that the switch sends, and the heartbeat, which goes both ways."""

    LOGON, CREATE, UPDATE, INQUIRE = "LGN", "CRE", "UPD", "INQ"
    SEARCH, UNITS, UNIT_STATE, ACCEPTED, REFUSED = "SCH", "UNL", "UST", "ACK", "NAK"
    LOGGED_ON, REPLY, ERROR, EVENT, HEARTBEAT = "LGK", "REP", "ERR", "EVT", "HBT"


@dataclass(frozen=True, slots=True)
class Control:
    """What a block says about itself: who asks what, and how the switch answered. A logon has the terminal's name as its reference."""

    reference: Annotated[str, "REF"] = ""
    operator: Annotated[str, "OPR"] = ""
    reason: Annotated[str, "RSN"] = ""
    mode: Annotated[str, "MOD"] = ""  # of a logon: C for commands, E for events
    sequence: Annotated[int, "SEQ"] = 0  # the last event that the terminal has acknowledged
    after: Annotated[int, "AFT"] = 0  # wanted are lines after this number, or what follows after so many that were found
    first_day: Annotated[date | None, "DFR"] = None
    last_day: Annotated[date | None, "DTO"] = None
    street: Annotated[str, "STR"] = ""
    radius: Annotated[int, "RAD"] = 0
    more: Annotated[bool, "MOR"] = False
    as_of: Annotated[datetime | None, "ASO"] = None
    duplicate: Annotated[bool, "DUP"] = False  # it had been done before under this reference
    unmatched: Annotated[bool, "UNM"] = False  # the gazetteer does not know the place
    code: Annotated[str, "COD"] = ""
    row: Annotated[str, "ROW"] = ""  # tag of the row that was refused


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it stands; in a command and a search, what is known or wanted of it. Its text is its place."""

    cad_number: Annotated[str, "CAD"] = ""
    opened_at: Annotated[datetime | None, "OPN"] = None
    grade: Annotated[str, "GRD"] = ""
    state: Annotated[str, "STA"] = ""
    opening_codes: Annotated[tuple[str, ...], "TYP"] = ()
    text: Annotated[str, "LOC"] = ""
    easting: Annotated[int, "EAS"] = 0
    northing: Annotated[int, "NOR"] = 0
    borough: Annotated[str, "BOR"] = ""
    call_signs: Annotated[tuple[str, ...], "UNI"] = ()
    origin: Annotated[str, "ORG"] = ""
    name: Annotated[str, "CNM"] = ""
    telephone: Annotated[str, "CTL"] = ""
    do_not_contact: Annotated[bool, "CNC"] = False
    class_codes: Annotated[tuple[str, ...], "CLS"] = ()
    crime_report_numbers: Annotated[tuple[str, ...], "CRI"] = ()
    linked_incidents: Annotated[tuple[str, ...], "LNK"] = ()
    agency_reference: Annotated[str, "XRF"] = ""  # the agency that logged it first and its reference, parted by a blank


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    number: Annotated[int, "LIN"] = 0
    kind: Annotated[str, "KND"] = ""
    happened_at: Annotated[datetime | None, "HAP"] = None
    entered_at: Annotated[datetime | None, "ENT"] = None
    operator: Annotated[str, "OPR"] = ""
    terminal: Annotated[str, "TRM"] = ""
    back_entered: Annotated[bool, "BCK"] = False
    text: Annotated[str, "TXT"] = ""
    reason: Annotated[str, "RSN"] = ""
    grade: Annotated[str, "GRD"] = ""
    call_sign: Annotated[str, "UNI"] = ""
    state: Annotated[str, "STA"] = ""
    cad_number: Annotated[str, "LNK"] = ""
    class_codes: Annotated[tuple[str, ...], "CLS"] = ()
    crime_report_number: Annotated[str, "CRI"] = ""
    line_number: Annotated[int, "RET"] = 0
    agency: Annotated[str, "AGY"] = ""  # who handed it over
    update_number: Annotated[int, "UPN"] = 0  # its number there


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that is booked on; in a question, the unit or the station asked for."""

    call_sign: Annotated[str, "UNT"] = ""
    station: Annotated[str, "STN"] = ""
    state: Annotated[str, "STA"] = ""
    since: Annotated[datetime | None, "SNC"] = None
    assigned_to: Annotated[str, "INC"] = ""
    easting: Annotated[int, "EAS"] = 0
    northing: Annotated[int, "NOR"] = 0


@dataclass(frozen=True, slots=True)
class Block:
    """What the switch carries at a time. An answer has the number of what it answers, an event its sequence number."""

    kind: Kind
    number: int
    control: Control = Control()
    incidents: tuple[Incident, ...] = ()
    lines: tuple[Line, ...] = ()
    units: tuple[Unit, ...] = ()
