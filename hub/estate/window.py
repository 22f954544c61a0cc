"""Calls of the last seconds, counted as they come and taken off again as they grow old: by whom, of what, answered by whom.

The laws: a call costs the same however long the window is and however many names there are. Memory is bounded: by calls, of which the
oldest go first and the window grows shorter; and by consumers, of which those beyond a number count together as one.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from hub.estate.calls import Call, Kind, is_error
from hub.estate.times import bucket_of

K = TypeVar("K")
SPAN: Final = 10.0
"""Seconds that the window spans."""
MOST_CALLS: Final = 100_000
MOST_CONSUMERS: Final = 300
OTHER: Final = "other"
"""Consumers beyond those that are told apart."""
LAG: Final = 1.0
"""Seconds by which Envoy's log may be behind; where calls come, they themselves say how far it is."""


class Flow(NamedTuple):
    """What calls are told apart by."""

    consumer: str
    operation: str
    interface: str
    system: str
    kind: Kind
    address: str
    """Of the instance."""


@dataclass(slots=True)
class Tally:
    """Calls, counted."""

    calls: int = 0
    errors: int = 0
    times: dict[int, int] = field(default_factory=dict)
    """By bucket of `hub.estate.times`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Those that did not end with OK, by reason."""

    def add(self, bucket: int, reason: str) -> None:
        """Counts a call that ended for a reason; an empty one for OK."""
        self.calls += 1
        self.times[bucket] = self.times.get(bucket, 0) + 1
        if reason:
            self.errors += is_error(reason)
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def take_off(self, bucket: int, reason: str) -> None:
        """Counts a call no more."""
        self.calls -= 1
        _less(self.times, bucket)
        if reason:
            self.errors -= is_error(reason)
            _less(self.reasons, reason)


def _less(counts: dict[K, int], key: K) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]


Names: TypeAlias = dict[str, Tally]
Pairs: TypeAlias = dict[tuple[str, str], Tally]
Place: TypeAlias = tuple[dict[Any, Tally], Any]
"""A table and a key in it."""
ALL: Final = "all"


class Totals:
    """Calls by what they are told apart by. What the hub itself asks is no consumer's call, and what it compares no system's answer."""

    def __init__(self) -> None:
        self.everything: Names = {}
        self.interfaces: Names = {}
        self.operations: Names = {}
        self.consumers: Names = {}
        self.systems: Names = {}
        self.callers: Pairs = {}
        """By consumer and interface."""
        self.answers: Pairs = {}
        """By interface and system."""
        self.deliveries: Pairs = {}
        """By interface and subscribed system."""
        self.subscriptions: Pairs = {}
        """By subscribed system and operation."""
        self.shadows: Pairs = {}
        """By interface and the system that was asked to compare."""
        self.instances: Names = {}
        """By address."""

    def places(self, flow: Flow) -> list[Place]:
        """Tables and keys at which a flow counts. Calls without a certificate are one consumer's."""
        consumer, operation, interface, system, kind, address = flow
        if kind is Kind.SHADOW:
            return [(self.shadows, (interface, system))]
        found: list[Place] = [(self.systems, system)] if system else []
        if address:
            found.append((self.instances, address))
        if kind is Kind.DELIVERY:
            return [*found, (self.deliveries, (interface, system)), (self.subscriptions, (system, operation))]
        found += [(self.everything, ALL), (self.consumers, consumer)]
        if operation:
            found.append((self.operations, operation))
        if interface:
            found += [(self.interfaces, interface), (self.callers, (consumer, interface))]
            if system:
                found.append((self.answers, (interface, system)))
        return found

    def tallies(self, flow: Flow) -> list[Tally]:
        """Where a flow counts."""
        found = []
        for table, key in self.places(flow):
            known = table.get(key)
            if known is None:
                known = table[key] = Tally()
            found.append(known)
        return found


@dataclass(slots=True)
class _Counted:
    """A flow within the window."""

    flow: Flow
    tallies: list[Tally]
    calls: int = 0


class Window:
    """The calls of the last seconds. Of one task."""

    def __init__(self, *, span: float = SPAN, most_calls: int = MOST_CALLS, most_consumers: int = MOST_CONSUMERS) -> None:
        self._span, self._most_calls, self._most_consumers = span, most_calls, most_consumers
        self.begin(0.0)

    def begin(self, since: float) -> None:
        """Everything since that unix time is counted from now on; what was counted before is forgotten."""
        self.totals = Totals()
        self._flows: dict[Flow, _Counted] = {}
        self._calls: deque[tuple[float, _Counted, int, str]] = deque()
        self._consumers: dict[str, int] = {}
        """Flows of each consumer."""
        self._others: dict[str, float] = {}
        self._begin = self._latest = since

    def whole_since(self, since: float) -> None:
        """Before that unix time not all calls were counted."""
        self._begin = max(self._begin, since)

    def take(self, calls: Iterable[Call]) -> None:
        """Counts calls."""
        for call in calls:
            line, ended = call.line, call.ended
            if ended < self._latest - self._span or ended < self._begin:
                continue
            self._latest = max(self._latest, ended)
            flow = Flow(self._named(line.consumer, ended), call.operation, call.interface, call.system, call.kind, line.upstream)
            counted = self._flows.get(flow) or self._new(flow)
            bucket, reason = bucket_of(line.ms), call.reason
            counted.calls += 1
            for tally in counted.tallies:
                tally.add(bucket, reason)
            self._calls.append((ended, counted, bucket, reason))
            if len(self._calls) > self._most_calls:
                self._begin = self._calls[0][0]
                self._drop()

    def expire(self, now: float) -> float:
        """Takes off what is too old, and gives the seconds that are counted now, at least one."""
        end = max(self._latest, now - LAG)
        start = max(end - self._span, self._begin)
        while self._calls and self._calls[0][0] < start:
            self._drop()
        self._others = {one: seen for one, seen in self._others.items() if seen >= start}
        return max(end - start, 1.0)

    @property
    def others(self) -> int:
        """Consumers that are not told apart, within the window."""
        return len(self._others)

    def only(self, wanted: Callable[[Flow], bool]) -> Totals:
        """Totals of some flows alone."""
        found = Totals()
        tallies = {flow: found.tallies(flow) for flow in self._flows if wanted(flow)}
        for _, counted, bucket, reason in self._calls:
            for tally in tallies.get(counted.flow, ()):
                tally.add(bucket, reason)
        return found

    def _named(self, consumer: str, ended: float) -> str:
        if consumer in self._consumers or len(self._consumers) < self._most_consumers:
            return consumer
        if len(self._others) < self._most_calls:
            self._others[consumer] = ended
        return OTHER

    def _new(self, flow: Flow) -> _Counted:
        self._flows[flow] = counted = _Counted(flow, self.totals.tallies(flow))
        self._consumers[flow.consumer] = self._consumers.get(flow.consumer, 0) + 1
        return counted

    def _drop(self) -> None:
        _, counted, bucket, reason = self._calls.popleft()
        for tally in counted.tallies:
            tally.take_off(bucket, reason)
        counted.calls -= 1
        if not counted.calls:
            self._forget(counted.flow)

    def _forget(self, flow: Flow) -> None:
        del self._flows[flow]
        for table, key in self.totals.places(flow):
            if not table[key].calls:
                del table[key]
        _less(self._consumers, flow.consumer)
