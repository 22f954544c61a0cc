"""Calls and units of control rooms: the population's own people, the same everywhere, with nothing of anybody real."""

from adapters.kit.population import STORIES, Population
from adapters.kit.population.control_rooms import UNITS, room_calls, units

POPULATION = Population()


def test_they_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    assert room_calls(POPULATION) == room_calls(Population())
    assert units(POPULATION) == units(Population())
    assert units(Population(seed=7)) != units(POPULATION)


def test_the_guardian_of_the_missing_child_called_first() -> None:
    first = room_calls(POPULATION)[0]
    assert first.caller.number == POPULATION.person(STORIES["missing_child"]).guardian_number
    assert (first.grade, first.crime_code) == ("I", "")


def test_victims_call_about_their_crimes_and_nobody_about_what_is_restricted() -> None:
    calls = room_calls(POPULATION)[1:]
    for call in calls:
        crime = POPULATION.crime(call.number - 1)
        assert not crime.restricted
        assert (call.caller.number, call.cad_number) == (crime.victim_number, crime.cad_number)
        assert call.opened_at < crime.reported_at
        assert call.grade in "ISER"


def test_callsigns_are_each_another_and_of_no_real_unit() -> None:
    found = units(POPULATION)
    assert len({one.callsign for one in found}) == UNITS
    assert all(one.callsign[2] == "9" and one.callsign.endswith("X") and one.easting >= 690_000 for one in found)
