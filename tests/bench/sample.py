"""What one run of a load found, what several runs come to, and the CPU time of processes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

PERCENTILES = (50.0, 90.0, 99.0)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """One run."""

    calls: int
    not_ok: int
    """Calls that did not end with grpc-status 0, those that got no status at all included."""
    seconds: float
    latencies: tuple[float, ...]
    """Milliseconds at each of `PERCENTILES`."""
    cpu: Mapping[str, float]
    """CPU seconds by role: client, sidecar, envoy, python."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Calls by status, where the generator knows it."""

    @property
    def said(self) -> str:
        """The sample in a few words."""
        failed = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()) if status != "OK")
        return f"{self.calls / self.seconds:.0f}/s, {self.not_ok} not OK" + (f" ({failed})" if failed else "")


@dataclass(frozen=True)
class Row:
    """The medians of one load over one path."""

    target: str
    load: str
    runs: int
    calls: int
    not_ok: int
    rate: float
    """Calls a second."""
    latencies: tuple[float, ...]
    cpu: Mapping[str, float]
    """CPU seconds per 1,000 calls by role; a thousandth of it is that many microseconds a call."""
    rates: tuple[float, ...]
    """Calls a second in each round."""


def row(target: str, load: str, samples: Sequence[Sample]) -> Row:
    """Samples of one load over one path, together: counts are added up, all else is the median."""
    return Row(
        target,
        load,
        len(samples),
        sum(one.calls for one in samples),
        sum(one.not_ok for one in samples),
        median(one.calls / one.seconds for one in samples),
        tuple(median(column) for column in zip(*(one.latencies for one in samples), strict=True)),
        {role: median(one.cpu[role] / one.calls * 1000 for one in samples) for role in samples[0].cpu},
        tuple(one.calls / one.seconds for one in samples),
    )


def share(ours: Row, theirs: Row) -> float:
    """Throughput as a share of another path's: the median over rounds, in each of which the two ran next to one another.

    A machine that others share is faster in one minute than in the next, so figures of different rounds say little about one another.
    """
    return median(_shares(ours, theirs))


def between(ours: Row, theirs: Row) -> tuple[float, float]:
    """Between which shares the middle half of the rounds lies, which tells how sure `share` is."""
    ordered = sorted(_shares(ours, theirs))
    return ordered[len(ordered) // 4], ordered[(3 * len(ordered) - 1) // 4]


def _shares(ours: Row, theirs: Row) -> list[float]:
    return [one / other for one, other in zip(ours.rates, theirs.rates, strict=True)]


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """User and system time of each process so far, in seconds, by role."""
    found = {}
    for role, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        found[role] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


def percentiles(milliseconds: Sequence[float]) -> tuple[float, ...]:
    """The value at or below which each of `PERCENTILES` of the values lie."""
    ordered = sorted(milliseconds)
    return tuple(ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] for share in PERCENTILES)
