"""What can go wrong, as a closed set of reasons: each maps to one gRPC status and says what the caller should do.

The law: a fault's text never holds personal data, since texts travel to logs; what a far system said about people stays behind.
Anything raised that is not a `Fault` becomes INTERNAL with a call id and no text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2

EDGE_DOMAIN = "edge.metip"
"""The ErrorInfo domain of what Envoy itself refuses, for reasons of its own (`docs/errors.md`)."""


class Reason(Enum):
    """Why a call was not answered. The value is (gRPC status, what the caller should do)."""

    MALFORMED = (grpc.StatusCode.INVALID_ARGUMENT, "Send a message of the contract's type.")
    INVALID_REQUEST = (grpc.StatusCode.INVALID_ARGUMENT, "Correct the fields named in BadRequest.")
    TOO_LARGE = (grpc.StatusCode.RESOURCE_EXHAUSTED, "Send less, or large content by reference.")
    CONSUMER_UNKNOWN = (grpc.StatusCode.UNAUTHENTICATED, "Call through Envoy with one SPIFFE identity.")
    OFFICER_NEEDED = (grpc.StatusCode.UNAUTHENTICATED, "Send the officer's token as authorization metadata.")
    PURPOSE_NOT_PERMITTED = (grpc.StatusCode.PERMISSION_DENIED, "State a purpose that the operation permits.")
    RESTRICTED = (grpc.StatusCode.PERMISSION_DENIED, "Ask the owner of the record.")
    JUSTIFICATION_NEEDED = (grpc.StatusCode.FAILED_PRECONDITION, "Call again with a written justification.")
    NO_TRACE = (grpc.StatusCode.NOT_FOUND, "The far system answered: it knows nothing by that description.")
    ALREADY_EXISTS = (grpc.StatusCode.ALREADY_EXISTS, "Use the record named in the metadata.")
    DUMMY_NUMBER = (grpc.StatusCode.FAILED_PRECONDITION, "Find the real number; a court made this one up.")
    PRECONDITION = (grpc.StatusCode.FAILED_PRECONDITION, "Read the record again; it is not in the state the call needs.")
    CONFLICT = (grpc.StatusCode.ABORTED, "Somebody changed the record: read it again, then repeat.")
    LOCKED = (grpc.StatusCode.ABORTED, "Somebody holds the record: repeat in a while.")
    IN_DOUBT = (grpc.StatusCode.FAILED_PRECONDITION, "It may have been done: read the record, never send it again blindly.")
    FENCED = (grpc.StatusCode.FAILED_PRECONDITION, "The write is another platform's now, and was not done here: hand it over again.")
    BUSY = (grpc.StatusCode.RESOURCE_EXHAUSTED, "Repeat after the delay in RetryInfo.")
    TIMED_OUT = (grpc.StatusCode.DEADLINE_EXCEEDED, "Repeat a query with more time; look before repeating a command.")
    UPSTREAM_REFUSED = (grpc.StatusCode.FAILED_PRECONDITION, "The far system refused; its code is in the metadata.")
    UPSTREAM_UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "The far system can't be reached; repeat a query later.")
    CIRCUIT_OPEN = (grpc.StatusCode.UNAVAILABLE, "The far system failed too often; repeat after the delay in RetryInfo.")
    UPSTREAM_FAULT = (grpc.StatusCode.INTERNAL, "The far system answered something it should not; tell operations the call id.")
    STOPPING = (grpc.StatusCode.UNAVAILABLE, "This instance is stopping; repeat a query.")
    JOURNAL = (grpc.StatusCode.UNAVAILABLE, "The record of access can't be written, so nothing is disclosed; tell operations.")
    NOT_KEPT = (grpc.StatusCode.UNAVAILABLE, "The message could not be made durable, so it was not accepted: hand it over again.")
    INTERNAL = (grpc.StatusCode.INTERNAL, "Tell operations the call id.")

    @property
    def status(self) -> grpc.StatusCode:
        """The gRPC status that callers see."""
        return self.value[0]

    @property
    def advice(self) -> str:
        """What the caller should do."""
        return self.value[1]


@dataclass
class Fault(Exception):
    """A call that ends without an answer, for a reason that the caller can act on.

    `text` says what happened, without personal data. `metadata` carries codes of the far system (`code`, `exception`). `fields` are
    (path, problem) pairs for BadRequest. `retry_after` becomes RetryInfo.
    """

    reason: Reason
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[tuple[str, str], ...] = ()
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        return f"{self.reason.name}: {self.text}"


def status_of(fault: Fault, *, system: str, call_id: str) -> status_pb2.Status:
    """The fault as `google.rpc.Status` with ErrorInfo of domain `<system>.metip`, and BadRequest and RetryInfo where they apply."""
    details = [
        error_details_pb2.ErrorInfo(
            reason=fault.reason.name,
            domain=f"{system}.metip",
            metadata={**fault.metadata, "call_id": call_id, "advice": fault.reason.advice},
        )
    ]
    packed = [_pack(detail) for detail in details]
    if fault.fields:
        violations = [error_details_pb2.BadRequest.FieldViolation(field=path, description=words) for path, words in fault.fields]
        packed.append(_pack(error_details_pb2.BadRequest(field_violations=violations)))
    if fault.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(fault.retry_after)
        packed.append(_pack(retry))
    code = code_pb2.Code.Value(fault.reason.status.name)
    return status_pb2.Status(code=code, message=f"{fault.reason.name}: {fault.text}", details=packed)


def _pack(
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
