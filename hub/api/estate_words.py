"""Calls of Envoy's log in the words of the estate's contract."""

from typing import Final

from hub.estate.calls import Call, Kind
from hub.estate.picture import moment
from hub.mesh.edge_log import Reached
from metip.estate.v1 import seen_call_pb2 as api

REACHES: Final = {
    Reached.NO_CALL: api.CALL_REACH_NO_CALL,
    Reached.EDGE: api.CALL_REACH_EDGE,
    Reached.SENT: api.CALL_REACH_SENT,
    Reached.ANSWERED: api.CALL_REACH_ANSWERED,
}
KINDS: Final = {
    Kind.CALL: api.CALL_KIND_CALL,
    Kind.DELIVERY: api.CALL_KIND_DELIVERY,
    Kind.SHADOW: api.CALL_KIND_SHADOW,
}


def seen_call(call: Call) -> api.SeenCall:
    """A call as watchers are told of it."""
    line = call.line
    return api.SeenCall(
        at=moment(line.at),
        call_id=line.call_id,
        consumer=line.consumer,
        operation=call.operation,
        system=call.system,
        status=line.grpc_status,
        reason=call.reason,
        error=call.error,
        milliseconds=line.ms,
        attempts=line.attempts,
        reached=REACHES[line.reached],
        kind=KINDS[call.kind],
        http_status=line.http_status,
        request_bytes=line.received,
        response_bytes=line.sent,
    )
