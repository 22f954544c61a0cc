"""The codec of CRIS's documents: a record to the XML element that carries it, and back, with no I/O.

The law: a field's element is the field's name in capitals; nothing is an attribute; only the root has a namespace. What is empty has no
element. Dates are dd/mm/yyyy with 00 (and 0000) for parts that are unknown, times HH:MM, instants both with seconds and without a zone.
Elements that no record has are passed over, so that a later release of CRIS may add some. Errors name elements, never what they hold.
"""

import re
from datetime import datetime, time
from typing import Final, TypeVar, get_args

from lxml import etree

from adapters.cris import records
from adapters.cris.records import NAMESPACE, Day
from adapters.kit.binding import Documents, Kind, WireError, standing_alone
from adapters.kit.soap import Element
from adapters.kit.texts import TEXT, flag, matching

__all__ = ["WireError", "action", "question", "read", "write"]

T = TypeVar("T")


def _day(text: str) -> Day:
    found = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if not found:
        raise ValueError
    return Day(int(found[3]), int(found[2]), int(found[1]))


def _print_day(day: Day) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - CRIS prints local time; translate.py gives it its zone


KINDS: Final = {
    str: TEXT,
    int: Kind(lambda text: int(matching("[0-9]{1,12}").read(text)), str, "int"),
    bool: Kind(flag().read, flag().write, "bool"),
    Day: Kind(_day, _print_day, "day"),
    time: Kind(lambda text: datetime.strptime(text, "%H:%M").time(), lambda at: at.strftime("%H:%M"), "time"),  # noqa: DTZ007 - as above
    datetime: Kind(_instant, lambda at: at.strftime("%d/%m/") + f"{at.year:04d}" + at.strftime(" %H:%M:%S"), "datetime"),
}
DOCUMENTS: Final = Documents(
    *standing_alone(records),
    texts=KINDS,
    named=lambda field, several: f"{field.upper()}/ITEM" if several else field.upper(),
    prefixes={NAMESPACE: {"cris": NAMESPACE}},
    unqualified=True,
    place=lambda _, field: field,
)
ROOTS: Final = {kind: root for root, kind in DOCUMENTS.kinds.items()}
QUESTIONS: Final = {ROOTS[kind]: kind for kind in get_args(records.Question)}
write = DOCUMENTS.element_of


def read(kind: type[T], element: Element) -> T:
    """The record of a root element. Raises `WireError` when it is another document, lacks something or holds nonsense."""
    if element.tag != f"{{{NAMESPACE}}}{ROOTS[kind]}":
        raise WireError("the document", f"is no {ROOTS[kind]}")
    return DOCUMENTS.record_of(element, kind)


def action(kind: type) -> str:
    """The SOAPAction of a question."""
    return f"{NAMESPACE}#{ROOTS[kind]}"


def question(element: Element) -> records.Question:
    """Reads whichever question a root element asks. Raises `WireError`."""
    name = etree.QName(element).localname
    if name not in QUESTIONS:
        raise WireError("the document", "is no question that CRIS knows")
    asked: records.Question = read(QUESTIONS[name], element)
    return asked
