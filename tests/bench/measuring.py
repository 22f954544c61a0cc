"""One measurement from beginning to end: warm-up, interleaved rounds, the parts of the edge, the parts of the adapter."""

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.bench.comparing import PAIRS, Comparison, measure_comparing
from tests.bench.console import Console, measure_console
from tests.bench.envoys import STEPS
from tests.bench.estate import BARE, FULL, PLAIN, Estate, Target, running
from tests.bench.journal import Journalled, measure_journal
from tests.bench.ledger import RECORDS, Ledger, measure_ledger
from tests.bench.load import Load, drive, h2load_command, has_h2load
from tests.bench.messages import LONG, SHORT, Length, Messages, measure_messages
from tests.bench.mirrored import Mirrored, measure_mirrored
from tests.bench.sample import Row, Sample, row, share
from tests.bench.stages import python_stages
from tests.bench.traffic import Changes, measure_changes

PATHS, JOURNAL, MESSAGES, CHANGES = "paths", "journal", "messages", "changes"
LEDGER, COMPARATOR, MIRRORED, CONSOLE = "ledger", "comparator", "mirrored", "console"
PARTS: Final = (PATHS, JOURNAL, MESSAGES, CHANGES, LEDGER, COMPARATOR, MIRRORED, CONSOLE)
"""What a run measures, in this order."""
BUSY = 64
"""Calls in flight at which parts are compared: enough that nobody waits for work."""


@dataclass(frozen=True)
class Effort:
    """What to measure, and how long."""

    parts: tuple[str, ...] = PARTS
    rounds: int = 9
    seconds: float = 1.2
    in_flight: tuple[int, ...] = (8, 64, 100)
    rates: tuple[float, ...] = (500, 1000)
    rate_seconds: float = 4.0
    rate_rounds: int = 3
    mirrored_rate: float = 100
    mirrored_rounds: int = 40
    mirrored_seconds: float = 2.5
    step_rounds: int = 3
    """Rounds over the edge with parts taken off."""
    journal_rounds: int = 24
    journal_seconds: float = 0.6
    """Many short rounds: what they are to tell is less than a shared machine differs by from one second to the next."""
    loops: int = 20_000
    messages: Length = LONG
    ledger_records: int = RECORDS
    changes: int = 60
    """Changes of traffic."""
    pairs: int = PAIRS
    console_seconds: float = 15.0


QUICK = Effort(
    parts=tuple(one for one in PARTS if one != CONSOLE),
    rounds=1,
    seconds=0.3,
    in_flight=(8,),
    rates=(100,),
    rate_seconds=0.5,
    rate_rounds=1,
    mirrored_rate=50,
    mirrored_rounds=1,
    mirrored_seconds=1.0,
    step_rounds=1,
    journal_rounds=1,
    journal_seconds=0.3,
    loops=200,
    messages=SHORT,
    ledger_records=2_000,
    changes=4,
    pairs=200,
)


@dataclass(frozen=True)
class Step:
    """One part of the edge and what it costs: the difference between the edge with and without it."""

    name: str
    microseconds: float


@dataclass(frozen=True)
class Measurement:
    """Everything that one run found. What was left out is empty or None."""

    at: datetime
    machine: dict[str, str]
    generator: str
    command: str = ""
    """How h2load was called, or how our own generator works."""
    operation: str = ""
    request_bytes: int = 0
    reply_bytes: int = 0
    rows: tuple[Row, ...] = ()
    steps: tuple[Step, ...] = ()
    stages: dict[str, float] = field(default_factory=dict)
    """Microseconds of CPU by stage of the adapter's pipeline."""
    journal: tuple[Journalled, ...] = ()
    messages: Messages | None = None
    changes: Changes | None = None
    ledger: Ledger | None = None
    comparison: Comparison | None = None
    mirrored: Mirrored | None = None
    console: Console | None = None

    def row(self, target: str, load: str) -> Row:
        """One row. Raises `KeyError`."""
        for one in self.rows:
            if (one.target, one.load) == (target, load):
                return one
        raise KeyError((target, load))

    @property
    def not_ok(self) -> int:
        """Calls on any path that did not end with grpc-status 0."""
        return sum(one.not_ok for one in (*self.rows, *(row for one in self.journal for row in (one.on, one.off)), *self._mirrored_rows))

    @property
    def _mirrored_rows(self) -> tuple[Row, ...]:
        return (self.mirrored.off, self.mirrored.on) if self.mirrored is not None else ()

    @property
    def loads(self) -> tuple[str, ...]:
        """Loads in the order in which they ran."""
        return tuple(dict.fromkeys(one.load for one in self.rows))

    def ratio(self, load: str, over: str = PLAIN) -> float:
        """Throughput of the full path as a share of another's, round by round."""
        return share(self.row(FULL, load), self.row(over, load))


async def measure(effort: Effort, told: Callable[[str], None], *, own_generator: bool = False) -> Measurement:
    """Measures. Raises `NotReadyError` and `LoadError`."""
    h2load, parts = has_h2load() and not own_generator, effort.parts
    generator = "h2load behind a sidecar" if h2load else "grpc.aio clients in processes of their own"
    found = Measurement(datetime.now(UTC), _machine(), generator)
    if PATHS in parts or JOURNAL in parts:
        found = await _called(found, effort, told, h2load=h2load)
    if MESSAGES in parts:
        told("starting an exchange")
        found = replace(found, messages=await measure_messages(effort.messages, told))
    if CHANGES in parts:
        found = replace(found, changes=await measure_changes(effort.changes, told))
    if LEDGER in parts:
        found = replace(found, ledger=await asyncio.to_thread(measure_ledger, effort.ledger_records, told))
    if COMPARATOR in parts:
        found = replace(found, comparison=await asyncio.to_thread(measure_comparing, effort.pairs, told))
    if MIRRORED in parts:
        mirrored = await measure_mirrored(effort.mirrored_rate, effort.mirrored_rounds, effort.mirrored_seconds, told)
        found = replace(found, mirrored=mirrored)
    if CONSOLE in parts:
        found = replace(found, console=await measure_console(effort.console_seconds, told))
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return replace(found, machine=found.machine | {"load average at the end": load})


async def _called(found: Measurement, effort: Effort, told: Callable[[str], None], *, h2load: bool) -> Measurement:
    """What is measured on the paths of a call."""
    through = PATHS in effort.parts
    told("starting bare server, plain Envoy, hub, edge and adapter")
    async with running(told, ablation=through) as estate:
        found = replace(
            found,
            machine=found.machine | {"software": f"{found.machine['software']}, Envoy {estate.envoy} (one thread)"},
            command=_command(estate) if h2load else "python -m tests.bench.client (two processes, plan on standard input)",
            operation=estate.exchange.operation.name,
            request_bytes=estate.exchange.request.ByteSize(),
            reply_bytes=estate.exchange.reply.ByteSize(),
        )
        if through:
            rows = await measure_paths(estate, effort, told, h2load=h2load)
            found = replace(found, rows=rows, steps=await _steps(estate, effort, told, h2load=h2load))
        if JOURNAL in effort.parts:
            journal = await measure_journal(estate, effort.journal_rounds, effort.journal_seconds, effort.in_flight, told, h2load=h2load)
            found = replace(found, journal=journal)
        if through:
            told("stages of the adapter's pipeline")  # they have a loop of their own
            stages = await asyncio.to_thread(python_stages, estate.exchange, estate.token, loops=effort.loops)
            found = replace(found, stages=stages)
    return found


async def measure_paths(estate: Estate, effort: Effort, told: Callable[[str], None], *, h2load: bool) -> tuple[Row, ...]:
    """A row for each load and path."""
    loads = [*(Load(in_flight=one) for one in effort.in_flight), *(Load(rate=one) for one in effort.rates)]
    expected = {target.name: await _warm(estate, target, effort, h2load=h2load) for target in estate.targets}
    found: dict[tuple[str, str], list[Sample]] = {(target.name, load.name): [] for load in loads for target in estate.targets}
    for number in range(effort.rounds):
        for load in (one for one in loads if one.in_flight or number < effort.rate_rounds):
            # Next to one another, so that whatever else the machine does meets all three alike; each is first, second and last in turn.
            first = number % len(estate.targets)
            for target in (*estate.targets[first:], *estate.targets[:first]):
                seconds = effort.seconds if load.in_flight else effort.rate_seconds
                one = await drive(estate, target, load, seconds, expected=expected[target.name], h2load=h2load)
                found[target.name, load.name].append(one)
                told(f"round {number + 1} of {effort.rounds}, {load.name}, {target.name}: {one.said}")
                if load.in_flight:
                    expected[target.name] = one.calls / one.seconds
    return tuple(row(target, load, samples) for (target, load), samples in found.items())


async def _warm(estate: Estate, target: Target, effort: Effort, *, h2load: bool) -> float:
    """Opens connections, fills caches, and gives the rate to be expected."""
    one = await drive(estate, target, Load(in_flight=max(effort.in_flight)), effort.seconds / 2, expected=1000, h2load=h2load)
    return one.calls / one.seconds


async def _steps(estate: Estate, effort: Effort, told: Callable[[str], None], *, h2load: bool) -> tuple[Step, ...]:
    """What each part of the edge costs Envoy, in front of the bare server."""
    spent: list[list[float]] = [[] for _ in estate.steps]
    load, rate = Load(in_flight=BUSY), await _warm(estate, estate.steps[-1], effort, h2load=h2load)
    for number in range(effort.step_rounds):
        for place, target in enumerate(estate.steps):
            one = await drive(estate, target, load, effort.seconds, expected=rate, h2load=h2load)
            spent[place].append(one.cpu["envoy"] / one.calls * 1_000_000)
            told(f"part {place} of {len(STEPS) - 1}, round {number + 1}: Envoy {spent[place][-1]:.0f} µs a call")
    left = [min(one) for one in spent]  # whatever else the machine does only adds
    parts = [Step(name, before - after) for (name, _), before, after in zip(STEPS[1:], left, left[1:], strict=False)]
    return (*parts, Step("HTTP/2 on both sides, router", left[-1]))


def _command(estate: Estate) -> str:
    """The command as somebody would type it, without the token."""
    words = h2load_command(estate, estate.targets[2], BUSY, 10_000, "request.bin")[:-1]
    shown = ("authorization: Bearer $TOKEN" if word.startswith("authorization") else word for word in words)
    return " ".join(f"'{word}'" if " " in word else word for word in (*shown, "http://127.0.0.1:$SIDECAR/$OPERATION"))


def _machine() -> dict[str, str]:
    model = next((line.partition(": ")[2] for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")), platform.machine())
    python = f"Python {sys.version.split()[0]}"
    packages = ", ".join(f"{name} {version(name)}" for name in ("grpcio", "protobuf", "protovalidate", "uvloop"))
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "software": f"{python}, {packages}",
    }


def _lines(path: Path) -> Sequence[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else ()


__all__ = ["BARE", "BUSY", "FULL", "PLAIN", "QUICK", "Effort", "Measurement", "Step", "measure", "measure_paths"]
