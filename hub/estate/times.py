"""Times of calls in buckets that add up and can be taken off again, and percentiles of them: ours, and those of Envoy's histograms."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

EXACT: Final = 20
"""Milliseconds up to which each has a bucket of its own; Envoy's log counts in whole ones."""
STEP: Final = 1.05
LONGEST: Final = 24 * 3600 * 1000
BOUNDS: Final = (
    *range(EXACT + 1),
    *(EXACT * STEP**step for step in range(1, math.ceil(math.log(LONGEST / EXACT) / math.log(STEP)) + 1)),
)
"""The longest time of each bucket, in milliseconds: to within a twentieth. What takes longer than the last counts as that."""
SHOWN: Final = tuple(float(f"{bound:.3g}") for bound in BOUNDS)
"""The same to three figures, as people are told."""
Times: TypeAlias = Mapping[int, int]
"""Calls by bucket."""
Buckets: TypeAlias = Sequence[tuple[float, int]]
"""A histogram as Envoy gives it: the upper bound of each bucket, rising, and how many values are no greater than it."""


def bucket_of(ms: float) -> int:
    """The bucket of a time in milliseconds."""
    return min(bisect_left(BOUNDS, ms), len(BOUNDS) - 1)


def percentiles(times: Times, shares: Sequence[float]) -> list[float]:
    """For each share, rising, the time in milliseconds within which that share of calls ended, to three figures; 0 without calls."""
    if len(times) == 1:
        return [SHOWN[next(iter(times))]] * len(shares)
    calls, found, counted = sum(times.values()), list[float](), 0
    wanted = iter(shares)
    rank = math.ceil(next(wanted) * calls)
    for bucket in sorted(times):
        counted += times[bucket]
        while counted >= rank and calls:
            found.append(SHOWN[bucket])
            share = next(wanted, None)
            if share is None:
                return found
            rank = math.ceil(share * calls)
    return found + [0.0] * (len(shares) - len(found))


def between(before: Buckets, after: Buckets) -> list[tuple[float, int]]:
    """What came to a histogram between two readings; all of it where it began anew. Buckets that only one of them has are told apart by
    what lies below them."""
    known = dict(before)
    if any(known.get(bound, 0) > count for bound, count in after):
        return list(after)
    found, last = list[tuple[float, int]](), 0
    for bound, count in after:
        last = known.get(bound, last)
        found.append((bound, count - last))
    return found


def percentile(buckets: Buckets, share: float) -> float:
    """The time within which that share of a histogram's values lie, evenly spread within each bucket; 0 where there are none."""
    total = buckets[-1][1] if buckets else 0
    if total <= 0:
        return 0.0
    rank, lower, below = share * total, 0.0, 0
    for bound, count in buckets:
        if count >= rank and count > below:
            top = bound if math.isfinite(bound) else lower
            return lower + (top - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    return lower
