"""Why the comparison asks: the access context that stands in place of the caller's, so that nobody's name and reason is used twice."""

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from hub.contracts import Operation
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

JUSTIFICATION: Final = "Comparison of two platforms before an interface is moved; nobody acts on the answer"
ON_BEHALF_OF: Final = "MetIP Hub"
REFERENCE: Final = "parity/"
"""Begins the reference of a comparison; the id of the call that is compared follows."""
LONGEST: Final = 50


class MalformedError(ValueError):
    """What was offered is no request of its operation."""


def own(operation: Operation, kind: Callable[[str], type[Message]], request: bytes, call_id: str) -> bytes:
    """A request with the comparison's own access context: purpose, reference to the call, justification, the platform for whom it is asked.

    Of an operation on no personal data the request as it is. Raises `MalformedError`.
    """
    if not operation.personal:
        return request
    try:
        asked: Any = kind(operation.request).FromString(request)
    except DecodeError:
        raise MalformedError from None
    asked.access.Clear()
    asked.access.purpose = PURPOSE_MIGRATION_TEST
    asked.access.reference = f"{REFERENCE}{call_id}"[:LONGEST]
    asked.access.justification = JUSTIFICATION
    asked.access.on_behalf_of = ON_BEHALF_OF
    written: bytes = asked.SerializeToString()
    return written
