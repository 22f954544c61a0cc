"""Calls at a rate, whatever becomes of those before: a call's time counts from when it was due, so that a stall shows in all it held up."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hub.cli.day.accounts import percentile

OK: Final = "OK"
GRACE: Final = 5.0
"""Seconds after the end in which calls that are late may still be made."""
SHARES: Final = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Plan:
    """What is asked for: calls a second, at most so many under way, for so many seconds."""

    rate: float
    concurrency: int
    seconds: float

    @property
    def calls(self) -> int:
        """Calls that are due in all."""
        return max(1, round(self.rate * self.seconds))


@dataclass
class Outcome:
    """What came of it. Times are in seconds."""

    plan: Plan
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By gRPC status and reason."""
    from_due: list[float] = field(default_factory=list)
    """Of answered calls, from when they were due to the last message of the answer."""
    from_sent: list[float] = field(default_factory=list)
    """The same from when they were sent."""
    late: list[float] = field(default_factory=list)
    """How late calls were sent."""
    took: float = 0.0

    @property
    def made(self) -> int:
        """Calls that were made."""
        return self.ends.total()

    @property
    def answered(self) -> int:
        """Calls that were answered."""
        return sum(times for (status, _), times in self.ends.items() if status == OK)

    @property
    def unmade(self) -> int:
        """Calls that were due and not made, since too many were under way for too long."""
        return self.plan.calls - self.made

    @property
    def well(self) -> bool:
        """Whether every call that was due was answered."""
        return self.answered == self.plan.calls

    def document(self) -> dict[str, Any]:
        """The outcome as JSON; times in milliseconds."""
        errors = [
            {"status": status, "reason": reason, "calls": times} for (status, reason), times in self.ends.most_common() if status != OK
        ]
        return {
            "rate": self.plan.rate,
            "concurrency": self.plan.concurrency,
            "seconds": self.plan.seconds,
            "due": self.plan.calls,
            "answered": self.answered,
            "failed": self.made - self.answered,
            "not_made": self.unmade,
            "answered_per_second": round(self.answered / self.took, 1) if self.took else 0.0,
            "milliseconds": figures(self.from_due),
            "milliseconds_from_sent": figures(self.from_sent),
            "milliseconds_late": figures(self.late),
            "errors": errors,
        }


def figures(seconds: list[float]) -> dict[str, float]:
    """Percentiles, mean and maximum in milliseconds; empty where there is nothing to measure."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    found = {f"p{share * 100:g}": round(1000 * percentile(ordered, share), 2) for share in SHARES}
    return {**found, "mean": round(1000 * sum(ordered) / len(ordered), 2), "max": round(1000 * ordered[-1], 2)}


async def run(plan: Plan, ask: Callable[[], Awaitable[tuple[str, str]]]) -> Outcome:
    """Carries the plan out. `ask` makes one call and gives its status and reason; it raises nothing."""
    found, numbers, began = Outcome(plan), itertools.count(), time.perf_counter()
    last = began + plan.seconds + GRACE

    async def work() -> None:
        for number in numbers:
            due = began + number / plan.rate
            if number >= plan.calls:
                return
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            sent = time.perf_counter()
            if sent > last:
                return
            end = await ask()
            done = time.perf_counter()
            found.ends[end] += 1
            found.late.append(sent - due)
            if end[0] == OK:
                found.from_due.append(done - due)
                found.from_sent.append(done - sent)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(plan.concurrency, plan.calls)):
            group.create_task(work())
    found.took = time.perf_counter() - began
    return found
