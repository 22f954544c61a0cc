"""Keeps the people and addresses that have been made, and finds somebody fit for a part in what happens."""

from __future__ import annotations

from collections.abc import Callable

from . import stories
from .dice import Dice
from .people import make_person
from .places import make_address
from .records import Address, Person
from .scale import Scale


class Cast:
    """The people and addresses of a population, each made when first asked for and then kept."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._people: dict[int, Person] = {}
        self._addresses: dict[int, Address] = {}

    def person(self, number: int) -> Person:
        """The person of a number. Raises LookupError when there is none."""
        person = self._people.get(number)
        if person is None:
            if not 1 <= number <= self.scale.people:
                raise LookupError(f"people are numbered 1 to {self.scale.people}")
            person = self._people[number] = make_person(self.scale, number)
        return person

    def address(self, number: int) -> Address:
        """The address of a number. Raises LookupError when there is none."""
        address = self._addresses.get(number)
        if address is None:
            if not 1 <= number <= self.scale.addresses:
                raise LookupError(f"addresses are numbered 1 to {self.scale.addresses}")
            address = self._addresses[number] = make_address(self.scale, number)
        return address

    def home(self, person: Person) -> Address:
        """Where a person lives."""
        return self.address(person.address_number)

    def anyone(self, dice: Dice) -> Person:
        """Somebody who is in no story."""
        return self.person(dice.between(stories.LAST + 1, self.scale.people))

    def someone(self, dice: Dice, fit: Callable[[Person], bool]) -> Person:
        """Somebody fit for a part and in no story: the first from a drawn number on, and round again.

        Raises LookupError when nobody fits.
        """
        first, count = stories.LAST + 1, self.scale.people - stories.LAST
        start = dice.between(0, count - 1)
        for offset in range(count):
            person = self.person(first + (start + offset) % count)
            if fit(person):
                return person
        raise LookupError("nobody in this population fits the part")
