"""Replays a recording: asks a system each recorded call, in order, and hands the recorded and the new answer to the comparator.

The law: only a copy or a simulator is asked, by the word of every one of its instances, at each call anew. How far a replay came is kept
with each lot, so that it goes on from there; a lot that was cut off is asked again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from hub.contracts import Contracts, Operation
from hub.parity.asking import Breakers, Take, pair_of
from hub.parity.counts import Counts
from hub.parity.keeping import Recording
from hub.parity.pairs import RECORDED
from hub.parity.recordings import Recordings
from hub.parity.sampling import ForbiddenError, Sampler, is_replica, shadow_of, systems_of
from hub.parity.wire import Asked, Wire
from metip.parity.v1.sample_pb2 import Sample
from metip.sampling import Dropped

LOT: Final = 64
AT_ONCE: Final = 8
TRIES: Final = 5
PAUSE: Final = 1.0
"""Seconds between tries to ask a system that is down or busy."""
LOOK: Final = 0.3
"""Seconds between looks for more, where a recording is followed."""
PASSING: Final = frozenset({Dropped.NO_SHADOW, Dropped.SHADOW_DOWN, Dropped.SHADOW_BUSY})
UNOPENED: Final = "UNOPENED"
"""What was sealed does not open: its keys are gone, or it was changed."""
GONE: Final = "GONE"
"""No contract that is loaded has the operation, or the system does not serve it."""


class StoppedError(Exception):
    """The system can't be asked at present; the replay goes on where it stopped when it is started again."""


@dataclass(slots=True)
class Progress:
    """How far a replay has come."""

    total: int = 0
    position: int = 0
    asked: int = 0
    compared: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    done: bool = False


class Replayer:
    """Replays recordings of one hub."""

    def __init__(
        self, contracts: Contracts, recordings: Recordings, sampler: Sampler, wire: Wire, take: Take, counts: Counts, breakers: Breakers
    ) -> None:
        self._contracts, self._recordings, self._sampler = contracts, recordings, sampler
        self._wire, self._take, self._counts, self._breakers = wire, take, counts, breakers

    def against(self, recording: Recording, system: str = "") -> str:
        """The system that a recording is replayed to: the one that is named, or the other one. Raises `ForbiddenError` unless it may be
        asked now."""
        operations = [found for name in recording.operations if (found := self._contracts.operations.get(name)) is not None]
        if not operations:
            raise ForbiddenError(f"no contract that is loaded has an operation of {recording.id}")
        chosen = system or shadow_of(self._contracts, operations[0], recording.system)
        if not chosen:
            raise ForbiddenError(f"several systems serve {operations[0].interface}: name the one that is asked")
        if chosen == recording.system:
            raise ForbiddenError(f"{recording.id} has the answers of {chosen} already")
        served = [one for one in operations if chosen in systems_of(self._contracts, one)]
        if not served:
            raise ForbiddenError(f"{chosen} serves no operation of {recording.id}")
        for one in served:
            self._judge(chosen, one)
        return chosen

    async def replay(
        self, recording: Recording, system: str, *, anew: bool = False, follow: bool = False
    ) -> AsyncGenerator[Progress, None]:
        """Replays, and says how far it has come after each lot. Raises `StoppedError`, and `ForbiddenError` once the system may not be
        asked any more."""
        kept, do = self._recordings.keeping, self._recordings.do
        progress = Progress(position=0 if anew else await do(lambda: kept.replayed(recording.id, system)))
        while True:
            after = progress.position
            lot, progress.total = await do(lambda after=after: kept.read(recording.id, after, LOT))  # type: ignore[misc]  # mypy knows no defaults
            if lot:
                await self._lot([sample for _, sample in lot], system, progress)
                progress.position = position = lot[-1][0]
                await do(lambda position=position: kept.replay(recording.id, system, position))  # type: ignore[misc]  # as above
                yield progress
            elif follow and self._recordings.running(recording):
                await asyncio.sleep(LOOK)
            else:
                break
        progress.done = True
        yield progress

    async def _lot(self, lot: list[Sample | None], system: str, progress: Progress) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(sample: Sample | None) -> None:
            async with room:
                await self._one(sample, system, progress)

        try:
            async with asyncio.TaskGroup() as group:
                for sample in lot:
                    group.create_task(one(sample))
        except* (StoppedError, ForbiddenError) as errors:
            raise errors.exceptions[0] from None

    async def _one(self, sample: Sample | None, system: str, progress: Progress) -> None:
        operation = self._contracts.operations.get(sample.operation) if sample is not None else None
        if sample is None or operation is None or not operation.comparable or system not in systems_of(self._contracts, operation):
            progress.failed[UNOPENED if sample is None else GONE] += 1
            return
        found = await self._patiently(operation, system, sample)
        if found.answer is None:
            progress.failed[(found.dropped or Dropped.NO_SHADOW).value] += 1
            return
        progress.asked += 1
        self._counts.of(operation.name).asked += 1
        self._take(pair_of(self._contracts, operation, sample, found.answer, RECORDED))
        progress.compared += 1
        self._counts.of(operation.name).compared += 1

    async def _patiently(self, operation: Operation, system: str, sample: Sample) -> Asked:
        for _ in range(TRIES):
            self._judge(system, operation)
            found = await self._breakers.ask(system, lambda: self._wire.ask(operation, system, sample.request, sample.call_id))
            if found.dropped not in PASSING:
                return found
            await asyncio.sleep(PAUSE)
        raise StoppedError(f"{system} can't be reached, or turns calls away")

    def _judge(self, system: str, operation: Operation) -> None:
        if not is_replica(self._sampler.instances(), system, operation.interface):
            words = f"a recording is replayed to a copy or a simulator only, and not every instance of {system} for {operation.interface}"
            raise ForbiddenError(f"{words} says that it is one (settings: `serving.replica`)")
