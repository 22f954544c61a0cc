"""The bus's fault codes: what each means to a caller of the contracts, and which one a consumer of the bus is told for each reason.

The law: a code that leaves open whether a write was done is IN_DOUBT for a write that must not be repeated, and only for that. The bus's
own words stay behind, since they name people. All codes are (assumed); `docs/errors.md` has the table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.kit.soap import SoapFault
from metip.faults import Fault, Reason

CODE, TRANSACTION, AGAIN = "Code", "Transaction", "RetrySeconds"
"""Entries of a SOAP fault's detail: the code, the bus's number of the exchange, and in how many seconds to come again."""
SHOWN: Final = re.compile("[A-Z0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means: to a caller, to one whose write may not be repeated, and for which reasons a consumer of the bus is told it."""

    reason: Reason
    text: str
    write: Reason | None = None
    """Where it differs for a write that may not be repeated."""
    told_for: tuple[Reason, ...] = ()
    """Where that is not `reason` alone."""


FAULTS: Final[Mapping[str, Meaning]] = {
    "MB1001": Meaning(Reason.INVALID_REQUEST, "the bus refused what the request holds"),
    "MB1002": Meaning(Reason.UPSTREAM_FAULT, "the bus could not read what the adapter sent", told_for=(Reason.MALFORMED,)),
    "MB1003": Meaning(Reason.TOO_LARGE, "the bus takes no document of that size"),
    "MB1101": Meaning(Reason.NO_TRACE, "nothing is known by that number or description"),
    "MB1102": Meaning(Reason.RESTRICTED, "no record of that number is open to this officer"),
    "MB1103": Meaning(Reason.JUSTIFICATION_NEEDED, "the far system wants a fuller reason"),
    "MB1104": Meaning(Reason.DUMMY_NUMBER, "a court made that number up"),
    "MB1105": Meaning(Reason.UPSTREAM_REFUSED, "the bus has no such purpose for that", told_for=(Reason.PURPOSE_NOT_PERMITTED,)),
    "MB1106": Meaning(Reason.UPSTREAM_REFUSED, "the bus wants an officer behind that", told_for=(Reason.OFFICER_NEEDED,)),
    "MB1107": Meaning(Reason.UPSTREAM_UNAVAILABLE, "the bus refused the adapter's account", told_for=(Reason.CONSUMER_UNKNOWN,)),
    "MB1201": Meaning(Reason.PRECONDITION, "the record is not in the state that this needs"),
    "MB1202": Meaning(Reason.CONFLICT, "somebody changed the record in the meantime"),
    "MB1203": Meaning(Reason.LOCKED, "somebody holds the record"),
    "MB1204": Meaning(Reason.ALREADY_EXISTS, "there is such a record"),
    "MB1205": Meaning(Reason.IN_DOUBT, "the bus does not know whether it was done"),
    "MB1206": Meaning(Reason.FENCED, "the write is another platform's by now, and was not done"),
    "MB2001": Meaning(
        Reason.UPSTREAM_UNAVAILABLE,
        "the bus can't reach the far system",
        told_for=(Reason.UPSTREAM_UNAVAILABLE, Reason.CIRCUIT_OPEN, Reason.STOPPING, Reason.JOURNAL, Reason.NOT_KEPT),
    ),
    "MB2002": Meaning(Reason.TIMED_OUT, "the far system did not answer the bus in time", write=Reason.IN_DOUBT),
    "MB2003": Meaning(Reason.BUSY, "the bus takes no more at the moment"),
    "MB3001": Meaning(Reason.UPSTREAM_REFUSED, "the far system refused"),
    "MB3002": Meaning(Reason.UPSTREAM_FAULT, "the far system failed", write=Reason.IN_DOUBT),
    "MB9999": Meaning(Reason.UPSTREAM_FAULT, "the bus failed", write=Reason.IN_DOUBT, told_for=(Reason.INTERNAL,)),
}
_CODES: Final[Mapping[Reason, str]] = {
    reason: code for code, meaning in FAULTS.items() for reason in (meaning.told_for or (meaning.reason,))
}


def code_of(reason: Reason) -> str:
    """The code that a consumer of the bus is told for a reason."""
    return _CODES[reason]


def fault_of(said: SoapFault, *, write_once: bool) -> Fault:
    """The fault for what the bus said instead of an answer. A code that no table has, and none, is as if the bus had failed."""
    code = said.detail.get(CODE, "").strip()
    meaning = FAULTS.get(code, FAULTS["MB9999"])
    reason = meaning.write if write_once and meaning.write is not None else meaning.reason
    seconds = said.detail.get(AGAIN, "").strip()
    again = timedelta(seconds=int(seconds)) if re.fullmatch("[0-9]{1,5}", seconds) else None
    metadata = {"code": code if SHOWN.fullmatch(code) else "none"}
    return Fault(reason, meaning.text, metadata=metadata, retry_after=again)
