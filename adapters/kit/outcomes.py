"""The subscriber's side of the exchange: what became of a message that was only delivered when it was answered."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

import grpc

from metip.exchange.v1.receipt_pb2 import PROGRESS_DELIVERED, PROGRESS_PROCESSED, Receipt
from metip.exchange.v1.subscriber_service_pb2 import OUTCOME_PROCESSED, OUTCOME_REFUSED, ReportOutcomeRequest
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceStub
from metip.logs import Log

if TYPE_CHECKING:  # generated for the type checker only
    from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceAsyncStub

AGAIN, PATIENCE = 1.0, 3.0
PROCESSED = Receipt(progress=PROGRESS_PROCESSED)
"""The subscriber's answer when its far system has done it."""
DELIVERED = Receipt(progress=PROGRESS_DELIVERED)
"""The subscriber's answer when its far system has it and will say later what became of it."""

CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
NO_CODE = "NONE"


def code_of(said: str) -> str:
    """The far side's code; what does not look like one may be words, which stay behind."""
    return said if CODE.fullmatch(said) else NO_CODE


class Outcomes:
    """Reports outcomes to the exchange, each until it is heard."""

    def __init__(self, channel: grpc.aio.Channel, system: str, log: Log) -> None:
        self._stub: SubscriberServiceAsyncStub = SubscriberServiceStub(channel)
        self._system = system
        self._log = log

    @classmethod
    @asynccontextmanager
    async def connected(cls, hub: str, system: str, log: Log) -> AsyncIterator[Self]:
        """The way to the exchange for the length of the block; `hub` is the address of the hub's own socket."""
        async with grpc.aio.insecure_channel(hub) as channel:
            yield cls(channel, system, log)

    async def processed(self, message_id: str) -> bool:
        """The far system has done it. False when the exchange knows no such delivery."""
        return await self._report(ReportOutcomeRequest(message_id=message_id, system=self._system, outcome=OUTCOME_PROCESSED))

    async def refused(self, message_id: str, code: str) -> bool:
        """The far system refused it for good; `code` is its code, never its words. False when the exchange knows no such delivery."""
        return await self._report(ReportOutcomeRequest(message_id=message_id, system=self._system, outcome=OUTCOME_REFUSED, code=code))

    async def _report(self, request: ReportOutcomeRequest) -> bool:
        told = False
        while True:
            try:
                await self._stub.ReportOutcome(request, timeout=PATIENCE)
                return True
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    return False
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    raise
                if not told:
                    self._log.line("exchange_lost", status=error.code().name)
                    told = True
                await asyncio.sleep(AGAIN)
