"""One bulk hand-over: parts are judged as they come, and kept in the order in which they came, each while the next ones are judged.

Of one ordering key nothing is kept after a message for which there was no room: its producer hands that one over again, and it would come
after those that it was to come before. So lots with ordering keys are kept one after the other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import grpc

from hub.exchange.accepting import Acceptor, full, kept, metadata_of, refuse
from hub.exchange.judging import messages_of, part_of
from hub.exchange.lots import Judged, Lot
from hub.exchange.records import FullError
from hub.exchange.running import Exchange
from metip.call import OFFICER_HEADER, Call, call_from
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.faults import Fault, Reason
from metip.journal.refusals import refusal

SERVICE: Final = "metip.exchange.v1.ExchangeService"
JUDGED_AHEAD: Final = 4
"""Parts that are being judged while the next one comes."""
KEPT_AHEAD: Final = 8
"""Lots without ordering keys that are being kept while the next one is judged: while one is told to its producer, the store works on
others."""
HELD_BACK: Final = "an earlier message of its ordering key was not kept"


class Batch:
    """One hand-over: `take` each part, then `close`; `abandon` it however it ends."""

    def __init__(self, exchange: Exchange, acceptor: Acceptor, call: Call, metadata: Mapping[str, str]) -> None:
        self._exchange, self._acceptor, self._call, self._metadata = exchange, acceptor, call, metadata
        self._officer = metadata.get(OFFICER_HEADER, "")
        self._judging: deque[tuple[bytes, asyncio.Task[Judged]]] = deque()
        self._keeping: deque[asyncio.Task[None]] = deque()
        self._ids: list[str] = []
        self._held_back: set[int] = set()
        """Fingerprints of ordering keys of which a message found no room."""
        self._response = api.PublishBatchResponse()

    async def take(self, part: bytes) -> None:
        """Begins to judge a part, and to keep those before it. Raises `Fault` when one of them can't be kept."""
        judging = self._exchange.judges.judge(self._acceptor, part, self._call, self._officer, self._exchange.clock())
        self._judging.append((part, asyncio.create_task(judging)))
        await self._keep_judged(JUDGED_AHEAD)

    async def close(self) -> api.PublishBatchResponse:
        """Keeps the rest and says what became of all. Raises `Fault`."""
        await self._keep_judged(0)
        await self._kept(0)
        self._response.message_ids.extend(self._ids)
        return self._response

    def abandon(self) -> None:
        """The hand-over ended early: what is being kept is kept, and how that ends nobody hears, as its producer does not either."""
        for task in (*(judging for _, judging in self._judging), *self._keeping):
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    async def _keep_judged(self, but: int) -> None:
        """Begins to keep what was judged, in order, until so many parts are left."""
        while len(self._judging) > but:
            part, judging = self._judging[0]
            judged = await judging
            self._judging.popleft()
            first = len(self._ids)
            self._ids += [""] * judged.messages
            if judged.refused:
                await self._refused(first, part, judged.refused)
            for lot, places in zip(judged.lots, judged.places(), strict=True):
                await self._kept(0 if lot.in_line else KEPT_AHEAD)
                left, left_places = self._behind_none(lot, places, first)
                if left_places:
                    self._keeping.append(asyncio.create_task(self._keep(left, left_places, first)))
            await asyncio.sleep(0)  # so that the store has them before the next ones are judged

    async def _kept(self, but: int) -> None:
        """Returns once all that is being kept is kept, but for so many lots."""
        while len(self._keeping) > but:
            await self._keeping[0]
            self._keeping.popleft()

    async def _refused(self, first: int, part: bytes, refused: Sequence[tuple[int, Fault]]) -> None:
        """Records and tells what was refused of a part. Raises `Fault` JOURNAL."""
        operation, kind, calls = self._acceptor.operation, self._acceptor.kind, self._exchange.accepting.calls
        if calls is not None:
            messages = messages_of(part)
            await calls.record(*(refusal(operation, kind, messages[place], self._metadata, fault.reason.name) for place, fault in refused))
        for place, fault in refused:
            self._refuse(first + place, fault)

    def _behind_none(self, lot: Lot, places: Sequence[int], first: int) -> tuple[Lot, Sequence[int]]:
        """The messages that come after none of their key for which there was no room, and their places; the others are refused."""
        held = {at for at, line in enumerate(lot.in_line) if line in self._held_back} if self._held_back else set()
        if not held:
            return lot, places
        for at in held:
            self._refuse(first + places[at], full(FullError(HELD_BACK)))
        return lot.but(held), [place for at, place in enumerate(places) if at not in held]

    async def _keep(self, lot: Lot, places: Sequence[int], first: int) -> None:
        found = await kept(self._exchange.engine.accept_lot, lot)
        if isinstance(places, range):
            self._ids[first + places.start : first + places.stop] = found.ids
        else:
            for place, message_id in zip(places, found.ids, strict=True):
                self._ids[first + place] = message_id
        self._acceptor.batched += len(found.ids) - len(found.full)
        for place, error in found.full:
            self._refuse(first + places[place], full(error))
        if lot.in_line:
            self._held_back.update(lot.in_line[place] for place, _ in found.full if lot.in_line[place])
        self._response.duplicates += found.duplicates

    def _refuse(self, place: int, fault: Fault) -> None:
        self._response.refused.add(place=place, status=fault.reason.status.name, reason=fault.reason.name, text=fault.text)


async def publish(parts: AsyncIterator[bytes], context: Any, exchange: Exchange, grants: Callable[[Call], str]) -> api.PublishBatchResponse:
    """Answers PublishBatch. Parts are taken as they came: whoever judges them reads them.

    `grants(call)` gives what is granted of the call's operation; nothing where the consumer, in the officer's roles, may not call it.
    """
    metadata, batch = metadata_of(context), None
    try:
        async for part in parts:
            if batch is None:
                call = call_from(metadata, part_of(part).operation, remaining=context.time_remaining())
                acceptor, granted = exchange.accepting.acceptors.get(call.operation), grants(call)
                if acceptor is None or not granted:
                    raise Fault(Reason.RESTRICTED, "the consumer may not publish that")
                batch = Batch(exchange, acceptor, replace(call, grants=granted), metadata)
            await batch.take(part)
        if batch is None:
            raise Fault(Reason.INVALID_REQUEST, "the first part must name the operation")
        return await batch.close()
    except Fault as fault:
        await refuse(fault, metadata, context)
        raise AssertionError("unreachable: abort always raises") from None
    finally:
        if batch is not None:
            batch.abandon()


def handler(exchange: Exchange, grants: Callable[[Call], str]) -> grpc.GenericRpcHandler:
    """PublishBatch alone, of the exchange's interface: added before the rest of it."""

    async def answer(parts: AsyncIterator[bytes], context: Any) -> api.PublishBatchResponse:
        return await publish(parts, context, exchange, grants)

    method: Any = grpc.stream_unary_rpc_method_handler(answer, response_serializer=api.PublishBatchResponse.SerializeToString)
    return grpc.method_handlers_generic_handler(SERVICE, {"PublishBatch": method})
