"""What is counted with each call, as plain numbers: outcomes, and how long it took. Turning them into metrics waits until somebody asks.

A call pays for a search in a short table and two additions; a metrics library's own counters cost some ten times that, with a lock.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final

CALLS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, for what somebody waits for."""
DELIVERIES: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0)
"""Upper bounds, in seconds, for what may take until a system is back."""


class Spread:
    """How many fell under each bound. Of one thread; others may read it, and see it a call early or late."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = CALLS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """By bound, each without those below; the last holds what is above all of them."""
        self.total = 0.0
        """Seconds of all together."""

    def add(self, seconds: float) -> None:
        """Counts one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)


class Counted:
    """Calls of one kind: how they ended, and how long they took."""

    __slots__ = ("outcomes", "spread")

    def __init__(self, bounds: Sequence[float] = CALLS) -> None:
        self.outcomes: Counter[str] = Counter()
        self.spread = Spread(bounds)

    def ended(self, outcome: str, seconds: float) -> None:
        """Counts one that ended."""
        self.outcomes[outcome] += 1
        self.spread.add(seconds)
