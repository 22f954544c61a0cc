"""What leads back by itself: quickly where something broke, never by chance, never by a machine's one pause."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.migration.breaches import of_errors, of_latency, of_parity
from hub.migration.figures import Tally, bounds
from hub.migration.plan import Watch
from hub.parity.evidence import Evidence

WATCH = Watch()


def calls(count: int, errors: int = 0, ms: float = 20.0, slow: int = 0) -> Tally:
    found = Tally()
    for place in range(count):
        found.take(14 if place < errors else 0, 2000.0 if place < slow else ms)
    return found


def compared(count: int, differing: int) -> Evidence:
    return Evidence("x", 0.0, count, differing, 1 - differing / count if count else 0.0, 0.0, (), 0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("count", "errors", "breached"), [(9, 9, False), (10, 1, False), (10, 2, True), (12, 12, True), (1000, 10, False), (1000, 40, True)]
)
def test_errors_of_the_new_platform_are_a_breach_once_they_are_certain(count: int, errors: int, breached: bool) -> None:
    assert (of_errors(WATCH, calls(100), calls(count, errors)) is not None) is breached


def test_errors_that_the_old_platform_has_too_are_none() -> None:
    assert of_errors(WATCH, calls(100, 50), calls(100, 50)) is None
    assert of_errors(WATCH, calls(100, 5), calls(100, 50)) is not None


@pytest.mark.parametrize(
    ("count", "differing", "breached"),
    [(4, 4, False), (5, 5, True), (5, 2, False), (20, 2, False), (20, 3, True), (500, 3, False), (500, 25, True)],
)
def test_answers_that_differ_are_a_breach_once_they_are_certain(count: int, differing: int, breached: bool) -> None:
    assert (of_parity(WATCH, compared(count, differing)) is not None) is breached
    assert of_parity(WATCH, None) is None


@pytest.mark.parametrize(("count", "slow", "breached"), [(9, 9, False), (10, 2, False), (10, 4, True), (100, 3, False), (100, 30, True)])
def test_slow_calls_are_a_breach_once_they_are_certain(count: int, slow: int, breached: bool) -> None:
    assert (of_latency(WATCH, calls(100), calls(count, slow=slow), 0.0) is not None) is breached


def test_what_is_slow_follows_the_old_platform_now_or_as_it_usually_is() -> None:
    new = calls(50, ms=900)
    assert of_latency(WATCH, calls(100, ms=400), new, 0.0) is None, "it is slow now too"
    assert of_latency(WATCH, calls(3, ms=400), new, 20.0) is not None, "too few calls now: as usual"
    assert of_latency(WATCH, calls(3, ms=400), new, 400.0) is None


def test_a_platform_within_its_budget_hardly_ever_steps_back() -> None:
    """Three hundred canaries at half of the budget, each looked at 150 times as its calls come in."""
    breached = 0
    for seed in range(300):
        chance, failed = random.Random(seed), 0
        for call in range(1, 1501):
            failed += chance.random() < 0.005
            if call % 10 == 0 and of_errors(WATCH, calls(100), tally(call, failed)):
                breached += 1
                break
    assert breached <= 9, "three in a hundred"


def tally(count: int, errors: int) -> Tally:
    """Calls whose times do not matter."""
    return Tally(count, errors)


@given(st.integers(0, 500), st.integers(1, 500))
def test_bounds_enclose_the_share_and_close_in(hits: int, more: int) -> None:
    of = hits + more
    low, high = bounds(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    narrower = bounds(hits * 4, of * 4)
    assert narrower[1] - narrower[0] < high - low


@given(st.lists(st.floats(1, 100_000), min_size=1, max_size=300))
def test_the_percentile_is_right_to_within_a_tenth(times: list[float]) -> None:
    found = Tally()
    for one in times:
        found.take(0, one)
    exact = sorted(times)[-(len(times) - -(-len(times) * 99 // 100)) - 1]
    assert exact * 0.999 <= found.p99_ms <= exact * 1.101
