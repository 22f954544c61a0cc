"""The stage at which each operation on personal data is recorded before its answer leaves, and each refusal before it is told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from google.protobuf.message import Message

from metip.call import Call
from metip.contracts import Operation
from metip.journal import store
from metip.journal.blinding import IndexKeys
from metip.journal.file import BrokenError
from metip.journal.keys import INDEX, SEALING
from metip.journal.records import Facts, Recording, disclosed
from metip.journal.sealing import Sealer
from metip.journal.subjects import Subject, subjects
from metip.options.v1.options_pb2 import PLATFORM_METIP2, Platform

CANCELLED: Final = "CANCELLED"
MANY: Final = 200
"""Subjects of a stream from which on it is recorded again before more of it leaves, so that one record can hold them."""


class Journal(Protocol):
    """Keeps what is known of calls. `Facts` of one call may come several times: a stream's, as it goes on."""

    def check(self) -> None:
        """Raises `Fault` JOURNAL while nothing can be kept, so that no far system is asked what could not be answered."""

    async def record(self, facts: Facts) -> None:
        """Keeps it; returns when it is safe. Raises `Fault` JOURNAL when it can't be made safe."""

    def note(self, facts: Facts) -> None:
        """Keeps it soon, for calls that nobody waits for any more. Raises `Fault` JOURNAL when the journal is closed."""


class NoJournal:
    """Keeps nothing: for adapters without any operation on personal data."""

    def check(self) -> None:
        """Has nothing against it."""

    async def record(self, facts: Facts) -> None:
        """Forgets it."""

    def note(self, facts: Facts) -> None:
        """Forgets it."""


class DurableJournal:
    """Keeps records of one system's calls in a file of this process."""

    def __init__(self, kept: store.Journal, recording: Recording) -> None:
        self._kept, self._recording = kept, recording

    def check(self) -> None:
        """See the protocol."""
        self._kept.check()

    async def record(self, facts: Facts) -> None:
        """See the protocol."""
        facts.at_ns = time.time_ns()
        await self._kept.record_made(partial(self._recording.of_call, facts))

    @property
    def health(self) -> store.Health:
        """How the file does."""
        return self._kept.health

    def note(self, facts: Facts) -> None:
        """See the protocol."""
        self._kept.note(*self._recording.of_call(facts))


@dataclass(frozen=True)
class Place:
    """Where a worker keeps its journal, and the ledger's folder with the keys that it needs."""

    journals: Path
    keys: Path

    @contextmanager
    def journal(
        self,
        system: str,
        worker: int,
        on_broken: Callable[[BrokenError], None],
        *,
        platform: "Platform.ValueType" = PLATFORM_METIP2,
    ) -> Iterator[Journal]:
        """The journal of one worker, open for the length of the block. `platform` is the one of the two that run in parallel to which the
        system belongs. Raises `BrokenError`, `FullError` and `SecretError`."""
        self.journals.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{system}-{worker}"
        keys, sealer = IndexKeys(self.keys / INDEX), Sealer(self.keys / SEALING)
        kept = store.Journal(self.journals / f"{name}.sqlite", name, system, sealer, on_broken=on_broken)
        try:
            yield DurableJournal(kept, Recording(system, keys, platform=platform))
        finally:
            kept.close()


@dataclass(slots=True)
class Told:
    """What of a call was told to its caller and is in no record yet."""

    disclosed: int = 0
    subjects: list[Subject] = field(default_factory=list)

    def add(self, operation: Operation, call: Call, reply: Message) -> None:
        """A reply that is about to leave."""
        self.disclosed += disclosed(operation, call, reply)
        subjects(reply, self.subjects)

    def facts(self, operation: Operation, call: Call, request: Message, outcome: str, seconds: float) -> Facts:
        """What is to be recorded now; each record of a call names the subjects of the question."""
        return Facts(operation, call, request, outcome, seconds, self.disclosed, subjects(request) + self.subjects)
