"""What writes is one platform's: whatever the shares, whoever is pinned, and as the state says."""

from dataclasses import replace

import pytest
from migrating import CONTRACTS, rules

from hub.contracts import DeliveryClass, Operation
from hub.mesh.going import goings
from hub.mesh.inputs import Traffic, cluster_name
from hub.mesh.routes import _route_of
from hub.mesh.steering import Drain, Pin
from hub.migration.plan import read
from hub.migration.states import State, at
from metip.tokens import WRITER_HEADER

PLAN = read(None, CONTRACTS)
MIXED = next(one for one in PLAN.rules.values() if one.writes and not one.undivided)
INTERFACE = CONTRACTS.interface(MIXED.interface)
SPLIT = Traffic(
    shares=((MIXED.interface, ((MIXED.system, 10), (MIXED.old, 90))),),
    pins=(Pin(MIXED.interface, "spiffe://metip.local/consumer/first", MIXED.system),),
    writers=((MIXED.interface, MIXED.old),),
)


@pytest.mark.parametrize("operation", MIXED.operations, ids=lambda one: one.method)
def test_queries_are_split_and_writes_are_not(operation: Operation) -> None:
    found = goings(CONTRACTS, INTERFACE, operation, SPLIT)
    everybody = found[-1]
    if operation.delivery_class is DeliveryClass.READ:
        assert everybody.pinned is None
        assert {(system, weight) for system, _, weight in everybody.shares} >= {(MIXED.system, 10), (MIXED.old, 90)}
        assert [one.consumer for one in found[:-1]] == ["spiffe://metip.local/consumer/first"]
    else:
        assert len(found) == 1, "no consumer writes elsewhere"
        assert everybody.pinned == (MIXED.old, cluster_name(MIXED.interface, MIXED.old))


def test_callers_are_told_where_the_writer_is_drained() -> None:
    drained = Traffic(shares=SPLIT.shares, writers=SPLIT.writers, drains=(Drain(MIXED.old, text="closed"),))
    write = MIXED.writes[0]
    answer = goings(CONTRACTS, INTERFACE, write, drained)[-1].answer
    assert answer is not None
    assert answer.text == "closed"


@pytest.mark.parametrize(("state", "percent", "old"), [(State.LEGACY, 0, True), (State.CANARY, 50, True), (State.PRIMARY, 100, False)])
def test_who_writes_follows_from_the_state(state: State, percent: int, old: bool) -> None:
    writer = MIXED.writer(MIXED.writes[0].name, at(state, percent).meaning.writer)
    assert writer == (MIXED.old if old else MIXED.system)


def test_what_has_no_query_moves_as_a_whole() -> None:
    whole = [one.interface for one in PLAN.rules.values() if one.undivided]
    assert whole
    for name in whole:
        assert PLAN.rules[name].following(at(State.SHADOW)) == at(State.PRIMARY)
    assert not rules(MIXED.interface).undivided


@pytest.mark.parametrize(
    "traffic", [SPLIT, Traffic(shares=SPLIT.shares, pins=SPLIT.pins), Traffic()], ids=["one writer", "split", "unsaid"]
)
def test_each_write_says_whose_it_is_and_a_query_does_not(traffic: Traffic) -> None:
    told = replace(traffic, epochs=((MIXED.interface, 17),))
    for operation in MIXED.operations:
        routes = [one.decode(errors="replace") for one in routes_named(operation, told)]
        assert routes
        writers = {system for system in (MIXED.system, MIXED.old) if any(f"{system} 17" in one for one in routes)}
        if operation.delivery_class is DeliveryClass.READ:
            assert not writers
            assert not any(WRITER_HEADER in one for one in routes)
        else:
            assert writers == ({MIXED.old} if traffic is SPLIT else {MIXED.system, MIXED.old})
            assert all(WRITER_HEADER in one for one in routes)


def routes_named(operation: Operation, traffic: Traffic) -> list[bytes]:
    return [_route_of(operation, (), "", going) for going in goings(CONTRACTS, INTERFACE, operation, traffic)]
