"""Student officers: adults of the population who study to become constables, with dice of their own.

Unique Learner Numbers begin with 0, as none that is issued does; provider numbers are from 19,999,901, above all that are allocated
(assumed).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from metip.identifiers import build_uln

from .dice import Dice
from .population import Population
from .records import Person, Record
from .stories import LAST

LEARNERS = 120
WITHDRAWN, JUST_MOVED, NOT_BEGUN = 2, 3, 4
"""Learners on whom tests and demonstrations may count: one who left, one who changed cohort, one without any result."""
UNIVERSITIES = ("19999901", "19999902", "19999903", "19999904")
COHORTS = ("2025-09-A", "2026-03-A", "2026-09-A")
_ROUTES = (("PCDA", "PP-BSC", 3), ("DHEP", "PP-GDIP", 2), ("DHEPD", "PP-GDIP-D", 2), ("PREJ", "PP-BA", 3), ("IPLDP", "PP-CERT", 2))
_MODULES = ("PS401", "PS402", "PS403", "PS404")
_OUTCOME_BELOW_PASS, _PASS, _CREDITS = "FR", 40, 20
_REASONS = (2, 3, 40, 42, 43, 44, 97)
# A prime that divides no power of ten, so that neighbours do not look alike.
_STEP = 7_919_969


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(Record):
    """The result of one attempt at a module."""

    module: str
    attempt: int
    mark: int
    outcome: str
    """P passed, F failed, R referred."""
    credits: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Learner(Record):
    """A student officer as the learning partner knows them."""

    number: int
    person: Person
    learner_id: str
    warrant_number: str
    uln: str
    route: str
    programme: str
    cohort: str
    university: str
    started_on: date
    expected_end_on: date
    results: tuple[Result, ...]
    attendance: int
    """Percent."""
    portfolio: str
    """N not begun, I in progress, S submitted, A achieved."""
    patrol_on: date | None
    """First day of patrol alone."""
    levy_id: str
    adjustments: bool
    withdrawn_on: date | None
    withdrawal_reason: int
    """Code of the Individualised Learner Record; 0 for somebody who has not left."""


def learners(population: Population) -> tuple[Learner, ...]:
    """All of them, as they stand on the population's day."""
    day = population.scale.as_of
    adults = (one for one in map(population.person, range(LAST + 1, population.scale.people + 1)) if 18 <= one.age_on(day) <= 45)
    return tuple(_learner(population, number, person) for number, person in zip(range(1, LEARNERS + 1), adults, strict=False))


def _learner(population: Population, number: int, person: Person) -> Learner:
    dice = Dice(f"{population.scale.seed}/learner/{number}")
    route, programme, years = dice.pick(_ROUTES)
    cohort = dice.pick(COHORTS)
    started = date(int(cohort[:4]), int(cohort[5:7]), 7)
    results = () if number == NOT_BEGUN else tuple(_result(dice, module) for module in _MODULES[: dice.between(1, len(_MODULES))])
    portfolio = "N" if number == NOT_BEGUN else dice.pick("IISA")
    left = number == WITHDRAWN or (number > NOT_BEGUN and dice.chance(6))
    return Learner(
        number=number,
        person=person,
        learner_id=f"LX26{number:05d}",
        warrant_number=f"P{700_000 + number}",
        uln=_uln(number),
        route=route,
        programme=programme,
        cohort=f"{route}-{cohort}",
        university=dice.pick(UNIVERSITIES),
        started_on=started,
        expected_end_on=started.replace(year=started.year + years),
        results=results,
        attendance=dice.between(70, 100),
        portfolio=portfolio,
        patrol_on=started + timedelta(days=dice.between(200, 300)) if portfolio == "A" else None,
        levy_id=f"LEVY{9_000_000 + number}" if route == "PCDA" else "",
        adjustments=dice.chance(10),
        withdrawn_on=population.scale.as_of - timedelta(days=dice.between(10, 40)) if left else None,
        withdrawal_reason=dice.pick(_REASONS) if left else 0,
    )


def _result(dice: Dice, module: str) -> Result:
    mark = dice.between(25, 90)
    passed = mark >= _PASS
    outcome = "P" if passed else dice.pick(_OUTCOME_BELOW_PASS)
    return Result(module=module, attempt=1, mark=mark, outcome=outcome, credits=_CREDITS if passed else 0)


def _uln(number: int) -> str:
    """One in eleven runs of nine digits belongs to no number; then the next one that does."""
    serial = number * _STEP % 90_000_000
    while True:
        try:
            return build_uln(serial)
        except ValueError:
            serial += 1
