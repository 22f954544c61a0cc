"""Single values of this contract as every far system behind it has them: numbers in print, bounds of days, characters; pure.

Reading never guesses: what does not parse is kept as it was received. Writing refuses, by the field's path in the request.
"""

import calendar
import datetime
import textwrap
from collections.abc import Callable
from typing import Final, Protocol

from metip import identifiers
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CourtCaseReference, CroNumber, PncId
from metip.common.v1.pole_pb2 import AddressLines
from metip.common.v1.time_pb2 import CivilDate
from metip.faults import Fault, Reason

# What telephones and word processors type for characters that the host has. Other characters outside Latin-1 are refused: the host would
# drop them or store something else.
TYPED: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032", "'") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"))

LINE, LINES = 35, 5


class Identifier(Protocol):
    """An identifier of the shared contract."""

    value: str
    as_received: str


def invalid(path: str, problem: str) -> Fault:
    """A refusal of one field, before the host is asked."""
    return Fault(Reason.INVALID_REQUEST, f"{path} {problem}", fields=((path, problem),))


def bound_day(date: CivilDate, path: str, *, last: bool) -> datetime.date | None:
    """A bound of a range: unknown parts become the first or the last day that they allow; None for an open side.

    Raises `Fault` INVALID_REQUEST for a day that does not exist or whose month is unknown.
    """
    if not date.year:
        if date.month or date.day:
            raise invalid(path, "has no year")
        return None
    if date.day and not date.month:
        raise invalid(path, "has a day but no month")
    month = date.month or (12 if last else 1)
    day = date.day or (calendar.monthrange(date.year, month)[1] if last else 1)
    try:
        return datetime.date(date.year, month, day)
    except ValueError:
        raise invalid(path, "is no day of the calendar") from None


def latin(text: str) -> bool:
    """Whether every character is one of Latin-1, which is all that PNC has and all that a header may hold."""
    return all(ord(character) < 0x100 for character in text)


def provenance(system: str, at: datetime.datetime, *, more: bool = False) -> Provenance:
    """Where an answer is from, and as of when."""
    source = Provenance(system=system, truncated=more)
    source.as_of.FromDatetime(at)
    return source


def typed(text: str, path: str) -> str:
    """A text with plain apostrophes and hyphens. Raises `Fault` INVALID_REQUEST for any other that is not a printable one of Latin-1."""
    plain = text.translate(TYPED)
    if not latin(plain) or not plain.isprintable():
        raise invalid(path, "holds a character that the host does not have")
    return plain


def address_lines(text: str) -> AddressLines:
    """An address of one run of text as lines, one for each part between commas; none is lost, but more than five share the last."""
    lines = [line for part in text.split(",") if part.strip() for line in textwrap.wrap(part.strip(), LINE)]
    if len(lines) > LINES:
        lines[LINES - 1 :] = [" ".join(lines[LINES - 1 :])]
    return AddressLines(line=lines)


# The canonical form is the contract's; what is printed is PNC's own form, which its successor kept.


def pnc_id_text(number: PncId) -> str:
    """`yy/nL`, as updates and replies to them have it."""
    return _text(number, identifiers.short_pnc_id)


def read_pnc_id(text: str, today: datetime.date) -> PncId:
    """Two digits of a year later than today's mean the last century."""
    parsed = identifiers.parse_pnc_id(text, today=today)
    return PncId(value=parsed.canonical) if parsed.valid else PncId(as_received=text)


def cro_text(number: CroNumber) -> str:
    """As the contract has it."""
    return _text(number, str)


def read_cro(text: str) -> CroNumber | None:
    """None for blanks. A number of the older small file (`SF…`) has no canonical form in the contract and stays as received."""
    if not text:
        return None
    canonical = identifiers.parse_cro(text).canonical
    return CroNumber(value=canonical) if canonical and not canonical.startswith("SF") else CroNumber(as_received=text)


def arrest_summons_number_text(number: ArrestSummonsNumber, path: str) -> str:
    """`yy/FFUU/SS/nL`.

    Raises `Fault` DUMMY_NUMBER for one that a court made up (Bichard 7's exception HO100321) and INVALID_REQUEST for a check letter that
    does not fit; the host is not troubled with either.
    """
    parsed = identifiers.parse_arrest_summons_number(number.value)
    if not parsed.valid:
        raise invalid(f"{path}.value", parsed.problem)
    if identifiers.is_dummy_arrest_summons_number(parsed.canonical):
        raise Fault(
            Reason.DUMMY_NUMBER, "a court made the number up, so that there is no arrest behind it", metadata={"exception": "HO100321"}
        )
    return identifiers.slash_arrest_summons_number(parsed.canonical)


def read_arrest_summons_number(text: str) -> ArrestSummonsNumber:
    """Any of its forms."""
    parsed = identifiers.parse_arrest_summons_number(text)
    return ArrestSummonsNumber(value=parsed.canonical) if parsed.valid else ArrestSummonsNumber(as_received=text)


def court_case_text(reference: CourtCaseReference) -> str:
    """`yy/cccc/nL`."""
    return _text(reference, identifiers.short_court_case_reference)


def read_court_case(text: str) -> CourtCaseReference:
    """Any of its forms."""
    parsed = identifiers.parse_court_case_reference(text)
    return CourtCaseReference(value=parsed.canonical) if parsed.valid else CourtCaseReference(as_received=text)


def _text(number: Identifier, printed: Callable[[str], str]) -> str:
    """What the host printed goes back as it came: it compares, and nobody here can know better."""
    return printed(number.value) if number.value else number.as_received
