"""Detentions of some weeks ago: what systems fed by custody records hold before anything is published to them.

Their numbers are those of no arrest in the population, so that they never meet a record which somebody publishes today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .population import Population
from .records import Arrest, Person, Record
from .reserved import custody_number

PAST_DETENTIONS = 12
_FIRST_NUMBER = 9_001
_FIRST_ARREST = 3
"""Those of the stories are left out: what happened to them is told elsewhere."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PastDetention(Record):
    """A detention that is over. Times are UTC."""

    number: int
    custody_number: str
    person: Person
    arrest: Arrest
    """An arrest for the same offences at the same place; its own numbers and time are another detention's."""
    arrived_at: datetime


def past_detentions(population: Population) -> tuple[PastDetention, ...]:
    """All of them; the people arrived on 30 October 2026 when the population stands as of 1 November."""
    return tuple(_detention(population, number) for number in range(1, PAST_DETENTIONS + 1))


def _detention(population: Population, number: int) -> PastDetention:
    arrest = population.arrest(_FIRST_ARREST + number - 1)
    arrived_at = population.scale.now - timedelta(days=2) + timedelta(hours=8 + number % 4)
    return PastDetention(
        number=number,
        custody_number=custody_number(_FIRST_NUMBER + number, arrest.force_station, arrived_at.year),
        person=population.person(arrest.person_number),
        arrest=arrest,
        arrived_at=arrived_at,
    )
