"""Licences and things that were reported: the same everywhere, at one with the rest of the population, and nobody's real ones."""

import datetime
import hashlib
from collections.abc import Iterator

import pytest

from adapters.kit.population import STORIES, Person, Population
from adapters.kit.population.driving import Licence, licence_of
from adapters.kit.population.reserved import engine_number
from adapters.kit.population.things import KINDS, THINGS, things
from metip.identifiers import PARSERS

ENDS = {"FIREARM": "MET", "TRAILER": "000MET", "PLANT": "000MET", "MARINE": "ZZ", "ANIMAL": "999"}


@pytest.fixture(scope="module")
def population() -> Population:
    return Population().prepare()


@pytest.fixture(scope="module")
def licences(population: Population) -> list[tuple[Person, Licence]]:
    return list(_licensed(population))


def _licensed(population: Population) -> Iterator[tuple[Person, Licence]]:
    for person in population.people():
        licence = licence_of(population, person)
        assert (licence is None) == (not person.driver_number)
        if licence is not None:
            yield person, licence


def test_licences_and_things_are_the_same_everywhere(licences: list[tuple[Person, Licence]], population: Population) -> None:
    told = repr([sorted(vars(one).items()) for one in things(population)])
    told += repr([(one.status, one.valid_to, [vars(each) for each in one.endorsements]) for _, one in licences])
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "0650e307da7bc3b6"


def test_the_wanted_person_is_disqualified_and_the_known_offender_has_points(population: Population) -> None:
    wanted = licence_of(population, population.person(STORIES["wanted"]))
    offender = licence_of(population, population.person(STORIES["known_offender"]))
    assert wanted is not None
    assert offender is not None
    assert wanted.disqualification is not None
    assert (wanted.status, offender.status) == ("DISQUALIFIED", "CURRENT")
    assert [one.points > 0 for one in offender.endorsements] == [True]


def test_a_licence_agrees_with_itself(licences: list[tuple[Person, Licence]], population: Population) -> None:
    today = population.scale.as_of
    for person, licence in licences:
        assert person.date_of_birth < licence.valid_from < licence.valid_to
        assert (licence.status == "EXPIRED") == (licence.valid_to < today and licence.disqualification is None)
        assert all(one.committed_on < one.convicted_on <= today for one in licence.endorsements)
        if licence.disqualification is not None:
            assert licence.disqualification.start <= today <= licence.disqualification.end
            assert licence.disqualification.start in [one.convicted_on for one in licence.endorsements if not one.points]


def test_licences_differ(licences: list[tuple[Person, Licence]]) -> None:
    assert {one.status for _, one in licences} == {"CURRENT", "REVOKED", "DISQUALIFIED"}
    assert {len(one.endorsements) for _, one in licences} >= {0, 1, 2}
    assert {one.provisional for _, one in licences} == {True, False}


def test_a_licence_of_somebody_of_more_than_seventy_runs_on(population: Population) -> None:
    old = next(person for person in population.people() if person.driver_number and person.age_on(population.scale.as_of) > 75)
    licence = licence_of(population, old)
    assert licence is not None
    assert population.scale.as_of <= licence.valid_to <= population.scale.as_of + datetime.timedelta(days=4 * 366)


def test_no_real_thing_has_the_number_of_one_here(population: Population) -> None:
    found = things(population)
    assert len({one.serial_number for one in found}) == len(found) == THINGS
    assert all(one.serial_number.startswith(ENDS[one.kind]) and one.serial_number.isalnum() for one in found)
    assert all(PARSERS["vin"](one.serial_number).valid for one in found if one.kind in ("TRAILER", "PLANT"))


def test_the_first_thing_of_each_kind_is_stolen(population: Population) -> None:
    first = things(population)[: len(KINDS)]
    assert [one.kind for one in first] == list(KINDS)
    assert {(one.report, one.open_air) for one in first} == {("STOLEN", True)}


def test_engines_have_numbers_of_their_own() -> None:
    numbers = {engine_number(number) for number in range(1, 2_501)}
    assert len(numbers) == 2_500
    assert all(number.startswith("000MET") for number in numbers)
