"""The map and the table of one instant: what is on them, what a filter leaves, and what is told anew."""

from dataclasses import replace
from typing import Any

from edge_lines import CONSUMER, CONTRACTS, HUB, NOW, OTHER, OWNER, QUERY, SUBSCRIPTION, call
from google.protobuf.json_format import MessageToDict

from hub.estate.choosing import Choice
from hub.estate.picture import changed, picture
from hub.estate.scene import Scene, Source
from hub.estate.statistics import Cluster, Far, Reading
from hub.estate.window import Window
from hub.exchange.life import State
from hub.exchange.records import Account
from hub.mesh.admin import Host
from hub.mesh.inputs import Instance, Traffic, cluster_name
from hub.mesh.steering import Maintenance
from hub.migration.states import Position
from hub.migration.states import State as Standing
from metip.estate.v1 import estate_pb2 as api
from metip.migration.v1 import step_pb2

INTERFACE, BEHIND = QUERY.interface, cluster_name(QUERY.interface, OTHER)
INSTANCES = (
    Instance("one-0", OWNER, (INTERFACE,), "unix:/run/one-0.sock", "1.2", replica=True),
    Instance("two-0", OTHER, (INTERFACE,), "unix:/run/two-0.sock"),
)
CLUSTERS = {
    INTERFACE: Cluster(
        {"upstream_rq_active": 3, "upstream_rq_pending_active": 1, "membership_total": 1, "membership_healthy": 1}, [(5.0, 10)]
    ),
    BEHIND: Cluster({"upstream_rq_active": 2, "membership_total": 1, "membership_healthy": 0}),
}
ACCOUNT = Account(
    SUBSCRIPTION.name,
    SUBSCRIPTION.system,
    SUBSCRIPTION.operation,
    False,
    {State.PENDING: 4, State.ATTEMPT: 1, State.PARKED: 2, State.IN_DOUBT: 1, State.DELIVERED: 90},
    NOW - 60,
)
EVERYTHING = Choice()
ALL_ROWS = tuple(one for one in api.Grouping.values() if one)


def scene(*calls: Any, **more: Any) -> Scene:
    window = Window()
    window.begin(NOW - 100)
    window.take(calls)
    said: dict[str, Any] = {
        "instances": INSTANCES,
        "trust_domain": "metip.local",
        "reading": Reading(0.0, 1, CLUSTERS),
        "hosts": {"/run/one-0.sock": Host("/run/one-0.sock", True, False), "/run/two-0.sock": Host("/run/two-0.sock", False, False)},
        "accounts": (ACCOUNT,),
        "traffic": Traffic(shares=((INTERFACE, ((OWNER, 25), (OTHER, 75))),)),
    }
    return Scene(NOW, window.expire(NOW), window.totals, CONTRACTS, **(said | more))


def drawn(one: Scene, choice: Choice = EVERYTHING, rows: tuple[int, ...] = ()) -> api.Estate:
    return picture(one, one.totals, choice, rows, with_map=True)


def by_id(those: Any) -> dict[str, Any]:
    return {one.id: one for one in those}


CALLS = (*(call(at=NOW - 5, ms=4) for _ in range(10)), *(call(at=NOW - 4, ms=90, status=14, cluster=BEHIND) for _ in range(10)))


def test_a_call_is_an_edge_from_its_consumer_and_one_to_whoever_answered() -> None:
    found = drawn(scene(*CALLS))
    edges, nodes = by_id(found.edges), by_id(found.nodes)
    calls = edges[f"calls|consumer:{CONSUMER}|interface:{INTERFACE}"].measures
    assert (calls.calls, calls.per_second, calls.error_share, calls.p50_ms) == (20, 2.0, 0.5, 4.0)
    assert [(one.reason, one.calls, one.error) for one in calls.reasons] == [("UNAVAILABLE", 10, True)]
    answers = edges[f"answers|interface:{INTERFACE}|system:{OTHER}"]
    assert (answers.weight_percent, answers.weight_percent_in_envoy, answers.measures.error_share) == (75.0, 75.0, 1.0)
    assert edges[f"runs|system:{OWNER}|instance:one-0"].measures.calls == 20, "the log says which instance it was"
    assert all(edge.from_node in nodes and edge.to_node in nodes for edge in found.edges)
    interface = nodes[f"interface:{INTERFACE}"]
    assert (interface.counts.received, interface.counts.in_flight, interface.counts.queued, interface.counts.failed) == (20, 5, 1, 10)
    assert (found.total.calls, found.total.per_second) == (20, 2.0)


def test_health_is_what_envoy_says_of_instances_and_what_fails() -> None:
    nodes = by_id(drawn(scene()).nodes)
    assert [nodes[f"system:{one}"].health for one in (OWNER, OTHER)] == [api.NODE_HEALTH_WELL, api.NODE_HEALTH_DOWN]
    assert nodes[f"interface:{INTERFACE}"].health == api.NODE_HEALTH_PARTLY
    stopped = scene(traffic=Traffic(maintenance=(Maintenance(INTERFACE, "Back at 14:00"),)))
    node = by_id(drawn(stopped).nodes)[f"interface:{INTERFACE}"]
    assert (node.health, list(node.notes)) == (api.NODE_HEALTH_STOPPED, ["in maintenance: Back at 14:00"])
    unknown = by_id(drawn(scene(reading=None, hosts={})).nodes)[f"interface:{INTERFACE}"]
    assert (unknown.health, unknown.counts.HasField("in_flight")) == (api.NODE_HEALTH_UNSPECIFIED, False)


def test_a_weight_that_was_set_by_hand_is_shown_beside_the_hubs() -> None:
    found = drawn(scene(by_hand={f"weight.{BEHIND}": "100", f"weight.{INTERFACE}": "0"}))
    edge = by_id(found.edges)[f"answers|interface:{INTERFACE}|system:{OTHER}"]
    assert (edge.weight_percent, edge.weight_percent_in_envoy) == (75.0, 100.0)
    assert f"somebody set the weight of {OTHER} to 100 by hand in Envoy" in by_id(found.nodes)[f"interface:{INTERFACE}"].notes


def test_platforms_are_lanes_and_what_is_only_compared_is_a_shadow() -> None:
    one = scene(
        call(at=NOW - 1, consumer=HUB, cluster=BEHIND),
        standings={INTERFACE: Position(Standing.CANARY, 25)},
        compared={(INTERFACE, OTHER): 100_000},
    )
    found = drawn(one)
    edge, nodes = by_id(found.edges)[f"shadow|interface:{INTERFACE}|system:{OTHER}"], by_id(found.nodes)
    assert (edge.kind, edge.compared_per_million, edge.measures.calls) == (api.EDGE_KIND_SHADOW, 100_000, 1)
    lanes = {system: CONTRACTS.platform(system) for system in (OWNER, OTHER)}
    assert {system: step_pb2.Platform.Name(nodes[f"system:{system}"].lane) for system in lanes} == {
        system: f"PLATFORM_{platform}" for system, platform in lanes.items()
    }
    interface = nodes[f"interface:{INTERFACE}"]
    assert (interface.migration, interface.new_platform_percent) == (step_pb2.STATE_CANARY, 25)


def test_messages_count_by_state_and_the_oldest_that_waits_is_told() -> None:
    found = drawn(scene(unreachable={SUBSCRIPTION.name: NOW - 9}), rows=ALL_ROWS)
    row = by_id(found.rows)[f"row:subscription:{SUBSCRIPTION.name}"]
    counts = row.counts
    assert (counts.queued, counts.in_flight, counts.parked, counts.oldest_waiting.seconds) == (4, 1, 3, NOW - 60)
    assert row.health == api.NODE_HEALTH_DOWN
    interface = SUBSCRIPTION.operation.partition("/")[0]
    edge = by_id(found.edges)[f"delivers|interface:{interface}|system:{SUBSCRIPTION.system}"]
    assert (edge.counts.queued, edge.counts.parked) == (4, 3)
    assert (found.counts.parked, found.counts.in_flight) == (3, 6), "calls and deliveries together"


def test_an_adapter_that_calls_is_its_system_on_the_map_and_a_consumer_in_the_table() -> None:
    adapter = f"spiffe://metip.local/adapter/{OTHER}"
    found = drawn(scene(call(at=NOW, consumer=adapter)), rows=ALL_ROWS)
    assert f"calls|system:{OTHER}|interface:{INTERFACE}" in by_id(found.edges)
    assert f"consumer:{adapter}" not in by_id(found.nodes)
    assert by_id(found.rows)[f"row:consumer:{adapter}"].system == OTHER


def test_rows_and_nodes_of_the_same_thing_have_the_same_figures() -> None:
    found = drawn(scene(*CALLS), rows=ALL_ROWS)
    rows, nodes = by_id(found.rows), by_id(found.nodes)
    for name in (f"interface:{INTERFACE}", f"system:{OWNER}"):
        assert (rows[f"row:{name}"].measures, rows[f"row:{name}"].counts) == (nodes[name].measures, nodes[name].counts)
    assert {one.by for one in found.rows} == set(ALL_ROWS)
    assert rows[f"row:operation:{QUERY.name}"].measures.calls == 20
    assert not set(rows) & (set(nodes) | set(by_id(found.edges)))


def test_a_filter_leaves_what_it_finds_with_what_belongs_to_it() -> None:
    one = scene(*CALLS, call(at=NOW - 1, consumer="spiffe://metip.local/consumer/portal"))
    window = Window()
    window.begin(NOW - 100)
    window.take([*CALLS, call(at=NOW - 1, consumer="spiffe://metip.local/consumer/portal")])
    for choice, calls in (
        (Choice(consumers=frozenset({CONSUMER})), 20),
        (Choice(systems=frozenset({OTHER})), 10),
        (Choice(text=QUERY.method.casefold()), 21),
        (Choice(text="portal"), 1),
    ):
        totals = window.only(choice.has)
        found = picture(one, totals, choice, (api.GROUPING_INTERFACE, api.GROUPING_CONSUMER), with_map=True)
        assert by_id(found.nodes)[f"interface:{INTERFACE}"].measures.calls == found.total.calls == calls, choice
        assert all(edge.from_node in by_id(found.nodes) and edge.to_node in by_id(found.nodes) for edge in found.edges)
    assert f"system:{OWNER}" not in by_id(picture(one, totals, Choice(systems=frozenset({OTHER})), (), with_map=True).nodes)


def test_only_what_is_active_or_only_what_fails_is_shown_on_request() -> None:
    one = scene(*CALLS, reading=None, accounts=())
    active = drawn(one, Choice(only_active=True), (api.GROUPING_OPERATION,))
    assert [row.name for row in active.rows] == [QUERY.name]
    assert {node.id for node in active.nodes if node.kind == api.NODE_KIND_INTERFACE} == {f"interface:{INTERFACE}"}
    failing = drawn(one, Choice(only_failing=True), (api.GROUPING_OPERATION,))
    assert [row.name for row in failing.rows] == [QUERY.name]
    assert drawn(scene(*CALLS[:10], accounts=()), Choice(only_failing=True), (api.GROUPING_OPERATION,)).rows == []


def test_only_what_is_new_or_changed_is_told_again() -> None:
    before, after = drawn(scene(*CALLS)), drawn(scene(*CALLS, call(at=NOW, consumer="spiffe://metip.local/consumer/portal")))
    known, first = changed({}, before)
    assert (first.estate, list(first.gone)) == (before, [])
    known, again = changed(known, before)
    assert (len(again.estate.nodes), len(again.estate.edges), again.estate.total) == (0, 0, before.total)
    known, told = changed(known, after)
    assert set(by_id(told.estate.nodes)) == {f"interface:{INTERFACE}", f"system:{OWNER}", "instance:one-0",
                                             "consumer:spiffe://metip.local/consumer/portal"}  # fmt: skip
    known, gone = changed(known, before)
    assert "consumer:spiffe://metip.local/consumer/portal" in gone.gone
    assert known == by_id([*before.nodes, *before.edges])


def test_what_envoy_measured_itself_is_told_where_it_was_read_twice() -> None:
    one = replace(scene(*CALLS), far={INTERFACE: Far(2.0, 30, 4, [(1.0, 0), (5.0, 30)])}, sources=(Source("log", "it is gone", NOW),))
    found = drawn(one)
    far = by_id(found.edges)[f"answers|interface:{INTERFACE}|system:{OWNER}"].measures.far
    assert (far.per_second, far.retries_per_second, far.p50_ms) == (15.0, 2.0, 3.0)
    assert MessageToDict(found.sources[0])["problem"] == "it is gone"
