"""What is live, as operators reach it on the hub's own socket."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.estate_words import seen_call
from hub.estate.picture import changed, moment
from hub.estate.running import BusyError, Live, NoLogError
from hub.exchange.accepting import COME_AGAIN, metadata_of
from hub.mesh.inputs import HUB_SYSTEM
from metip.call import CALL_ID_HEADER
from metip.estate.v1 import estate_service_pb2 as api
from metip.estate.v1.estate_service_pb2_grpc import EstateServiceServicer
from metip.faults import Fault, Reason, status_of

EVERY: Final = 2.0
"""Seconds between two answers to whoever watches, where nobody says otherwise."""
SHARE: Final = 0.04
"""Of a core, at most, that pictures for one who watches may take: the wider an estate is, the less often it is drawn."""
TOGETHER: Final = 0.1
"""Seconds for which calls wait for others, so that they are sent together."""


class EstateApi(EstateServiceServicer):
    """Answers from what is live."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def GetEstate(self, request: api.GetEstateRequest, context: Any) -> api.GetEstateResponse:  # noqa: N802
        """Gives the estate; see the contract."""
        await check(request, context)
        async with _refusing(context), self._live.watching():
            estate = await self._live.estate(request.filter, request.rows, with_map=not request.without_map)
            return api.GetEstateResponse(estate=estate)

    async def WatchEstate(self, request: api.WatchEstateRequest, context: Any) -> AsyncIterator[api.WatchEstateResponse]:  # noqa: N802
        """Gives the estate and its changes; see the contract."""
        await check(request, context)
        every = request.every.ToTimedelta().total_seconds() if request.HasField("every") else EVERY
        async with _refusing(context), self._live.watching():
            known: dict[str, Any] = {}
            whole, due = True, time.monotonic()
            while True:
                estate = await self._live.estate(request.filter, request.rows, with_map=not request.without_map)
                began = time.thread_time()
                known, told = changed(known, estate)
                spent = self._live.drawing + time.thread_time() - began
                told.whole = whole
                yield told
                whole, due = False, max(due + pause(every, spent), time.monotonic())
                await asyncio.sleep(due - time.monotonic())

    async def WatchCalls(self, request: api.WatchCallsRequest, context: Any) -> AsyncIterator[api.WatchCallsResponse]:  # noqa: N802
        """Gives calls as they end; see the contract."""
        await check(request, context)
        async with _refusing(context), self._live.tapping(request) as tap:
            yield api.WatchCallsResponse(at=moment(time.time()))
            while True:
                calls, dropped = await tap.given()
                yield api.WatchCallsResponse(calls=map(seen_call, calls), dropped=dropped, at=moment(self._live.feed.read_at))
                await asyncio.sleep(TOGETHER)


def pause(every: float, spent: float) -> float:
    """Seconds from one answer to the next, of which each took so many seconds of CPU."""
    return max(every, spent / SHARE)


@asynccontextmanager
async def _refusing(context: Any) -> AsyncIterator[None]:
    """Ends the call where what is live refuses to be watched."""
    try:
        yield
    except BusyError as error:
        await _refuse(Fault(Reason.BUSY, str(error), retry_after=COME_AGAIN), context)
    except NoLogError as error:
        await _refuse(Fault(Reason.PRECONDITION, str(error)), context)


async def _refuse(fault: Fault, context: Any) -> None:
    call_id = metadata_of(context).get(CALL_ID_HEADER, "")
    await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id=call_id)))
