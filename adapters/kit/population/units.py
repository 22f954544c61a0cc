"""The units that attend incidents: four for each station, with invented call signs."""

from __future__ import annotations

from dataclasses import dataclass

from .places import BOROUGHS
from .population import Population
from .records import Record

NUMBERS = ("21", "22", "31", "71")
"""What follows a borough's letters in a call sign (assumed)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Unit(Record):
    """A unit, and where it stands before anything happens."""

    call_sign: str
    borough: str
    force_station: str
    easting: int
    northing: int


def units(population: Population) -> tuple[Unit, ...]:
    """All of them, by call sign."""
    return tuple(_unit(population, place, sign) for place, sign in sorted(_signs(), key=lambda one: one[1]))


def units_of(borough: str) -> tuple[str, ...]:
    """Call signs of a borough's units."""
    return tuple(borough + number for number in NUMBERS)


def _signs() -> list[tuple[int, str]]:
    return [(place, sign) for place, borough in enumerate(BOROUGHS) for sign in units_of(borough)]


def _unit(population: Population, place: int, call_sign: str) -> Unit:
    at = population.address(place or len(BOROUGHS))  # the first addresses lie one in each borough
    return Unit(call_sign=call_sign, borough=at.borough, force_station=at.force_station, easting=at.easting, northing=at.northing)
