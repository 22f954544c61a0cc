"""Draws that come out the same in every process and every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import blake2b
from struct import unpack
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """The draws of one entity, from a seed of its own, so that it can be made without making any other.

    A hash of the seed gives sixteen numbers of 32 bits, which are spent one a draw; the hash of the seed with a counter gives the next
    sixteen. `random.Random` would do as well, but takes longer to seed than most entities take to make. A number modulo a small count
    favours the low outcomes by less than one part in ten thousand, which no simulator can tell.
    """

    __slots__ = ("_numbers", "_refills", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._refills = 0
        self._numbers: list[int] = []

    def _more(self) -> list[int]:
        self._numbers = list(unpack("<16I", blake2b(f"{self._seed}#{self._refills}".encode()).digest()))
        self._refills += 1
        return self._numbers

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1; count is at most a million."""
        return (self._numbers or self._more()).pop() % count

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + (self._numbers or self._more()).pop() % (high - low + 1)

    def chance(self, percent: int) -> bool:
        """True that many times in a hundred."""
        return (self._numbers or self._more()).pop() % 100 < percent

    def pick(self, items: Sequence[T]) -> T:
        """One item, each as likely as the others."""
        return items[(self._numbers or self._more()).pop() % len(items)]

    def pick_early(self, items: Sequence[T]) -> T:
        """One item, the earlier of two draws, so that early ones are likelier than late ones, as with surnames."""
        count = len(items)
        one = (self._numbers or self._more()).pop() % count
        other = (self._numbers or self._more()).pop() % count
        return items[min(one, other)]

    def some(self, items: Sequence[T], count: int) -> tuple[T, ...]:
        """Up to `count` different items, at least one, in the order of `items`."""
        chosen = {self.below(len(items)) for _ in range(count)}
        return tuple(items[index] for index in sorted(chosen))

    def day(self, first: date, last: date) -> date:
        """A day from first to last, both included."""
        return first + timedelta(days=self.below((last - first).days + 1))
