"""Why a SOAP call has no answer, and the SOAP fault that says so. Pure.

The law: a fault holds the platform's reason, its advice, the call id and the names of fields, and no word of a request, a reply or a far
system; what nobody foresaw is INTERNAL without any text. `Client` means that the same message will be refused again, `Server` that it
may be answered later (SOAP 1.1, section 4.4.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

import grpc
from google.rpc import error_details_pb2

from adapters.kit.rejections import detail
from adapters.kit.soap import fault_envelope
from adapters.metip1.faults import AGAIN, CODE, TRANSACTION, code_of
from metip.faults import Fault, Reason

CLIENT, SERVER = "Client", "Server"
VERSION, UNDERSTOOD = "VersionMismatch", "MustUnderstand"
LATER: Final = frozenset(
    (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DATA_LOSS,
    )
)
"""Statuses that are not the message's fault."""
NEAREST: Final[Mapping[str, Reason]] = {
    # What Envoy alone refuses for, by the reason that the old bus had a code for.
    "NOT_GRANTED": Reason.PURPOSE_NOT_PERMITTED,
    "TOKEN_OF_ANOTHER": Reason.OFFICER_NEEDED,
    "TOKEN_EXPIRED": Reason.OFFICER_NEEDED,
    "TOKEN_WRONG_AUDIENCE": Reason.OFFICER_NEEDED,
    "TOKEN_REFUSED": Reason.OFFICER_NEEDED,
    "TOO_MANY_CALLS": Reason.BUSY,
}
WITHOUT_DETAILS: Final[Mapping[grpc.StatusCode, Reason]] = {
    # What Envoy and the client library say in a status alone.
    grpc.StatusCode.DEADLINE_EXCEEDED: Reason.TIMED_OUT,
    grpc.StatusCode.UNAVAILABLE: Reason.UPSTREAM_UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Reason.BUSY,
}
NOT_SENT: Final = "no healthy upstream"
"""What Envoy says when it had nobody to send a call to."""
TEXTS: Final[Mapping[Reason, str]] = {
    Reason.TIMED_OUT: "time ran out",
    Reason.UPSTREAM_UNAVAILABLE: "nobody answers for this operation now",
    Reason.BUSY: "too many calls at once",
    Reason.IN_DOUBT: "the connection ended, and nobody knows whether it was done",
    Reason.INTERNAL: "something that nobody foresaw",
}


@dataclass
class Refusal(Exception):
    """A call that ends without an answer. `reason` is of `metip.faults.Reason` or one of Envoy's own; `nearest` is of the former."""

    reason: str
    nearest: Reason
    text: str
    advice: str
    soap_code: str
    status: int = 500
    """Of HTTP: 500 for a SOAP fault (SOAP 1.1, section 6.2), another where the request never was a SOAP call."""
    call_id: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    retry_after: timedelta | None = None

    def document(self) -> bytes:
        """The SOAP fault, with the old bus's code and entries first. Its number of an exchange is our call id."""
        entries = {CODE: code_of(self.nearest), TRANSACTION: self.call_id}
        if self.retry_after is not None:
            entries[AGAIN] = str(ceil(self.retry_after.total_seconds()))
        entries |= {"Reason": self.reason, "Advice": self.advice}
        if self.fields:
            entries["Fields"] = "; ".join(f"{path}: {words}" for path, words in self.fields)
        return fault_envelope(self.soap_code, f"{self.reason}: {self.text}", entries)


def refused(fault: Fault, *, soap_code: str = "", status: int = 500) -> Refusal:
    """A refusal that is ours."""
    reason = fault.reason
    code = soap_code or (SERVER if reason.status in LATER and reason is not Reason.TOO_LARGE else CLIENT)
    return Refusal(reason.name, reason, fault.text, reason.advice, code, status, fields=fault.fields, retry_after=fault.retry_after)


def malformed(text: str, *, soap_code: str = CLIENT, status: int = 500) -> Refusal:
    """A request that is no call; `text` repeats none of it."""
    return refused(Fault(Reason.MALFORMED, text), soap_code=soap_code, status=status)


def unforeseen() -> Refusal:
    """What is said when nobody knows what happened."""
    return refused(Fault(Reason.INTERNAL, TEXTS[Reason.INTERNAL]))


def of_call(error: grpc.aio.AioRpcError, *, write_once: bool) -> Refusal:
    """What Envoy or an adapter said to the call. Where neither says what happened to a write that may not be repeated, it is in doubt."""
    info, broken, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    call_id = _request_id(error)
    if not detail(error, info):
        reason = WITHOUT_DETAILS.get(error.code(), Reason.INTERNAL)
        if write_once and NOT_SENT not in (error.details() or ""):
            reason = Reason.IN_DOUBT
        found = refused(Fault(reason, TEXTS[reason]))
        found.call_id = call_id
        return found
    nearest = Reason.__members__.get(info.reason) or NEAREST.get(info.reason, Reason.INTERNAL)
    again = error.code() in LATER and info.reason != Reason.TOO_LARGE.name
    return Refusal(
        reason=info.reason,
        nearest=nearest,
        text=(error.details() or "").removeprefix(f"{info.reason}: "),
        advice=info.metadata.get("advice", nearest.advice),
        soap_code=SERVER if again else CLIENT,
        call_id=info.metadata.get("call_id", "") or call_id,
        fields=tuple((one.field, one.description) for one in broken.field_violations) if detail(error, broken) else (),
        retry_after=retry.retry_delay.ToTimedelta() if detail(error, retry) else None,
    )


def _request_id(error: grpc.aio.AioRpcError) -> str:
    for metadata in (error.initial_metadata(), error.trailing_metadata()):
        for key, value in metadata or ():
            if key == "x-request-id" and isinstance(value, str):
                return value
    return ""
