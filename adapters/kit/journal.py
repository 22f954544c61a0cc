"""The seam at which each operation on personal data is recorded before its answer leaves."""

from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from metip.call import Call
from metip.contracts import Operation


@dataclass(slots=True)
class Entry:
    """What happened in one operation, as the pipeline knows it when the answer is about to leave. Not frozen, as `Call` is not."""

    operation: Operation
    call: Call
    request: Message
    outcome: str
    """`OK`, or the reason of the fault."""
    seconds: float


class Journal(Protocol):
    """Writes entries durably. `record` returns when the entry is safe and raises `Fault` JOURNAL when it can't be made safe."""

    async def record(self, entry: Entry) -> None:
        """Makes one entry durable."""


class NoJournal:
    """Keeps nothing, for interfaces without personal data and until a durable journal is configured."""

    async def record(self, entry: Entry) -> None:
        """Forgets the entry."""
