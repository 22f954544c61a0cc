"""Driving licences of the people who have a driver number: what they may drive, and what stands against it.

Drawn from dice of their own, so that nobody's other facts hang on them. Endorsement codes and points are the licensing agency's (general
knowledge); kinds and statuses are spelt as in the PNC contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .dice import Dice
from .population import Population
from .records import Person, Record
from .stories import STORIES

# Code, points, fine in pence.
_OFFENCES = (("SP30", 3, 10_000), ("CU80", 6, 20_000), ("IN10", 6, 30_000), ("CD10", 4, 25_000), ("TS10", 3, 10_000))
_DRINK = ("DR10", 0, 50_000)
"""Drink driving: a disqualification takes the place of points."""
_COURTS = ("2576", "2732")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Endorsement(Record):
    """An offence on a licence; `court_code` is '' for a fixed penalty."""

    code: str
    committed_on: date
    convicted_on: date
    court_code: str
    points: int
    fine_pence: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Disqualification(Record):
    """A time in which somebody may not drive, its last day included."""

    start: date
    end: date
    until_test: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Licence(Record):
    """The licence of a person who has a driver number."""

    person_number: int
    provisional: bool
    status: str
    """CURRENT, EXPIRED, REVOKED or DISQUALIFIED."""
    valid_from: date
    valid_to: date
    categories: tuple[str, ...]
    endorsements: tuple[Endorsement, ...]
    disqualification: Disqualification | None


def licence_of(population: Population, person: Person) -> Licence | None:
    """Somebody's licence, None without a driver number. The wanted person of the stories is disqualified, the known offender has points."""
    if not person.driver_number:
        return None
    as_of = population.scale.as_of
    dice = Dice(f"{population.scale.seed}/licence/{person.number}")
    valid_from = person.date_of_birth + timedelta(days=17 * 366 + dice.between(0, 700))
    valid_from = min(valid_from, as_of - timedelta(days=30))
    endorsements = tuple(_endorsement(dice, as_of, *dice.pick(_OFFENCES)) for _ in range(_count(dice, person)))
    disqualification = None
    if person.number == STORIES["wanted"] or (person.number > len(STORIES) and dice.chance(2)):
        banned = _endorsement(dice, as_of - timedelta(days=60), *_DRINK)
        endorsements = (*endorsements, banned)
        end = max(banned.convicted_on + timedelta(days=dice.between(1, 3) * 365), as_of + timedelta(days=90))
        disqualification = Disqualification(start=banned.convicted_on, end=end, until_test=dice.chance(50))
    provisional = person.number > len(STORIES) and dice.chance(8)
    valid_to = _seventieth(person.date_of_birth, as_of)
    status = "DISQUALIFIED" if disqualification else "EXPIRED" if valid_to < as_of else "REVOKED" if dice.chance(1) else "CURRENT"
    return Licence(
        person_number=person.number,
        provisional=provisional,
        status=status,
        valid_from=valid_from,
        valid_to=valid_to,
        categories=("B",) if provisional else ("AM", "B", "C1") if dice.chance(10) else ("AM", "B"),
        endorsements=endorsements,
        disqualification=disqualification,
    )


def _count(dice: Dice, person: Person) -> int:
    drawn = dice.below(100)
    return 1 if person.number == STORIES["known_offender"] else 0 if drawn < 80 else 1 if drawn < 95 else 2


def _endorsement(dice: Dice, before: date, code: str, points: int, fine: int) -> Endorsement:
    """An offence of the three years before a day, dealt with some weeks later."""
    committed = before - timedelta(days=dice.between(100, 3 * 365))
    return Endorsement(
        code=code,
        committed_on=committed,
        convicted_on=committed + timedelta(days=dice.between(20, 90)),
        court_code=dice.pick(_COURTS) if points == 0 or dice.chance(40) else "",
        points=points,
        fine_pence=fine,
    )


def _seventieth(born: date, as_of: date) -> date:
    """The day before somebody turns 70; from then on a licence is renewed for three years."""
    birthday = date(born.year + 70, born.month, min(born.day, 28))
    if birthday <= as_of:
        birthday = date(as_of.year + 1 + (born.year % 3), born.month, min(born.day, 28))
    return birthday - timedelta(days=1)
