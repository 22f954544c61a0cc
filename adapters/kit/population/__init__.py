"""The invented people that all simulators share; every identity is from a range that is reserved or that no real one reaches.

    population = Population()                      # the same everywhere for the same seed and counts
    person = population.person(STORIES["wanted"])
    population.crimes_of(person), population.episodes_of(person), population.arrests_of(person)
    population.find_people(surname="halz", date_of_birth=person.date_of_birth, limit=21)

`stories` tells the twelve people whom demonstrations may count on, `reserved` why nobody real can be among the others.
"""

from .codes import (
    WARNING_SIGNALS,
    CirculationKind,
    CrimeStatus,
    EpisodeKind,
    EpisodeStatus,
    Risk,
    VehicleReportKind,
)
from .population import Population
from .records import (
    Address,
    Alias,
    Arrest,
    ArrestOffence,
    Circulation,
    Crime,
    Episode,
    Person,
    Vehicle,
    VehicleReport,
)
from .stories import STORIES

__all__ = [
    "STORIES",
    "WARNING_SIGNALS",
    "Address",
    "Alias",
    "Arrest",
    "ArrestOffence",
    "Circulation",
    "CirculationKind",
    "Crime",
    "CrimeStatus",
    "Episode",
    "EpisodeKind",
    "EpisodeStatus",
    "Person",
    "Population",
    "Risk",
    "Vehicle",
    "VehicleReport",
    "VehicleReportKind",
]
