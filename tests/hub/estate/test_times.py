"""Times in buckets, percentiles of them, and Envoy's histograms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.estate.times import BOUNDS, between, bucket_of, percentile, percentiles


def counted(times: list[float]) -> dict[int, int]:
    found: dict[int, int] = {}
    for ms in times:
        found[bucket_of(ms)] = found.get(bucket_of(ms), 0) + 1
    return found


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_within_a_twentieth_or_a_millisecond_of_the_true_one(times: list[float], share: float) -> None:
    true = sorted(times)[math.ceil(share * len(times)) - 1]
    (found,) = percentiles(counted(times), [share])
    assert true * 0.995 <= found <= max(true * 1.05, true + 1) * 1.005, "told to three figures"


def test_several_percentiles_are_found_at_once_and_are_none_without_calls() -> None:
    assert percentiles(counted([float(ms) for ms in range(1, 21)]), (0.5, 0.95, 0.99)) == [10.0, 19.0, 20.0]
    assert percentiles({}, (0.5, 0.99)) == [0.0, 0.0]


def test_what_takes_longer_than_the_last_bucket_counts_in_it() -> None:
    assert bucket_of(1e12) == len(BOUNDS) - 1


HISTOGRAMS = {
    "nothing": ([], 0.5, 0.0),
    "evenly spread in one bucket": ([(10.0, 0), (20.0, 100)], 0.5, 15.0),
    "in the second bucket": ([(1.0, 50), (5.0, 90), (10.0, 100)], 0.9, 5.0),
    "beyond the last bound": ([(1.0, 1), (math.inf, 2)], 0.99, 1.0),
}


@pytest.mark.parametrize(("buckets", "share", "expected"), HISTOGRAMS.values(), ids=HISTOGRAMS)
def test_a_percentile_of_a_histogram_lies_within_its_bucket(buckets: list[tuple[float, int]], share: float, expected: float) -> None:
    assert percentile(buckets, share) == pytest.approx(expected)


def test_what_came_between_two_readings_of_a_histogram_is_told_alone() -> None:
    before, after = [(1.0, 10), (5.0, 10), (10.0, 10)], [(1.0, 10), (5.0, 110), (10.0, 110)]
    assert between(before, after) == [(1.0, 0), (5.0, 100), (10.0, 100)]
    assert 1 < percentile(between(before, after), 0.5) < 5


def test_a_histogram_that_began_anew_counts_whole() -> None:
    assert between([(1.0, 50), (5.0, 60)], [(1.0, 2), (5.0, 3)]) == [(1.0, 2), (5.0, 3)]
