"""One attempt on the wire: the operation's own path, through Envoy's listener for deliveries, under the hub's identity."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from hub.exchange.records import Attempt
from hub.exchange.verdicts import Ended
from metip.call import (
    ACCEPTED_HEADER,
    ATTEMPT_HEADER,
    CALL_ID_HEADER,
    FLAGS_HEADER,
    MESSAGE_ID_HEADER,
    OFFICER_HEADER,
    PRODUCER_HEADER,
    REDELIVERY_HEADER,
    SUBSCRIBER_HEADER,
)
from metip.contracts import Subscription
from metip.exchange.v1.receipt_pb2 import PROGRESS_DELIVERED, Receipt
from metip.telemetry import tracing
from metip.tokens import HEADER as TOKEN_HEADER
from metip.tracing import HEADER as TRACE_HEADER
from metip.tracing import context_of

MARGIN: Final = 1.0
"""Seconds that Envoy has to say that the time is up before we stop listening."""
OPTIONS: Final = (
    ("grpc.ssl_target_name_override", "localhost"),
    ("grpc.enable_retries", 0),
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


@dataclass
class Sender:
    """The way to subscribers. A new certificate is used as soon as its file has changed."""

    address: str
    certificate: Path
    key: Path
    authority: Path
    _channel: grpc.aio.Channel | None = field(default=None, repr=False)
    _read_at: float = field(default=0.0, repr=False)

    async def send(self, subscription: Subscription, attempt: Attempt) -> Ended:
        """Makes one attempt and says how it ended."""
        span, outcome = _span(subscription, attempt), "CANCELLED"
        trace = span.traceparent if span is not None else context_of(attempt.traceparent, attempt.call_id or attempt.message_id)
        call: Any = self.channel().unary_unary(f"/{subscription.operation}")
        try:
            metadata = [*_metadata(subscription, attempt), (TRACE_HEADER, trace)]
            reply = await call(attempt.body, metadata=metadata, timeout=subscription.attempt_timeout + MARGIN, wait_for_ready=False)
            outcome = "OK"
        except grpc.aio.AioRpcError as error:
            ended = Ended(error.code(), reason_of(error), flags_of(error))
            outcome = ended.reason or ended.status.name
            return ended
        finally:
            if span is not None:
                span.end(outcome)
        return Ended(grpc.StatusCode.OK, processed=Receipt.FromString(reply).progress != PROGRESS_DELIVERED)

    async def close(self) -> None:
        """Ends the channel."""
        if self._channel is not None:
            await self._channel.close()

    def channel(self) -> grpc.aio.Channel:
        """The channel to Envoy; a new one after the certificate's file changed."""
        changed = self.certificate.stat().st_mtime
        if self._channel is None or changed != self._read_at:
            files = (self.authority, self.key, self.certificate)
            credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in files))
            self._channel, self._read_at = grpc.aio.secure_channel(self.address, credentials, options=OPTIONS), changed
        return self._channel


def _metadata(subscription: Subscription, attempt: Attempt) -> list[tuple[str, str]]:
    found = [
        (SUBSCRIBER_HEADER, subscription.system),
        (MESSAGE_ID_HEADER, attempt.message_id),
        (ATTEMPT_HEADER, str(attempt.number)),
        (REDELIVERY_HEADER, "true" if attempt.redelivery else "false"),
        (PRODUCER_HEADER, attempt.producer),
        (ACCEPTED_HEADER, f"{attempt.accepted:.3f}"),
        (CALL_ID_HEADER, attempt.call_id or attempt.message_id),
    ]
    if attempt.token:
        found.append((TOKEN_HEADER, attempt.token))
    if attempt.officer:
        found.append((OFFICER_HEADER, attempt.officer))
    return found


def _span(subscription: Subscription, attempt: Attempt) -> tracing.Span | None:
    """The span of an attempt, under that of the message's acceptance; none where its call was not traced."""
    about = {
        "messaging__system": "metip",
        "messaging__message__id": attempt.message_id,
        "messaging__destination__name": subscription.name,
        "metip__attempt": str(attempt.number),
    }
    return tracing.begin("deliver", tracing.Role.PRODUCER, attempt.traceparent, **about)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Reason of the adapter's ErrorInfo; empty when it sent none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # its stub knows the synchronous call only; the aio error works
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def flags_of(error: grpc.aio.AioRpcError) -> str:
    """Envoy's flags; those of a connection that never came about when Envoy itself was not to be reached."""
    said = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    for key, value in said:
        if key == FLAGS_HEADER:
            return str(value)
    unreached = error.code() is grpc.StatusCode.UNAVAILABLE and not said and "failed to connect" in (error.details() or "").lower()
    return "UF" if unreached else ""
