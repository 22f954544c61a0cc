"""Envoy's statistics: what is read of them, and rates from counters, also where Envoy was started in between."""

import pytest

from hub.estate.statistics import compared, joined, read
from hub.estate.times import percentile

PAGE = """\
cluster.metip.example.v1.ExampleService.membership_healthy: 2
cluster.metip.example.v1.ExampleService.membership_total: 3
cluster.metip.example.v1.ExampleService.upstream_rq_active: {active}
cluster.metip.example.v1.ExampleService.upstream_rq_pending_active: 4
cluster.metip.example.v1.ExampleService.upstream_rq_retry: {retries}
cluster.metip.example.v1.ExampleService.upstream_rq_total: {total}
cluster.other/metip.example.v1.ExampleService.upstream_rq_active: 1
cluster.other/metip.example.v1.ExampleService.upstream_rq_total: 7
cluster.metip.example.v1.ExampleService.upstream_rq_timeout: 99
server.uptime: {uptime}
cluster.metip.example.v1.ExampleService.external.upstream_rq_time: B1(9,900) B5(9,900)
cluster.metip.example.v1.ExampleService.upstream_rq_time: B0.5(0,0) B1(0,{fast}) B5(3,{total}) B10(3,{total}) B1.8e+06(3,{total})
cluster.other/metip.example.v1.ExampleService.upstream_rq_time: No recorded values
"""
CLUSTER, OTHER = "metip.example.v1.ExampleService", "other/metip.example.v1.ExampleService"


def page(*, total: int, uptime: int = 100, fast: int = 0, retries: int = 0, active: int = 5) -> str:
    return PAGE.format(total=total, uptime=uptime, fast=fast, retries=retries, active=active)


def test_gauges_counters_and_histograms_are_read_by_cluster() -> None:
    found = read(page(total=20, fast=5), 1.0)
    one = found.clusters[CLUSTER]
    assert (found.uptime, one.in_flight, one.waiting, one.count("membership_healthy"), one.count("membership_total")) == (100, 5, 4, 2, 3)
    assert one.times == [(0.5, 0), (1.0, 5), (5.0, 20), (10.0, 20), (1.8e6, 20)]
    assert (found.clusters[OTHER].in_flight, found.clusters[OTHER].times) == (1, [])


def test_rates_follow_from_two_readings() -> None:
    far = compared(read(page(total=100, fast=100), 10.0), read(page(total=300, fast=150, retries=10, uptime=104), 14.0))[CLUSTER]
    assert (far.requests / far.seconds, far.retries / far.seconds) == (50.0, 2.5)
    assert 1 < percentile(far.times, 0.5) < 5
    assert percentile(far.times, 0.2) <= 1


@pytest.mark.parametrize("total", [30, 500], ids=["fewer than before", "more than before"])
def test_counters_of_an_envoy_that_was_started_in_between_began_at_nothing(total: int) -> None:
    far = compared(read(page(total=100, uptime=3600), 10.0), read(page(total=total, uptime=2), 14.0))[CLUSTER]
    assert (far.requests, far.seconds, far.times[-1][1]) == (total, 2.0, total)


def test_a_counter_that_was_set_back_began_at_nothing() -> None:
    assert compared(read(page(total=100), 10.0), read(page(total=30), 14.0))[CLUSTER].requests == 30


def test_no_time_between_two_readings_gives_no_rates() -> None:
    assert compared(read(page(total=1), 1.0), read(page(total=2), 1.0)) == {}


def test_clusters_together_have_their_sums() -> None:
    far = compared(read(page(total=0), 0.0), read(page(total=10), 1.0))
    both = joined([far[CLUSTER], far[CLUSTER]])
    assert both is not None
    assert (both.requests, both.times[-1][1]) == (20, 20)
    assert joined([]) is None
