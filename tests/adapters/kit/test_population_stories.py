"""The story people of the shared population, and the searches that find anybody in it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.population import (
    STORIES,
    CirculationKind,
    EpisodeKind,
    EpisodeStatus,
    Population,
    VehicleReportKind,
)
from adapters.kit.population.stories import LAST

AS_OF = date(2026, 11, 1)


@pytest.fixture(scope="module")
def population() -> Population:
    return Population().prepare()


# The stories.


def test_the_known_offender_is_in_every_system(population: Population) -> None:
    person = population.person(STORIES["known_offender"])
    assert person.pnc_id
    assert person.cro
    assert person.aliases
    assert person.warning_signals == ("VI", "WE", "ST")
    (vehicle,) = population.vehicles_of(person)
    assert (vehicle.number, [report.open_air for report in vehicle.reports]) == (1, [False])
    (crime,) = population.crimes_of(person)
    assert (crime.number, crime.suspect_numbers, crime.victim_number) == (1, (1,), STORIES["stolen_vehicle_keeper"])
    (episode,) = population.episodes_of(person)
    assert (episode.number, episode.kind) == (2, EpisodeKind.ACN)
    (arrest,) = population.arrests_of(person)
    assert (arrest.number, arrest.charged, arrest.crime_number) == (1, True, 1)


def test_the_missing_child_is_missing_in_merlin_and_on_pnc(population: Population) -> None:
    child = population.person(STORIES["missing_child"])
    assert child.age_on(AS_OF) == 14
    assert child.guardian_number == STORIES["known_offender"]
    assert child.address_number == population.person(child.guardian_number).address_number
    assert [circulation.kind for circulation in child.circulations] == [CirculationKind.MISSING]
    missing, checklist = population.episodes_of(child)
    assert (missing.number, missing.kind, missing.status, missing.risk) == (1, EpisodeKind.MIS, EpisodeStatus.OPEN, "HIGH")
    assert missing.created_at.date() == AS_OF - timedelta(days=1)
    assert (checklist.number, checklist.kind) == (4, EpisodeKind.PAC)


def test_only_the_missing_child_is_circulated_as_missing(population: Population) -> None:
    circulated = [
        person.number
        for person in population.people()
        if any(circulation.kind is CirculationKind.MISSING for circulation in person.circulations)
    ]
    assert circulated == [STORIES["missing_child"]]


def test_the_restricted_victim_is_in_one_report_that_few_may_see(population: Population) -> None:
    (crime,) = population.crimes_of(population.person(STORIES["restricted_victim"]))
    assert (crime.number, crime.restricted, crime.suspect_numbers) == (2, True, ())


def test_the_wanted_person_is_wanted_and_keeps_a_vehicle(population: Population) -> None:
    person = population.person(STORIES["wanted"])
    assert [circulation.kind for circulation in person.circulations] == [CirculationKind.WANTED]
    assert [vehicle.insured for vehicle in population.vehicles_of(person)] == [False]
    assert [crime.number for crime in population.crimes_of(person)] == [4]
    assert [arrest.number for arrest in population.arrests_of(person)] == [2]


def test_the_person_without_trace_has_an_address_and_nothing_else(population: Population) -> None:
    person = population.person(STORIES["no_trace"])
    assert (person.pnc_id, person.cro, person.driver_number, person.circulations) == ("", "", "", ())
    assert not population.vehicles_of(person)
    assert not population.crimes_of(person)
    assert not population.episodes_of(person)
    assert not population.arrests_of(person)
    assert population.residents_of(population.address(person.address_number)) == (person,)
    assert all(crime.venue_number != person.address_number for crime in population.crimes())


def test_the_stories_of_names_are_hard_on_fields_of_fixed_width(population: Population) -> None:
    assert len(population.person(STORIES["long_name"]).surname) == 48
    assert "'" in population.person(STORIES["apostrophe"]).surname
    assert "-" in population.person(STORIES["hyphen"]).surname
    leap = population.person(STORIES["leap_day"])
    assert leap.date_of_birth == date(2000, 2, 29)
    assert [leap.age_on(day) for day in (date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29))] == [25, 26, 28]
    for story in ("long_name", "apostrophe", "hyphen", "leap_day"):
        assert population.person(STORIES[story]).pnc_id


def test_the_common_name_has_more_candidates_than_a_list_may_show(population: Population) -> None:
    person = population.person(STORIES["common_name"])
    found = population.find_people(person.surname, person.forenames[0], limit=100)
    assert len(found) == 24
    assert all(candidate.pnc_id for candidate in found)
    assert len({candidate.date_of_birth for candidate in found}) > 20


def test_the_keeper_of_the_stolen_vehicle_reported_it(population: Population) -> None:
    person = population.person(STORIES["stolen_vehicle_keeper"])
    assert not person.pnc_id
    (vehicle,) = population.vehicles_of(person)
    assert [report.kind for report in vehicle.reports] == [VehicleReportKind.LOST_STOLEN]
    assert [(crime.number, crime.vehicle_number) for crime in population.crimes_of(person)] == [(1, 0), (3, vehicle.number)]
    assert population.crime(3).reported_at.date() == vehicle.reports[0].reported_on


def test_the_adult_at_risk_is_known_to_merlin_only(population: Population) -> None:
    person = population.person(STORIES["adult_at_risk"])
    assert not person.pnc_id
    assert [(episode.number, episode.kind) for episode in population.episodes_of(person)] == [(3, EpisodeKind.ACN)]
    assert not population.crimes_of(person)


def test_story_people_are_in_nobody_elses_facts(population: Population) -> None:
    for crime in population.crimes()[6:]:
        assert min(crime.victim_number, *crime.suspect_numbers, 9_999) > LAST
    assert all(vehicle.keeper_number > LAST for vehicle in population.vehicles()[3:])
    assert all(episode.subject_number > LAST for episode in population.episodes()[4:])
    assert all(arrest.person_number > LAST for arrest in population.arrests()[2:])
    assert all(person.address_number > LAST for person in population.people()[LAST:])


# Searches.


@pytest.mark.parametrize("surname", ["O'Verzandle", "overzandle", "O VERZANDLE", "oVerzand", "O'V"])
def test_case_and_punctuation_make_no_difference_to_a_surname(surname: str, population: Population) -> None:
    assert population.person(STORIES["apostrophe"]) in population.find_people(surname, "galj", limit=100)


def test_an_alias_finds_the_person_after_those_who_bear_the_name(population: Population) -> None:
    found = population.find_people("Halquorve", limit=100)
    bearers = [person.surname == "Halquorve" for person in found]
    assert population.person(STORIES["known_offender"]) in found
    assert bearers == sorted(bearers, reverse=True)
    assert True in bearers


def test_whole_surnames_come_before_beginnings(population: Population) -> None:
    found = population.find_people("Halzerwick", limit=100)
    whole = [person.surname == "Halzerwick" for person in found]
    assert found[0].number == STORIES["known_offender"]
    assert whole == sorted(whole, reverse=True)


def test_a_date_of_birth_alone_is_enough(population: Population) -> None:
    assert population.person(STORIES["leap_day"]) in population.find_people(date_of_birth=date(2000, 2, 29))


def test_an_alias_with_a_birthday_of_its_own_is_found_by_it(population: Population) -> None:
    person, alias = next(
        (person, alias)
        for person in population.people()
        for alias in person.aliases
        if alias.date_of_birth not in (None, person.date_of_birth)
    )
    assert person in population.find_people(alias.surname, date_of_birth=alias.date_of_birth)


def test_sex_and_span_of_birth_bound_a_search(population: Population) -> None:
    found = population.find_people("H", sex="F", born_from=date(1980, 1, 1), born_to=date(1989, 12, 31), limit=1_000)
    expected = {
        person.number
        for person in population.people()
        if person.sex == "F" and person.surname.startswith("H") and 1980 <= person.date_of_birth.year <= 1989
    }
    assert expected
    assert expected <= {person.number for person in found}
    assert all(person.sex == "F" for person in found)


def test_a_search_gives_no_more_than_its_limit_and_each_person_once(population: Population) -> None:
    everybody = population.find_people("h", limit=10_000)
    assert len(everybody) == len(set(everybody)) > 100
    assert population.find_people("h", limit=21) == everybody[:21]
    assert population.find_people("h", limit=0) == ()


@pytest.mark.parametrize("surname", ["", "'", "  "])
def test_a_search_for_nothing_is_refused(surname: str, population: Population) -> None:
    with pytest.raises(ValueError, match=r"^a search needs a surname, a forename or a date of birth$"):
        population.find_people(surname)


def test_a_search_that_nobody_fits_is_empty(population: Population) -> None:
    assert population.find_people("Smith") == ()
    assert population.find_people("Halzerwick", date_of_birth=date(1900, 1, 1)) == ()


@settings(deadline=None, max_examples=50)
@given(number=st.integers(1, 3_000), length=st.integers(1, 8))
def test_everybody_is_found_by_the_beginning_of_both_names_and_the_birthday(number: int, length: int, population: Population) -> None:
    person = population.person(number)
    found = population.find_people(person.surname[:length], person.forenames[-1][:length], person.date_of_birth, limit=3_000)
    assert person in found


def test_everything_is_found_by_its_identifiers(population: Population) -> None:
    for person in population.people():
        assert not person.pnc_id or population.person_by_pnc_id(person.pnc_id) is person
        assert not person.cro or population.person_by_cro(person.cro) is person
        assert not person.driver_number or population.person_by_driver_number(person.driver_number) is person
    for vehicle in population.vehicles():
        assert population.vehicle(vehicle.vrm) is population.vehicle_by_vrm(vehicle.vrm) is vehicle
        assert population.vehicle_by_vin(vehicle.vin) is vehicle
    assert all(population.crime_by_reference(crime.reference) is crime for crime in population.crimes())
    assert all(population.episode_by_reference(episode.reference) is episode for episode in population.episodes())
    assert all(population.arrest_by_asn(arrest.asn) is arrest for arrest in population.arrests())


@pytest.mark.parametrize(
    "ask",
    [
        *("person_by_pnc_id", "person_by_cro", "person_by_driver_number", "vehicle", "vehicle_by_vrm", "vehicle_by_vin"),
        *("crime_by_reference", "episode_by_reference", "arrest_by_asn"),
    ],
)
def test_an_empty_or_unknown_identifier_finds_nothing(ask: str, population: Population) -> None:
    assert getattr(population, ask)("") is None
    assert getattr(population, ask)("2002/0073319Z") is None
