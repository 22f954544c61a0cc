"""The exchange, as producers follow their messages and operations steer them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from google.protobuf import json_format

from hub.api import bulk
from hub.api.actions import Recorder
from hub.api.checking import check
from hub.api.exchange_asking import SERVICE, Asked, by_operator, refusing
from hub.api.exchange_finding import FindingApi
from hub.api.exchange_owners import OwnersApi
from hub.api.exchange_words import NUMBERS, account, delivery, filter_of, group, message_state, plan, step
from hub.contracts import Contracts
from hub.exchange.accepting import metadata_of, refuse
from hub.exchange.life import DONE, WAITING_FOR_A_PERSON, Event, State
from hub.exchange.records import Delivery, Filter, UnknownError
from hub.exchange.running import Exchange
from hub.ledger.finding import Finder
from metip.call import Call, call_from
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceServicer
from metip.faults import Fault, Reason
from metip.masking import masked

PAGE: Final = 100
PLAN_LASTS: Final = 3600.0
WATCH: Final = f"{SERVICE}/Watch"
WATCH_EVERY: Final = 0.25
PARTING: Final = 0.5
"""Seconds before the deadline of a watch at which it is ended in words; a fifth of its time where that is less."""
DECISIONS: Final = {
    api.DECISION_PARK: Event.PARK,
    api.DECISION_RELEASE: Event.RELEASE,
    api.DECISION_PURGE: Event.PURGE,
    api.DECISION_DONE: Event.CONFIRMED,
    api.DECISION_NOT_DONE: Event.REFUSED,
}
ENDS: Final = frozenset(NUMBERS[state] for state in (DONE | WAITING_FOR_A_PERSON) - {State.DELIVERED})
"""States after which nothing comes by itself; what is delivered may still be processed."""
UNMASK: Final = "unmask"
"""The role of officers who may see what is personal in a message."""


class ExchangeApi(OwnersApi, FindingApi, ExchangeServiceServicer):
    """Answers from the engine. `grants(call)` gives what is granted of the call's operation (`metip.grants`) where the consumer may call it
    in the officer's roles, and nothing otherwise: in bulk, Envoy does not see which messages are handed over. `record_action` keeps who had
    a message shown without masks; `finder` finds messages by subject, None where there is no ledger."""

    def __init__(
        self,
        exchange: Exchange,
        grants: Callable[[Call], str],
        record_action: Recorder,
        finder: Finder | None = None,
    ) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._contracts: Contracts = exchange.contracts
        self._grants, self._calls, self._record_action = grants, exchange.accepting.calls, record_action
        self._finder = finder

    async def PublishBatch(self, requests: AsyncIterator[api.PublishBatchRequest], context: Any) -> api.PublishBatchResponse:  # noqa: N802
        """Accepts in bulk; see the contract. `bulk.handler` does so without reading each part first."""
        return await bulk.publish((one.SerializeToString() async for one in requests), context, self._exchange, self._grants)

    async def Track(self, request: api.TrackRequest, context: Any) -> api.TrackResponse:  # noqa: N802
        """Tells where a message stands; see the contract."""
        await check(request, context)
        async with refusing(context):
            await self._theirs(request.message_id, context)
            return api.TrackResponse(message=await self._state(request.message_id, keys=False))

    async def Watch(self, request: api.WatchRequest, context: Any) -> AsyncIterator[api.WatchResponse]:  # noqa: N802
        """Tells of each change; see the contract."""
        await check(request, context)
        async with refusing(context):
            await self._theirs(request.message_id, context)
            last, until = None, time.monotonic() + self._watched_for(context)
            while True:
                state = await self._state(request.message_id, keys=False)
                if state != last:
                    yield api.WatchResponse(message=state)
                    last = state
                states = {one.state for one in state.deliveries}
                if states <= ENDS:
                    return
                left = until - time.monotonic()
                if left <= 0:
                    await refuse(Fault(Reason.TIMED_OUT, "the message is not done yet"), metadata_of(context), context)
                await asyncio.sleep(min(WATCH_EVERY, left))

    def _watched_for(self, context: Any) -> float:
        """Seconds that a watch lasts: a little less than it may. At the deadline Envoy cuts a stream that is under way without a status
        (RST_STREAM INTERNAL_ERROR), which a producer can't tell from a connection that broke."""
        limit, remaining = self._contracts.operations[WATCH].timeout, context.time_remaining()
        whole = limit if remaining is None else min(limit, remaining)
        return whole - min(PARTING, whole / 5)

    async def ListSubscriptions(self, request: api.ListSubscriptionsRequest, context: Any) -> api.ListSubscriptionsResponse:  # noqa: N802
        """Gives the accounts; see the contract."""
        lines = self._exchange.dispatcher.lines
        found = [
            account(one, lines[one.subscription].unreachable_since) for one in await self._engine.accounts() if one.subscription in lines
        ]
        return api.ListSubscriptionsResponse(subscriptions=found)

    async def PauseSubscription(self, request: api.PauseSubscriptionRequest, context: Any) -> api.PauseSubscriptionResponse:  # noqa: N802
        """Stops or resumes a subscription; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            await self._engine.pause(request.subscription, paused=request.paused, by=asked.who, reason=request.access.justification)
        return api.PauseSubscriptionResponse()

    async def ListDeliveries(self, request: api.ListDeliveriesRequest, context: Any) -> api.ListDeliveriesResponse:  # noqa: N802
        """Lists deliveries; see the contract."""
        size = request.page_size or PAGE
        async with self._asked(request, context) as asked:
            after = _token(request.page_token)
            found = await self._engine.deliveries(filter_of(request.filter), after=after, limit=size + 1)
            page, more = found[:size], len(found) > size
            asked.disclosed = len(page)
        token = f"{page[-1].sequence}/{page[-1].subscription}" if more else ""
        return api.ListDeliveriesResponse(deliveries=[delivery(one) for one in told(page, keys=request.keys)], next_page_token=token)

    async def GroupWaiting(self, request: api.GroupWaitingRequest, context: Any) -> api.GroupWaitingResponse:  # noqa: N802
        """Groups what waits for a person; see the contract."""
        await check(request, context)
        return api.GroupWaitingResponse(groups=[group(one) for one in await self._engine.groups(request.subscription)])

    async def GetMessage(self, request: api.GetMessageRequest, context: Any) -> api.GetMessageResponse:  # noqa: N802
        """Gives a message, masked; see the contract."""
        async with self._asked(request, context, reason=request.unmask) as asked:
            asked.disclosed = 1
            found = await self._engine.message(request.message_id)
            steps = await self._engine.steps(request.message_id)
            response = api.GetMessageResponse(
                message=await self._state(request.message_id, keys=request.keys),
                steps=[step(one) for one in steps],
                content_bytes=len(found.body),
            )
            acceptor = self._exchange.accepting.acceptors.get(found.operation)
            if acceptor is not None:
                response.content_type = acceptor.operation.request
                content = acceptor.kind.FromString(found.body)
                response.masked_content = json.dumps(masked(content), ensure_ascii=False)
                if request.unmask:
                    await self._unmasking(request, asked, context)
                    response.content = json_format.MessageToJson(content, preserving_proto_field_name=True, indent=None)
            return response

    async def _unmasking(self, request: api.GetMessageRequest, asked: Asked, context: Any) -> None:
        """Lets a person see what is personal: with the role, and once it is recorded; anything else ends the call."""
        try:
            if UNMASK not in asked.roles:
                raise Fault(Reason.RESTRICTED, f"what is personal is shown to officers with the role {UNMASK}")
            detail = f"message {request.message_id}: {request.access.justification}"
            await self._record_action("messages/unmask", asked.who, request.access.purpose, detail)
        except Fault as fault:
            await refuse(fault, metadata_of(context), context)

    async def Decide(self, request: api.DecideRequest, context: Any) -> api.DecideResponse:  # noqa: N802
        """Moves deliveries; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            names = [(one.message_id, one.subscription) for one in request.deliveries]
            moved = await self._engine.decide(names, DECISIONS[request.decision], by=asked.who, reason=request.access.justification)
        return api.DecideResponse(moved=moved)

    async def PlanReplay(self, request: api.PlanReplayRequest, context: Any) -> api.PlanReplayResponse:  # noqa: N802
        """Plans a replay; see the contract."""
        once = frozenset(one.operation for one in self._contracts.subscriptions if one.write_once)
        async with self._asked(request, context, reason=True) as asked:
            expires = self._exchange.clock() + PLAN_LASTS
            made = await self._engine.plan(
                filter_of(request.filter), by=asked.who, reason=request.access.justification, write_once=once, expires=expires
            )
        return plan(made, needs_approval=bool(made.operations & once))

    async def ApproveReplay(self, request: api.ApproveReplayRequest, context: Any) -> api.ApproveReplayResponse:  # noqa: N802
        """Approves a plan; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            await self._engine.approve(request.plan_id, by=asked.who, reason=request.access.justification)
        return api.ApproveReplayResponse()

    async def Replay(self, request: api.ReplayRequest, context: Any) -> api.ReplayResponse:  # noqa: N802
        """Carries out a plan; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            done = await self._engine.replay(request.plan_id, by=asked.who, reason=request.access.justification)
        return api.ReplayResponse(replayed=done.replayed, left=done.left, message_ids=done.message_ids)

    async def _theirs(self, message_id: str, context: Any) -> None:
        """Raises `UnknownError` unless the caller is the message's own producer, or may look into messages: who is neither is told what
        everybody is told of a message that there is not."""
        producer = (await self._engine.message(message_id)).producer
        try:
            call = call_from(metadata_of(context), f"{SERVICE}/GetMessage", remaining=None)
        except Fault as fault:
            await refuse(fault, metadata_of(context), context)
            raise
        if call.consumer != producer and not by_operator(metadata_of(context)) and not self._grants(call):
            raise UnknownError("there is no such message")

    async def _state(self, message_id: str, *, keys: bool) -> Any:
        """Where a message stands; without `keys` nothing in it is personal."""
        found = await self._engine.message(message_id)
        deliveries = await self._engine.deliveries(Filter(message_ids=(message_id,)), limit=1000)
        return message_state(found, told(deliveries, keys=keys))

    def _asked(self, request: Any, context: Any, *, reason: bool = False) -> Asked:
        return Asked(self._contracts, self._calls, request, context, reason)


def _token(text: str) -> tuple[int, str]:
    sequence, _, subscription = text.partition("/")
    return (int(sequence) if sequence.isdecimal() else 0, subscription)


def told(deliveries: Sequence[Delivery], *, keys: bool) -> list[Delivery]:
    """Deliveries as they are told: their ordering keys, which are personal, where they were asked for."""
    return list(deliveries) if keys else [replace(one, ordering_key="") for one in deliveries]
