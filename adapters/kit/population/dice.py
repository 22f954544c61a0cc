"""Draws that come out the same in every process and every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """The draws of one entity, from a seed of its own, so that it can be made without making any other.

    Python promises the same results across versions for `Random.random` and for seeding with a string, and for nothing
    else in that module; so everything here is made of `random()` alone.
    """

    __slots__ = ("_draw",)

    def __init__(self, seed: str) -> None:
        self._draw = Random(seed).random  # noqa: S311  invented people need repeatable draws, not unguessable ones

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._draw() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the probability given."""
        return self._draw() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One item, each as likely as the others."""
        return items[int(self._draw() * len(items))]

    def pick_early(self, items: Sequence[T]) -> T:
        """One item, the early ones far likelier than the late ones, as with surnames."""
        draw = self._draw()
        return items[int(draw * draw * len(items))]

    def some(self, items: Sequence[T], count: int) -> tuple[T, ...]:
        """Up to `count` different items, in the order of `items`."""
        chosen = {int(self._draw() * len(items)) for _ in range(count)}
        return tuple(item for index, item in enumerate(items) if index in chosen)

    def day(self, first: date, last: date) -> date:
        """A day from first to last, both included."""
        return first + timedelta(days=self.between(0, (last - first).days))
