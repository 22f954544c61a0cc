"""The hub's own way to systems: a route to each one behind an operation that may be compared, and the migration's purpose there alone."""

from datetime import date

import pytest
from mirrored_mesh import mirrored
from pairs_rig import CONTRACTS, FIRST, INSTALLED, NEVER, REPLICA, SECOND, WRITE

from hub.contracts import Contracts, load
from hub.mesh import deliveries
from hub.mesh.inputs import Edge, Grant, Policy, Tokens
from hub.mesh.resources import Resource, ResourceType
from hub.mesh.routes import routes_of
from hub.mesh.types import route
from metip.call import SUBSCRIBER_HEADER
from metip.grants import PURPOSES_HEADER, granted
from metip.options.v1.options_pb2 import PURPOSE_MIGRATION_TEST

DOMAIN = "metip.local"
EDGE = Edge(DOMAIN, "127.0.0.1", 1, 2, "", "", "", Tokens("issuer", "audience", ""), deliveries_port=3)


def table(contracts: Contracts) -> tuple[Resource, dict[str, list[route.Route]]]:
    """The route table of that listener, and its routes by path."""
    (found,) = [one for one in deliveries.deliveries_of(contracts, (), EDGE) if one.type is ResourceType.ROUTE]
    routes: dict[str, list[route.Route]] = {}
    for one in route.RouteConfiguration.parse(found.body).virtual_hosts[0].routes:
        routes.setdefault(str(one.match.path) if one.match else "", []).append(one)
    return found, routes


def systems(routes: list[route.Route]) -> dict[str, str]:
    """Clusters by the system that the header names."""
    return {
        str(header.string_match.exact): str(one.route.cluster)
        for one in routes
        if one.match is not None and one.route is not None
        for header in one.match.headers
        if header.name == SUBSCRIBER_HEADER and header.string_match is not None
    }


def test_each_system_behind_an_operation_that_may_be_compared_has_a_route_of_its_own() -> None:
    resource, routes = table(CONTRACTS)
    found = systems(routes[REPLICA.operation.path])
    assert {FIRST: REPLICA.operation.interface, SECOND: f"{SECOND}/{REPLICA.operation.interface}"}.items() <= found.items()
    assert found.keys() == {FIRST, *CONTRACTS.serving(REPLICA.operation.name)}
    assert {(ResourceType.CLUSTER, cluster) for cluster in found.values()} <= resource.refers_to


def test_nothing_is_repeated_there_and_nothing_takes_longer_than_its_contract_says() -> None:
    for one in table(CONTRACTS)[1][REPLICA.operation.path]:
        assert one.route is not None
        assert one.route.retry_policy is None
        assert one.route.max_stream_duration is not None
        assert one.route.max_stream_duration.max_stream_duration is not None
        assert one.route.max_stream_duration.max_stream_duration.total_seconds() == REPLICA.operation.timeout


@pytest.mark.parametrize("name", [WRITE, NEVER.name], ids=["write", "never"])
def test_what_may_not_be_compared_has_no_such_route(name: str) -> None:
    assert f"/{name}" not in table(CONTRACTS)[1]


def test_no_policy_at_all_gives_no_such_route() -> None:
    never = load(date.min, descriptor_set=mirrored(dict.fromkeys(INSTALLED.operations, "NEVER")))
    subscribed = {f"/{one.operation}" for one in never.subscriptions}
    assert table(never)[1].keys() == subscribed


def test_the_migrations_purpose_is_granted_there_to_the_hub_and_nowhere_else_to_anybody() -> None:
    (said,) = {
        header.header.value for one in table(CONTRACTS)[1][REPLICA.operation.path] for header in one.request_headers_to_add if header.header
    }
    assert granted(said, f"spiffe://{DOMAIN}/hub", ()) == frozenset({int(PURPOSE_MIGRATION_TEST)})
    assert granted(said, f"spiffe://{DOMAIN}/consumer/hub", ()) == frozenset[int]()
    everybody = Policy((Grant(f"spiffe://{DOMAIN}/consumer/desk", ("*",)),))
    at_edge = route.RouteConfiguration.parse(routes_of(CONTRACTS, everybody, DOMAIN).body).virtual_hosts[0].routes
    headers = [header.header for one in at_edge for header in one.request_headers_to_add if header.header]
    assert any(header.key == PURPOSES_HEADER for header in headers)
    assert not any("11" in header.value for header in headers if header.key == PURPOSES_HEADER)
