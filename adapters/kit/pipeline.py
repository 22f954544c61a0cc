"""One compiled pipeline per operation: admit → decode → validate → handler → encode → journal → answer.

Everything that depends on the contract is decided once, when the server starts; a call pays only for its own bytes. The pipeline takes and
gives raw bytes, so that a message is parsed and printed exactly once.
"""

import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import grpc
import protovalidate
from google.protobuf.message import Message
from grpc_status import rpc_status

from adapters.kit.journal import CANCELLED, MANY, Journal, Told
from adapters.kit.tap import LARGEST, Tap
from metip.admission import admission
from metip.call import ATTEMPT_HEADER, CALL_ID_HEADER, MESSAGE_ID_HEADER, Call, call_from
from metip.contracts import Operation
from metip.faults import Fault, Reason, status_of
from metip.journal.records import OK, Facts
from metip.journal.refusals import refusal
from metip.logs import Log
from metip.telemetry import tracing
from metip.telemetry.spread import Counted
from metip.tracing import HEADER as TRACE_HEADER

_SHORTLY = timedelta(milliseconds=200)
Context = grpc.aio.ServicerContext[Any, Any]
Teller = Callable[[str, float, str, str, float], None]
Unary = Callable[[Any, Call], Awaitable[Message]]
Streaming = Callable[[Any, Call], AsyncGenerator[Message, None]]


class Gate:
    """Counts the calls in progress in one worker, and those of each consumer, and refuses those past a limit."""

    def __init__(self, limit: int, each: int = 0) -> None:
        """`each` bounds the calls of one consumer; 0 leaves it as many as there are."""
        self.limit, self.each = limit, each
        self.inside = 0
        self.stopping = False
        self._of: dict[str, int] = {}

    def enter(self) -> None:
        """Counts a call in. Raises `Fault` BUSY past the limit and STOPPING once the worker drains."""
        if self.stopping:
            raise Fault(Reason.STOPPING, "this instance is stopping")
        if self.inside >= self.limit:
            raise Fault(Reason.BUSY, f"{self.limit} calls are in progress", retry_after=_SHORTLY)
        self.inside += 1

    def take(self, consumer: str) -> None:
        """Counts it among the consumer's. Raises `Fault` BUSY past the limit of each."""
        inside = self._of.get(consumer, 0)
        if self.each and inside >= self.each:
            raise Fault(Reason.BUSY, f"{self.each} calls of this consumer are in progress", retry_after=_SHORTLY)
        self._of[consumer] = inside + 1

    def leave(self, consumer: str | None) -> None:
        """Counts a call out; `consumer` None for one that was not counted among anybody's."""
        self.inside -= 1
        if consumer is not None:
            left = self._of[consumer] - 1
            if left:
                self._of[consumer] = left
            else:
                del self._of[consumer]


@dataclass(frozen=True)
class Pipeline:
    """What every operation of one worker shares."""

    system: str
    journal: Journal
    log: Log
    gate: Gate
    validator: protovalidate.Validator
    tap: Tap = field(default_factory=lambda: Tap(""))
    """Where answered calls are offered for comparison; shut unless somebody opens it."""
    calls: dict[str, Counted] = field(default_factory=dict)
    """How calls ended, by operation."""

    def compile(self, operation: Operation, request: type[Message], handler: Unary | Streaming) -> "grpc.RpcMethodHandler[Any, Any]":
        """The gRPC handler of one operation, working on raw bytes."""
        if operation.server_streams:
            return grpc.unary_stream_rpc_method_handler(self._streaming(operation, request, cast("Streaming", handler)))
        return grpc.unary_unary_rpc_method_handler(self._unary(operation, request, cast("Unary", handler)))

    def _unary(self, operation: Operation, kind: type[Message], handler: Unary) -> Callable[[bytes, Context], Awaitable[bytes]]:
        read, tell, tap = admission(operation, kind, self.validator), self._teller(operation), self.tap
        counted = self.calls.setdefault(operation.name, Counted())

        async def answer(data: bytes, context: Context) -> bytes:
            reached = _Reached(operation, _metadata(context))
            try:
                self._enter(reached)
                reached.call = call = call_from(reached.metadata, operation.name, remaining=context.time_remaining())
                self._take(reached, call.consumer)
                reached.request = request = self._admitted(operation, read(data, call))
                answered = await handler(request, call)
                reply = answered.SerializeToString()
                if operation.personal:
                    reached.told.add(operation, call, answered)
                    await self._record(operation, reached, OK)
                reached.outcome = OK
                if tap.rates and tap.wants(operation, call):
                    tap.offer(operation, call, data, (reply,), reached.seconds)
                return reply
            except Exception as error:  # noqa: BLE001 - the one place where anything becomes a status
                return await self._refuse(operation, kind, data, reached, error, context)
            finally:
                self._leave(operation, reached, tell, counted)

        return answer

    def _streaming(self, operation: Operation, kind: type[Message], handler: Streaming) -> Callable[[bytes, Context], Awaitable[None]]:
        read, tell, tap = admission(operation, kind, self.validator), self._teller(operation), self.tap
        counted = self.calls.setdefault(operation.name, Counted())

        async def answer(data: bytes, context: Context) -> None:
            reached = _Reached(operation, _metadata(context))
            try:
                self._enter(reached)
                reached.call = call = call_from(reached.metadata, operation.name, remaining=context.time_remaining())
                self._take(reached, call.consumer)
                reached.request = request = self._admitted(operation, read(data, call))
                if tap.rates and tap.wants(operation, call):
                    reached.replies = []
                # Closed here and now, so that whatever it started ends with the call and not when somebody collects it.
                async with aclosing(handler(request, call)) as replies:
                    async for reply in replies:
                        encoded = reply.SerializeToString()
                        if operation.personal:
                            reached.told.add(operation, call, reply)
                            # Before its first message leaves: after that nothing could be taken back. What leaves later is recorded at the
                            # end, or as soon as it is much.
                            if not reached.recorded or len(reached.told.subjects) >= MANY:
                                await self._record(operation, reached, OK)
                        await context.write(encoded)
                        if reached.replies is not None:
                            reached.keep(encoded)
                await self._record(operation, reached, OK)
                reached.outcome = OK
                if reached.replies is not None:
                    tap.offer(operation, call, data, tuple(reached.replies), reached.seconds)
            except Exception as error:  # noqa: BLE001 - as above
                await self._refuse(operation, kind, data, reached, error, context)
            finally:
                self._leave(operation, reached, tell, counted)

        return answer

    def _enter(self, reached: "_Reached") -> None:
        self.gate.enter()
        reached.inside = True

    def _take(self, reached: "_Reached", consumer: str) -> None:
        self.gate.take(consumer)
        reached.consumer = consumer

    def _admitted(self, operation: Operation, request: Message) -> Message:
        """The request, unless nothing could be recorded of what came of it. Raises `Fault` JOURNAL."""
        if operation.personal:
            self.journal.check()
        return request

    async def _record(self, operation: Operation, reached: "_Reached", outcome: str) -> None:
        """Journals a call that got as far as the handler: once, and again when it disclosed more. Raises `Fault` JOURNAL."""
        facts = reached.facts(operation, outcome)
        if facts is not None:
            await self._keep(operation, reached, facts)

    async def _keep(self, operation: Operation, reached: "_Reached", facts: Facts) -> None:
        try:
            await self.journal.record(facts)
        except Fault:
            raise
        except Exception as error:
            self._tell(operation, reached, error)
            raise Fault(Reason.JOURNAL, "the record of access can't be written") from error

    async def _refuse(
        self, operation: Operation, kind: type[Message], data: bytes, reached: "_Reached", error: Exception, context: Context
    ) -> bytes:
        fault = error if isinstance(error, Fault) else self._unexpected(operation, reached, error)
        try:
            if reached.request is not None:
                await self._record(operation, reached, fault.reason.name)
            elif reached.inside and fault.reason is not Reason.BUSY:  # whom the gate turned away was not judged, and comes again
                await self._keep(operation, reached, refusal(operation, kind, data, reached.metadata, fault.reason.name, reached.seconds))
        except Fault as unrecorded:
            fault = unrecorded
        reached.outcome = fault.reason.name
        if self.tap.rates and reached.request is not None and reached.call is not None and self.tap.wants(operation, reached.call):
            code, reason, replies = fault.reason.status.value[0], fault.reason.name, tuple(reached.replies or ())
            self.tap.offer(operation, reached.call, data, replies, reached.seconds, code, reason)
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system=self.system, call_id=reached.call_id)))
        raise AssertionError("unreachable: abort always raises")

    def _unexpected(self, operation: Operation, reached: "_Reached", error: Exception) -> Fault:
        if isinstance(error, TimeoutError):
            return Fault(Reason.TIMED_OUT, "the time for the call ran out")
        self._tell(operation, reached, error)
        return Fault(Reason.INTERNAL, "something unexpected happened")

    def _tell(self, operation: Operation, reached: "_Reached", error: Exception) -> None:
        """An exception nobody foresaw: its place goes to the log, its words go nowhere, since they may name people."""
        at = traceback.extract_tb(error.__traceback__)[-1]
        self.log.line(
            "unexpected_error",
            operation=operation.name,
            call_id=reached.call_id,
            kind=type(error).__name__,
            place=f"{at.filename.rpartition('/')[2]}:{at.lineno}",
        )

    def _teller(self, operation: Operation) -> Teller:
        """Writes the line of one call: outcome, milliseconds, call id, consumer, and what of the milliseconds far systems took."""
        return self.log.prepared("operation", "outcome", "ms", "call_id", "consumer", "far_ms", operation=operation.name)

    def _leave(self, operation: Operation, reached: "_Reached", tell: Teller, counted: Counted) -> None:
        if reached.inside:
            self.gate.leave(reached.consumer)
        if not reached.outcome and (facts := reached.facts(operation, CANCELLED)) is not None:
            with suppress(Fault):  # nobody waits for an answer any more, so there is nothing to refuse
                self.journal.note(facts)
        consumer = reached.call.consumer if reached.call else ""
        outcome, seconds = reached.outcome or CANCELLED, reached.seconds
        far = round(reached.call.far * 1000, 2) if reached.call else 0.0
        tell(outcome, round(seconds * 1000, 2), reached.call_id, consumer, far)
        counted.ended(outcome, seconds)
        if reached.span is not None:
            reached.span.end(outcome)


class _Reached:
    """How far a call came, so that its end can be recorded and logged wherever it stopped."""

    __slots__ = ("call", "consumer", "inside", "metadata", "outcome", "recorded", "replies", "request", "size", "span", "started", "told")

    def __init__(self, operation: Operation, metadata: dict[str, str]) -> None:
        self.metadata = metadata
        self.span: tracing.Span | None = None
        if TRACE_HEADER in metadata:
            self.span = _span(operation, metadata)
        self.started = time.perf_counter()
        self.inside = False
        self.recorded = False
        self.call: Call | None = None
        self.consumer: str | None = None
        self.request: Message | None = None
        self.told = Told()
        self.outcome = ""
        self.replies: list[bytes] | None = None
        """Replies of a stream that is sampled, in their order."""
        self.size = 0

    def keep(self, reply: bytes) -> None:
        """Keeps a reply that left, unless the stream is too large to be sampled: then one too many is kept, by which that is known."""
        if self.replies is not None and self.size <= LARGEST:
            self.replies.append(reply)
            self.size += len(reply)

    def facts(self, operation: Operation, outcome: str) -> Facts | None:
        """What is to be recorded now, which is then taken as recorded; None when there is nothing that is not."""
        if not operation.personal or self.call is None or self.request is None or (self.recorded and not self.told.disclosed):
            return None
        told, self.told, self.recorded = self.told, Told(), True
        return told.facts(operation, self.call, self.request, outcome, self.seconds)

    @property
    def call_id(self) -> str:
        """The call's id, which a refused call has too."""
        return self.metadata.get(CALL_ID_HEADER, "")

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.started


def _span(operation: Operation, metadata: dict[str, str]) -> tracing.Span | None:
    """The span of a traced call, under which everything goes on that it asks."""
    role = tracing.Role.CONSUMER if MESSAGE_ID_HEADER in metadata else tracing.Role.SERVER
    about = {
        "metip__call_id": metadata.get(CALL_ID_HEADER, ""),
        "messaging__message__id": metadata.get(MESSAGE_ID_HEADER, ""),
        "metip__attempt": metadata.get(ATTEMPT_HEADER, ""),
    }
    span = tracing.begin_call(operation.name, role, metadata[TRACE_HEADER], **about)
    if span is not None:
        metadata[TRACE_HEADER] = span.traceparent
    return span


def _metadata(context: Context) -> dict[str, str]:
    """Metadata by key; values of one key are joined by commas, as HTTP has it, so that no second value hides behind another."""
    found: dict[str, str] = {}
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found[key] = f"{found[key]},{value}" if key in found else value
    return found
