"""The incidents behind crimes, Merlin reports and arrests: who called the police when, from where, and what was said.

A crime that was called in has its incident under the crime's own CAD number; a Merlin report and an arrest have one each. Restricted crimes
and reports have none here: their logs are kept apart. Numbers of reports are from 80,000, those of arrests from 70,000, and from 60,001 on
simulators number what happens today; no day reaches them (the busiest of 2014 had 18,417 calls).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from metip.identifiers import build_cad_number

from .codes import EpisodeKind, EpisodeStatus, Risk
from .dice import Dice
from .population import Population
from .records import Address, Crime, Person, Record

FIRST_TODAY, LAST_TODAY = 60_001, 69_999
_STEP, _RANGE = 7_919, 10_000
# Type codes and grades of incidents by offence; the codes are (assumed).
_BY_OFFENCE = {
    "TH68006": ("206", "R"),
    "TH68010": ("207", "S"),
    "TH68001": ("205", "S"),
    "TH68007": ("208", "E"),
    "CJ88116": ("001", "I"),
    "CJ88001": ("001", "S"),
    "TH68037": ("203", "S"),
    "TH68023": ("004", "I"),
    "TH68151": ("209", "I"),
    "TH68072": ("210", "E"),
    "PC53001": ("012", "I"),
}
_BY_EPISODE = {EpisodeKind.MIS: ("601", "S"), EpisodeKind.PAC: ("607", "E"), EpisodeKind.ACN: ("608", "S")}
_ARREST = "705"
TYPES = frozenset({code for code, _ in _BY_OFFENCE.values()} | {code for code, _ in _BY_EPISODE.values()} | {_ARREST, "100", "800", "900"})
"""All type codes; 100 is a road traffic collision, 800 a duplicate of another incident, 900 help for another agency (assumed)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Incident(Record):
    """Something that the police were called to. Times are UTC, to the minute."""

    cad_number: str
    """Canonical, with its date."""
    opened_at: datetime
    origin: str
    """999, 101 or OFF (an officer)."""
    grade: str
    """I, S, E or R."""
    type_code: str
    venue: Address
    caller: Person | None
    """None when an officer called."""
    do_not_contact: bool
    """Whether the caller must not be called back or named at the scene."""
    text: str
    outcome: str
    """What was done about it; '' while it is open."""
    crime_reference: str = ""
    linked_to: str = ""
    """CAD number of another incident about the same matter."""

    def head(self) -> dict[str, Any]:
        """What an operator keys at the head of its log: grade, type, place, origin and caller, by the names that despatch systems share."""
        caller, venue = self.caller, self.venue
        return {
            "grade": self.grade,
            "opening_codes": (self.type_code,),
            "text": ", ".join((*venue.lines, venue.postcode)).upper(),
            "easting": venue.easting,
            "northing": venue.northing,
            "borough": venue.borough,
            "origin": self.origin,
            "name": _name(caller).upper()[:54] if caller else "",
            "telephone": caller.phone if caller else "",
            "do_not_contact": self.do_not_contact,
        }

    def course(self, unit: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """What its log says: minutes after the call, kind of entry, and what the entry holds. `unit` attends, '' where there is none.

        The operator of every tenth incident retracts a line. Kinds and states are those of the despatch system (assumed).
        """
        yield 0, "OPN", {"text": self.text.upper()}
        yield 2, "RMK", {"text": f"GRADED {self.grade}. CIRCULATED."}
        if self.venue.number % 10 == 0:
            yield 3, "RMK", {"text": "SECOND CALLER STATES ALL QUIET."}
            yield 3, "RET", {"line_number": 3, "reason": "WRONG LOG"}
        if self.linked_to:
            yield 3, "LNK", {"cad_number": self.linked_to}
        if unit:
            yield 4, "ASG", {"call_sign": unit}
            yield 5, "UST", {"call_sign": unit, "state": "5"}
            yield 14, "UST", {"call_sign": unit, "state": "6"}
        if self.outcome:
            yield 50, "RES", {"class_codes": (self.type_code,), "crime_report_number": self.crime_reference, "text": self.outcome.upper()}
            yield 60, "CLO", {}


def incident_of_crime(population: Population, number: int) -> Incident | None:
    """The incident in which the crime of a number was reported; None when nobody called, or when it is restricted."""
    crime = population.crime(number)
    if not crime.cad_number or crime.restricted:
        return None
    dice = Dice(f"{population.scale.seed}/incident/crime/{number}")
    type_code, grade = _BY_OFFENCE[crime.cjs_code]
    return Incident(
        cad_number=crime.cad_number,
        opened_at=crime.reported_at,
        origin="999" if grade == "I" or dice.chance(30) else "101",
        grade=grade,
        type_code=type_code,
        venue=population.address(crime.venue_number),
        caller=population.person(crime.victim_number),
        do_not_contact="DV" in crime.flags,
        text=f"{crime.title}. {crime.method}{_vehicle(population, crime)}",
        outcome=f"Crime recorded as {crime.reference}.",
        crime_reference=crime.reference,
    )


def incident_of_episode(population: Population, number: int) -> Incident | None:
    """The incident that led to the Merlin report of a number; None when it is restricted."""
    episode = population.episode(number)
    if episode.restricted:
        return None
    subject = population.person(episode.subject_number)
    type_code, grade = _BY_EPISODE[episode.kind]
    opened_at = episode.created_at - timedelta(minutes=25)
    seen = f" Last seen {episode.last_seen_at:%d/%m %H:%M} UTC." if episode.last_seen_at else ""
    return Incident(
        cad_number=_number(80_000, number, opened_at),
        opened_at=opened_at,
        origin="999" if episode.risk is Risk.HIGH else "101",
        grade="I" if episode.risk is Risk.HIGH else grade,
        type_code=type_code,
        venue=population.address(subject.address_number),
        caller=population.person(subject.guardian_number or subject.number),
        do_not_contact=episode.kind is EpisodeKind.PAC,
        text=f"{_name(subject)}, born {subject.date_of_birth:%d/%m/%Y}. {episode.circumstances}{seen}",
        outcome="" if episode.status is EpisodeStatus.OPEN else f"Merlin report {episode.reference} made.",
    )


def incident_of_arrest(population: Population, number: int) -> Incident:
    """The incident in which officers told of the arrest of a number; linked to that of the crime behind it."""
    arrest = population.arrest(number)
    crime = incident_of_crime(population, arrest.crime_number) if arrest.crime_number else None
    person = population.person(arrest.person_number)
    return Incident(
        cad_number=_number(70_000, number, arrest.arrested_at),
        opened_at=arrest.arrested_at,
        origin="OFF",
        grade="S",
        type_code=_ARREST,
        venue=population.address(person.address_number),
        caller=None,
        do_not_contact=False,
        text=f"{_name(person)} detained for {arrest.offences[0].title.lower()}.",
        outcome=f"One to custody, record {arrest.custody_number}.",
        crime_reference=crime.crime_reference if crime else "",
        linked_to=crime.cad_number if crime else "",
    )


def incidents_of_stories(population: Population) -> tuple[Incident, ...]:
    """Those that demonstrations may count on: a robbery, a vehicle taken, the arrest for the robbery, a child missing."""
    found = (incident_of_crime(population, 1), incident_of_crime(population, 3), incident_of_arrest(population, 1))
    return tuple(one for one in (*found, incident_of_episode(population, 1)) if one is not None)


def incidents(population: Population) -> tuple[Incident, ...]:
    """All of them, in the order in which they were opened."""
    scale = population.scale
    found = [
        *(incident_of_crime(population, number) for number in range(1, scale.crimes + 1)),
        *(incident_of_episode(population, number) for number in range(1, scale.episodes + 1)),
        *(incident_of_arrest(population, number) for number in range(1, scale.arrests + 1)),
    ]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.opened_at, one.cad_number)))


def _number(start: int, number: int, opened_at: datetime) -> str:
    return build_cad_number(start + number * _STEP % _RANGE, opened_at.date())


def _vehicle(population: Population, crime: Crime) -> str:
    if not crime.vehicle_number:
        return ""
    vehicle = population.vehicle_numbered(crime.vehicle_number)
    return f" {vehicle.colour} {vehicle.make} {vehicle.model}, index {vehicle.vrm}."


def _name(person: Person) -> str:
    return " ".join((*person.forenames, person.surname))
