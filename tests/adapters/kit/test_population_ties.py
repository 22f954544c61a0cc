"""Ties of the population, the intelligence reports among them, plain documents, and finding by plain words."""

from collections import Counter

import pytest

from adapters.kit.population import STORIES, Population, finding
from adapters.kit.population import documents as plain
from adapters.kit.population.intelligence import REPORTS, intelligence_reports
from adapters.kit.population.ties import Tie, Ties


@pytest.fixture(scope="module")
def population() -> Population:
    return Population().prepare()


@pytest.fixture(scope="module")
def ties(population: Population) -> Ties:
    return Ties(population)


def test_what_is_tied_to_the_known_offender(ties: Ties) -> None:
    home, vehicle = Tie("address", 1, "resident"), Tie("vehicle", 1, "keeper")
    crime, arrest, report = Tie("crime", 1, "suspect"), Tie("arrest", 1, "detained"), Tie("report", 1, "subject")
    assert ties.of("person", STORIES["known_offender"]) == (home, vehicle, crime, arrest, report)
    assert ties.of("person", 999_999) == ()


def test_every_tie_goes_both_ways(ties: Ties, population: Population) -> None:
    counts = {"person": population.scale.people, "crime": population.scale.crimes, "arrest": population.scale.arrests, "report": REPORTS}
    counts |= {"vehicle": population.scale.vehicles, "address": population.scale.addresses}
    one_way = Counter(
        ((kind, number), tie) for kind, count in counts.items() for number in range(1, count + 1) for tie in ties.of(kind, number)
    )
    back = Counter(((tie.kind, tie.number), Tie(*thing, tie.role)) for thing, tie in one_way.elements())
    assert one_way == back
    assert len(one_way) > 10_000


def test_what_is_hidden(ties: Ties, population: Population) -> None:
    victim = STORIES["restricted_victim"]
    assert ties.hidden("person", victim)
    assert ties.hidden("address", victim)
    assert [number for number in range(1, 8) if ties.hidden("crime", number)] == [2]
    assert [number for number in (1, 2) if ties.hidden("report", number)] == [2]
    assert not ties.hidden("vehicle", 2)
    behind = [arrest for arrest in population.arrests() if ties.hidden("arrest", arrest.number)]
    assert behind
    assert all(population.crime(arrest.crime_number).restricted for arrest in behind)


def test_reports_are_the_same_each_time_and_about_recorded_people(population: Population) -> None:
    reports = intelligence_reports(population)
    assert reports == intelligence_reports(Population())
    assert [one.subject_number for one in reports[:2]] == [STORIES["known_offender"], STORIES["wanted"]]
    assert all(population.person(one.subject_number).pnc_id for one in reports)
    assert all((one.handling == "C") == bool(one.conditions) for one in reports)
    assert {one.source for one in reports} == set("123")
    assert {one.information for one in reports} == set("ABCDE")


def test_documents_say_what_is_known_and_nothing_else(population: Population) -> None:
    nobody = population.person(STORIES["no_trace"])
    assert plain.identifiers(nobody) == {}
    assert plain.signals(nobody) == []
    long = plain.identity(population.person(STORIES["long_name"]))["name"]["familyName"]
    assert (len(long), long) == (35, "Winxondale-Hartzolbright-Estervazel")
    wanted = population.person(STORIES["wanted"])
    assert plain.identifiers(wanted)["pncId"] == wanted.pnc_id[2:]
    assert "." not in plain.offence(population.crime(1))["committedFrom"]


def test_people_are_found_by_name_day_and_number(population: Population) -> None:
    wanted = population.person(STORIES["wanted"])
    assert finding.people(population, {"familyName": "Pemquillox", "dateOfBirth": str(wanted.date_of_birth.year)}) == [wanted.number]
    assert finding.people(population, {"familyName": "Pemquillox", "dateOfBirth": "1901-01-01"}) == []
    assert finding.people(population, {"pncId": wanted.pnc_id[2:]}) == [wanted.number]
    assert finding.people(population, {"pncId": "21/23U"}) == []


def test_vehicles_and_addresses_are_found_by_what_is_on_them(population: Population) -> None:
    vehicle, address = population.vehicle_numbered(7), population.address(40)
    assert finding.vehicles(population, {"vrm": f"{vehicle.vrm[:4]} {vehicle.vrm[4:]}".lower()}) == [7]
    assert finding.vehicles(population, {"vin": vehicle.vin}) == [7]
    assert finding.vehicles(population, {"vin": "X"}) == []
    assert 40 in finding.addresses(population, {"postcode": address.postcode.split()[0]})
    assert finding.addresses(population, {"street": address.street[:4], "primary": str(address.house), "uprn": address.uprn}) == [40]
    assert finding.addresses(population, {"postcode": address.postcode, "street": "Nowhere"}) == []
    assert not {
        number for number in finding.addresses(population, {"postcode": "ZZ1"}) if population.address(number).postcode[:4] == "ZZ10"
    }
