"""What is tied to what: people, vehicles, addresses, crimes, arrests and intelligence reports, both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .intelligence import Report, intelligence_reports
from .population import Population
from .stories import STORIES


class Tie(NamedTuple):
    """Something that is tied to another thing, and the part that the person, vehicle or address of the two has."""

    kind: str
    """person, vehicle, address, crime, arrest or report."""
    number: int
    role: str
    """victim, suspect, detained, keeper, resident, scene, involved, subject or arrest."""


class Ties:
    """The ties of a population, both ways, and what of it only people with a need to know may see."""

    def __init__(self, population: Population) -> None:
        self._population = population

    @cached_property
    def reports(self) -> dict[int, Report]:
        """Intelligence reports by number."""
        return {report.number: report for report in intelligence_reports(self._population)}

    def of(self, kind: str, number: int) -> tuple[Tie, ...]:
        """What is tied to that thing, in the order of kinds and numbers in which they were found."""
        return tuple(self._both_ways[kind, number])

    def hidden(self, kind: str, number: int) -> bool:
        """Whether it is restricted: the restricted victim and her home, restricted crimes and reports, and arrests for such a crime."""
        if kind == "crime":
            return self._population.crime(number).restricted
        if kind == "arrest":
            crime = self._population.arrest(number).crime_number
            return crime > 0 and self._population.crime(crime).restricted
        if kind == "report":
            return self.reports[number].restricted
        return kind in ("person", "address") and number == STORIES["restricted_victim"]

    @cached_property
    def _both_ways(self) -> defaultdict[tuple[str, int], list[Tie]]:
        found: defaultdict[tuple[str, int], list[Tie]] = defaultdict(list)
        for (kind, number), tie in self._all():
            found[kind, number].append(tie)
            found[tie.kind, tie.number].append(Tie(kind, number, tie.role))
        return found

    def _all(self) -> Iterator[tuple[tuple[str, int], Tie]]:
        """Each tie once, from the thing that tells of it."""
        population = self._population
        for person in population.people():
            yield ("address", person.address_number), Tie("person", person.number, "resident")
        for vehicle in population.vehicles():
            yield ("vehicle", vehicle.number), Tie("person", vehicle.keeper_number, "keeper")
        for crime in population.crimes():
            yield ("crime", crime.number), Tie("person", crime.victim_number, "victim")
            for number in crime.suspect_numbers:
                yield ("crime", crime.number), Tie("person", number, "suspect")
            yield ("crime", crime.number), Tie("address", crime.venue_number, "scene")
            if crime.vehicle_number:
                yield ("crime", crime.number), Tie("vehicle", crime.vehicle_number, "involved")
        for arrest in population.arrests():
            yield ("arrest", arrest.number), Tie("person", arrest.person_number, "detained")
            if arrest.crime_number:
                yield ("arrest", arrest.number), Tie("crime", arrest.crime_number, "arrest")
        for report in self.reports.values():
            yield ("report", report.number), Tie("person", report.subject_number, "subject")
