"""Asks the other platform what a caller was answered, and hands both answers to the comparator.

The law: nobody waits for it. Adapters offer samples by the lot, and they are asked evenly spread over the time until the next lot, since a
call that meets a crowd of them in Envoy would wait for it. A few are under way at once, a bounded number wait, and whatever does not fit,
waits for too long, or would go to a system that is down, is dropped and counted. The caller was answered long before.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.message import Message

from hub.contracts import Contracts, Operation
from hub.parity import access
from hub.parity.counts import Counts
from hub.parity.pairs import Answer, Pair
from hub.parity.sampling import Sampler, Sampling, shadow_of
from hub.parity.wire import Asked, Wire, answer_of
from metip.breaker import Breaker
from metip.faults import Fault
from metip.parity.v1.sample_pb2 import Sample
from metip.sampling import Dropped, place, place_again

AT_ONCE: Final = 8
"""Samples that are asked at once."""
SPREAD: Final = 0.1
"""Seconds over which what waits is spread: as long as an adapter collects a lot."""
MOST: Final = 1000
"""Samples that wait."""
MOST_BYTES: Final = 32 * 1024 * 1024
OLDEST: Final = 15.0
"""Seconds after which a platform may well say something else than it said then."""
FAILURES_TO_OPEN: Final = 5
OPEN_FOR: Final = timedelta(seconds=5)
DOWN: Final = frozenset({4, 14})
"""DEADLINE_EXCEEDED and UNAVAILABLE: the system is slow or down."""
Take = Callable[[Pair], None]
"""`Comparator.take`: quick, and it never raises."""


class Breakers:
    """One circuit breaker for each system that is asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of: dict[str, Breaker] = {}

    async def ask(self, system: str, asking: Callable[[], Awaitable[Asked]]) -> Asked:
        """Asks, unless the system failed too often of late."""
        breaker = self._of.setdefault(system, Breaker(FAILURES_TO_OPEN, OPEN_FOR, clock=self._clock))
        try:
            spell = breaker.admit()
        except Fault:
            return Asked(dropped=Dropped.SHADOW_DOWN)
        try:
            found = await asking()
        except BaseException:
            breaker.abandoned(spell)
            raise
        if found.dropped is Dropped.NO_SHADOW or (found.answer is not None and found.answer.code in DOWN):
            breaker.failed(spell)
        elif found.answer is not None:
            breaker.succeeded(spell)
        else:
            breaker.abandoned(spell)
        return found


@dataclass(frozen=True, slots=True)
class _Waiting:
    sample: Sample
    operation: Operation
    since: float
    size: int


class Asker:
    """Asks for one hub."""

    def __init__(
        self,
        contracts: Contracts,
        kind: Callable[[str], type[Message]],
        sampler: Sampler,
        wire: Wire,
        take: Take,
        counts: Counts,
        breakers: Breakers,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._contracts, self._kind, self._sampler, self._wire = contracts, kind, sampler, wire
        self._take, self._counts, self._breakers, self._clock = take, counts, breakers, clock
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._some = asyncio.Semaphore(0)
        self._turn = asyncio.Lock()

    def wants(self, sample: Sample) -> bool:
        """Whether a sample is one that is to be compared."""
        sampling = self._sampler.setting(sample.operation)
        return sampling is not None and place(sample.call_id) < sampling.per_million

    def offer(self, sample: Sample, operation: Operation) -> bool:
        """Takes a sample if it is one that is to be compared and there is room; whether it took it. By now the sample's request has the
        comparison's own access context."""
        if not self.wants(sample):
            return False
        size = len(sample.request) + sum(map(len, sample.replies))
        if len(self._waiting) >= MOST or self._bytes + size > MOST_BYTES:
            self._counts.dropped(operation.name, Dropped.HUB_FULL)
            return False
        self._waiting.append(_Waiting(sample, operation, self._clock(), size))
        self._bytes += size
        self._some.release()
        return True

    async def run(self) -> None:
        """Asks, for ever."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            await self._some.acquire()
            async with self._turn:
                await asyncio.sleep(SPREAD / len(self._waiting))
                one = self._waiting.popleft()
            self._bytes -= one.size
            sampling = self._sampler.setting(one.operation.name)
            if self._clock() - one.since > OLDEST:
                self._counts.dropped(one.operation.name, Dropped.TOO_OLD)
            elif sampling is None:
                self._counts.dropped(one.operation.name, Dropped.NOT_WANTED)
            else:
                await self._compare(one.sample, one.operation, sampling)

    async def _compare(self, sample: Sample, operation: Operation, sampling: Sampling) -> None:
        count, shadow = self._counts.of(operation.name), shadow_of(self._contracts, operation, sample.system, sampling.shadow)
        found = await self._ask(sample, operation, shadow) if shadow else Asked(dropped=Dropped.NO_SHADOW)
        if found.answer is None:
            self._counts.dropped(operation.name, found.dropped or Dropped.NO_SHADOW)
            return
        count.asked += 1
        again: Answer | None = None
        if place_again(sample.call_id) < sampling.again_per_million:
            again = (await self._ask(sample, operation, sample.system)).answer
            count.again += again is not None
        self._take(pair_of(self._contracts, operation, sample, found.answer, operation.mirror, again))
        count.compared += 1

    async def _ask(self, sample: Sample, operation: Operation, system: str) -> Asked:
        async def once() -> Asked:
            # Asked last, since what it allows of a live system's hour is spent.
            if (dropped := self._sampler.may_ask(operation, system)) is not None:
                return Asked(dropped=dropped)
            return await self._wire.ask(operation, system, sample.request, sample.call_id)

        return await self._breakers.ask(system, once)

    def own(self, sample: Sample, operation: Operation) -> bool:
        """Puts the comparison's own access context in place of the caller's; whether the sample is a request at all."""
        try:
            sample.request = access.own(operation, self._kind, sample.request, sample.call_id)
        except access.MalformedError:
            self._counts.dropped(operation.name, Dropped.MALFORMED)
            return False
        return True


def pair_of(contracts: Contracts, operation: Operation, sample: Sample, shadow: Answer, origin: str, again: Answer | None = None) -> Pair:
    """Both answers to one call."""
    taken = sample.taken.seconds + sample.taken.nanos / 1e9
    primary = answer_of(contracts, operation, sample.system, tuple(sample.replies), taken, sample.code, sample.reason)
    at = sample.at.seconds + sample.at.nanos / 1e9
    return Pair(operation.name, sample.call_id, at, sample.request, primary, shadow, again, origin)
