"""What a load may ask about: people drawn from the population, with the identifiers under which systems know them."""

import random
from collections.abc import Iterator, Sequence

from adapters.kit.population import Person, Population


def subjects(population: Population, count: int, seed: int, numbers: Sequence[int] = ()) -> Iterator[dict[str, str]]:
    """Facts of people: of those numbers, or of so many that are drawn; the names of facts are listed at `metip.simulator.v1.Subject`.

    Raises `LookupError` for a number that nobody has.
    """
    if numbers:
        yield from (facts(population, population.person(number)) for number in numbers)
        return
    chance = random.Random(seed)  # noqa: S311 - a load is drawn, not a secret made
    for _ in range(count):
        yield facts(population, population.person(chance.randint(1, population.scale.people)))


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
    return {name: value for name, value in found.items() if value}
