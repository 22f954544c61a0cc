"""Calls of the last seconds: counted when they come, taken off when they are old, and never more than are kept."""

from collections import Counter

import pytest
from edge_lines import CONSUMER, HUB, NOW, OTHER, OWNER, QUERY, SUBSCRIPTION, call
from hypothesis import given
from hypothesis import strategies as st

from hub.estate.window import ALL, Window
from hub.estate.window import OTHER as OTHERS
from hub.mesh.inputs import cluster_name


def window(**limits: int) -> Window:
    found = Window(**limits)
    found.begin(NOW - 100)
    return found


def test_a_call_counts_by_consumer_operation_interface_and_system() -> None:
    one = window()
    one.take([call(ms=5), call(cluster=cluster_name(QUERY.interface, OTHER), status=14)])
    totals = one.totals
    assert totals.everything[ALL].calls == totals.interfaces[QUERY.interface].calls == totals.operations[QUERY.name].calls == 2
    assert totals.callers[CONSUMER, QUERY.interface].reasons == {"UNAVAILABLE": 1}
    assert (totals.systems[OWNER].errors, totals.systems[OTHER].errors) == (0, 1)
    assert {key: tally.calls for key, tally in totals.answers.items()} == {(QUERY.interface, OWNER): 1, (QUERY.interface, OTHER): 1}


def test_what_the_hub_asks_is_no_consumers_call() -> None:
    one = window()
    interface, system = SUBSCRIPTION.operation.partition("/")[0], SUBSCRIPTION.system
    one.take([call(consumer=HUB), call(SUBSCRIPTION.operation, consumer=HUB, cluster=cluster_name(interface, system))])
    totals = one.totals
    assert (totals.everything, totals.consumers, totals.callers) == ({}, {}, {})
    assert totals.shadows[QUERY.interface, OWNER].calls == totals.deliveries[interface, system].calls == 1
    assert totals.subscriptions[system, SUBSCRIPTION.operation].calls == totals.systems[system].calls == 1


def test_calls_are_taken_off_when_they_are_old_and_so_are_their_names() -> None:
    one = window()
    one.take([call(at=NOW - 15), call(at=NOW - 8, status=13), call(at=NOW)])
    assert one.expire(NOW) == 10.0
    assert (one.totals.everything[ALL].calls, one.totals.everything[ALL].errors) == (2, 1)
    one.expire(NOW + 30)
    assert [table for table in vars(one.totals).values() if table] == []


def test_a_log_that_is_a_little_behind_makes_rates_no_smaller() -> None:
    one = window()
    one.take([call(at=NOW - 0.1 * number) for number in range(200, 0, -1)])
    seconds = one.expire(NOW + 0.4)
    assert one.totals.everything[ALL].calls / seconds == pytest.approx(10.0, rel=0.02)


def test_a_window_that_has_just_begun_is_short() -> None:
    one = Window()
    one.begin(NOW - 4)
    one.take([call(at=NOW - 5), call(at=NOW)])
    assert (one.expire(NOW), one.totals.everything[ALL].calls) == (4.0, 1)


def test_of_too_many_calls_the_oldest_go_and_the_window_is_shorter() -> None:
    one = window(most_calls=50)
    one.take([call(at=NOW - 5 + number / 20) for number in range(100)])
    assert (one.totals.everything[ALL].calls, round(one.expire(NOW))) == (50, 2)


def test_consumers_beyond_the_bound_count_together() -> None:
    one = window(most_consumers=2)
    one.take([call(consumer=f"spiffe://metip.local/consumer/{number}") for number in range(5)])
    assert (min(one.totals.consumers), one.totals.consumers[OTHERS].calls, one.others) == (OTHERS, 3, 3)
    assert len(one.totals.consumers) == 3


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500), st.sampled_from([0, 5, 14]), st.sampled_from("abc")), max_size=60))
def test_what_is_counted_is_what_a_count_of_the_window_finds(said: list[tuple[float, int, int, str]]) -> None:
    said.sort(key=lambda one: one[0] + one[1] / 1000)
    one, calls = window(), [call(at=NOW + at, ms=ms, status=status, consumer=consumer) for at, ms, status, consumer in said]
    one.take(calls)
    one.expire(NOW + 30)
    end = max([NOW + 29, *(each.ended for each in calls)])
    inside = [each for each in calls if each.ended >= end - 10]
    assert {name: tally.calls for name, tally in one.totals.consumers.items()} == Counter(each.line.consumer for each in inside)
    all_of_it = one.totals.everything.get(ALL)
    assert (sum(all_of_it.times.values()) if all_of_it else 0) == len(inside)
    only = one.only(lambda flow: flow.consumer == "a")
    assert (only.everything[ALL].calls if only.everything else 0) == sum(each.line.consumer == "a" for each in inside)
