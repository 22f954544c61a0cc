"""How big a population is, the seed it comes from, and the day on which everything stands as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from .dice import Dice
from .reserved import CAPACITY


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale:
    """How many there are of everything. Nothing here or made from here ever looks at the clock."""

    seed: int = 2026
    as_of: date = date(2026, 11, 1)
    people: int = 3_000
    addresses: int = 1_500
    vehicles: int = 2_500
    crimes: int = 2_000
    episodes: int = 600
    arrests: int = 800
    now: datetime = field(init=False)
    """The first instant of the day on which everything stands as it is told."""

    def __post_init__(self) -> None:
        """Raises ValueError for a count that leaves no room for the stories or goes beyond the reserved ranges."""
        least = {"people": 100, "addresses": 50, "vehicles": 3, "crimes": 10, "episodes": 10, "arrests": 2}
        for name, low in least.items():
            if not low <= getattr(self, name) <= CAPACITY:
                raise ValueError(f"{name} must lie in {low}..{CAPACITY}")
        # Before, the person born on 29 February 2000 would not be of age; after, identifiers run out of years.
        if not 2020 <= self.as_of.year <= 2099:
            raise ValueError("as_of must lie in 2020..2099")
        object.__setattr__(self, "now", datetime.combine(self.as_of, time(), UTC))

    def before(self, dice: Dice, least_days: int, most_days: int) -> datetime:
        """An instant, to the minute, that many days before `now`."""
        return self.now - timedelta(minutes=dice.between(least_days * 1_440, most_days * 1_440))
