"""Why Envoy answered by itself: its own account of it, in the words of the platform's own faults."""

from typing import Final

from hub.mesh.edge_log import Line, Reached

UNKNOWN: Final = "REFUSED"
DENIED: Final = "rbac_access_denied"
NO_TLS: Final = "NO_TLS"
# Beginning of Envoy's own account -> reason. The first that fits holds; see `hub.mesh.refusals` for what callers are told.
REASONS: Final = (
    (DENIED, "NOT_GRANTED"),
    ("jwt_authn_access_denied{Jwt_is_missing", "OFFICER_NEEDED"),
    ("jwt_authn_access_denied{Jwt_is_expired", "TOKEN_EXPIRED"),
    ("jwt_authn_access_denied{Audiences_in_Jwt", "TOKEN_WRONG_AUDIENCE"),
    ("jwt_authn_access_denied", "TOKEN_REFUSED"),
    ("local_rate_limited", "TOO_MANY_CALLS"),
    ("request_payload_too_large", "TOO_LARGE"),
    ("grpc_json_transcode_failure", "MALFORMED"),
    ("route_not_found", "UNKNOWN_PATH"),
    ("direct_response", "MAINTENANCE"),
    ("fault_filter_abort", "FAULT_INJECTED"),
    ("no_healthy_upstream", "UPSTREAM_UNAVAILABLE"),
    ("upstream", "UPSTREAM_UNAVAILABLE"),
    ("downstream", "CANCELLED"),
)


def reason_of(line: Line) -> str:
    """Why Envoy answered by itself."""
    if line.reached is Reached.NO_CALL:
        return NO_TLS
    if line.cause.isupper():  # the identity check's own word
        return "CONSUMER_UNKNOWN"
    if line.cause.startswith(DENIED) and line.consumer and line.token_of not in ("", line.consumer):
        return "TOKEN_OF_ANOTHER"
    return next((reason for beginning, reason in REASONS if line.cause.startswith(beginning)), UNKNOWN)
