"""What platforms did, counted: calls, failures and times, in small pieces that add up, and how sure one can be of a share of them."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import grpc

STEP: Final = math.log(1.1)
"""Times are kept to within a tenth."""
SHARP: Final = 3.29
"""Standard errors by which a breach must be certain (99.9 %): it is looked for several times a second."""
FAILURES: Final = frozenset(
    status.value[0]
    for status in (
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    )
)
"""Statuses that a platform is to blame for; the others are answers to what was asked."""


@dataclass(slots=True)
class Tally:
    """Calls that one system answered in some time."""

    calls: int = 0
    errors: int = 0
    times: Counter[int] = field(default_factory=Counter)
    """Calls by the logarithm of their milliseconds, in steps of a tenth."""

    def take(self, status: int, ms: float) -> None:
        """Counts one call."""
        self.calls += 1
        self.errors += status in FAILURES
        self.times[_bucket(ms)] += 1

    def add(self, other: "Tally") -> None:
        """Counts what another one did."""
        self.calls += other.calls
        self.errors += other.errors
        self.times.update(other.times)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of times in milliseconds; 0 without calls."""
        left = self.calls - math.ceil(self.calls * 0.99)
        for bucket in sorted(self.times, reverse=True):
            left -= self.times[bucket]
            if left < 0:
                return math.exp(bucket * STEP)
        return 0.0

    def slower(self, ms: float) -> int:
        """Calls that took longer, by their bucket."""
        most = _bucket(ms)
        return sum(count for bucket, count in self.times.items() if bucket > most)


def _bucket(ms: float) -> int:
    return math.ceil(math.log(max(ms, 1.0)) / STEP)


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    found = Tally()
    for one in tallies:
        found.add(one)
    return found


def bounds(hits: int, of: int, z: float = SHARP) -> tuple[float, float]:
    """Wilson's interval of a share; 0 to 1 where nothing was counted."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, z * z / of
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt((share * (1 - share) + square / 4) / of) / (1 + square)
    return (max(0.0, middle - half) if hits else 0.0), (min(1.0, middle + half) if hits < of else 1.0)
