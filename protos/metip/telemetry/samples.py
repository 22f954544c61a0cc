"""The law of labels: a label's value is a word that a contract, a setting or the code itself declares. Anything else counts under `other`.

So no metric grows with what callers send, and no name, number or reference of a person can ever be a label. Every sample of every process
passes through `Samples.put` or `Samples.put_spread`, which are the only ways to make one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from metip.telemetry.families import Family, Kind
from metip.telemetry.spread import Spread

OTHER: Final = "other"
"""What a value is called that nobody declared."""


class Words:
    """The values that each label may have."""

    def __init__(self, **declared: Iterable[str]) -> None:
        self._declared = {label: frozenset(values) for label, values in declared.items()}

    def of(self, label: str, value: str) -> str:
        """The value, or `other`. Raises `KeyError` for a label of which nobody declared anything: that is a fault of the code."""
        return value if value in self._declared[label] else OTHER

    def with_more(self, **declared: Iterable[str]) -> "Words":
        """These and more."""
        return Words(**{**self._declared, **declared})


class Samples:
    """What one process says of itself at one moment."""

    def __init__(self, words: Words, folded: Counter[str]) -> None:
        """`folded` counts, by metric, the values that became `other`; it outlives the moment."""
        self._words, self._folded = words, folded
        self._values: dict[Family, dict[tuple[str, ...], float]] = {}
        self._spreads: dict[Family, dict[tuple[str, ...], Spread]] = {}

    def put(self, family: Family, value: float, *labels: str) -> None:
        """One sample, its labels in the order of the family's. Of several under one label, counters add up and gauges show the largest."""
        known = self._values.setdefault(family, {})
        key = self._key(family, labels)
        before = known.get(key)
        if before is not None:
            value = before + value if family.kind is Kind.COUNTER else max(before, value)
        known[key] = value

    def put_spread(self, family: Family, spread: Spread, *labels: str) -> None:
        """The samples of a histogram. Several under one label add up."""
        known = self._spreads.setdefault(family, {})
        key = self._key(family, labels)
        both = Spread(spread.bounds)
        for one in (spread, known.get(key)):
            if one is not None:
                both.counts = [here + there for here, there in zip(both.counts, one.counts, strict=True)]
                both.total += one.total
        known[key] = both

    def put_state(self, family: Family, states: Iterable[str], current: str, *labels: str) -> None:
        """One sample for each state there is: 1 for the one that holds, 0 for the others. The state is the last label."""
        for state in states:
            self.put(family, float(state == current), *labels, state)

    def metrics(self) -> Iterable[Metric]:
        """Everything, in the form of the client library, by name."""
        found = [*(_simple(*one) for one in self._values.items()), *(_histogram(*one) for one in self._spreads.items())]
        return sorted(found, key=lambda one: one.name)

    def _key(self, family: Family, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name} has the labels {family.labels}")
        key = tuple(self._words.of(label, value) for label, value in zip(family.labels, labels, strict=True))
        if key != labels:
            self._folded[family.name] += 1
        return key


def _simple(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _histogram(family: Family, spreads: Mapping[tuple[str, ...], Spread]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, spread in spreads.items():
        below, buckets = 0, []
        for bound, count in zip((*map(str, spread.bounds), "+Inf"), spread.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        metric.add_metric(labels, buckets, spread.total)
    return metric
