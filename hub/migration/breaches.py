"""When an interface must go back by itself: a breach is only what can't be chance, judged from few calls and several times a second."""

from dataclasses import dataclass
from typing import Final

from hub.migration.figures import Tally, bounds
from hub.migration.guards import differing_fields
from hub.migration.plan import Watch
from hub.parity.evidence import Evidence

CONTROL: Final = 20
"""Calls of the old platform from which on it tells what is slow now."""
DIFFERENT: Final = 3
"""Comparisons that must differ: of a few, one or two may be the platforms' own noise before it is known as that."""


@dataclass(frozen=True, slots=True)
class Breach:
    """What was breached, in words for the ledger and the programme board; nothing personal."""

    bar: str
    """`parity`, `errors` or `latency`."""
    said: str

    def __str__(self) -> str:
        return f"{self.bar}: {self.said}"


def of_errors(watch: Watch, old: Tally, new: Tally) -> Breach | None:
    """Whether the new platform surely fails more often than the old one and its budget."""
    if new.calls < watch.least_calls:
        return None
    before = old.errors / old.calls if old.calls else 0.0
    surely, _ = bounds(new.errors, new.calls)
    if surely <= before + watch.errors:
        return None
    beside = f"; the old one {old.errors:,} of {old.calls:,}" if old.calls else ""
    return Breach("errors", f"{new.errors:,} of {new.calls:,} calls of the new platform failed{beside}")


def slow_ms(watch: Watch, old: Tally, usual_ms: float) -> float:
    """What is slow: beyond a factor of the old platform's 99th percentile, now or, where it answers too few calls now, usually."""
    now = old.p99_ms if old.calls >= CONTROL else usual_ms
    return max(now * watch.slow_factor, watch.slow_floor * 1000)


def of_latency(watch: Watch, old: Tally, new: Tally, usual_ms: float) -> Breach | None:
    """Whether surely too many calls of the new platform are slow."""
    if new.calls < watch.least_calls:
        return None
    most = slow_ms(watch, old, usual_ms)
    slow = new.slower(most)
    surely, _ = bounds(slow, new.calls)
    if surely <= watch.slow:
        return None
    return Breach("latency", f"{slow:,} of {new.calls:,} calls of the new platform took longer than {most:,.0f} ms")


def of_parity(watch: Watch, evidence: Evidence | None) -> Breach | None:
    """Whether the platforms surely agree less often than the bar."""
    if evidence is None or evidence.compared < watch.least_comparisons or evidence.differing < DIFFERENT:
        return None
    _, at_most = bounds(evidence.compared - evidence.differing, evidence.compared)
    if at_most >= watch.parity:
        return None
    fields = differing_fields(evidence)
    where = f" ({', '.join(fields[:3])})" if fields else ""
    return Breach("parity", f"{evidence.differing:,} of {evidence.compared:,} comparisons differ{where}")
