"""Calls that the exchange answers itself, as they are recorded: those of operators, and those that it refuses.

What is accepted is recorded from where it is kept; see `recording`.
"""

from collections.abc import Mapping
from typing import Final

from google.protobuf.message import DecodeError, Message

from metip.call import CALL_ID_HEADER, OFFICER_HEADER, Call, call_from
from metip.contracts import Operation
from metip.faults import Fault
from metip.journal.blinding import IndexKeys
from metip.journal.records import Facts, Recording
from metip.journal.store import Journal
from metip.journal.subjects import Subject, subjects

SYSTEM: Final = "exchange"


class Calls:
    """Records calls on personal data, in the hub's journal."""

    def __init__(self, journal: Journal, keys: IndexKeys) -> None:
        self._journal, self._recording = journal, Recording(SYSTEM, keys)

    def check(self) -> None:
        """Raises `Fault` JOURNAL while nothing can be recorded."""
        self._journal.check()

    async def record(self, *known: Facts) -> None:
        """Keeps what is known of calls; those on no personal data are passed over. Raises `Fault` JOURNAL."""
        drafts = [draft for facts in known if facts.operation.personal for draft in self._recording.of_call(facts)]
        if drafts:
            await self._journal.record(*drafts)


def refused(
    operation: Operation, kind: type[Message], data: bytes, metadata: Mapping[str, str], fault: Fault, seconds: float = 0.0
) -> Facts:
    """What is known of a message that was not accepted: who handed it over, and what, as far as either can be read."""
    request, found = None, list[Subject]()
    if len(data) <= operation.max_request_bytes:
        try:
            request = kind.FromString(data)
            found = subjects(request)
        except DecodeError:
            pass
    call_id = metadata.get(CALL_ID_HEADER, "")
    return Facts(operation, _caller(operation, metadata), request, fault.reason.name, seconds, 0, found, refused=True, call_id=call_id)


def _caller(operation: Operation, metadata: Mapping[str, str]) -> Call | None:
    """Who calls, without the person behind it where that can't be read."""
    for known in (metadata, {key: value for key, value in metadata.items() if key != OFFICER_HEADER}):
        try:
            return call_from(known, operation.name, remaining=None)
        except Fault:
            continue
    return None
