"""Counts as the contract tells them: measures of calls, states of calls and messages, and how something is."""

from collections.abc import Iterable
from typing import Final

from hub.estate.calls import is_error
from hub.estate.scene import Scene
from hub.estate.statistics import Far, joined
from hub.estate.times import percentile, percentiles
from hub.estate.window import Tally
from hub.exchange.life import OPEN, WAITING_FOR_A_PERSON, State
from hub.exchange.records import Account
from metip.estate.v1 import estate_pb2 as api

SHARES: Final = (0.5, 0.95, 0.99)
MOST_REASONS: Final = 10
MANY_ERRORS: Final = 0.05
"""Share of errors from which something works only partly."""
TELLING: Final = 5
"""Calls below which a share says nothing."""
NOTHING: Final = Tally()


def measures(tally: Tally | None, seconds: float, far: Far | None = None) -> api.Measures:
    """What was counted in that many seconds. Figures are rounded: what differs by less need not be sent again."""
    if tally is None or not tally.calls:
        found = api.Measures()
    else:
        p50, p95, p99 = percentiles(tally.times, SHARES)
        found = api.Measures(calls=tally.calls, per_second=round(tally.calls / seconds, 2), p50_ms=p50, p95_ms=p95, p99_ms=p99)
        if tally.errors:
            found.error_share = round(tally.errors / tally.calls, 4)
        if tally.reasons:
            often = sorted(tally.reasons.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
            found.reasons.extend(api.ReasonCount(reason=name, calls=count, error=is_error(name)) for name, count in often)
    if far is not None:
        found.far.per_second, found.far.retries_per_second = round(far.requests / far.seconds, 2), round(far.retries / far.seconds, 2)
        found.far.p50_ms, found.far.p99_ms = (round(percentile(far.times, share), 1) for share in (0.5, 0.99))
    return found


def far(scene: Scene, clusters: Iterable[str]) -> Far | None:
    """What Envoy asked of clusters since it was asked the time before."""
    if scene.far is None:
        return None
    return joined(scene.far[name] for name in clusters if name in scene.far)


def counts(scene: Scene, tally: Tally | None, clusters: Iterable[str] | None, accounts: Iterable[Account] | None = None) -> api.StateCounts:
    """What is in which state. `clusters` is None where nobody counts what is in flight, `accounts` where there are no messages."""
    tally = tally or NOTHING
    found = api.StateCounts(received=tally.calls, failed=tally.errors)
    if clusters is not None and scene.reading is not None:
        there = [scene.cluster(name) for name in clusters]
        found.in_flight, found.queued = sum(one.in_flight for one in there), sum(one.waiting for one in there)
    if accounts is not None:
        kept = list(accounts)
        found.queued += sum(one.counts.get(State.PENDING, 0) for one in kept)
        found.parked = sum(one.counts.get(state, 0) for one in kept for state in WAITING_FOR_A_PERSON)
        found.failed += sum(one.counts.get(State.REFUSED, 0) for one in kept)
        oldest = [one.oldest_waiting for one in kept if one.oldest_waiting and any(one.counts.get(state) for state in OPEN)]
        found.in_flight += sum(one.counts.get(State.ATTEMPT, 0) for one in kept)
        if oldest:
            found.oldest_waiting.FromMicroseconds(int(min(oldest) * 1e6))
    return found


def health(tally: Tally | None, there: int, healthy: int | None, *, stopped: bool = False) -> "api.NodeHealth.ValueType":
    """How something is, of which so many instances are there and so many get calls, None where Envoy does not say."""
    tally = tally or NOTHING
    if stopped:
        return api.NODE_HEALTH_STOPPED
    if not there or healthy == 0:
        return api.NODE_HEALTH_DOWN
    failing = tally.calls >= TELLING and tally.errors >= MANY_ERRORS * tally.calls
    if failing or (healthy is not None and healthy < there):
        return api.NODE_HEALTH_PARTLY
    return api.NODE_HEALTH_WELL if healthy is not None else api.NODE_HEALTH_UNSPECIFIED
