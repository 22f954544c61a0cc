"""What is known of a call that nobody answered, whoever refused it: who asked, and what, as far as either can be read."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError, Message

from metip.call import CALL_ID_HEADER, OFFICER_HEADER, Call, call_from
from metip.contracts import Operation
from metip.faults import Fault
from metip.journal.records import Facts
from metip.journal.subjects import Subject, subjects

MOST_SUBJECTS: Final = 200
"""Subjects of a refused request that are recorded; nobody was told anything about them."""


def refusal(
    operation: Operation, kind: type[Message], data: bytes, metadata: Mapping[str, str], outcome: str, seconds: float = 0.0
) -> Facts:
    """The facts of a call that no handler saw; `outcome` is the reason of its fault."""
    call = _caller(metadata, operation)
    request, found = None, list[Subject]()
    if len(data) <= operation.max_request_bytes:
        with suppress(DecodeError):
            request = kind.FromString(data)
            found = subjects(request)[:MOST_SUBJECTS]
    return Facts(operation, call, request, outcome, seconds, 0, found, refused=True, call_id=metadata.get(CALL_ID_HEADER, ""))


def _caller(metadata: Mapping[str, str], operation: Operation) -> Call | None:
    """Who calls, without the person behind it where that can't be read."""
    for known in (metadata, {key: value for key, value in metadata.items() if key != OFFICER_HEADER}):
        with suppress(Fault):
            return call_from(known, operation.name, remaining=None)
    return None
