"""People drawn for a load: who they are, and which of them have a case for the courts."""

from collections import Counter
from pathlib import Path

import pytest

from adapters.kit.population import Population
from adapters.kit.population.standing import Standing, standing
from adapters.kit.simulation import Dials
from adapters.kit.simulation.running import Control
from adapters.kit.simulation.subjects import subjects
from metip.simulator.v1.simulator_service_pb2 import DrawSubjectsRequest

CONTRACT = Path(__file__).parents[4] / "protos" / "metip" / "simulator" / "v1" / "simulator_service.proto"
POPULATION = Population()
EVERYBODY = list(subjects(POPULATION, POPULATION.scale.people, 1))
CHARGED = [one for one in EVERYBODY if "charge_asn" in one]


def test_nobody_is_drawn_again_before_everybody_was() -> None:
    twice = list(subjects(Population(people=100), 200, 1))
    assert set(Counter(one["driver_number"] + one["date_of_birth"] for one in twice if "driver_number" in one).values()) == {2}
    assert twice[:100] != twice[100:]


def test_a_seed_draws_the_same_people_and_another_draws_others() -> None:
    assert list(subjects(POPULATION, 50, 7)) == list(subjects(POPULATION, 50, 7)) != list(subjects(POPULATION, 50, 8))


def test_a_charge_is_that_of_a_case_which_no_court_has_decided() -> None:
    assert len(CHARGED) > 100
    for one in CHARGED:
        arrest = POPULATION.arrest_by_asn(one["charge_asn"])
        assert arrest is not None
        assert standing(arrest) is Standing.OPEN
        assert (arrest.pti_urn, [offence.cjs_code for offence in arrest.offences]) == (one["charge_pti_urn"], [one["charge_code"]])
        assert POPULATION.person(arrest.person_number).pnc_id == one["pnc_id"]


def test_no_two_people_have_one_case() -> None:
    assert len({one["charge_pti_urn"] for one in CHARGED}) == len(CHARGED)


@pytest.mark.asyncio
async def test_a_load_that_is_drawn_waits_for_nothing_that_is_made_when_first_asked() -> None:
    population = Population(people=100)
    control = Control("example", "", Dials({}, seed=1), population)
    await control.DrawSubjects(DrawSubjectsRequest(numbers=[1]), None)
    made = set(vars(population))
    await control.DrawSubjects(DrawSubjectsRequest(count=1), None)
    assert {"_names", "_by_vrm"} <= set(vars(population)) - made
    prepared = set(vars(population))
    population.find_people(surname="A")
    assert set(vars(population)) == prepared


@pytest.mark.parametrize("fact", sorted(set().union(*EVERYBODY) - {"arrest_month", "arrest_day"}))
def test_every_fact_is_listed_in_the_contract(fact: str) -> None:
    assert f"`{fact}`" in CONTRACT.read_text(encoding="utf-8")
