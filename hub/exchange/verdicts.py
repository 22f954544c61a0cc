"""What follows from the end of an attempt: done, tried again, left to a person, or in doubt.

The law: a write-once message is tried again only when it is certain that the last attempt had no effect. That is so when Envoy says that it
sent nothing, and when the adapter itself answered with a reason that comes before its far system was asked.
"""

from dataclasses import dataclass
from typing import Final

import grpc

from hub.exchange.life import Event

RETRIED: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    }
)
"""Tried again until the subscription gives up."""
RETRIED_A_WHILE: Final = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS})
"""Something broke, which may be the message's own doing: tried again a few times, then parked."""
WHILE: Final = 5
DOUBTFUL: Final = frozenset({"IN_DOUBT", "INTERNAL", "UPSTREAM_FAULT", "JOURNAL"})
"""Reasons of an adapter after which its far system may have done what it was asked."""
NEVER_SENT: Final = frozenset({"UH", "UF", "NR", "NC", "UO", "DI"})
"""Envoy's response flags for a request that reached no instance: none healthy, no connection, no route, no cluster, overflow, injected."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, as the dispatcher saw it."""

    status: grpc.StatusCode
    reason: str = ""
    """Reason of the adapter's ErrorInfo; empty when the answer is not the adapter's own."""
    flags: str = ""
    """Envoy's response flags, comma-separated, when the answer is Envoy's own."""
    processed: bool = True
    """Of an answer: whether the far system has done it, rather than only has it."""

    @property
    def unreachable(self) -> bool:
        """Whether the message reached no instance, so that there is no use in trying others now."""
        return not self.reason and bool(NEVER_SENT & set(self.flags.split(",")))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows."""

    event: Event
    status: str
    reason: str


def verdict(ended: Ended, *, write_once: bool, attempt: int, exhausted: bool) -> Verdict:
    """What follows from the end of attempt number `attempt`; `exhausted` when the subscription tries no longer."""
    name, reason = ended.status.name, ended.reason or _own_reason(ended)
    if ended.status is grpc.StatusCode.OK:
        return Verdict(Event.CONFIRMED if ended.processed else Event.ACKNOWLEDGED, name, "")
    if write_once and not _certainly_undone(ended):
        return Verdict(Event.DOUBTED, name, reason)
    if ended.status in RETRIED or ended.reason in ("IN_DOUBT", "FENCED"):
        return Verdict(Event.GAVE_UP if exhausted else Event.FAILED, name, reason)
    if ended.status in RETRIED_A_WHILE:
        return Verdict(Event.GAVE_UP if exhausted or attempt >= WHILE else Event.FAILED, name, reason)
    return Verdict(Event.GAVE_UP, name, reason)


def _certainly_undone(ended: Ended) -> bool:
    if ended.reason:
        return ended.reason not in DOUBTFUL
    return ended.unreachable


def _own_reason(ended: Ended) -> str:
    return "UNREACHABLE" if ended.unreachable else "NO_ANSWER"
