"""The exchange, as producers follow their messages and operations steer them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final, Self

from google.protobuf import json_format

from hub.api import bulk
from hub.api.actions import Recorder
from hub.api.checking import check, judge
from hub.api.exchange_owners import OwnersApi
from hub.api.exchange_words import NUMBERS, account, delivery, filter_of, group, message_state, plan, step
from hub.contracts import Contracts
from hub.exchange.accepting import COME_AGAIN, metadata_of, refuse
from hub.exchange.calls import Calls
from hub.exchange.life import DONE, WAITING_FOR_A_PERSON, Event, State
from hub.exchange.records import ExchangeError, Filter, ForbiddenError, FullError, NotAllowedError, UnknownError
from hub.exchange.running import Exchange
from metip.admission import check_purpose
from metip.call import CALL_ID_HEADER, Call, call_from
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceServicer
from metip.faults import Fault, Reason
from metip.journal.records import OK, Facts
from metip.masking import masked

PAGE: Final = 100
PLAN_LASTS: Final = 3600.0
WATCH_EVERY: Final = 0.25
DECISIONS: Final = {
    api.DECISION_PARK: Event.PARK,
    api.DECISION_RELEASE: Event.RELEASE,
    api.DECISION_PURGE: Event.PURGE,
    api.DECISION_DONE: Event.CONFIRMED,
    api.DECISION_NOT_DONE: Event.REFUSED,
}
ENDS: Final = frozenset(NUMBERS[state] for state in (DONE | WAITING_FOR_A_PERSON) - {State.DELIVERED})
"""States after which nothing comes by itself; what is delivered may still be processed."""
SERVICE: Final = "metip.exchange.v1.ExchangeService"
UNMASK: Final = "unmask"
"""The role of officers who may see what is personal in a message."""


class ExchangeApi(OwnersApi, ExchangeServiceServicer):
    """Answers from the engine. `grants(call)` gives what is granted of the call's operation (`metip.grants`) where the consumer may call it
    in the officer's roles, and nothing otherwise: in bulk, Envoy does not see which messages are handed over. `record_action` keeps who had
    a message shown without masks."""

    def __init__(self, exchange: Exchange, grants: Callable[[Call], str], record_action: Recorder) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._contracts: Contracts = exchange.contracts
        self._grants, self._calls, self._record_action = grants, exchange.accepting.calls, record_action

    async def PublishBatch(self, requests: AsyncIterator[api.PublishBatchRequest], context: Any) -> api.PublishBatchResponse:  # noqa: N802
        """Accepts in bulk; see the contract. `bulk.handler` does so without reading each part first."""
        return await bulk.publish((one.SerializeToString() async for one in requests), context, self._exchange, self._grants)

    async def Track(self, request: api.TrackRequest, context: Any) -> api.TrackResponse:  # noqa: N802
        """Tells where a message stands; see the contract."""
        await check(request, context)
        async with _refusing(context):
            await self._theirs(request.message_id, context)
            return api.TrackResponse(message=await self._state(request.message_id, keys=False))

    async def Watch(self, request: api.WatchRequest, context: Any) -> AsyncIterator[api.WatchResponse]:  # noqa: N802
        """Tells of each change; see the contract."""
        await check(request, context)
        async with _refusing(context):
            await self._theirs(request.message_id, context)
            last = None
            while True:
                state = await self._state(request.message_id, keys=False)
                if state != last:
                    yield api.WatchResponse(message=state)
                    last = state
                states = {one.state for one in state.deliveries}
                if states <= ENDS:
                    return
                await asyncio.sleep(WATCH_EVERY)

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
        return api.ListDeliveriesResponse(deliveries=[delivery(one) for one in page], next_page_token=token)

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
                message=await self._state(request.message_id), steps=[step(one) for one in steps], content_bytes=len(found.body)
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

    async def _unmasking(self, request: api.GetMessageRequest, asked: "_Asked", context: Any) -> None:
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
        if call.consumer != producer and not self._grants(call):
            raise UnknownError("there is no such message")

    async def _state(self, message_id: str, *, keys: bool = True) -> Any:
        """Where a message stands; without `keys` nothing in it is personal."""
        found = await self._engine.message(message_id)
        deliveries = await self._engine.deliveries(Filter(message_ids=(message_id,)), limit=1000)
        return message_state(found, deliveries if keys else [replace(one, ordering_key="") for one in deliveries])

    def _asked(self, request: Any, context: Any, *, reason: bool = False) -> "_Asked":
        return _Asked(self._contracts, self._calls, request, context, reason)


class _Asked:
    """An operator's request: its rules, its purpose, the person behind it; what the engine refuses becomes a status. It is recorded before
    it is answered."""

    def __init__(self, contracts: Contracts, calls: Calls | None, request: Any, context: Any, reason: bool) -> None:
        self._calls, self._request, self._context, self._reason = calls, request, context, reason
        self._metadata, self._began = metadata_of(context), time.perf_counter()
        self._operation = contracts.operations[f"{SERVICE}/{type(request).__name__.removesuffix('Request')}"]
        self._call: Call | None = None
        self.disclosed = 0
        """Records that the answer tells of."""

    @property
    def who(self) -> str:
        """The person behind it, by warrant number."""
        assert self._call is not None, "admitted"
        assert self._call.officer is not None, "admitted"
        return self._call.officer.warrant_number

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of that person."""
        return self._call.officer.roles if self._call is not None and self._call.officer is not None else ()

    async def __aenter__(self) -> Self:
        try:
            self._call = self._admitted()
        except Fault as fault:
            await self._end(fault, refused=True)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            await self._end(None)
        elif isinstance(error, ExchangeError):
            await self._end(_fault(error))
        elif isinstance(error, Fault):
            await self._end(error)

    def _admitted(self) -> Call:
        operation, access = self._operation, self._request.access
        self._call = call = call_from(self._metadata, operation.name, remaining=self._context.time_remaining())
        if call.officer is None:
            raise Fault(Reason.OFFICER_NEEDED, "the operation needs a person behind it")
        judge(self._request)
        check_purpose(access.purpose, operation.purpose_numbers, call)
        if self._reason and not access.justification.strip():
            raise Fault(Reason.JUSTIFICATION_NEEDED, "what a person decides is kept with a reason")
        if self._calls is not None:
            self._calls.check()
        return call

    async def _end(self, fault: Fault | None, *, refused: bool = False) -> None:
        """Records how it ended, and refuses it where it did not end well."""
        if self._calls is not None:
            seconds, outcome = time.perf_counter() - self._began, fault.reason.name if fault else OK
            call_id = self._metadata.get(CALL_ID_HEADER, "")
            facts = Facts(
                self._operation,
                self._call,
                self._request,
                outcome,
                seconds,
                0 if fault else self.disclosed,
                refused=refused,
                call_id=call_id,
            )
            try:
                await self._calls.record(facts)
            except Fault as unrecorded:
                fault = unrecorded
        if fault is not None:
            await refuse(fault, self._metadata, self._context)


class _refusing:  # noqa: N801 - used as a statement
    """What the engine refuses becomes a status."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ExchangeError):
            await _abort(error, self._context)


async def _abort(error: ExchangeError, context: Any) -> None:
    await refuse(_fault(error), metadata_of(context), context)


def _fault(error: ExchangeError) -> Fault:
    """What an operator is told of what the engine refused."""
    reasons = {
        UnknownError: Reason.NO_TRACE,
        NotAllowedError: Reason.PRECONDITION,
        ForbiddenError: Reason.RESTRICTED,
        FullError: Reason.BUSY,
    }
    reason = reasons.get(type(error), Reason.NOT_KEPT)
    return Fault(reason, str(error), retry_after=COME_AGAIN if reason is Reason.BUSY else None)


def _token(text: str) -> tuple[int, str]:
    sequence, _, subscription = text.partition("/")
    return (int(sequence) if sequence.isdecimal() else 0, subscription)
