"""A line of Envoy's log as a call of the estate: whose, of what, answered by whom, and why it did not end well."""

from typing import Any

import pytest
from edge_lines import CONTRACTS, HUB, OTHER, OWNER, QUERY, READING, SUBSCRIPTION, call, line

from hub.estate.calls import Kind
from hub.mesh.inputs import HUB_SYSTEM, cluster_name

ENDINGS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "OK": ({}, "", False),
    "an answer that is no fault": ({"status": 5}, "NOT_FOUND", False),
    "a far system that is away": ({"status": 14}, "UNAVAILABLE", True),
    "a refusal by Envoy": ({"status": 7, "details": "rbac_access_denied_matched_policy[none]", "upstream_sent": 0}, "NOT_GRANTED", True),
    "nobody to ask": ({"status": 14, "details": "no_healthy_upstream", "flags": "UH", "upstream_sent": 0}, "UPSTREAM_UNAVAILABLE", True),
    "too late": ({"status": 4, "details": "response_timeout", "flags": "UT"}, "TIMED_OUT", True),
    "an adapter that died": ({"status": 14, "details": "upstream_reset_after", "flags": "UC"}, "UPSTREAM_UNAVAILABLE", True),
    "a caller that went away": ({"status": 1, "details": "downstream_remote_disconnect", "flags": "DC"}, "CANCELLED", False),
    "an answer that is not gRPC": ({"grpc_status": None, "http_status": 503}, "HTTP_503", True),
}


@pytest.mark.parametrize(("said", "reason", "error"), ENDINGS.values(), ids=ENDINGS)
def test_why_a_call_ended_is_one_of_few_words(said: dict[str, Any], reason: str, error: bool) -> None:
    found = call(**said)
    assert (found.reason, found.error) == (reason, error)


def test_a_connection_without_tls_is_a_call_of_nobody() -> None:
    (found,) = READING.calls(['{"kind": "connection", "at": "2026-11-26T04:00:00Z", "tls_failure": "TLS_error:x", "flags": "-"}'])
    assert (found.reason, found.error, found.operation, found.system, found.line.consumer) == ("NO_TLS", True, "", "", "")


def test_a_path_that_is_no_operation_has_no_name() -> None:
    found = call("metip.example.v1.ExampleService/GetSmith", details="route_not_found", cluster=None, upstream_sent=0)
    assert (found.operation, found.interface, found.system, found.reason) == ("", "", "", "UNKNOWN_PATH")


def test_what_operators_ask_the_hub_is_no_call_of_the_estate() -> None:
    private = next(one for interface in CONTRACTS.interfaces if interface.private for one in interface.operations)
    assert READING.calls([line(private.name), "no line", line()]) == [call()]


SYSTEMS = {
    "the owner": (QUERY.name, QUERY.interface, OWNER),
    "a back end": (QUERY.name, cluster_name(QUERY.interface, OTHER), OTHER),
    "the exchange": (SUBSCRIPTION.operation, SUBSCRIPTION.operation.partition("/")[0], HUB_SYSTEM),
}


@pytest.mark.parametrize(("operation", "cluster", "system"), SYSTEMS.values(), ids=SYSTEMS)
def test_who_answers_follows_from_envoys_cluster(operation: str, cluster: str, system: str) -> None:
    assert call(operation, cluster=cluster).system == system


def test_calls_of_the_hub_are_deliveries_or_comparisons() -> None:
    assert [call(one, consumer=HUB).kind for one in (SUBSCRIPTION.operation, QUERY.name)] == [Kind.DELIVERY, Kind.SHADOW]
    assert call().kind is Kind.CALL
