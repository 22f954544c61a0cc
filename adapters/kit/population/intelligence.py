"""Makes intelligence reports, drawn from dice of their own: some of the people with a PNC record are what a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .dice import Dice
from .population import Population
from .records import Record

REPORTS = 60
_TEXTS = (
    "Said to sell stolen cycles from a lock-up behind the shops.",
    "Seen with others near the place of several thefts from vans.",
    "Is believed to carry a knife when out at night.",
    "Is thought to drive although disqualified.",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Report(Record):
    """An intelligence report, graded 3x5x2 (College of Policing, Authorised Professional Practice). Times are UTC."""

    number: int
    subject_number: int
    text: str
    source: str
    """1 to 3."""
    information: str
    """A to E."""
    handling: str
    """P or C."""
    conditions: str
    submitted_at: datetime
    restricted: bool


def intelligence_reports(population: Population) -> tuple[Report, ...]:
    """All of them. The first is about the known offender and open to everybody, the second about the wanted man and restricted."""
    return tuple(_report(population, number) for number in range(1, REPORTS + 1))


def _report(population: Population, number: int) -> Report:
    dice = Dice(f"{population.scale.seed}/intelligence/{number}")
    subject = {1: 1, 2: 4}.get(number) or population.arrest(dice.between(3, population.scale.arrests)).person_number
    handling = "C" if number > 1 and dice.chance(25) else "P"
    return Report(
        number=number,
        subject_number=subject,
        text=dice.pick(_TEXTS),
        source=dice.pick("123"),
        information=dice.pick("ABCDE"),
        handling=handling,
        conditions="Not to be shared outside the force." if handling == "C" else "",
        submitted_at=population.scale.before(dice, 1, 690),
        restricted=number == 2 or (number > 2 and dice.chance(10)),
    )
