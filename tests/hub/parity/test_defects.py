"""Seeded defects are found and named by field, and noise raises no alarm: six thousand pairs, or METIP_PARITY_PAIRS=100000 of them."""

import os
import random
from typing import Any

import pytest
from people_defects import NOISE, PERSON, TWELVE, off_by_one, shuffled
from people_pairs import INTERFACE, OPERATION, People, Population

from hub.parity import Comparator, Finding
from hub.parity.evidence import FieldVerdict

pytestmark = pytest.mark.timeout(900 if "METIP_PARITY_PAIRS" in os.environ else 300)
PAIRS = int(os.environ.get("METIP_PARITY_PAIRS", "6000"))
SHARE = 240 / PAIRS
"""Of pairs that have one of the defects: 240 in any number, which is 1 in 417 of a hundred thousand."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people"))


def verdicts(comparator: Comparator) -> dict[str, FieldVerdict]:
    return {one.field: one for one in comparator.evidence(INTERFACE).fields}


def test_twelve_defects_are_each_found_and_named_by_field_with_no_alarm_from_five_noisy_fields(people: People) -> None:
    comparator = Comparator(people.contracts)
    noise = {name: (share, change) for name, (share, change, _) in NOISE.items()}
    defects = {name: (SHARE, change) for name, (change, *_) in TWELVE.items()}
    for pair in Population(people, noise, defects).pairs(PAIRS):
        comparator.take(pair)
    found, evidence = verdicts(comparator), comparator.evidence(INTERFACE)
    assert not comparator.failed
    assert evidence.compared == PAIRS
    for name, (_, field, kind, hint) in TWELVE.items():
        verdict = found[field]
        assert verdict.finding is Finding.FINDING, (name, verdict)
        assert kind in verdict.kinds, (name, verdict)
        assert any(hint in one for one in verdict.hints) or not hint, (name, verdict)
        assert verdict.confidence > 0.999, (name, verdict)
    for name, (_, _, field) in NOISE.items():
        assert found[field].finding is Finding.NOISE, (name, found[field])
    expected = {field for _, field, _, _ in TWELVE.values()} | {f"{PERSON}.name.family_name"}
    assert {field for field, one in found.items() if one.finding is Finding.FINDING} == expected
    share = 1 - (1 - SHARE) ** len(TWELVE)
    assert evidence.differing / PAIRS == pytest.approx(share, rel=0.2)


def test_noise_alone_raises_no_alarm(people: People) -> None:
    for seed in range(2):
        comparator = Comparator(people.contracts)
        noise = {name: (share, change) for name, (share, change, _) in NOISE.items()}
        for pair in Population(people, noise, {}).pairs(2000, seed):
            comparator.take(pair)
        assert {one.field for one in verdicts(comparator).values() if one.finding is Finding.FINDING} == set()
        assert comparator.evidence(INTERFACE).parity > 0.99


def test_a_defect_in_a_noisy_field_is_found_by_its_number_where_it_looks_like_the_noise(people: People) -> None:
    def changed(message: Any, dice: random.Random) -> None:
        message.nominals[0].circulations[0].text = "FORM"

    comparator = Comparator(people.contracts)
    for pair in Population(people, {"some": (0.2, shuffled)}, {"defect": (0.2, changed)}, again=0.3).pairs(3000):
        comparator.take(pair)
    assert verdicts(comparator)["nominals[].circulations[].text"].finding is Finding.FINDING


def test_a_rare_defect_in_a_noisy_field_is_found_by_its_look(people: People) -> None:
    def cut(message: Any, dice: random.Random) -> None:
        message.nominals[0].circulations[0].text = message.nominals[0].circulations[0].text[:4]

    comparator = Comparator(people.contracts)
    for pair in Population(people, {"some": (0.2, shuffled)}, {"defect": (0.02, cut)}).pairs(4000):
        comparator.take(pair)
    verdict = verdicts(comparator)["nominals[].circulations[].text"]
    assert verdict.finding is Finding.FINDING
    assert verdict.hints[0] == "truncated at 4"


def test_a_rare_defect_is_found_among_a_hundred_thousand(people: People) -> None:
    # Equal answers cost nothing to make, so that the numbers are the real ones.
    comparator = Comparator(people.contracts)
    population = Population(people, {}, {"rare": (1.0, off_by_one)}, again=0.0)
    defects, (true, *_) = list(population.pairs(100)), Population(people, {}, {}, again=1.0).pairs(1)
    for number in range(100_000):
        if number % 1000 == 0:
            comparator.take(defects[number // 1000])
        else:
            comparator.take(true if number % 10 == 0 or number % 1000 == 1 else _once(true))
    verdict = verdicts(comparator)[f"{PERSON}.date_of_birth"]
    assert (verdict.differing, verdict.finding) == (100, Finding.FINDING)
    assert verdict.operation == OPERATION


def _once(pair: Any) -> Any:
    from dataclasses import replace

    return replace(pair, again=None)
