"""Finds people by the beginnings of their names, aliases included, as an operator at a terminal types them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from .records import Person


class _Entry(NamedTuple):
    """One name of one person, folded for comparison. Sorted, names with the same beginning are neighbours."""

    surname: str
    number: int
    alias: bool
    forenames: tuple[str, ...]
    born: date


def folded(name: str) -> str:
    """A name as it is compared: small letters and digits, nothing else."""
    plain = name.casefold()
    return plain if plain.isalnum() else "".join(character for character in plain if character.isalnum())


class NameIndex:
    """Every name in use and every alias, in alphabetical order."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._entries = sorted(entry for person in people for entry in _entries(person))

    def find(self, surname: str, forename: str, born: tuple[date, date]) -> Iterable[int]:
        """Numbers of the people who fit, best first, each once; `born` bounds the date of birth on both sides.

        Raises ValueError when nothing bounds the search.
        """
        wanted, given = folded(surname), tuple(map(folded, forename.split()))
        if not wanted and not given and born == (date.min, date.max):
            raise ValueError("a search needs a surname, a forename or a date of birth")
        fit = [
            (entry.surname != wanted, entry.alias, entry.number)
            for entry in self._beginning(wanted)
            if born[0] <= entry.born <= born[1] and all(any(name.startswith(start) for name in entry.forenames) for start in given)
        ]
        return dict.fromkeys(number for _, _, number in sorted(fit))

    def _beginning(self, start: str) -> Iterable[_Entry]:
        """The entries whose surname begins with `start`."""
        low = bisect_left(self._entries, start, key=lambda entry: entry.surname)
        # No folded name holds a character as high as this one, so it ends all that begin with `start`.
        high = bisect_left(self._entries, start + "\uffff", key=lambda entry: entry.surname)
        return self._entries[low:high]


def _entries(person: Person) -> Iterable[_Entry]:
    yield _Entry(folded(person.surname), person.number, False, tuple(map(folded, person.forenames)), person.date_of_birth)
    for alias in person.aliases:
        # An alias without a date of birth of its own was used with the real one.
        born = alias.date_of_birth or person.date_of_birth
        yield _Entry(folded(alias.surname), person.number, True, tuple(map(folded, alias.forenames)), born)
