"""Student officers: the same at each start, adults, with numbers that nobody has, and no draw of anybody else's changed."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from adapters.kit.population import Population
from adapters.kit.population.learners import JUST_MOVED, LEARNERS, NOT_BEGUN, UNIVERSITIES, WITHDRAWN, Learner, learners
from metip.identifiers import parse_learner_id, parse_uln


@pytest.fixture(scope="module")
def population() -> Population:
    return Population()


@pytest.fixture(scope="module")
def everybody(population: Population) -> tuple[Learner, ...]:
    return learners(population)


def test_there_are_as_many_as_promised_and_each_is_somebody_else(everybody: tuple[Learner, ...]) -> None:
    assert len(everybody) == LEARNERS
    for name in ("learner_id", "warrant_number", "uln"):
        assert len({getattr(one, name) for one in everybody}) == LEARNERS
    assert len({one.person.number for one in everybody}) == LEARNERS


def test_they_come_out_the_same_at_each_start(everybody: tuple[Learner, ...]) -> None:
    again = learners(Population())
    assert [astuple(one)[2:] for one in again] == [astuple(one)[2:] for one in everybody]


def test_numbers_are_valid_and_belong_to_nobody_real(everybody: tuple[Learner, ...]) -> None:
    for one in everybody:
        assert parse_uln(one.uln).canonical == one.uln
        assert one.uln.startswith("0")
        assert parse_learner_id(one.learner_id).valid
        assert one.university in UNIVERSITIES


def test_they_are_adults_and_what_is_told_of_them_fits(population: Population, everybody: tuple[Learner, ...]) -> None:
    for one in everybody:
        assert one.person.age_on(population.scale.as_of) >= 18
        assert one.started_on < one.expected_end_on
        assert all((result.mark >= 40) == (result.outcome == "P") for result in one.results)
        assert (one.withdrawn_on is None) == (one.withdrawal_reason == 0)
        assert bool(one.levy_id) == (one.route == "PCDA")


def test_those_on_whom_others_count_are_as_they_are_told(everybody: tuple[Learner, ...]) -> None:
    assert everybody[WITHDRAWN - 1].withdrawn_on is not None
    assert everybody[NOT_BEGUN - 1].results == ()
    assert everybody[JUST_MOVED - 1].withdrawn_on is None
