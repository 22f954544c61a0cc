"""Finds messages by whom or what they are about, through the records of their acceptance: no message is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.ledger import questions, searching
from hub.ledger.faults import UnreadyLedgerError
from hub.ledger.questions import Blinding, QuestionError
from hub.ledger.readers import Readers, View
from hub.ledger.searching import Place, Wanted
from metip.faults import Fault, Reason
from metip.journal.records import DUPLICATE
from metip.ledger.v1 import query_pb2, record_pb2

EXCHANGE: Final = "exchange"
"""The platform of records of acceptance; a subscriber's record of the same message has its own."""
AT_ONCE: Final = 250
PASSED: Final = 2_500
"""Records that one page looks at: a vehicle that is looked up all day has far more records than messages."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The record of a message's acceptance."""

    index: int
    record: record_pb2.Record


class Finder:
    """Finds messages in one ledger."""

    def __init__(self, readers: Readers, keys: Blinding) -> None:
        self._readers, self._keys = readers, keys

    async def find(self, query: query_pb2.Query, size: int, token: str = "") -> tuple[list[Accepted], str]:
        """A page of what a query finds, newest first, and the token of the next one. Raises `Fault`."""
        try:
            wanted, after = questions.wanted(query, self._keys), searching.read(token)
        except (QuestionError, ValueError) as error:
            raise Fault(Reason.INVALID_REQUEST, str(error)) from None
        try:
            found, last = await self._readers.ask(lambda view: page(view, wanted, size, after))
        except UnreadyLedgerError as error:
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, str(error)) from None
        return found, searching.written(last) if last is not None else ""


def page(view: View, wanted: Wanted, size: int, after: Place) -> tuple[list[Accepted], Place | None]:
    """Acceptances after a place, at most `size`, and the place where the next page begins; None where there are no more."""
    return accepted(view.find, view.records.record, wanted, size, after)


def accepted(
    find: Callable[[Wanted, int, Place], list[Place]],
    read: Callable[[int], record_pb2.Record],
    wanted: Wanted,
    size: int,
    after: Place,
) -> tuple[list[Accepted], Place | None]:
    """See `page`. A message about more subjects than a record may name has several records, and is told once on a page."""
    found: dict[str, Accepted] = {}
    for _ in range(PASSED // AT_ONCE):
        places = find(wanted, AT_ONCE, after)
        for place in places:
            record = read(place[1])
            if _of_acceptance(record):
                found.setdefault(record.message_id, Accepted(place[1], record))
            after = place
            if len(found) == size:
                return list(found.values()), after
        if len(places) < AT_ONCE:
            return list(found.values()), None
    return list(found.values()), after


def _of_acceptance(record: record_pb2.Record) -> bool:
    of_message = record.kind == record_pb2.KIND_OPERATION and record.platform == EXCHANGE and bool(record.message_id)
    return of_message and not record.recipient and record.outcome != DUPLICATE
