"""What another adapter's refusal says, and how it is passed on to whoever asked this one."""

from collections.abc import Callable
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from metip.faults import EDGE_DOMAIN, Fault, Reason

OWN: Final = frozenset({"call_id", "advice"})
"""Metadata that each adapter writes for itself."""


def detail(error: grpc.aio.AioRpcError, into: Any) -> bool:
    """Whether the error carries a detail of that type, which is then read into the message given."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # its stub knows the synchronous call only; the aio error works
    except (ValueError, DecodeError):  # details that contradict the status, or are none
        return False
    return any(one.Unpack(into) for one in (status.details if status is not None else ()))


def reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in an adapter's ErrorInfo; empty when there is none, and when Envoy itself refused."""
    info = error_details_pb2.ErrorInfo()
    return str(info.reason) if detail(error, info) and info.domain != EDGE_DOMAIN else ""


def passed_on(error: grpc.aio.AioRpcError, *, renamed: Callable[[str], str] = str) -> Fault:
    """The refusal as this adapter's own: reason, codes, fields and delay stay. `renamed` turns the other contract's path of a field into
    this one's. A refusal by Envoy, or without a reason that adapters have, is INTERNAL: it concerns the way there, which the asker can do
    nothing about.
    """
    info, broken, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    known = Reason.__members__.get(info.reason) if detail(error, info) else None
    if known is None or known.status is not error.code() or info.domain == EDGE_DOMAIN:
        return Fault(Reason.INTERNAL, f"a system that was asked on the way answered {error.code().name}")
    system = info.domain.removesuffix(".metip")
    words = (error.details() or "").removeprefix(f"{known.name}: ")
    return Fault(
        known,
        f"{system} refused: {words}",
        metadata={key: value for key, value in info.metadata.items() if key not in OWN},
        fields=tuple((renamed(one.field), one.description) for one in broken.field_violations) if detail(error, broken) else (),
        retry_after=retry.retry_delay.ToTimedelta() if detail(error, retry) else None,
    )
