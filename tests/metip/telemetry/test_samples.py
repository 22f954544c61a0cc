"""The law of labels: what nobody declared is `other`, counted, whatever a caller sends."""

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_pages import samples
from prometheus_client import generate_latest

from adapters.kit.serving import installed_contracts
from metip.telemetry import families, tracing
from metip.telemetry.families import FAMILIES, Family, Kind
from metip.telemetry.samples import OTHER, Samples, Words
from metip.telemetry.spread import CALLS, Counted, Spread
from metip.telemetry.words import OUTCOMES, words_of

CALLED = Family("metip_test_total", Kind.COUNTER, "a test's", ("system", "outcome"))
FULL = Family("metip_test_full", Kind.GAUGE, "a test's", ("system",))
TOOK = Family("metip_test_seconds", Kind.HISTOGRAM, "a test's", ("system",))
ORDER = ("system", "outcome", "le")
WORDS = Words(system=("one", "two"), outcome=("OK", "BUSY"))


def shown(taken: Samples) -> dict[tuple[str, ...], float]:
    class Gathered:
        def collect(self) -> Any:
            return taken.metrics()

    gathered: Any = Gathered()
    text = generate_latest(gathered).decode()
    return {(one.name, *(one.labels[name] for name in ORDER if name in one.labels)): one.value for one in samples(text)}


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=30))
def test_whatever_is_put_only_declared_words_are_labels(sent: list[tuple[str, str]]) -> None:
    folded: Counter[str] = Counter()
    taken = Samples(WORDS, folded)
    for labels in sent:
        taken.put(CALLED, 1, *labels)
    found = shown(taken)
    assert {key[1] for key in found} <= {"one", "two", OTHER}
    assert {key[2] for key in found} <= {"OK", "BUSY", OTHER}
    assert sum(found.values()) == len(sent), "nothing is lost"
    strange = [one for one in sent if one[0] not in ("one", "two") or one[1] not in ("OK", "BUSY")]
    assert folded[CALLED.name] == len(strange)


def test_counters_that_become_other_add_up_and_gauges_show_the_largest() -> None:
    taken = Samples(WORDS, Counter())
    for number, name in enumerate(("a", "b", "c"), 1):
        taken.put(CALLED, number, name, "OK")
        taken.put(FULL, number, name)
    assert shown(taken) == {("metip_test_total", OTHER, "OK"): 6, ("metip_test_full", OTHER): 3}


def test_a_histogram_is_cumulative_and_adds_up_under_other() -> None:
    taken, spread = Samples(WORDS, Counter()), Spread((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        spread.add(seconds)
    taken.put_spread(TOOK, spread, "nobody")
    taken.put_spread(TOOK, spread, "somebody")
    found = {key: value for key, value in shown(taken).items() if OTHER in key}
    assert {key[1:]: value for key, value in found.items() if key[0].endswith("_bucket")} == {
        (OTHER, "0.1"): 4,
        (OTHER, "1.0"): 6,
        (OTHER, "+Inf"): 8,
    }
    assert found["metip_test_seconds_count", OTHER] == 8
    assert found["metip_test_seconds_sum", OTHER] == pytest.approx(15.3)


def test_a_label_of_which_nobody_declared_anything_is_a_fault_of_the_code() -> None:
    with pytest.raises(KeyError):
        Samples(Words(system=()), Counter()).put(CALLED, 1, "one", "OK")
    with pytest.raises(ValueError, match="has the labels"):
        Samples(WORDS, Counter()).put(CALLED, 1, "one")


def test_every_label_of_every_metric_that_all_processes_have_is_declared() -> None:
    from datetime import date

    words = words_of(installed_contracts(date.min)).with_more(source=(), metric=FAMILIES, upstream=())
    for family in (*families.EVERY_PROCESS, *families.ADAPTER, *families.JOURNAL):
        for label in family.labels:
            assert words.of(label, "what nobody says") == OTHER


def test_every_metric_is_named_by_the_rules_of_prometheus_and_explained() -> None:
    for family in FAMILIES.values():
        assert family.name.startswith("metip_")
        assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
        assert (family.kind is not Kind.HISTOGRAM) or family.name.endswith("_seconds")
        assert family.help
        assert not {"consumer", "officer", "call_id", "message_id", "key"} & set(family.labels), "nobody is counted by who they are"


def test_a_call_pays_for_metrics_and_for_not_being_traced_less_than_ten_microseconds() -> None:
    counted, loops = Counted(), 20_000
    found = []
    for _ in range(3):  # the least of three, since anything else that runs on the machine only adds to it
        began = time.process_time()
        for _ in range(loops):
            tracing.begin_call("metip.x.v1.XService/GetX", tracing.Role.SERVER, "")
            counted.ended("OK", 0.0123)
        found.append((time.process_time() - began) / loops * 1e6)
    assert min(found) < 10, f"{min(found):.1f} µs"


def test_a_call_is_counted_once_by_outcome_and_by_time() -> None:
    counted = Counted()
    for outcome in ("OK", "OK", "BUSY"):
        counted.ended(outcome, 0.002)
    counted.ended("OK", 100.0)
    assert counted.outcomes == {"OK": 3, "BUSY": 1}
    assert counted.spread.count == 4
    assert counted.spread.counts[-1] == 1
    assert len(counted.spread.counts) == len(CALLS) + 1
    assert "OK" in OUTCOMES
