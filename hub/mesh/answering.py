"""What Envoy answers in place of a system that is in maintenance: UNAVAILABLE, why, in words for a person, and when to come again."""

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from hub.mesh.refusals import ANSWER_METADATA, DETAILS_HEADER, LOCALE, MAINTENANCE
from hub.mesh.steering import Maintenance
from hub.mesh.types import Struct, core, route
from metip.faults import EDGE_DOMAIN

ADVICE: Final = "Repeat after the delay in RetryInfo."
HTTP_UNAVAILABLE: Final = 503
"""Envoy makes gRPC's UNAVAILABLE of it where a call is gRPC."""


def status_of(said: Maintenance) -> status_pb2.Status:
    """What callers find, over gRPC and as JSON."""
    details = (
        error_details_pb2.ErrorInfo(reason=MAINTENANCE, domain=EDGE_DOMAIN, metadata=_told(said)),
        error_details_pb2.LocalizedMessage(locale=LOCALE, message=said.text),
        error_details_pb2.RetryInfo(retry_delay=Duration(seconds=round(said.retry_after))),
    )
    found = status_pb2.Status(code=code_pb2.UNAVAILABLE, message=f"{MAINTENANCE}: {said.text}")
    for one in details:
        inside = Packed()
        inside.Pack(one, deterministic=True)
        found.details.append(inside)
    return found


@lru_cache(maxsize=1024)
def answer_of(said: Maintenance) -> tuple[route.DirectResponseAction, core.HeaderValueOption, core.Metadata]:
    """The answer, the header that goes with it, and what the listener for JSON finds of it in the route. gRPC's libraries believe details
    only where they say the same as the status itself."""
    status = status_of(said)
    value = base64.b64encode(status.SerializeToString(deterministic=True)).decode()
    body = core.DataSource(inline_string=status.message)
    told: dict[str, Any] = {
        "message": status.message,
        "text": said.text,
        "retry": f"{round(said.retry_after)}s",
        "metadata": _told(said),
    }
    return (
        route.DirectResponseAction(status=HTTP_UNAVAILABLE, body=body),
        core.HeaderValueOption(header=core.HeaderValue(key=DETAILS_HEADER, value=value)),
        core.Metadata(filter_metadata={ANSWER_METADATA: Struct.from_dict(told)}),
    )


def _told(said: Maintenance) -> dict[str, str]:
    told = {"advice": ADVICE, "interface": said.target.partition("/")[0]}
    if said.until:
        told["until"] = datetime.fromtimestamp(said.until, UTC).isoformat(timespec="seconds")
    return told
