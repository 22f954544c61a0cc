"""Calls of the last seconds, counted as they come and taken off again as they grow old: by whom, of what, answered by whom.

The laws: a call costs the same however long the window is and however many names there are. Memory is bounded: by calls, of which the
oldest go first and the window grows shorter; and by consumers, of which those beyond a number count together as one.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from hub.estate.calls import Call, Kind
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
    blamed: set[str] = field(default_factory=set)
    """Reasons for which somebody is to blame."""

    def add(self, other: "Tally") -> None:
        """Counts what another one did."""
        self.calls += other.calls
        self.errors += other.errors
        self.blamed |= other.blamed
        _join(self.times, other.times)
        _join(self.reasons, other.reasons)


def _join(mine: dict[K, int], theirs: dict[K, int]) -> None:
    for key, count in theirs.items():
        mine[key] = mine.get(key, 0) + count


Names: TypeAlias = dict[str, Tally]
Pairs: TypeAlias = dict[tuple[str, str], Tally]
Place: TypeAlias = tuple[dict[Any, Tally], Any]
"""A table and a key in it."""
ALL: Final = "all"
KEYS: Final[tuple[tuple[str, Callable[[Flow], Any]], ...]] = (
    ("everything", lambda one: ALL if one.kind is Kind.CALL else None),
    ("interfaces", lambda one: one.interface if one.kind is Kind.CALL else None),
    ("operations", lambda one: one.operation if one.kind is Kind.CALL else None),
    ("consumers", lambda one: one.consumer if one.kind is Kind.CALL else None),
    ("systems", lambda one: one.system if one.kind is not Kind.SHADOW else None),
    ("callers", lambda one: (one.consumer, one.interface) if one.kind is Kind.CALL and one.interface else None),
    ("answers", lambda one: (one.interface, one.system) if one.kind is Kind.CALL and one.interface and one.system else None),
    ("deliveries", lambda one: (one.interface, one.system) if one.kind is Kind.DELIVERY else None),
    ("subscriptions", lambda one: (one.system, one.operation) if one.kind is Kind.DELIVERY else None),
    ("shadows", lambda one: (one.interface, one.system) if one.kind is Kind.SHADOW else None),
    ("instances", lambda one: one.address if one.kind is not Kind.SHADOW else None),
)
"""Tables, and the key of a flow in each; None, or an empty one, where it has none there. Calls without a certificate are one consumer's."""


class Totals:
    """Calls by what they are told apart by, in the tables of `KEYS`."""

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
        """Tables and keys at which a flow counts."""
        found = []
        for name, key_of in KEYS:
            key = key_of(flow)
            if key is not None and (key != "" or name == "consumers"):
                found.append((getattr(self, name), key))
        return found

    def add(self, flow: Flow, tally: Tally) -> None:
        """Counts a flow's calls."""
        for table, key in self.places(flow):
            table.setdefault(key, Tally()).add(tally)


@dataclass(slots=True)
class _Counted:
    """A flow within the window."""

    flow: Flow
    tally: Tally
    places: list[Place]
    tallies: tuple[Tally, ...]


class Window:
    """The calls of the last seconds. Of one task."""

    def __init__(self, *, span: float = SPAN, most_calls: int = MOST_CALLS, most_consumers: int = MOST_CONSUMERS) -> None:
        self._span, self._most_calls, self._most_consumers = span, most_calls, most_consumers
        self.begin(0.0)

    def begin(self, since: float) -> None:
        """Everything since that unix time is counted from now on; what was counted before is forgotten."""
        self.totals = Totals()
        self._flows: dict[Flow, _Counted] = {}
        self._calls: deque[tuple[float, _Counted, int, str, bool]] = deque()
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
            bucket = bucket_of(line.ms)
            for tally in counted.tallies:
                tally.calls += 1
                tally.times[bucket] = tally.times.get(bucket, 0) + 1
                if call.reason:
                    tally.reasons[call.reason] = tally.reasons.get(call.reason, 0) + 1
                    if call.error:
                        tally.errors += 1
                        tally.blamed.add(call.reason)
            self._calls.append((ended, counted, bucket, call.reason, call.error))
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
        for flow, counted in self._flows.items():
            if wanted(flow):
                found.add(flow, counted.tally)
        return found

    def _named(self, consumer: str, ended: float) -> str:
        if consumer in self._consumers or len(self._consumers) < self._most_consumers:
            return consumer
        if len(self._others) < self._most_calls:
            self._others[consumer] = ended
        return OTHER

    def _new(self, flow: Flow) -> _Counted:
        tally, places = Tally(), self.totals.places(flow)
        tallies = (tally, *(table.setdefault(key, Tally()) for table, key in places))
        self._flows[flow] = counted = _Counted(flow, tally, places, tallies)
        self._consumers[flow.consumer] = self._consumers.get(flow.consumer, 0) + 1
        return counted

    def _drop(self) -> None:
        _, counted, bucket, reason, error = self._calls.popleft()
        for tally in counted.tallies:
            tally.calls -= 1
            tally.times[bucket] -= 1
            if not tally.times[bucket]:
                del tally.times[bucket]
            if reason:
                tally.errors -= error
                tally.reasons[reason] -= 1
                if not tally.reasons[reason]:
                    del tally.reasons[reason]
                    tally.blamed.discard(reason)
        if not counted.tally.calls:
            self._forget(counted)

    def _forget(self, counted: _Counted) -> None:
        del self._flows[counted.flow]
        for table, key in counted.places:
            if not table[key].calls:
                del table[key]
        consumer = counted.flow.consumer
        self._consumers[consumer] -= 1
        if not self._consumers[consumer]:
            del self._consumers[consumer]
