"""The code tables that the invented people, vehicles and crimes draw on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class CirculationKind(StrEnum):
    """Types of report on the wanted and missing index (Hansard, 2 July 1991), spelt as in the PNC contract."""

    WANTED = "WANTED"
    FAILED_TO_APPEAR = "FAILED_TO_APPEAR"
    SUSPECT = "SUSPECT"
    IMPENDING_PROSECUTION = "IMPENDING_PROSECUTION"
    DESERTER = "DESERTER"
    LOCATE = "LOCATE"
    MISSING = "MISSING"
    FOUND = "FOUND"
    ABSCONDER = "ABSCONDER"
    RECALL = "RECALL"


class VehicleReportKind(StrEnum):
    """Types of vehicle report (Hansard, 19 July 1988), spelt as in the PNC contract."""

    LOST_STOLEN = "LOST_STOLEN"
    DECEPTION = "DECEPTION"
    FOUND = "FOUND"
    REMOVED = "REMOVED"
    MOVED = "MOVED"
    SUSPECTED = "SUSPECTED"
    POLICE = "POLICE"
    OF_INTEREST = "OF_INTEREST"
    SEEN = "SEEN"


class EpisodeKind(StrEnum):
    """Types of Merlin report: pre-assessment checklist for a child, missing person, adult coming to notice (assumed)."""

    PAC = "PAC"
    MIS = "MIS"
    ACN = "ACN"


class EpisodeStatus(StrEnum):
    """The life of a missing episode (assumed)."""

    OPEN = "OPEN"
    LOCATED = "LOCATED"
    DEBRIEFED = "DEBRIEFED"
    CLOSED = "CLOSED"


class Risk(StrEnum):
    """Risk grades of a missing episode (Metropolitan Police Authority report, 13 October 2011)."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class CrimeStatus(StrEnum):
    """Where the investigation of a crime stands (assumed)."""

    OPEN = "OPEN"
    DETECTED = "DETECTED"
    SCREENED_OUT = "SCREENED_OUT"


# The list itself is closed and not public; codes and words are (assumed).
WARNING_SIGNALS: Mapping[str, str] = MappingProxyType(
    {
        "VI": "VIOLENT",
        "WE": "WEAPONS",
        "FI": "FIREARMS",
        "EX": "EXPLOSIVES",
        "ES": "ESCAPER",
        "DR": "DRUGS",
        "SH": "SELF HARM",
        "SU": "SUICIDAL",
        "MN": "MENTAL HEALTH",
        "AT": "AILMENT",
        "CO": "CONTAGIOUS",
        "AG": "ALLEGES",
        "OF": "OFFENDS AGAINST VULNERABLE",
        "SO": "SEX OFFENDER",
        "ST": "STEALS VEHICLES",
        "IM": "IMPERSONATES",
        "CN": "CONCEALS",
    }
)

OBSERVED_ETHNICITIES = (1, 2, 3, 4, 5, 6, 9)
"""The 6+1 codes of ethnic appearance; 9 is unknown."""

SELF_DEFINED_ETHNICITIES = (
    *("W1", "W2", "W3", "W9", "M1", "M2", "M3", "M9", "A1", "A2", "A3", "A4", "A9", "B1", "B2", "B9", "O2", "O9", "NS"),
)
"""The 18+1 codes; NS is not stated."""


class Offence(NamedTuple):
    """A kind of crime: what it is called and coded, and how it is done.

    CJS and NPCC codes and their pairing are those of Bichard 7's published fixtures; the Home Office classes are (assumed).
    """

    title: str
    cjs_code: str
    npcc_code: str
    classification: str
    methods: tuple[str, ...]


OFFENCES = (
    Offence(
        "Theft of pedal cycle",
        "TH68006",
        "5.5.5.1",
        "044/00",
        ("Pedal cycle left locked to railings. Lock cut and cycle removed.", "Cycle taken from communal hallway."),
    ),
    Offence(
        "Theft from shop",
        "TH68010",
        "5.5.8.1",
        "046/00",
        ("Suspect selected items, hid them in a bag and left without paying.", "Security tags removed in changing room."),
    ),
    Offence(
        "Theft from the person of another",
        "TH68001",
        "5.5.2.1",
        "039/00",
        ("Telephone snatched from the hand of the victim by a rider.", "Purse removed from bag in a crowd."),
    ),
    Offence(
        "Theft from motor vehicle",
        "TH68007",
        "5.5.6.1",
        "045/10",
        ("Nearside window broken and bag removed from the seat.", "Vehicle opened without damage and searched."),
    ),
    Offence(
        "Assault by beating",
        "CJ88116",
        "1.8.11.2",
        "105/01",
        ("Victim punched once to the face after an argument.", "Victim pushed to the ground and kicked."),
    ),
    Offence(
        "Common assault",
        "CJ88001",
        "1.8.11.1",
        "105/01",
        ("Victim threatened with a raised fist and put in fear.", "Suspect spat towards the victim."),
    ),
    Offence(
        "Burglary other than dwelling and theft",
        "TH68037",
        "5.3.7.1",
        "030/02",
        ("Rear door forced with a bar; till and stock removed.", "Entry by roof light; tools removed."),
    ),
    Offence(
        "Robbery",
        "TH68023",
        "5.1.1.1",
        "034/01",
        ("Victim approached by two people who demanded a telephone.", "Victim held against a wall and searched."),
    ),
    Offence(
        "Aggravated vehicle taking",
        "TH68151",
        "5.7.11.10",
        "037/02",
        ("Keys taken from inside the house; vehicle driven off and later found damaged.", "Vehicle taken at a fuel pump."),
    ),
    Offence(
        "Handling stolen goods",
        "TH68072",
        "5.6.1.1",
        "054/01",
        ("Goods offered for sale on line and recognised by their owner.", "Goods found when a vehicle was searched."),
    ),
    Offence(
        "Possess an offensive weapon in a public place",
        "PC53001",
        "11.6.4.1",
        "008/11",
        ("Article found in waistband when searched after a call from the public.", "Article thrown away when police came."),
    ),
)


def offence(cjs_code: str) -> Offence:
    """The offence of a CJS code. Raises KeyError when the table has none."""
    return _BY_CODE[cjs_code]


_BY_CODE = {offence.cjs_code: offence for offence in OFFENCES}

CRIME_FLAGS = ("DV", "HT", "KN", "AL", "YO")
"""Domestic, hate, knife, alcohol, young person (assumed)."""

CONCERNS = ("health", "education", "behaviour", "family", "environment")
"""The concern domains of a checklist for a child (assumed)."""

MODELS = (
    *(("FORD", "FIESTA"), ("FORD", "FOCUS"), ("FORD", "TRANSIT"), ("VAUXHALL", "CORSA"), ("VAUXHALL", "ASTRA")),
    *(("VOLKSWAGEN", "GOLF"), ("VOLKSWAGEN", "POLO"), ("NISSAN", "QASHQAI"), ("TOYOTA", "PRIUS"), ("TOYOTA", "YARIS")),
    *(("KIA", "SPORTAGE"), ("HYUNDAI", "I10"), ("BMW", "320D"), ("AUDI", "A3"), ("MERCEDES-BENZ", "SPRINTER")),
    *(("TESLA", "MODEL 3"), ("MINI", "COOPER"), ("HONDA", "PCX"), ("YAMAHA", "NMAX"), ("LAND ROVER", "DISCOVERY")),
)
COLOURS = ("BLACK", "WHITE", "GREY", "SILVER", "BLUE", "RED", "GREEN", "ORANGE", "YELLOW", "BROWN")
