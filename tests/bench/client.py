"""One process of our own load generator: grpc.aio calls, closed loop or at a fixed rate, each grpc-status counted.

At a fixed rate each call has its time, whether or not those before it were answered, and its latency runs from that time: a server that
stops for a second is charged with all the calls that would have come (no coordinated omission).
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc
import uvloop
from hdrh.histogram import HdrHistogram

from metip.processes import die_with_parent

LOWEST, HIGHEST, DIGITS = 1, 60_000_000, 3
"""Bounds of a latency in microseconds, and significant digits."""
DEADLINE = 10.0
Asked = tuple[float, int, bool]
"""A call: when it was due, in seconds of the machine's monotonic clock, which all processes share; its microseconds; whether it was OK."""


@dataclass(frozen=True)
class Plan:
    """What the process is told to do, as JSON on its standard input."""

    address: str
    path: str
    request: str
    """Hexadecimal."""
    metadata: Sequence[tuple[str, str]]
    certificate: str
    """Paths of PEM files; empty for a path in clear."""
    key: str
    authority: str
    in_flight: int
    """Calls in flight of the closed loop; 0 for a fixed rate."""
    rate: float
    """Calls a second at a fixed rate."""
    seconds: float
    each: bool = False
    """Whether each call is told too, for whoever tells turns of one run apart."""


@dataclass
class Outcome:
    """What it says at its end, as JSON on its standard output."""

    statuses: dict[str, int]
    seconds: float
    cpu: float
    histogram: str
    """Latencies in microseconds, HdrHistogram's own encoding."""
    calls: Sequence[Asked] = ()
    """Where the plan wants each."""


@dataclass
class _Run:
    call: Any
    request: bytes
    metadata: Any
    statuses: Counter[str] = field(default_factory=Counter)
    calls: list[Asked] = field(default_factory=list)

    async def once(self, since: float) -> None:
        status = "OK"
        try:
            await self.call(self.request, metadata=self.metadata, timeout=DEADLINE)
        except grpc.aio.AioRpcError as error:
            status = error.code().name
        self.statuses[status] += 1
        self.calls.append((since, int((time.perf_counter() - since) * 1_000_000), status == "OK"))


async def run(plan: Plan) -> Outcome:
    """Does what the plan says."""
    async with _channel(plan) as channel:
        work = _Run(channel.unary_unary(plan.path), bytes.fromhex(plan.request), tuple(map(tuple, plan.metadata)))
        await asyncio.gather(*(work.once(time.perf_counter()) for _ in range(8)))  # opens the connection, fills caches
        work.statuses.clear()
        work.calls.clear()
        cpu, started = time.process_time(), time.perf_counter()
        if plan.in_flight:
            await asyncio.gather(*(_closed(work, started + plan.seconds) for _ in range(plan.in_flight)))
        else:
            await _open(work, started, plan.rate, int(plan.rate * plan.seconds))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    histogram = HdrHistogram(LOWEST, HIGHEST, DIGITS)
    for _, one, _ in work.calls:
        histogram.record_value(max(LOWEST, min(one, HIGHEST)))
    return Outcome(dict(work.statuses), seconds, cpu, histogram.encode().decode(), work.calls if plan.each else ())


async def _closed(work: _Run, until: float) -> None:
    while (now := time.perf_counter()) < until:
        await work.once(now)


async def _open(work: _Run, started: float, rate: float, calls: int) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            due = started + number / rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            group.create_task(work.once(due))


def _channel(plan: Plan) -> grpc.aio.Channel:
    options = [("grpc.enable_retries", 0)]
    if not plan.certificate:
        return grpc.aio.insecure_channel(plan.address, options=options)
    authority, key, certificate = (_read(path) for path in (plan.authority, plan.key, plan.certificate))
    return grpc.aio.secure_channel(plan.address, grpc.ssl_channel_credentials(authority, key, certificate), options=options)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def main() -> None:
    """Reads the plan, follows it, prints the outcome."""
    die_with_parent()
    said: Mapping[str, Any] = json.load(sys.stdin)
    json.dump(asdict(uvloop.run(run(Plan(**said)))), sys.stdout)


if __name__ == "__main__":
    main()
