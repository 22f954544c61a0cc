"""What subscribers learn after they took a message."""

from typing import Any

import grpc

from hub.api.checking import check
from hub.exchange.life import Event
from hub.exchange.port import Engine
from hub.exchange.records import UnknownError
from metip.exchange.v1 import subscriber_service_pb2 as api
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceServicer

EVENTS = {api.OUTCOME_PROCESSED: Event.CONFIRMED, api.OUTCOME_REFUSED: Event.REFUSED}


class SubscriberApi(SubscriberServiceServicer):
    """Writes outcomes down."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ReportOutcome(self, request: api.ReportOutcomeRequest, context: Any) -> api.ReportOutcomeResponse:  # noqa: N802
        """Keeps an outcome; see the contract."""
        await check(request, context)
        try:
            await self._engine.confirm(request.message_id, request.system, EVENTS[request.outcome], request.code)
        except UnknownError as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        return api.ReportOutcomeResponse()
