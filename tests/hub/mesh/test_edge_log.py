"""What a line of Envoy's log tells: how far a call came, and who ended it."""

import json
import re
from typing import Any

import pytest

from hub.mesh.edge_log import CONNECTION_FIELDS, LOG_FIELDS, Line, Reached, read_line

CALL: dict[str, Any] = {
    "kind": "call",
    "call_id": "7",
    "consumer": "spiffe://metip.local/consumer/one",
    "path": "/metip.example.v1.ExampleService/GetExample",
    "http_status": 200,
    "flags": "-",
    "upstream_sent": 0,
}
LINES: dict[str, tuple[dict[str, Any], Reached, str]] = {
    "an adapter answered": ({"details": "via_upstream", "grpc_status": 0, "upstream_sent": 90}, Reached.ANSWERED, "via_upstream"),
    "an adapter refused": ({"details": "via_upstream", "grpc_status": 3, "upstream_sent": 90}, Reached.ANSWERED, "via_upstream"),
    "no grant": (
        {"details": "rbac_access_denied_matched_policy[none]", "grpc_status": 7},
        Reached.EDGE,
        "rbac_access_denied_matched_policy[none]",
    ),
    "two identities": ({"details": "lua_response", "refused": "SEVERAL_IDENTITIES", "grpc_status": 16}, Reached.EDGE, "SEVERAL_IDENTITIES"),
    "the time ran out": ({"details": "max_duration_timeout", "grpc_status": 4, "upstream_sent": 90}, Reached.SENT, "max_duration_timeout"),
    "nobody serves": ({"details": "no_healthy_upstream", "grpc_status": 14, "flags": "UH"}, Reached.EDGE, "no_healthy_upstream"),
}


@pytest.mark.parametrize(("said", "reached", "cause"), LINES.values(), ids=LINES)
def test_how_far_a_call_came_is_read(said: dict[str, Any], reached: Reached, cause: str) -> None:
    line = read_line(json.dumps({**CALL, **said}))
    assert (line.reached, line.cause, line.grpc_status) == (reached, cause, said["grpc_status"])
    assert (line.call_id, line.consumer, line.path) == ("7", CALL["consumer"], CALL["path"])


def test_a_connection_that_never_was_has_no_call() -> None:
    said = {"kind": "connection", "tls_failure": "TLS_error:CERTIFICATE_VERIFY_FAILED", "flags": "-", "from": "192.0.2.1"}
    assert read_line(json.dumps(said)) == Line(Reached.NO_CALL, cause="TLS_error:CERTIFICATE_VERIFY_FAILED", flags="-")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kind": "other"}', "not JSON"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_line(text)


def test_nothing_that_a_caller_chose_is_written_in_full() -> None:
    chosen = [value for value in (*LOG_FIELDS.values(), *CONNECTION_FIELDS.values()) if "%REQ(" in value or "PATH" in value]
    assert len(chosen) > 4
    # Envoy makes the call id anew for whoever comes to the edge.
    assert [value for value in chosen if not re.search(r":\d{1,3}%$", value)] == ["%REQ(X-REQUEST-ID)%"]
