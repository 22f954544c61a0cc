"""The exchange, as producers follow their messages and operations steer them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final

from google.protobuf import json_format

from hub.api.actions import Recorder
from hub.api.checking import check
from hub.api.exchange_words import NUMBERS, account, delivery, filter_of, group, message_state, plan, step
from hub.contracts import Contracts
from hub.exchange.accepting import COME_AGAIN, Acceptor, full, kept, metadata_of, refuse
from hub.exchange.life import DONE, WAITING_FOR_A_PERSON, Event, State
from hub.exchange.records import Accepted, Arrival, ExchangeError, Filter, ForbiddenError, FullError, NotAllowedError, UnknownError
from hub.exchange.running import Exchange
from metip.call import OFFICER_HEADER, Call, call_from
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceServicer
from metip.faults import Fault, Reason
from metip.masking import masked

PAGE: Final = 100
PLAN_LASTS: Final = 3600.0
WATCH_EVERY: Final = 0.25
AT_ONCE: Final = 2000
"""Messages of a batch that are kept in one transaction."""
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


class ExchangeApi(ExchangeServiceServicer):
    """Answers from the engine.

    `may_publish(consumer, operation)` says who may hand messages over in bulk; `record_action` keeps who had a message shown without masks.
    """

    def __init__(self, exchange: Exchange, may_publish: Callable[[str, str], bool], record_action: Recorder) -> None:
        self._exchange = exchange
        self._engine = exchange.engine
        self._contracts: Contracts = exchange.contracts
        self._may_publish = may_publish
        self._record_action = record_action

    async def PublishBatch(self, requests: AsyncIterator[api.PublishBatchRequest], context: Any) -> api.PublishBatchResponse:  # noqa: N802
        """Accepts in bulk; see the contract."""
        metadata = metadata_of(context)
        batch = _Batch(self, metadata.get(OFFICER_HEADER, ""))
        try:
            async for request in requests:
                if batch.acceptor is None:
                    call = call_from(metadata, request.operation, remaining=context.time_remaining())
                    batch.open(request.operation, call)
                await batch.take(request.messages)
            return await batch.close()
        except Fault as fault:
            await refuse(fault, metadata, context)
            raise AssertionError("unreachable: abort always raises") from None
        finally:
            batch.abandon()

    def acceptor(self, operation: str, consumer: str) -> Acceptor:
        """Who keeps messages of the operation. Raises `Fault`."""
        found = self._exchange.accepting.acceptors.get(operation)
        if found is None or not self._may_publish(consumer, operation):
            raise Fault(Reason.RESTRICTED, "the consumer may not publish that")
        return found

    async def Track(self, request: api.TrackRequest, context: Any) -> api.TrackResponse:  # noqa: N802
        """Tells where a message stands; see the contract."""
        await check(request, context)
        async with _refusing(context):
            return api.TrackResponse(message=await self._state(request.message_id, keys=False))

    async def Watch(self, request: api.WatchRequest, context: Any) -> AsyncIterator[api.WatchResponse]:  # noqa: N802
        """Tells of each change; see the contract."""
        await check(request, context)
        async with _refusing(context):
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
        async with self._asked(request, context, reason=True) as call:
            await self._engine.pause(request.subscription, paused=request.paused, by=who(call), reason=request.access.justification)
        return api.PauseSubscriptionResponse()

    async def ListDeliveries(self, request: api.ListDeliveriesRequest, context: Any) -> api.ListDeliveriesResponse:  # noqa: N802
        """Lists deliveries; see the contract."""
        size = request.page_size or PAGE
        async with self._asked(request, context):
            after = _token(request.page_token)
            found = await self._engine.deliveries(filter_of(request.filter), after=after, limit=size + 1)
        page, more = found[:size], len(found) > size
        token = f"{page[-1].sequence}/{page[-1].subscription}" if more else ""
        return api.ListDeliveriesResponse(deliveries=[delivery(one) for one in page], next_page_token=token)

    async def GroupWaiting(self, request: api.GroupWaitingRequest, context: Any) -> api.GroupWaitingResponse:  # noqa: N802
        """Groups what waits for a person; see the contract."""
        await check(request, context)
        return api.GroupWaitingResponse(groups=[group(one) for one in await self._engine.groups(request.subscription)])

    async def GetMessage(self, request: api.GetMessageRequest, context: Any) -> api.GetMessageResponse:  # noqa: N802
        """Gives a message, masked; see the contract."""
        async with self._asked(request, context, reason=request.unmask) as call:
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
                    await self._unmasking(request, call, context)
                    response.content = json_format.MessageToJson(content, preserving_proto_field_name=True, indent=None)
            return response

    async def _unmasking(self, request: api.GetMessageRequest, call: Call, context: Any) -> None:
        """Lets a person see what is personal: with the role, and once it is recorded; anything else ends the call."""
        try:
            if call.officer is None or UNMASK not in call.officer.roles:
                raise Fault(Reason.RESTRICTED, f"what is personal is shown to officers with the role {UNMASK}")
            detail = f"message {request.message_id}: {request.access.justification}"
            await self._record_action("messages/unmask", who(call), request.access.purpose, detail)
        except Fault as fault:
            await refuse(fault, metadata_of(context), context)

    async def Decide(self, request: api.DecideRequest, context: Any) -> api.DecideResponse:  # noqa: N802
        """Moves deliveries; see the contract."""
        async with self._asked(request, context, reason=True) as call:
            names = [(one.message_id, one.subscription) for one in request.deliveries]
            moved = await self._engine.decide(names, DECISIONS[request.decision], by=who(call), reason=request.access.justification)
        return api.DecideResponse(moved=moved)

    async def PlanReplay(self, request: api.PlanReplayRequest, context: Any) -> api.PlanReplayResponse:  # noqa: N802
        """Plans a replay; see the contract."""
        once = frozenset(one.operation for one in self._contracts.subscriptions if one.write_once)
        async with self._asked(request, context, reason=True) as call:
            expires = self._exchange.clock() + PLAN_LASTS
            made = await self._engine.plan(
                filter_of(request.filter), by=who(call), reason=request.access.justification, write_once=once, expires=expires
            )
        return plan(made, needs_approval=bool(made.operations & once))

    async def ApproveReplay(self, request: api.ApproveReplayRequest, context: Any) -> api.ApproveReplayResponse:  # noqa: N802
        """Approves a plan; see the contract."""
        async with self._asked(request, context, reason=True) as call:
            await self._engine.approve(request.plan_id, by=who(call), reason=request.access.justification)
        return api.ApproveReplayResponse()

    async def Replay(self, request: api.ReplayRequest, context: Any) -> api.ReplayResponse:  # noqa: N802
        """Carries out a plan; see the contract."""
        async with self._asked(request, context, reason=True) as call:
            done = await self._engine.replay(request.plan_id, by=who(call), reason=request.access.justification)
        return api.ReplayResponse(replayed=done.replayed, left=done.left, message_ids=done.message_ids)

    async def _state(self, message_id: str, *, keys: bool = True) -> Any:
        """Where a message stands; without `keys` nothing in it is personal."""
        found = await self._engine.message(message_id)
        deliveries = await self._engine.deliveries(Filter(message_ids=(message_id,)), limit=1000)
        return message_state(found, deliveries if keys else [replace(one, ordering_key="") for one in deliveries])

    def _asked(self, request: Any, context: Any, *, reason: bool = False) -> "_Asked":
        return _Asked(self._contracts, request, context, reason)


class _Batch:
    """One bulk hand-over: messages are judged as they come and kept some thousands at a time, the next ones judged meanwhile."""

    def __init__(self, service: ExchangeApi, officer: str) -> None:
        self.acceptor: Acceptor | None = None
        self._service, self._officer = service, officer
        self._call: Call | None = None
        self._waiting: list[tuple[int, Arrival]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._ids: list[str] = []
        self._response = api.PublishBatchResponse()

    def open(self, operation: str, call: Call) -> None:
        """Begins. Raises `Fault`."""
        self._call, self.acceptor = call, self._service.acceptor(operation, call.consumer)

    async def take(self, messages: Any) -> None:
        """Judges some messages, and begins to keep what has gathered. Raises `Fault` when what came before can't be kept."""
        assert self.acceptor is not None, "opened with the first part"
        assert self._call is not None
        judge, now = self.acceptor.judge, self._service._exchange.clock()
        for place, data in enumerate(messages, len(self._ids)):
            try:
                self._waiting.append((place, judge(data, self._call, self._officer, now)))
            except Fault as fault:
                self._refuse(place, fault)
        self._ids += [""] * len(messages)
        if len(self._waiting) >= AT_ONCE:
            await self._kept()
            waiting, self._waiting = self._waiting, []
            self._keeping = asyncio.create_task(self._keep(waiting))

    async def close(self) -> api.PublishBatchResponse:
        """Keeps the rest and says what became of all. Raises `Fault`."""
        if self.acceptor is None:
            raise Fault(Reason.INVALID_REQUEST, "the first part must name the operation")
        await self._kept()
        await self._keep(self._waiting)
        self._response.message_ids.extend(self._ids)
        return self._response

    def abandon(self) -> None:
        """The hand-over ended early: what is being kept is kept, and how that ends nobody hears, as its producer does not either."""
        if self._keeping is not None:
            self._keeping.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _kept(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            await keeping

    async def _keep(self, waiting: list[tuple[int, Arrival]]) -> None:
        for start in range(0, len(waiting), AT_ONCE):
            part = waiting[start : start + AT_ONCE]
            found = await kept(self._service._engine, [arrival for _, arrival in part])
            for (place, _), one in zip(part, found, strict=True):
                if isinstance(one, Accepted):
                    self._ids[place] = one.message_id
                    self._response.duplicates += bool(one.duplicate_of)
                else:
                    self._refuse(place, full(one))

    def _refuse(self, place: int, fault: Fault) -> None:
        self._response.refused.add(place=place, status=fault.reason.status.name, reason=fault.reason.name, text=fault.text)


class _Asked:
    """An operator's request: its rules, its purpose, the person behind it; what the engine refuses becomes a status."""

    def __init__(self, contracts: Contracts, request: Any, context: Any, reason: bool) -> None:
        self._contracts, self._request, self._context, self._reason = contracts, request, context, reason
        self._metadata = metadata_of(context)

    async def __aenter__(self) -> Call:
        await check(self._request, self._context)
        operation = self._contracts.operations[f"{SERVICE}/{type(self._request).__name__.removesuffix('Request')}"]
        try:
            call = call_from(self._metadata, operation.name, remaining=self._context.time_remaining())
            if call.officer is None:
                raise Fault(Reason.OFFICER_NEEDED, "the operation needs a person behind it")
            access = self._request.access
            if access.purpose not in operation.purpose_numbers:
                raise Fault(Reason.PURPOSE_NOT_PERMITTED, "the operation does not permit that purpose")
            if self._reason and not access.justification.strip():
                raise Fault(Reason.JUSTIFICATION_NEEDED, "what a person decides is kept with a reason")
        except Fault as fault:
            await refuse(fault, self._metadata, self._context)
            raise
        return call

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, ExchangeError):
            await _abort(error, self._context)


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
    reasons = {
        UnknownError: Reason.NO_TRACE,
        NotAllowedError: Reason.PRECONDITION,
        ForbiddenError: Reason.RESTRICTED,
        FullError: Reason.BUSY,
    }
    reason = reasons.get(type(error), Reason.NOT_KEPT)
    fault = Fault(reason, str(error), retry_after=COME_AGAIN if reason is Reason.BUSY else None)
    await refuse(fault, metadata_of(context), context)


def who(call: Call) -> str:
    """The person behind a call, by warrant number."""
    assert call.officer is not None, "checked before"
    return call.officer.warrant_number


def _token(text: str) -> tuple[int, str]:
    sequence, _, subscription = text.partition("/")
    return (int(sequence) if sequence.isdecimal() else 0, subscription)
