"""What Envoy writes of each call, and of each connection that failed before there was a call: one line of JSON, written and read here.

A call's line says how far it came. `details` is Envoy's own account of the answer: `via_upstream` when it is an adapter's, otherwise the
check that refused it (`rbac_access_denied_…`, `jwt_authn_access_denied{…}`, `route_not_found`). `upstream_sent` counts what went to
an adapter. No query string is written, and no more than the beginning of a path: both are the caller's own words.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from hub.mesh.types import Struct, accesslog, cel_filter, core, file_log, packed
from metip.tracing import parent_in

CALL, CONNECTION = "call", "connection"
LONGEST_PATH: Final = 200
LONGEST_ID: Final = 64
IDENTITY_METADATA: Final = "metip.identity"
VERIFIED_METADATA: Final = "envoy.filters.http.jwt_authn"
"""Under which Envoy keeps what it verified of an officer's token, as `officer`."""
VIA_UPSTREAM: Final = "via_upstream"
LOG_FIELDS: Final = {
    "kind": CALL,
    "at": "%START_TIME%",
    "call_id": "%REQ(X-REQUEST-ID)%",
    "traceparent": f"%REQ(TRACEPARENT):{LONGEST_ID}%",
    "parent": f"%REQ(X-METIP-PARENT):{LONGEST_ID}%",
    "message_id": f"%REQ(X-METIP-MESSAGE-ID):{LONGEST_ID}%",
    "attempt": "%REQ(X-METIP-ATTEMPT):10%",
    "consumer": "%DOWNSTREAM_PEER_URI_SAN%",
    "path": f"%PATH(NQ):{LONGEST_PATH}%",
    "grpc_status": "%GRPC_STATUS_NUMBER%",
    "http_status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "token_of": f"%DYNAMIC_METADATA({VERIFIED_METADATA}:officer:azp):{LONGEST_PATH}%",
    "refused": f"%DYNAMIC_METADATA({IDENTITY_METADATA}:refused)%",
    "ms": "%DURATION%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "upstream": "%UPSTREAM_HOST%",
    "upstream_sent": "%UPSTREAM_WIRE_BYTES_SENT%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "from": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
}
CONNECTION_FIELDS: Final = {
    "kind": CONNECTION,
    "at": "%START_TIME%",
    "listener": "%DOWNSTREAM_LOCAL_PORT%",
    "from": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "tls_failure": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
    "flags": "%RESPONSE_FLAGS%",
    "ms": "%DURATION%",
}


class Reached(Enum):
    """How far a call or connection came."""

    NO_CALL = "NO_CALL"
    """TLS was never set up."""
    EDGE = "EDGE"
    """Envoy answered by itself; no adapter heard of it."""
    SENT = "SENT"
    """Something of it was sent to an adapter, whose answer never came in full: what happened there is for the adapter's journal to say."""
    ANSWERED = "ANSWERED"
    """An adapter answered."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    reached: Reached
    call_id: str = ""
    consumer: str = ""
    """The first SPIFFE ID of the certificate; empty when there was none."""
    path: str = ""
    grpc_status: int | None = None
    http_status: int = 0
    cause: str = ""
    """Who or what ended it: `details`, the identity check's word, or the TLS failure."""
    flags: str = ""
    at: float = 0.0
    """Unix time at which it began."""
    cluster: str = ""
    """Whose instances it went to, or would have gone to: an interface, or `<system>/<interface>`."""
    ms: int = 0
    """How long it took, in milliseconds."""
    attempts: int = 0
    """Attempts, the first included; 0 where nothing was sent to an adapter."""
    upstream: str = ""
    """Address of the instance that it went to: a path of a socket, or host and port."""
    received: int = 0
    """Bytes of the request."""
    sent: int = 0
    """Bytes of the answer."""
    traceparent: str = ""
    parent: str = ""
    """The call that made this one, as the caller says: by its id, or empty."""
    message_id: str = ""
    """The message that the hub hands over; nobody else can name one."""
    attempt: int = 0
    token_of: str = ""
    """The SPIFFE ID of the consumer to whom the officer's token was issued; empty where no token was verified."""


def read_line(text: str) -> Line:
    """Reads one line. Raises ValueError for what this module does not write."""
    said: Any = json.loads(text)
    if not isinstance(said, dict) or said.get("kind") not in (CALL, CONNECTION):
        raise ValueError("not a line of the edge's log")
    if said["kind"] == CONNECTION:
        return Line(Reached.NO_CALL, cause=str(said.get("tls_failure", "")), flags=str(said.get("flags", "")), at=_time(said))
    status = said.get("grpc_status")
    return Line(
        _reached(said),
        call_id=str(said.get("call_id", "")),
        consumer=str(said.get("consumer", "")),
        path=str(said.get("path", "")),
        grpc_status=None if status is None else int(status),
        http_status=int(said.get("http_status", 0)),
        cause=str(said.get("refused") or said.get("details", "")),
        flags=str(said.get("flags", "")),
        at=_time(said),
        cluster=str(said.get("cluster", "")),
        ms=int(said.get("ms", 0)),
        attempts=int(said.get("attempts", 0)),
        upstream=str(said.get("upstream", "")),
        received=int(said.get("received", 0)),
        sent=int(said.get("sent", 0)),
        traceparent=str(said.get("traceparent", "")),
        parent=parent_in(str(said.get("parent", ""))),
        message_id=str(said.get("message_id", "")),
        attempt=int(said.get("attempt", 0)),
        token_of=str(said.get("token_of", "")),
    )


def _time(said: dict[str, Any]) -> float:
    return datetime.fromisoformat(str(said["at"])).timestamp() if "at" in said else 0.0


def _reached(said: dict[str, Any]) -> Reached:
    if said.get("details") == VIA_UPSTREAM:
        return Reached.ANSWERED
    return Reached.SENT if int(said.get("upstream_sent", 0)) > 0 else Reached.EDGE


def access_log(path: str) -> accesslog.AccessLog:
    """Writes a line for each call."""
    return accesslog.AccessLog(name="envoy.access_loggers.file", typed_config=packed(_file(path, LOG_FIELDS)))


def connection_log(path: str) -> accesslog.AccessLog:
    """Writes a line for each connection on which TLS failed; one that was set up is told of by its calls."""
    failed = cel_filter.ExpressionFilter(expression="connection.transport_failure_reason != ''")
    return accesslog.AccessLog(
        name="envoy.access_loggers.file",
        filter=accesslog.AccessLogFilter(
            extension_filter=accesslog.ExtensionFilter(name="envoy.access_loggers.extension_filters.cel", typed_config=packed(failed))
        ),
        typed_config=packed(_file(path, CONNECTION_FIELDS)),
    )


def _file(path: str, fields: dict[str, str]) -> file_log.FileAccessLog:
    shape = core.SubstitutionFormatString(json_format=Struct.from_dict(dict(fields)), omit_empty_values=True)
    return file_log.FileAccessLog(path=path, log_format=shape)
