"""Incidents and units of the shared population: each is the same thing that other systems know."""

import re

import pytest

from adapters.kit.population import STORIES, Population
from adapters.kit.population.incidents import (
    FIRST_TODAY,
    TYPES,
    incident_of_arrest,
    incident_of_crime,
    incident_of_episode,
    incidents,
    incidents_of_stories,
)
from adapters.kit.population.units import NUMBERS, units, units_of
from metip.identifiers import parse_cad_number

POPULATION = Population()
ALL = incidents(POPULATION)


def test_no_two_incidents_have_the_same_number_and_all_numbers_are_real_in_form_and_in_nobodys_range() -> None:
    numbers = [one.cad_number for one in ALL]
    assert len(set(numbers)) == len(numbers)
    assert all(parse_cad_number(number).canonical == number for number in numbers)
    assert min(int(number.partition("/")[0]) for number in numbers) > FIRST_TODAY + 9_000


def test_the_incident_of_a_crime_has_the_crimes_own_number_place_and_victim() -> None:
    for number in range(1, 200):
        crime, incident = POPULATION.crime(number), incident_of_crime(POPULATION, number)
        if incident is not None:
            assert (incident.cad_number, incident.opened_at) == (crime.cad_number, crime.reported_at)
            assert incident.caller == POPULATION.person(crime.victim_number)
            assert incident.venue == POPULATION.address(crime.venue_number)
            assert incident.crime_reference == crime.reference


def test_restricted_crimes_and_reports_have_no_incident() -> None:
    crimes = [number for number in range(1, 2_001) if POPULATION.crime(number).restricted]
    episodes = [number for number in range(1, 601) if POPULATION.episode(number).restricted]
    assert crimes
    assert episodes
    assert [incident_of_crime(POPULATION, number) for number in crimes] == [None] * len(crimes)
    assert [incident_of_episode(POPULATION, number) for number in episodes] == [None] * len(episodes)


def test_the_vehicle_that_was_taken_is_named_by_its_mark() -> None:
    incident = incident_of_crime(POPULATION, 3)
    assert incident is not None
    assert incident.caller == POPULATION.person(STORIES["stolen_vehicle_keeper"])
    assert POPULATION.vehicle_numbered(2).vrm in incident.text


def test_the_missing_child_is_missing_from_home_and_the_guardian_called() -> None:
    incident = incident_of_episode(POPULATION, 1)
    assert incident is not None
    child = POPULATION.person(STORIES["missing_child"])
    assert incident.caller == POPULATION.person(child.guardian_number)
    assert (incident.grade, incident.outcome, child.forenames[0] in incident.text) == ("I", "", True)


def test_the_arrest_is_linked_to_the_crime_behind_it_and_names_the_custody_record() -> None:
    incident, crime = incident_of_arrest(POPULATION, 1), POPULATION.crime(1)
    assert (incident.linked_to, incident.crime_reference) == (crime.cad_number, crime.reference)
    assert POPULATION.arrest(1).custody_number in incident.outcome
    assert incident.caller is None


def test_demonstrations_have_their_four_incidents() -> None:
    assert [one.cad_number for one in incidents_of_stories(POPULATION)] == [
        "97919/22SEP26",
        "93757/29OCT26",
        "77919/01OCT26",
        "87919/31OCT26",
    ]


def test_incidents_are_told_in_the_order_in_which_they_were_opened() -> None:
    assert [one.opened_at for one in ALL] == sorted(one.opened_at for one in ALL)
    assert {one.type_code for one in ALL} <= TYPES


@pytest.mark.parametrize("unit", ["", "ZD21"])
def test_a_log_begins_with_its_opening_and_ends_closed_if_something_was_done(unit: str) -> None:
    for incident in ALL[:300]:
        course = list(incident.course(unit))
        minutes = [at for at, _, _ in course]
        assert course[0][:2] == (0, "OPN")
        assert minutes == sorted(minutes)
        assert (course[-1][1] == "CLO") == bool(incident.outcome)
        assert any(kind == "ASG" for _, kind, _ in course) == bool(unit)


def test_some_logs_have_a_line_that_is_retracted_by_a_later_one() -> None:
    course = next(list(one.course("")) for one in ALL if one.venue.number % 10 == 0)
    (retraction,) = [values for _, kind, values in course if kind == "RET"]
    assert course[retraction["line_number"] - 1][1] == "RMK"


def test_each_station_has_its_units_and_they_stand_in_its_borough() -> None:
    every = units(POPULATION)
    assert len({one.call_sign for one in every}) == len(every) == 32 * len(NUMBERS)
    assert all(one.force_station == f"01{one.borough}" and one.call_sign in units_of(one.borough) for one in every)
    assert all(re.fullmatch("[A-Z]{2}[0-9]{2}", one.call_sign) and 690_000 <= one.easting < 700_000 for one in every)
