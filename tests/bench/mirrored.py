"""The full path with the tap off, and with every call asked of another system too and compared, in turns within one run at a fixed rate.

Turns are short, since the machine is never the same for long, and in one run, since a generator that starts disturbs what it measures.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, ClassVar, Final

import grpc

from adapters.kit.tap import Tap
from metip.call import Call
from metip.contracts import Operation
from metip.parity.v1 import sampling_service_pb2 as api
from metip.parity.v1.sampling_service_pb2_grpc import SamplingServiceStub
from tests.bench.client import Asked
from tests.bench.estate import Estate, running
from tests.bench.exchange import Exchange, another
from tests.bench.journal import OFF, ON
from tests.bench.load import Load, LoadError, each_call
from tests.bench.sample import Row, Sample, percentiles, row

FULL_PATH: Final = 2
P50, P99 = 0, 2
ALONE, MIRRORED = "tap off", "every call mirrored and compared"
BUDGET: Final = 1.0
"""Milliseconds that a mirrored and compared call may cost its caller at p99."""
NOTHING: Final = 0.1
"""Milliseconds at p50 that are nothing. One run differs from another by as much, or a little more."""
SETTLES: Final = 4.0
"""Seconds within which adapters hear of a share."""
DONE: Final = 0.7
"""Seconds within which samples under way are done: so long no call of a new turn counts."""
WARM: Final = 5.0
"""Seconds for the generator to start and for connections and caches."""


class Switched(Tap):
    """A tap that is shut while it is off, as a share of nothing shuts it, but at once."""

    on: ClassVar[bool] = True

    def wants(self, operation: Operation, call: Call) -> bool:
        """As the tap does, when it is on."""
        return self.on and super().wants(operation, call)


@dataclass(frozen=True)
class Mirrored:
    """What it costs a caller that another system is asked the same, and both answers compared."""

    off: Row
    on: Row
    added: tuple[float, ...]
    """Milliseconds at each percentile: the median of the rounds' own differences."""
    compared: int
    """Pairs that were compared meanwhile."""
    dropped: int
    """Samples that were not."""

    @property
    def nothing(self) -> bool:
        """Whether it costs nothing at p50."""
        return self.added[P50] < NOTHING

    @property
    def kept(self) -> bool:
        """Whether it keeps its budget at p99."""
        return self.added[P99] < BUDGET


async def measure_mirrored(rate: float, rounds: int, seconds: float, told: Callable[[str], None]) -> Mirrored:
    """Measures, with a turn of so many seconds each way in every round. Raises `NotReadyError` and `LoadError`."""
    told("starting an estate with another system behind the operation")
    turns = [on for number in range(rounds) for on in ((True, False) if number % 2 else (False, True))]
    async with running(told, ablation=False, mirrored=True) as estate, _hub(estate) as hub:
        target, load, begun = estate.targets[FULL_PATH], Load(rate=rate), list[float]()
        await hub.sample()
        driving = asyncio.create_task(each_call(estate, target, load, WARM + len(turns) * seconds))
        await asyncio.sleep(WARM)
        for number, on in enumerate(turns):
            os.kill(target.processes["python"], ON if on else OFF)
            begun.append(time.perf_counter())
            told(f"{MIRRORED if on else ALONE}, turn {number + 1} of {len(turns)}, {load.name}")
            await asyncio.sleep(seconds)
        begun.append(time.perf_counter())
        calls = await driving
        compared, dropped = await hub.settled()
    samples: dict[bool, list[Sample]] = {False: [], True: []}
    for on, (since, until) in zip(turns, pairwise(begun), strict=True):
        samples[on].append(_sample([one for one in calls if since + DONE <= one[0] < until], until - since - DONE))
    pairs = list(zip(samples[True], samples[False], strict=True))
    added = tuple(median(on.latencies[at] - off.latencies[at] for on, off in pairs) for at in range(len(pairs[0][0].latencies)))
    return Mirrored(row(ALONE, load.name, samples[False]), row(MIRRORED, load.name, samples[True]), added, compared, dropped)


def _sample(calls: list[Asked], seconds: float) -> Sample:
    """One turn. Raises `LoadError` when nothing was asked in it."""
    if not calls:
        raise LoadError("the generator did not start in time, or ended too early")
    latencies = percentiles([microseconds / 1000 for _, microseconds, _ in calls])
    return Sample(len(calls), sum(not ok for *_, ok in calls), seconds, latencies, {})


@dataclass
class _Hub:
    """The share of the operation, at the hub's own socket."""

    stub: Any
    exchange: Exchange

    async def sample(self) -> None:
        """Samples every call, and waits until the adapter surely knows."""
        one = api.Sampling(operation=self.exchange.operation.name, per_million=1_000_000, shadow=another(self.exchange))
        request = api.SetSamplingRequest(sampling=one, because="a benchmark")
        await self.stub.SetSampling(request, metadata=[("x-metip-operator", "os://bench/bench")], timeout=10)
        await asyncio.sleep(SETTLES)

    async def settled(self) -> tuple[int, int]:
        """Pairs that were compared, and samples that were dropped, once none is under way."""
        await asyncio.sleep(DONE)
        found = await self.stub.GetSampling(api.GetSamplingRequest(), timeout=10)
        one = next((one for one in found.counts if one.operation == self.exchange.operation.name), api.SampledCount())
        return one.compared, sum(drop.count for drop in one.drops)


@asynccontextmanager
async def _hub(estate: Estate) -> AsyncIterator[_Hub]:
    async with grpc.aio.insecure_channel(f"unix:{estate.hub}") as channel:
        yield _Hub(SamplingServiceStub(channel), estate.exchange)
