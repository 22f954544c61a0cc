"""What CRIS refuses, as plain functions (assumed, all of it)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import TypeVar

from adapters.cris import records
from adapters.cris.codes import DETS, METHOD, Code, Page, Problem, Status
from adapters.cris.records import Day
from adapters.kit.population.codes import OFFENCES
from adapters.kit.population.places import BOROUGHS

Problems = Iterator[tuple[str, Problem]]
Numbered = TypeVar("Numbered", records.Party, records.PropertyLine)
CLASSES: Mapping[str, str] = MappingProxyType({offence.classification: offence.title for offence in reversed(OFFENCES)})
RETIRED = frozenset({"045/01", "037/01"})
"""Home Office classes that once were in CRIS's list."""
PAGES = frozenset(Page)


@dataclass
class Refusal(Exception):
    """What CRIS says instead of an answer: a code and, where fields are to blame, which and why."""

    code: Code
    errors: tuple[tuple[str, Problem], ...] = ()


def check_search(asked: records.Search) -> None:
    """Refuses days that do not exist and a time that ends before it begins."""
    first, last = asked.committed_from, asked.committed_to
    problems = [
        (name, Problem.FORMAT)
        for name, day in (("COMMITTED_FROM", first), ("COMMITTED_TO", last), ("DATE_OF_BIRTH", asked.date_of_birth))
        if day and not _exists(day)
    ]
    if not problems and first and last and last < first:
        problems = [("COMMITTED_TO", Problem.ORDER)]
    _refuse(problems)


def check_entry(asked: records.AddDet) -> None:
    """Refuses a page that CRIS does not have and a text that is empty or too long."""
    problems = [("PAGE", Problem.UNKNOWN_CODE)] if asked.page not in PAGES else []
    if not asked.text.strip():
        problems.append(("TEXT", Problem.REQUIRED))
    if len(asked.text) > DETS:
        problems.append(("TEXT", Problem.TOO_LONG))
    _refuse(problems)


def check_sheet(sheet: records.Sheet, root: str, now: datetime) -> None:
    """Refuses a sheet with codes, days or texts that CRIS can't take; `root` is the group's name on the wire."""
    if sheet.class_code in RETIRED:
        raise Refusal(Code.RETIRED_CLASS, ((f"{root}.CLASS_CODE", Problem.UNKNOWN_CODE),))
    _refuse([(f"{root}.{path}", problem) for path, problem in _sheet_problems(sheet, now)])


def check_open(report: records.Report) -> None:
    """Refuses to change a report that is screened out."""
    if report.status == Status.SCREENED_OUT:
        raise Refusal(Code.CLOSED)


def merged(held: tuple[Numbered, ...], sent: tuple[Numbered, ...], path: str) -> tuple[Numbered, ...]:
    """What is held with what is sent: number 0 is added under the next free number, another replaces what has it or is refused."""
    result = {_key(item): item for item in held}
    problems = []
    for place, item in enumerate(sent, 1):
        if item.number and _key(item) not in result:
            problems.append((f"{path}[{place}].NUMBER", Problem.UNKNOWN_CODE))
            continue
        taken = [number for role, number in result if role == _key(item)[0]]
        named = item if item.number else replace(item, number=max(taken, default=0) + 1)
        result[_key(named)] = named
    _refuse(problems)
    return tuple(result.values())


def _key(item: records.Party | records.PropertyLine) -> tuple[str, int]:
    """What an item is known by: people are numbered within their role."""
    return (item.role if isinstance(item, records.Party) else "", item.number)


def _sheet_problems(sheet: records.Sheet, now: datetime) -> Problems:
    if sheet.borough not in BOROUGHS:
        yield "BOROUGH", Problem.UNKNOWN_CODE
    if sheet.class_code not in CLASSES:
        yield "CLASS_CODE", Problem.UNKNOWN_CODE
    if len(sheet.mo_text) > METHOD:
        yield "MO_TEXT", Problem.TOO_LONG
    yield from _period_problems(sheet.committed, now)
    for place, party in enumerate(sheet.parties, 1):
        born = party.person.date_of_birth
        if born and not _exists(born):
            yield f"PARTIES[{place}].PERSON.DATE_OF_BIRTH", Problem.FORMAT
        elif born and (born.year, born.month, born.day) > (now.year, now.month, now.day):
            yield f"PARTIES[{place}].PERSON.DATE_OF_BIRTH", Problem.FUTURE


def _period_problems(period: records.Period, now: datetime) -> Problems:
    last_day = period.to_date or period.from_date
    if not all(_exists(day) and day.year and day.month and day.day for day in (period.from_date, last_day)):
        yield "COMMITTED", Problem.FORMAT
        return
    first = _moment(period.from_date, period.from_time or time.min)
    if first > now:
        yield "COMMITTED", Problem.FUTURE
    elif _moment(last_day, period.to_time or time.max) < first:
        yield "COMMITTED", Problem.ORDER


def _moment(day: Day, at: time) -> datetime:
    return datetime.combine(date(day.year, day.month, day.day), at)


def _exists(day: Day) -> bool:
    """Whether some date has the parts that are known; 2000 stands for an unknown year since it has a 29 February."""
    try:
        date(day.year or 2000, day.month or 1, day.day or 1)
    except ValueError:
        return False
    return True


def _refuse(problems: list[tuple[str, Problem]]) -> None:
    if problems:
        raise Refusal(Code.INVALID, tuple(problems))
