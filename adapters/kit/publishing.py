"""The producer's side of the exchange: hands a message over until the exchange has it on disk.

A message may be handed over as often as need be: its idempotency key makes every repetition the same message.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.rpc import error_details_pb2

from adapters.kit.rejections import detail, reason
from adapters.kit.site import Site
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.logs import Log

Publish = Callable[[Any], Awaitable[Receipt]]
"""Hands one message over until the exchange has it; raises as `publish` does."""

PATIENCE = 10.0
FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0
AGAIN = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
    }
)
"""Statuses after which the same message is handed over again: it was not accepted, or nobody knows."""
NEVER = frozenset({"TOO_LARGE"})
"""Reasons that have one of these statuses and yet are the message's own."""


def publisher(site: Site, operation: Callable[[grpc.aio.Channel], Callable[..., Awaitable[Receipt]]]) -> Publish | None:
    """What hands over messages of an operation (a stub's method, from a channel); None, which is logged, without a way to the exchange."""
    mesh = site.mesh
    if mesh is None:
        site.log.line("not_publishing", reason="no way to the exchange")
        return None
    return lambda request: publish(operation(mesh.channel()), request, site.log)


async def publish(ask: Callable[..., Awaitable[Receipt]], request: Any, log: Log) -> Receipt:
    """Calls a message operation (a stub's method) until the exchange answers with a receipt; waits as long as the exchange asks for.

    Raises `grpc.aio.AioRpcError` when the message itself was refused: handing it over again would change nothing.
    """
    delay, told = FIRST_DELAY, False
    while True:
        try:
            receipt = await ask(request, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            if error.code() not in AGAIN or reason(error) in NEVER:
                raise
            if not told:
                log.line("exchange_lost", status=error.code().name)
                told = True
            await asyncio.sleep(max(delay, _asked_to_wait(error)))
            delay = min(2 * delay, LONGEST_DELAY)
            continue
        if told:
            log.line("exchange_back")
        return receipt


async def publish_or_pass_over(ask: Callable[..., Awaitable[Receipt]], request: Any, log: Log) -> None:
    """Publishes what can't be put aside: a message that breaks the contract, and always would, is told and passed over.

    Raises `Fault` NOT_KEPT for any other refusal: it lies with the producer, would with every message, and loses none of them.
    """
    try:
        await publish(ask, request, log)
    except grpc.aio.AioRpcError as error:
        log.line("publishing_refused", status=error.code().name)
        if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
            raise Fault(Reason.NOT_KEPT, f"the exchange refused a message with {error.code().name}") from None


def broken_rules(error: grpc.aio.AioRpcError) -> tuple[str, ...]:
    """Paths of the fields that the exchange refused. Its words are left out: nobody promises that they repeat no value."""
    request = error_details_pb2.BadRequest()
    return tuple(violation.field for violation in request.field_violations) if detail(error, request) else ()


def _asked_to_wait(error: grpc.aio.AioRpcError) -> float:
    """Seconds that the exchange asked for in RetryInfo; 0 when it asked for nothing."""
    retry = error_details_pb2.RetryInfo()
    return float(retry.retry_delay.ToTimedelta().total_seconds()) if detail(error, retry) else 0.0
