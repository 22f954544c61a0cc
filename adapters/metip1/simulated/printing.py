"""How the simulated bus prints values, and reads what it is asked: on purpose not the adapter's own code, so that neither hides the
other's mistakes.

Its quirks (assumed, all of them): days as dd/mm/yyyy, with years of two digits in Merlin's service; London's clock without a zone; names
in capitals, cut after 30 letters; codes as numbers filled with zeros in PNC's services, as words padded with spaces in the other two.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.population import Address, Person
from adapters.kit.population.name_index import folded
from adapters.metip1.wire import Record

LONDON = ZoneInfo("Europe/London")
LETTERS = 30
PADDED = 30


@dataclass
class Refused(Exception):
    """What the bus says instead of an answer: its code, and words that name people, as the real one's do."""

    code: str
    words: str


def said(**items: Any) -> Record:
    """A record without what is not said."""
    return {name: value for name, value in items.items() if value not in (None, "", [], {})}


def name(text: str) -> str:
    """A part of a name."""
    return text.upper()[:LETTERS].rstrip()


def named(surname: str, forenames: Iterable[str]) -> Record:
    """A name."""
    return said(Forename=[name(one) for one in forenames], Surname=name(surname))


def yes(true: bool) -> str:
    """A flag."""
    return "Y" if true else "N"


def number(value: int) -> str:
    """A number of PNC's services."""
    return f"{value:04d}"


def code(position: int) -> str:
    """A code of PNC's services, by its place in the contract's list."""
    return f"{position:02d}"


def word(text: str) -> str:
    """A code of the other services."""
    return text.ljust(PADDED)


def day(on: date | None) -> str:
    """A day, empty for none."""
    return f"{on:%d/%m/}{on.year:04d}" if on else ""


def short_day(on: date | None) -> str:
    """The same with a year of two digits."""
    return f"{on:%d/%m/%y}" if on else ""


def local(at: datetime) -> datetime:
    """The instant on London's clock."""
    return at.astimezone(LONDON)


def moment(at: datetime | None) -> str:
    """An instant, empty for none."""
    return f"{day(local(at))} {local(at):%H:%M:%S}" if at else ""


def short_moment(at: datetime | None) -> str:
    """The same with a year of two digits."""
    return f"{short_day(local(at))} {local(at):%H:%M:%S}" if at else ""


def in_lines(home: Address) -> Record:
    """An address of PNC's services, which has no small letters."""
    return said(Lines={"Line": [line.upper() for line in home.lines]}, PostCode=home.postcode)


def in_parts(home: Address, secondary: str) -> Record:
    """An address of the other services."""
    parts = said(Secondary=secondary, Primary=str(home.house), Street=home.street, Town=home.town, UPRN=str(home.uprn))
    return said(Structured=parts, PostCode=home.postcode)


def cut(record: Any) -> Any:
    """A record that was sent in, as the bus keeps it: names as it prints them."""
    if isinstance(record, Mapping):
        return {key: name(one) if key == "Surname" else one if key != "Forename" else _cut(one) for key, one in _cut_inside(record)}
    return [cut(one) for one in record] if isinstance(record, list) else record


def _cut(value: Any) -> Any:
    return [name(one) for one in value] if isinstance(value, list) else name(value)


def _cut_inside(record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((key, cut(one) if isinstance(one, (Mapping, list)) else one) for key, one in record.items())


# Questions


def asked_day(text: str) -> date | None:
    """A whole day of a question, None where it is none or not whole. Raises `Refused` for one that no calendar has."""
    found = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if found is None or "00" in (found[1], found[2]) or found[3] == "0000":
        return None
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise Refused("MB1001", f"{text} IS NO DAY") from None


def bounds(text: str, *, short: bool = False) -> tuple[date, date] | None:
    """The first and the last day that a day of a question may mean, whose day and month may be unknown; None where it says nothing."""
    found = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{2})" if short else "([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if found is None or not text.strip("0/"):
        return None
    on, month, year = int(found[1]), int(found[2]), int(found[3])
    if short:
        year += 2000 if 2000 + year <= datetime.now(LONDON).year else 1900
    try:
        first = date(year, month or 1, on or 1)
        if month and on:
            return first, first
        after = date(year + 1, 1, 1) if not month or month == 12 else date(year, month + 1, 1)
    except ValueError:
        raise Refused("MB1001", f"{text} IS NO DAY") from None
    return first, after - timedelta(days=1)


def most(question: Record, otherwise: int, at_most: int) -> int:
    """How many records an answer may have."""
    return min(int(question.get("MaxRecords", "0")) or otherwise, at_most)


def fits(person: Person, surname: str, forenames: str) -> bool:
    """Whether a person of the population has such a name: the bus knows 30 letters of it."""
    family, given = folded(name(person.surname)), [folded(name(one)) for one in person.forenames]
    wanted = iter(given)
    return family == folded(surname[:LETTERS]) and all(any(one.startswith(folded(start)) for one in wanted) for start in forenames.split())
