"""Recordings under way: which calls are kept, sealed at once, and written a moment later.

The law: a call that a caller made and a platform answered is kept as it was answered, without the caller's name and reason; nobody is asked
anything. What can't be written is dropped and counted.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

import apsw

from hub.contracts import Contracts, Operation
from hub.parity.counts import Counts
from hub.parity.keeping import Keeping, Recording, Sealed, bound_to
from hub.parity.sampling import ForbiddenError, systems_of
from metip.journal.keys import SecretError
from metip.journal.sealing import Sealer, Wrapped
from metip.parity.v1.sample_pb2 import Sample
from metip.sampling import Dropped, place

T = TypeVar("T")
SOON: Final = 0.2
"""Seconds that sealed calls wait for others."""
MOST: Final = 4000
"""Sealed calls that wait."""
MOST_BYTES: Final = 64 * 1024 * 1024
LARGEST: Final = 2 * 1024 * 1024 * 1024
"""Bytes that one recording may have in one life of the hub."""
RETENTION: Final = 30 * 86400.0


class UnknownError(LookupError):
    """There is no such recording, or none of which anything is left."""


class Recordings:
    """The recordings of one hub."""

    def __init__(self, path: Path, sealing: Path, contracts: Contracts, counts: Counts, *, clock: Callable[[], float] = time.time) -> None:
        """`sealing` is the folder with the ledger's sealing keys. Raises `SecretError` where there are none."""
        self._contracts, self._counts, self._clock, self._sealing = contracts, counts, clock, sealing
        Sealer(sealing)  # a folder without keys is told now, not when somebody records
        self.keeping = Keeping(path, sealing)
        self._running = {one.id: one for one in self.keeping.all() if one.erased is None and one.until > clock()}
        self._sealers: dict[str, Sealer] = {}
        self._sizes: Counter[str] = Counter()
        self._waiting: deque[tuple[Sealed, str]] = deque()
        self._bytes = 0
        self._dropped: Counter[str] = Counter()
        self._some = asyncio.Event()

    async def begin(self, operations: tuple[str, ...], system: str, per_million: int, lasting: float, retention: float) -> Recording:
        """Begins a recording."""
        now = self._clock()
        name = f"{datetime.fromtimestamp(now, UTC):%Y%m%d}-{uuid4().hex[:8]}"
        one = Recording(name, operations, system, per_million, now, now + lasting, now + max(retention, lasting))
        await self.do(lambda: self.keeping.begin(one))
        self._running[name] = one
        return one

    async def stop(self, recording: str) -> Recording:
        """Ends a recording. Raises `UnknownError`."""
        await self.found(recording)
        self._running.pop(recording, None)
        await self.flush()
        await self.do(lambda: self.keeping.stop(recording, self._clock()))
        return await self.found(recording)

    async def erase(self, recording: str) -> Recording:
        """Ends a recording and destroys its keys and its content. Raises `UnknownError`."""
        await self.found(recording)
        self._running.pop(recording, None)
        self._sealers.pop(recording, None)
        await self.flush()
        await self.do(lambda: self.keeping.erase(recording))
        return await self.found(recording, erased=True)

    async def all(self) -> tuple[Recording, ...]:
        """Every recording, the latest first."""
        return await self.do(self.keeping.all)

    async def found(self, recording: str, *, erased: bool = False) -> Recording:
        """One recording. Raises `UnknownError` when there is none, or when it was erased unless those count too."""
        for one in await self.all():
            if one.id == recording and (erased or one.erased is None):
                return one
        raise UnknownError(recording)

    async def due(self) -> tuple[Recording, ...]:
        """Those whose retention is over."""
        now = self._clock()
        return tuple(one for one in await self.all() if one.erased is None and one.erased_by <= now)

    def running(self, one: Recording) -> bool:
        """Whether it keeps calls now."""
        return one.id in self._running and self._clock() < one.until

    def rates(self, system: str) -> Mapping[str, int]:
        """Which share of its calls the instances of a system offer, by operation, in millionths."""
        found: dict[str, int] = {}
        for one in self._now(system):
            for operation in one.operations:
                found[operation] = max(found.get(operation, 0), one.per_million)
        return found

    def take(self, sample: Sample, operation: Operation) -> bool:
        """Keeps a sample in each recording that wants it; whether any did. It has the comparison's own access context by now."""
        at, taken = place(sample.call_id), False
        for one in self._now(sample.system):
            if operation.name in one.operations and at < one.per_million and operation.comparable:
                taken |= self._seal(one, sample, operation)
        return taken

    async def run(self) -> None:
        """Writes what was sealed, for ever."""
        while True:
            await self._some.wait()
            await asyncio.sleep(SOON)
            await self.flush()

    async def flush(self) -> None:
        """Writes what waits; what can't be written is dropped."""
        self._some.clear()
        waiting, self._waiting, self._bytes = self._waiting, deque(), 0
        dropped, self._dropped = self._dropped, Counter()
        keys: list[tuple[str, Wrapped]] = [(name, key) for name, sealer in self._sealers.items() for key in sealer.unsaved]
        for sealer in self._sealers.values():
            sealer.unsaved.clear()
        if not waiting and not dropped:
            return
        try:
            await self.do(lambda: self.keeping.add([one for one, _ in waiting], keys, [*dropped.items()]))
        except apsw.Error:
            for name, key in keys:  # what is sealed with it from now on needs it still
                if name in self._sealers:
                    self._sealers[name].unsaved.append(key)
            for one, operation in waiting:
                self._dropped[one.recording] += 1
                self._counts.dropped(operation, Dropped.DISK)
            self._dropped += dropped
            return
        for _, operation in waiting:
            self._counts.of(operation).recorded += 1

    async def do(self, work: Callable[[], T]) -> T:
        """Does work on the file, on its own thread."""
        return await asyncio.get_running_loop().run_in_executor(self.keeping.on_thread, work)

    def close(self) -> None:
        """Closes the file."""
        self.keeping.close()

    def _now(self, system: str) -> list[Recording]:
        now = self._clock()
        return [one for one in self._running.values() if one.system == system and now < one.until]

    def _seal(self, one: Recording, sample: Sample, operation: Operation) -> bool:
        if len(self._waiting) >= MOST or self._bytes >= MOST_BYTES or self._sizes[one.id] >= LARGEST:
            self._dropped[one.id] += 1
            self._counts.dropped(operation.name, Dropped.HUB_FULL)
            return False
        month = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m}"
        try:
            sealer = self._sealers.get(one.id) or self._sealers.setdefault(one.id, Sealer(self._sealing))
            key, sealed = sealer.seal(bound_to(one.id), month, sample.SerializeToString())
        except (SecretError, OSError):
            self._dropped[one.id] += 1
            self._counts.dropped(operation.name, Dropped.DISK)
            return False
        self._waiting.append((Sealed(one.id, key, sealed), operation.name))
        self._bytes += len(sealed)
        self._sizes[one.id] += len(sealed)
        self._some.set()
        return True


def recordable(contracts: Contracts, name: str, system: str = "") -> tuple[tuple[str, ...], str]:
    """Operations of an interface, or the one that is named, of which calls may be kept, and the system whose answers they are: the one that
    is named, or the only one that serves them beside their owner. Raises `ForbiddenError`."""
    wanted = [one for one in contracts.operations.values() if name in (one.name, one.interface)]
    if not wanted:
        raise ForbiddenError(f"no contract that is loaded has {name}")
    allowed = [one for one in wanted if one.comparable]
    if not allowed:
        raise ForbiddenError(f"nothing of {name} may be recorded: it has side effects, or its mirror policy is NEVER")
    others = sorted({other for one in allowed for other in systems_of(contracts, one)[1:]})
    if not system and len(others) != 1:
        served = f"{', '.join(others)} serve it beside its owner" if others else "nobody serves it beside its owner"
        raise ForbiddenError(f"{name}: {served}, so name the system whose answers are kept")
    chosen = system or others[0]
    found = tuple(one.name for one in allowed if chosen in systems_of(contracts, one))
    if not found:
        raise ForbiddenError(f"{chosen} serves nothing of {name} that may be recorded")
    return found, chosen
