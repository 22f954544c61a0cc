"""What the reply texts of the PNC mean: each code to one of a closed set of outcomes.

The table is `replies.yaml`. Its law: an update whose reply we cannot read may have been done, so what is not in the table is IN_DOUBT for
an update, and never a refusal.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.pnc.records import Transaction
from metip.tables import read_table


class Outcome(enum.Enum):
    """What became of a request, from the best to the one that wants most care."""

    ACCEPTED = "accepted"
    WARNING = "accepted with a warning"
    NOT_FOUND = "no such record"
    INVALID = "bad data in the request"
    JUSTIFY = "the host wants a fuller reason before it answers"
    PRECONDITION = "the record does not allow it"
    LOCKED = "the record is locked, nothing was done"
    UNAVAILABLE = "the host did not take it, nothing was done"
    HOST_FAULT = "the host failed, or said what we cannot read"
    IN_DOUBT = "the update may have been done: read the record before anything else"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with the exception Bichard 7 raises for it; `""` where it raises none."""

    outcome: Outcome
    exception: str


@dataclass(frozen=True, slots=True)
class Row:
    """Spans of codes, ends included. `None` leaves the code to a later row; so does a text without `phrase`."""

    spans: tuple[tuple[str, str], ...]
    enquiry: Verdict | None
    update: Verdict | None
    phrase: str = ""

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "Row":
        """A row of the table."""
        spans = tuple((span.partition("-")[0], span.rpartition("-")[2]) for span in row["codes"].split())
        return cls(spans, _verdict(row["enquiry"]), _verdict(row["update"]), row.get("phrase", ""))


def _verdict(said: str) -> Verdict | None:
    outcome, _, exception = said.partition(" ")
    return None if outcome == "-" else Verdict(Outcome[outcome], exception)


ROWS: Final = tuple(Row.of(row) for row in read_table(__file__, "replies.yaml")["replies"])
JUSTIFY: Final = "J0001"
UNKNOWN_ENQUIRY: Final = Verdict(Outcome.HOST_FAULT, "HO100314")
# Bichard 7 takes an unknown code for bad data (HO100402). We do not: "refused" would invite somebody to send it again.
UNKNOWN_UPDATE: Final = Verdict(Outcome.IN_DOUBT, "HO100402")


@dataclass(frozen=True, slots=True)
class ReplyText:
    """One reply text. `code` is `""` where none leads it; `text` may hold personal data and never shows in a `repr`."""

    code: str
    text: str = field(repr=False)


def reply_codes(transaction: Transaction) -> tuple[ReplyText, ...]:
    """The TXT segments of a reply in order, each `CODE - MESSAGE` taken apart. An enquiry answered with data has none."""
    return tuple(_taken_apart(segment.body) for segment in transaction.all("TXT"))


def verdict(code: str, *, update: bool, text: str | None = None) -> Verdict:
    """What a code means for an update or an enquiry; `text`, where known, settles codes that mean more than one thing."""
    for row in ROWS:
        said = row.update if update else row.enquiry
        if said is not None and _within(code, row.spans) and (text is None or row.phrase in text):
            return said
    return UNKNOWN_UPDATE if update else UNKNOWN_ENQUIRY


def classify(code: str, *, update: bool, text: str | None = None) -> Outcome:
    """The outcome of `verdict`."""
    return verdict(code, update=update, text=text).outcome


def overall(texts: Iterable[ReplyText], *, update: bool) -> Outcome:
    """One outcome for all texts of a reply: the one that wants most care.

    An update that was both done and refused is IN_DOUBT, as is one without any text; an enquiry without any is a
    HOST_FAULT, so ask only where the reply brings no data.
    """
    outcomes = {classify(text.code, update=update, text=text.text) for text in texts}
    done = outcomes & {Outcome.ACCEPTED, Outcome.WARNING}
    if update and (not outcomes or (done and done != outcomes)):
        return Outcome.IN_DOUBT
    severity = list(Outcome)
    return max(outcomes, key=severity.index, default=Outcome.HOST_FAULT)


_TEXT = re.compile(r"([A-Z][0-9]{4}|PNC[A-Z]{2})(?![A-Za-z0-9])[ :-]*(.*)", re.DOTALL)


def _taken_apart(body: str) -> ReplyText:
    parts = _TEXT.fullmatch(body.strip())
    return ReplyText("", body.strip()) if parts is None else ReplyText(parts[1], parts[2])


def _within(code: str, spans: tuple[tuple[str, str], ...]) -> bool:
    numbered = len(code) == 5 and code.isascii() and code[1:].isdigit()
    return any(code == first or (numbered and first <= code <= last) for first, last in spans)
