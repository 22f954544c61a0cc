"""What a load may ask about: people drawn from the population, with the identifiers under which systems know them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from adapters.kit.population import Arrest, Person, Population
from adapters.kit.population.standing import Standing, standing

SEXES: Final[Mapping[str, str]] = {"M": "1", "F": "2"}
NOT_SPECIFIED: Final = "9"
"""Codes of a person's sex (Standard Prosecutor Interface)."""


def subjects(population: Population, count: int, seed: int, numbers: Sequence[int] = ()) -> Iterator[dict[str, str]]:
    """Facts of people: of those numbers, or of so many that are drawn; the names of facts are listed at `metip.simulator.v1.Subject`.

    Nobody is drawn again before everybody was. Raises `LookupError` for a number that nobody has.
    """
    if numbers:
        yield from (facts(population, population.person(number)) for number in numbers)
        return
    yield from (facts(population, population.person(number)) for number in islice(_drawn(population.scale.people, seed), count))


def _drawn(people: int, seed: int) -> Iterator[int]:
    chance, everybody = random.Random(seed), list(range(1, people + 1))  # noqa: S311 - a load is drawn, not a secret made
    while True:
        chance.shuffle(everybody)
        yield from everybody


def facts(population: Population, person: Person) -> dict[str, str]:
    """What systems know one person by; what there is not is left out."""
    address = population.address(person.address_number)
    found = {
        "surname": person.surname,
        "forename": person.forenames[0],
        "date_of_birth": person.date_of_birth.isoformat(),
        "birth_year": str(person.date_of_birth.year),
        "birth_month": str(person.date_of_birth.month),
        "birth_day": str(person.date_of_birth.day),
        "sex": person.sex,
        "pnc_id": person.pnc_id,
        "driver_number": person.driver_number,
        "house": str(address.house),
        "street": address.street,
        "postcode": address.postcode,
    }
    for vehicle in population.vehicles_of(person)[:1]:
        found |= {"vrm": vehicle.vrm, "vin": vehicle.vin}
    for crime in population.crimes_of(person)[:1]:
        found |= {"crime_reference": crime.reference}
    for episode in population.episodes_of(person)[:1]:
        found |= {"merlin_reference": episode.reference}
    for arrest in population.arrests_of(person)[:1]:
        found |= {"asn": arrest.asn, "custody_number": arrest.custody_number, "pti_urn": arrest.pti_urn}
    for arrest in list(filter(_undecided, population.arrests_of(person)))[:1]:
        found |= _charge(arrest) | {"sex_code": SEXES.get(person.sex, NOT_SPECIFIED), "town": address.town}
        found |= {"ethnicity": str(person.observed_ethnicity), "self_defined_ethnicity": person.self_defined_ethnicity}
    return {name: value for name, value in found.items() if value}


def _undecided(arrest: Arrest) -> bool:
    """Whether it led to one charge, of which no court has decided."""
    return standing(arrest) is Standing.OPEN and len(arrest.offences) == 1


def _charge(arrest: Arrest) -> dict[str, str]:
    """What goes to the court of it."""
    (offence,) = arrest.offences
    committed, arrested = offence.committed_on, arrest.arrested_at
    return {
        "charge_asn": arrest.asn,
        "charge_pti_urn": arrest.pti_urn,
        "charge_code": offence.cjs_code,
        "charge_title": offence.title,
        **{f"charge_{part}": str(getattr(committed, part)) for part in ("year", "month", "day")},
        **{f"arrest_{part}": str(getattr(arrested, part)) for part in ("year", "month", "day")},
    }
