"""The population that all simulators share: one set of invented people, so that who is found in one system is in the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from itertools import islice
from typing import TypeVar

from .cast import Cast
from .crimes import crime_of_arrest, make_arrest, make_crime
from .episodes import make_episode
from .name_index import NameIndex
from .records import Address, Arrest, Crime, Episode, Person, Vehicle
from .scale import Scale
from .vehicles import make_vehicle

T = TypeVar("T")


class Population:
    """Invented people, their vehicles, and what they did and suffered, the same for the same seed and counts everywhere.

    Everything is made when first asked for and then kept; an index is built by the first search that needs it, or all at once by
    `prepare`. Nothing changes after it is made: a simulator that changes things keeps its changes to itself.
    """

    def __init__(
        self,
        seed: int = 2026,
        people: int = 3_000,
        *,
        addresses: int = 1_500,
        vehicles: int = 2_500,
        crimes: int = 2_000,
        episodes: int = 600,
        arrests: int = 800,
        as_of: date = date(2026, 11, 1),
    ) -> None:
        """Raises ValueError when a count is out of range."""
        self.scale = Scale(
            seed=seed,
            as_of=as_of,
            people=people,
            addresses=addresses,
            vehicles=vehicles,
            crimes=crimes,
            episodes=episodes,
            arrests=arrests,
        )
        self._cast = Cast(self.scale)
        self._vehicles: dict[int, Vehicle] = {}
        self._crimes: dict[int, Crime] = {}
        self._episodes: dict[int, Episode] = {}
        self._arrests: dict[int, Arrest] = {}

    # One of a number. Each raises LookupError when there is none of that number.

    def person(self, number: int) -> Person:
        """The person of a number, from 1."""
        return self._cast.person(number)

    def address(self, number: int) -> Address:
        """The address of a number, from 1."""
        return self._cast.address(number)

    def vehicle_numbered(self, number: int) -> Vehicle:
        """The vehicle of a number, from 1."""
        return _kept(self._vehicles, number, self.scale.vehicles, lambda: make_vehicle(self._cast, number))

    def crime(self, number: int) -> Crime:
        """The crime report of a number, from 1."""
        return _kept(self._crimes, number, self.scale.crimes, lambda: make_crime(self._cast, number))

    def episode(self, number: int) -> Episode:
        """The Merlin report of a number, from 1."""
        return _kept(self._episodes, number, self.scale.episodes, lambda: make_episode(self._cast, number))

    def arrest(self, number: int) -> Arrest:
        """The arrest of a number, from 1."""
        return _kept(self._arrests, number, self.scale.arrests, lambda: self._make_arrest(number))

    def _make_arrest(self, number: int) -> Arrest:
        crime_number = crime_of_arrest(number, self.scale.crimes)
        return make_arrest(self._cast, number, self.crime(crime_number) if crime_number else None)

    # All of a kind, in order of number.

    def people(self) -> tuple[Person, ...]:
        """Everybody."""
        return tuple(map(self.person, range(1, self.scale.people + 1)))

    def addresses(self) -> tuple[Address, ...]:
        """All addresses."""
        return tuple(map(self.address, range(1, self.scale.addresses + 1)))

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles."""
        return tuple(map(self.vehicle_numbered, range(1, self.scale.vehicles + 1)))

    def crimes(self) -> tuple[Crime, ...]:
        """All crime reports."""
        return tuple(map(self.crime, range(1, self.scale.crimes + 1)))

    def episodes(self) -> tuple[Episode, ...]:
        """All Merlin reports."""
        return tuple(map(self.episode, range(1, self.scale.episodes + 1)))

    def arrests(self) -> tuple[Arrest, ...]:
        """All arrests."""
        return tuple(map(self.arrest, range(1, self.scale.arrests + 1)))

    # One by an identifier in its canonical form (see metip.identifiers); None when nobody and nothing has it.

    def person_by_pnc_id(self, pnc_id: str) -> Person | None:
        """The person of a canonical PNC id."""
        return self._by_pnc_id.get(pnc_id)

    def person_by_cro(self, cro: str) -> Person | None:
        """The person of a canonical CRO number."""
        return self._by_cro.get(cro)

    def person_by_driver_number(self, driver_number: str) -> Person | None:
        """The person of a canonical driver number."""
        return self._by_driver_number.get(driver_number)

    def vehicle(self, vrm: str) -> Vehicle | None:
        """The vehicle of a canonical registration mark; `vehicle_by_vrm` under a shorter name."""
        return self.vehicle_by_vrm(vrm)

    def vehicle_by_vrm(self, vrm: str) -> Vehicle | None:
        """The vehicle of a canonical registration mark."""
        return self._by_vrm.get(vrm)

    def vehicle_by_vin(self, vin: str) -> Vehicle | None:
        """The vehicle of a canonical vehicle identification number."""
        return self._by_vin.get(vin)

    def crime_by_reference(self, reference: str) -> Crime | None:
        """The crime report of a canonical crime reference."""
        return self._by_crime_reference.get(reference)

    def episode_by_reference(self, reference: str) -> Episode | None:
        """The Merlin report of a canonical Merlin reference."""
        return self._by_merlin_reference.get(reference)

    def arrest_by_asn(self, asn: str) -> Arrest | None:
        """The arrest of a canonical arrest/summons number."""
        return self._by_asn.get(asn)

    # What belongs to somebody, in order of number.

    def vehicles_of(self, person: Person) -> tuple[Vehicle, ...]:
        """Vehicles that the person keeps."""
        return self._vehicles_of.get(person.number, ())

    def crimes_of(self, person: Person) -> tuple[Crime, ...]:
        """Crime reports in which the person is victim or suspect, restricted ones included."""
        return self._crimes_of.get(person.number, ())

    def episodes_of(self, person: Person) -> tuple[Episode, ...]:
        """Merlin reports about the person, restricted ones included."""
        return self._episodes_of.get(person.number, ())

    def arrests_of(self, person: Person) -> tuple[Arrest, ...]:
        """Arrests of the person."""
        return self._arrests_of.get(person.number, ())

    def residents_of(self, address: Address) -> tuple[Person, ...]:
        """People who live at the address."""
        return self._residents_of.get(address.number, ())

    def find_people(
        self,
        surname: str = "",
        forename: str = "",
        date_of_birth: date | None = None,
        limit: int = 20,
        *,
        sex: str = "",
        born_from: date | None = None,
        born_to: date | None = None,
    ) -> tuple[Person, ...]:
        """At most `limit` people who fit all that is given, by name in use or by an alias.

        Surname and forenames (apart by blanks) fit by their beginnings; case, apostrophes, hyphens and blanks make no difference.
        Whole surnames come before beginnings, names in use before aliases, then low numbers before high ones. Ask for one more than
        is wanted to learn whether there are more. Raises ValueError when no surname, forename or date of birth is given.
        """
        born = (date_of_birth or born_from or date.min, date_of_birth or born_to or date.max)
        numbers = self._names.find(surname, forename, born)
        people = (person for person in map(self.person, numbers) if not sex or person.sex == sex)
        return tuple(islice(people, limit))

    def prepare(self) -> Population:
        """Makes everything and builds all indexes, so that no question waits for it, and returns the population itself."""
        self.addresses()
        for name, member in vars(type(self)).items():
            if isinstance(member, cached_property):
                getattr(self, name)
        return self

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.people())

    @cached_property
    def _by_pnc_id(self) -> Mapping[str, Person]:
        return {person.pnc_id: person for person in self.people() if person.pnc_id}

    @cached_property
    def _by_cro(self) -> Mapping[str, Person]:
        return {person.cro: person for person in self.people() if person.cro}

    @cached_property
    def _by_driver_number(self) -> Mapping[str, Person]:
        return {person.driver_number: person for person in self.people() if person.driver_number}

    @cached_property
    def _by_vrm(self) -> Mapping[str, Vehicle]:
        return {vehicle.vrm: vehicle for vehicle in self.vehicles()}

    @cached_property
    def _by_vin(self) -> Mapping[str, Vehicle]:
        return {vehicle.vin: vehicle for vehicle in self.vehicles()}

    @cached_property
    def _by_crime_reference(self) -> Mapping[str, Crime]:
        return {crime.reference: crime for crime in self.crimes()}

    @cached_property
    def _by_merlin_reference(self) -> Mapping[str, Episode]:
        return {episode.reference: episode for episode in self.episodes()}

    @cached_property
    def _by_asn(self) -> Mapping[str, Arrest]:
        return {arrest.asn: arrest for arrest in self.arrests()}

    @cached_property
    def _vehicles_of(self) -> Mapping[int, tuple[Vehicle, ...]]:
        return _grouped((vehicle.keeper_number, vehicle) for vehicle in self.vehicles())

    @cached_property
    def _crimes_of(self) -> Mapping[int, tuple[Crime, ...]]:
        return _grouped((number, crime) for crime in self.crimes() for number in (crime.victim_number, *crime.suspect_numbers))

    @cached_property
    def _episodes_of(self) -> Mapping[int, tuple[Episode, ...]]:
        return _grouped((episode.subject_number, episode) for episode in self.episodes())

    @cached_property
    def _arrests_of(self) -> Mapping[int, tuple[Arrest, ...]]:
        return _grouped((arrest.person_number, arrest) for arrest in self.arrests())

    @cached_property
    def _residents_of(self) -> Mapping[int, tuple[Person, ...]]:
        return _grouped((person.address_number, person) for person in self.people())


def _kept(made: dict[int, T], number: int, count: int, make: Callable[[], T]) -> T:
    """The thing of a number, made if it has not been. Raises LookupError when there is none of that number."""
    thing = made.get(number)
    if thing is None:
        if not 1 <= number <= count:
            raise LookupError(f"numbers go from 1 to {count}")
        thing = made[number] = make()
    return thing


def _grouped(pairs: Iterable[tuple[int, T]]) -> Mapping[int, tuple[T, ...]]:
    """What belongs to each number, in the order given."""
    groups: defaultdict[int, list[T]] = defaultdict(list)
    for number, thing in pairs:
        groups[number].append(thing)
    return {number: tuple(things) for number, things in groups.items()}
