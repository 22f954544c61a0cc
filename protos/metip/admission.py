"""What every request must pass before anything is done with it, whoever serves it: size, type, officer, rules, purpose, justification."""

from collections.abc import Callable
from typing import Protocol, cast

import protovalidate
from google.protobuf.message import DecodeError, Message

from metip.call import Call
from metip.common.v1.access_pb2 import AccessContext
from metip.contracts import Operation
from metip.faults import Fault, Reason
from metip.grants import granted
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST
from metip.rules import where


class Asking(Protocol):
    """A request of an operation on personal data."""

    access: AccessContext


def admission(operation: Operation, kind: type[Message], validator: protovalidate.Validator) -> Callable[[bytes, Call], Message]:
    """A function that reads a request of the operation, or raises the `Fault` that refuses it.

    Everything that depends on the contract is decided here, once.
    """
    validate, limit = validator.validate, operation.max_request_bytes
    permitted, personal, comparable = operation.purpose_numbers, operation.personal, operation.comparable

    def read(data: bytes, call: Call) -> Message:
        if len(data) > limit:
            raise Fault(Reason.TOO_LARGE, f"the request has {len(data)} bytes, and {limit} are allowed")
        try:
            request = kind.FromString(data)
        except DecodeError:
            raise Fault(Reason.MALFORMED, f"the request is not a {operation.request}") from None
        comparing = personal and comparable and call.officer is None and compares(cast("Asking", request).access.purpose, call)
        if operation.officer_required and call.officer is None and not comparing:
            raise Fault(Reason.OFFICER_NEEDED, "the operation needs an officer behind it")
        try:
            validate(request)
        except protovalidate.ValidationError as error:
            raise _invalid(error) from None
        if personal:
            access = cast("Asking", request).access
            if not comparing:
                check_purpose(access.purpose, permitted, call)
            if operation.justification_required and not access.justification.strip():
                raise Fault(Reason.JUSTIFICATION_NEEDED, "the interface demands a written justification")
        return request

    return read


def compares(purpose: int, call: Call) -> bool:
    """Whether a call is the comparison's own: its purpose is the migration's, and what Envoy says of grants gives its consumer that purpose
    by name, which it does on the hub's way alone. Nobody is behind such a call, and it pretends to be nobody."""
    if purpose != PURPOSE_MIGRATION_TEST or call.handover is not None:
        return False
    allowed = granted(call.grants, call.consumer, ())
    return allowed is not None and purpose in allowed


def check_purpose(purpose: int, permitted: frozenset[int], call: Call) -> None:
    """Raises `Fault` PURPOSE_NOT_PERMITTED for a purpose that the contract does not permit, or that no grant gives the consumer in the
    officer's roles. Of a message that is handed over nobody asks again: its producer was judged when it was accepted."""
    if purpose not in permitted:
        raise Fault(Reason.PURPOSE_NOT_PERMITTED, "the operation does not permit that purpose")
    if call.handover is not None:
        return
    if not call.grants:
        raise Fault(Reason.PURPOSE_NOT_PERMITTED, "nothing says which purposes the consumer was granted, so none is")
    allowed = granted(call.grants, call.consumer, call.officer.roles if call.officer is not None else ())
    if allowed is not None and purpose not in allowed:
        raise Fault(Reason.PURPOSE_NOT_PERMITTED, "the operation permits that purpose, but no grant gives it to this consumer and role")


def _invalid(error: protovalidate.ValidationError) -> Fault:
    """A broken rule by field path and rule, never by value."""
    broken = tuple((where(violation), str(violation.proto.message)) for violation in error.violations)
    named = ", ".join(path or "the request as a whole" for path, _ in broken)
    return Fault(Reason.INVALID_REQUEST, f"fields break the contract's rules: {named}", fields=broken)
