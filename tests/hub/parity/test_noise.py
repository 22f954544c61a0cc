"""The test that tells a difference from noise, held against its definition and against how often it is wrong."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.parity.noise import ALPHA, ALPHA_UNSEEN, Sightings, is_proved, needed, one_sided, probability, wilson


def by_definition(seen: Sightings) -> float:
    """P(Y <= noisy) of the hypergeometric distribution, in whole numbers."""
    total, population = seen.differing + seen.noisy, seen.compared + seen.again
    ways = sum(math.comb(seen.again, one) * math.comb(seen.compared, total - one) for one in range(seen.noisy + 1) if total - one >= 0)
    return ways / math.comb(population, total)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 300), st.integers(1, 60), st.data())
def test_the_probability_is_that_of_the_definition(compared: int, again: int, data: st.DataObject) -> None:
    seen = Sightings(data.draw(st.integers(0, compared)), compared, data.draw(st.integers(0, again)), again)
    found = probability(seen)
    if seen.differing and seen.noisy * (compared + again) < (seen.differing + seen.noisy) * again:
        assert found == pytest.approx(by_definition(seen), rel=1e-6)
    else:
        assert found == 1.0


PROVED = {
    "rare and never of itself": (Sightings(100, 100_000, 0, 10_000), True),
    "rarer still": (Sightings(40, 100_000, 0, 10_000), False),
    "as often as noise": (Sightings(5_000, 100_000, 500, 10_000), False),
    "a little more than noise": (Sightings(5_200, 100_000, 500, 10_000), False),
    "much more than noise": (Sightings(6_500, 100_000, 500, 10_000), True),
    "always, and noise always": (Sightings(100_000, 100_000, 10_000, 10_000), False),
    "nothing asked again": (Sightings(50_000, 100_000, 0, 0), False),
    "twice only": (Sightings(2, 10, 0, 1_000), False),
    "less than noise": (Sightings(10, 100_000, 500, 10_000), False),
}


@pytest.mark.parametrize(("seen", "expected"), PROVED.values(), ids=PROVED)
def test_what_is_proved(seen: Sightings, expected: bool) -> None:
    assert is_proved(seen) is expected


def test_a_damage_that_only_one_side_shows_is_proved_without_second_answers() -> None:
    seen = Sightings(25, 10_000, 0, 0)
    assert is_proved(seen, reverse=0)
    assert not is_proved(seen, reverse=12)
    assert not is_proved(seen), "what has no direction needs second answers"
    assert not is_proved(Sightings(25, 10_000, 1, 5_000), reverse=0), "the primary does it itself"
    assert one_sided(25, 0) == pytest.approx(0.5**25)


def test_it_says_how_many_second_answers_would_prove_a_difference() -> None:
    seen = Sightings(20, 10_000, 0, 100)
    more = needed(seen)
    assert probability(Sightings(20, 10_000, 0, int(more * 1.02))) < ALPHA_UNSEEN
    assert probability(Sightings(20, 10_000, 0, int(more * 0.95))) > ALPHA_UNSEEN


@pytest.mark.parametrize("rate", [0.0005, 0.01, 0.3, 0.95])
def test_noise_that_is_looked_at_again_and_again_raises_hardly_ever_an_alarm(rate: float) -> None:
    dice, alarms, runs = random.Random(rate), 0, 60
    for _ in range(runs):
        counts = [0, 0, 0, 0]
        alarmed = False
        for number in range(2_000):
            counts[1] += 1
            counts[0] += dice.random() < rate
            if dice.random() < 0.1:
                counts[3] += 1
                counts[2] += dice.random() < rate
            if number % 20 == 0:
                alarmed = alarmed or is_proved(Sightings(*counts))
        alarms += alarmed
    assert alarms == 0
    assert ALPHA < ALPHA_UNSEEN


@pytest.mark.parametrize(
    ("count", "total", "lower", "upper"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962), (999, 1000, 0.9944, 0.9998)],
)
def test_intervals_are_wilsons(count: int, total: int, lower: float, upper: float) -> None:
    # Newcombe, Statistics in Medicine 17 (1998), and the formula by hand.
    assert list(wilson(count, total)) == pytest.approx([lower, upper], abs=1e-4)
