"""Nobody in the shared population can be real: every identity is invented, reserved, or out of the reach of real series."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

import pytest

from adapters.kit.population import Person, Population
from adapters.kit.population.names import is_invented
from metip.identifiers import PARSERS, VrmScheme, is_dummy_arrest_summons_number, vrm_period, vrm_scheme

AS_OF = date(2026, 11, 1)


@pytest.fixture(scope="module")
def population() -> Population:
    return Population().prepare()


def names_of(person: Person) -> Iterable[str]:
    yield from (person.surname, *person.forenames)
    for alias in person.aliases:
        yield from (alias.surname, *alias.forenames)


def test_every_name_is_invented(population: Population) -> None:
    assert all(is_invented(name) for person in population.people() for name in names_of(person))


@pytest.mark.parametrize(
    "name", ["Smith", "Patel", "O'Brien", "Smith-Zandle", "Khan", "Nguyen", "Olivia", "Mohammed", "Zandle", "Halford", ""]
)
def test_a_name_in_use_does_not_count_as_invented(name: str) -> None:
    assert not is_invented(name)


def test_every_postcode_is_of_an_area_that_does_not_exist(population: Population) -> None:
    for address in population.addresses():
        assert re.fullmatch("[A-Z]{1,2}[0-9R][0-9A-Z]? [0-9][A-Z]{2}", address.postcode), "the schema's own pattern"
        assert re.fullmatch("ZZ([1-9]|[12][0-9]|3[0-2]) .*", address.postcode)


def test_every_address_lies_in_the_sea(population: Population) -> None:
    for address in population.addresses():
        assert 690_000 <= address.easting <= 699_999, "Great Britain ends near easting 655500"
        assert 180_000 <= address.northing <= 189_999


def test_every_telephone_number_is_kept_for_drama(population: Population) -> None:
    numbers = {person.phone for person in population.people()} - {""}
    assert numbers
    assert all(re.fullmatch(r"020 7946 0[0-9]{3}|07700 900[0-9]{3}", number) for number in numbers)


def test_every_registration_mark_has_the_current_shape_and_an_age_that_was_never_issued(population: Population) -> None:
    for vehicle in population.vehicles():
        assert vrm_scheme(vehicle.vrm) is VrmScheme.CURRENT
        assert vrm_period(vehicle.vrm) is None


def test_every_vehicle_identification_number_has_a_maker_that_cannot_be(population: Population) -> None:
    assert all(vehicle.vin.startswith("000") for vehicle in population.vehicles())


def test_every_driver_number_has_a_letter_where_a_digit_must_be(population: Population) -> None:
    assert all(person.driver_number[13] == "X" for person in population.people() if person.driver_number)


# Kind, the values in the population, and the serial of one value with the lowest that no real one reaches.
SERIALS: dict[str, tuple[Callable[[Population], list[str]], Callable[[str], str], int]] = {
    "pnc_id": (lambda all_: [one.pnc_id for one in all_.people()], lambda text: text[5:12], 9_000_000),
    "cro": (lambda all_: [one.cro for one in all_.people()], lambda text: text[:6], 900_000),
    "arrest_summons_number": (lambda all_: [one.asn for one in all_.arrests()], lambda text: text[8:19], 99_000_000_000),
    "custody_number": (lambda all_: [one.custody_number for one in all_.arrests()], lambda text: text[5:11], 900_000),
    "court_case_reference": (lambda all_: [one.court_case_reference for one in all_.arrests()], lambda text: text[8:14], 900_000),
    "pti_urn": (lambda all_: [one.pti_urn for one in all_.arrests()], lambda text: text[4:9], 90_000),
    "cris_crime_reference": (lambda all_: [one.reference for one in all_.crimes()], lambda text: text[:7], 9_900_000),
    "cad_number": (lambda all_: [one.cad_number for one in all_.crimes()], lambda text: text[:5], 90_000),
    "merlin_reference": (lambda all_: [one.reference for one in all_.episodes()], lambda text: text[5:], 900_000),
    "uprn": (lambda all_: [str(one.uprn) for one in all_.addresses()], lambda text: text, 999_000_000_000),
    "usrn": (lambda all_: [str(one.usrn) for one in all_.addresses()], lambda text: text, 99_900_000),
}
PLAIN: dict[str, Callable[[Population], list[str]]] = {
    "vrm": lambda all_: [one.vrm for one in all_.vehicles()],
    "vin": lambda all_: [one.vin for one in all_.vehicles()],
    "driver_number": lambda all_: [one.driver_number for one in all_.people()],
    "force_station_code": lambda all_: [one.force_station for one in all_.addresses()],
    "court_code": lambda all_: [one.court_code for one in all_.arrests()],
}


@pytest.mark.parametrize("kind", SERIALS)
def test_every_identifier_is_canonical_and_has_a_serial_that_no_real_one_reaches(kind: str, population: Population) -> None:
    values, serial, lowest = SERIALS[kind]
    given_out = [value for value in values(population) if value]
    assert given_out
    assert all(PARSERS[kind](value).canonical == value for value in given_out)
    assert all(int(serial(value)) >= lowest for value in given_out)
    if kind != "usrn":
        assert len(set(given_out)) == len(given_out), "nobody shares an identifier"


@pytest.mark.parametrize("kind", PLAIN)
def test_every_other_identifier_is_canonical(kind: str, population: Population) -> None:
    given_out = [value for value in PLAIN[kind](population) if value]
    assert given_out
    assert all(PARSERS[kind](value).canonical == value for value in given_out)
    if kind in {"vrm", "vin", "driver_number"}:
        assert len(set(given_out)) == len(given_out), "nobody shares an identifier"


def test_records_are_of_years_in_which_no_serial_came_near(population: Population) -> None:
    years = {int(person.pnc_id[:4]) for person in population.people() if person.pnc_id}
    assert min(years) >= 1995
    assert max(years) <= AS_OF.year - 2


def test_no_arrest_has_a_dummy_number(population: Population) -> None:
    assert not any(is_dummy_arrest_summons_number(arrest.asn) for arrest in population.arrests())
