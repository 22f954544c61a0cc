"""Calls about the population's crimes and missing people as a control room has them, and the units that it can send.

They are drawn from dice of their own. Who is in a story calls about it; nobody calls about what is restricted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .dice import Dice
from .places import BOROUGHS
from .population import Population
from .records import Address, Person, Record

CRIMES = 20
"""Crimes of these first numbers, unless they are restricted, were called in."""
UNITS = 24


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RoomCall(Record):
    """A call that a control room took. Times are UTC."""

    number: int
    opened_at: datetime
    caller: Person
    at_scene: bool
    address: Address
    cad_number: str
    """'' when the legacy room has none of it."""
    crime_code: str
    """'' for a missing person."""
    grade: str
    """I, S, E or R."""
    words: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Unit(Record):
    """A unit that a control room can send; the 9 and the X in its callsign are of no real one (assumed)."""

    number: int
    callsign: str
    easting: int
    northing: int
    state: str
    """The radio state that its crew keyed: 2 for available, 6 for on the scene."""


def room_calls(population: Population) -> tuple[RoomCall, ...]:
    """All of them: that of the missing child first, then one for each crime."""
    episode = population.episode(1)
    guardian = population.person(population.person(episode.subject_number).guardian_number)
    missing = RoomCall(
        number=1,
        opened_at=episode.created_at,
        caller=guardian,
        at_scene=True,
        address=population.address(guardian.address_number),
        cad_number="",
        crime_code="",
        grade="I",
        words=episode.circumstances,
    )
    crimes = [one for one in map(population.crime, range(1, CRIMES + 1)) if not one.restricted]
    calls = [missing]
    for crime in crimes:
        dice = Dice(f"{population.scale.seed}/room call/{crime.number}")
        call = RoomCall(
            number=1 + crime.number,
            opened_at=crime.reported_at - timedelta(minutes=dice.between(2, 30)),
            caller=population.person(crime.victim_number),
            at_scene=dice.chance(70),
            address=population.address(crime.venue_number),
            cad_number=crime.cad_number,
            crime_code=crime.cjs_code,
            grade=dice.pick("ISSSEER"),
            words=f"{crime.title}: {crime.method}",
        )
        calls.append(call)
    return tuple(calls)


def units(population: Population) -> tuple[Unit, ...]:
    """All of them, one in three at work."""
    return tuple(_unit(population, number) for number in range(1, UNITS + 1))


def _unit(population: Population, number: int) -> Unit:
    dice = Dice(f"{population.scale.seed}/unit/{number}")
    near = population.address(dice.between(1, population.scale.addresses))
    return Unit(
        number=number,
        callsign=f"{BOROUGHS[number % len(BOROUGHS)]}9{number % 10}X",
        easting=near.easting,
        northing=near.northing,
        state="6" if dice.chance(33) else "2",
    )
