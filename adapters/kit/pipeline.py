"""One compiled pipeline per operation: decode → validate → admit → handler → journal → encode.

Everything that depends on the contract is decided once, when the server starts; a call pays only for its own bytes. The pipeline takes and
gives raw bytes, so that a message is parsed and printed exactly once.
"""

import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, cast

import grpc
import protovalidate
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status

from adapters.kit.call import CALL_ID_HEADER, Call, call_from
from adapters.kit.faults import Fault, Reason, status_of
from adapters.kit.journal import Entry, Journal
from metip.common.v1.access_pb2 import AccessContext
from metip.contracts import Operation
from metip.logs import Log

_SHORTLY = timedelta(milliseconds=200)
Context = grpc.aio.ServicerContext[Any, Any]
Unary = Callable[[Any, Call], Awaitable[Message]]
Streaming = Callable[[Any, Call], AsyncIterator[Message]]


class Asking(Protocol):
    """A request of an operation on personal data."""

    access: AccessContext


class Gate:
    """Counts the calls in progress in one worker and refuses those past the limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.inside = 0
        self.stopping = False

    def enter(self) -> None:
        """Counts a call in. Raises `Fault` BUSY past the limit and STOPPING once the worker drains."""
        if self.stopping:
            raise Fault(Reason.STOPPING, "this instance is stopping")
        if self.inside >= self.limit:
            raise Fault(Reason.BUSY, f"{self.limit} calls are in progress", retry_after=_SHORTLY)
        self.inside += 1


@dataclass(frozen=True)
class Pipeline:
    """What every operation of one worker shares."""

    system: str
    journal: Journal
    log: Log
    gate: Gate
    validator: protovalidate.Validator

    def compile(self, operation: Operation, request: type[Message], handler: Unary | Streaming) -> "grpc.RpcMethodHandler[Any, Any]":
        """The gRPC handler of one operation, working on raw bytes."""
        if operation.server_streams:
            return grpc.unary_stream_rpc_method_handler(self._streaming(operation, request, cast("Streaming", handler)))
        return grpc.unary_unary_rpc_method_handler(self._unary(operation, request, cast("Unary", handler)))

    def _unary(self, operation: Operation, kind: type[Message], handler: Unary) -> Callable[[bytes, Context], Awaitable[bytes]]:
        read = self._reader(operation, kind)

        async def answer(data: bytes, context: Context) -> bytes:
            started = time.perf_counter()
            reached = _Reached()
            try:
                self.gate.enter()
                reached.inside = True
                reached.call = call = _call(operation, context)
                reached.request = request = read(data, call)
                reply = await handler(request, call)
                await self._record(operation, reached, "OK", started)
                return reply.SerializeToString()
            except Exception as error:  # noqa: BLE001 - the one place where anything becomes a status
                return await self._refuse(operation, reached, error, started, context)
            finally:
                self._leave(operation, reached, started)

        return answer

    def _streaming(self, operation: Operation, kind: type[Message], handler: Streaming) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        read = self._reader(operation, kind)

        async def answer(data: bytes, context: Context) -> AsyncIterator[bytes]:
            started = time.perf_counter()
            reached = _Reached()
            try:
                self.gate.enter()
                reached.inside = True
                reached.call = call = _call(operation, context)
                reached.request = request = read(data, call)
                # A stream is recorded before its first message leaves: after that nothing could be taken back.
                await self._record(operation, reached, "OK", started)
                async for reply in handler(request, call):
                    yield reply.SerializeToString()
            except Exception as error:  # noqa: BLE001 - as above
                await self._refuse(operation, reached, error, started, context)
            finally:
                self._leave(operation, reached, started)

        return answer

    def _reader(self, operation: Operation, kind: type[Message]) -> Callable[[bytes, Call], Message]:
        validate, limit = self.validator.validate, operation.max_request_bytes
        permitted, personal = operation.purpose_numbers, operation.personal

        def read(data: bytes, call: Call) -> Message:
            if len(data) > limit:
                raise Fault(Reason.TOO_LARGE, f"the request has {len(data)} bytes, and {limit} are allowed")
            try:
                request = kind.FromString(data)
            except DecodeError:
                raise Fault(Reason.MALFORMED, f"the request is not a {operation.request}") from None
            if operation.officer_required and call.officer is None:
                raise Fault(Reason.OFFICER_NEEDED, "the operation needs an officer behind it")
            try:
                validate(request)
            except protovalidate.ValidationError as error:
                raise _invalid(error) from None
            if personal:
                access = cast("Asking", request).access
                if access.purpose not in permitted:
                    raise Fault(Reason.PURPOSE_NOT_PERMITTED, "the operation does not permit that purpose")
                if operation.justification_required and not access.justification.strip():
                    raise Fault(Reason.JUSTIFICATION_NEEDED, "the interface demands a written justification")
            return request

        return read

    async def _record(self, operation: Operation, reached: "_Reached", outcome: str, started: float) -> None:
        reached.outcome = outcome
        if operation.personal and reached.call is not None and reached.request is not None:
            await self.journal.record(Entry(operation, reached.call, reached.request, outcome, time.perf_counter() - started))

    async def _refuse(self, operation: Operation, reached: "_Reached", error: Exception, started: float, context: Context) -> bytes:
        fault = error if isinstance(error, Fault) else self._unexpected(operation, reached, error)
        try:
            await self._record(operation, reached, fault.reason.name, started)
        except Fault as unrecorded:
            fault = unrecorded
            reached.outcome = unrecorded.reason.name
        call_id = reached.call.id if reached.call else _metadata(context).get(CALL_ID_HEADER, "")
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system=self.system, call_id=call_id)))
        raise AssertionError("unreachable: abort always raises")

    def _unexpected(self, operation: Operation, reached: "_Reached", error: Exception) -> Fault:
        """An exception nobody foresaw: its place goes to the log, its words go nowhere, since they may name people."""
        if isinstance(error, TimeoutError):
            return Fault(Reason.TIMED_OUT, "the time for the call ran out")
        where = traceback.extract_tb(error.__traceback__)[-1]
        self.log.line(
            "unexpected_error",
            operation=operation.name,
            call_id=reached.call.id if reached.call else "",
            kind=type(error).__name__,
            place=f"{where.filename.rpartition('/')[2]}:{where.lineno}",
        )
        return Fault(Reason.INTERNAL, "something unexpected happened")

    def _leave(self, operation: Operation, reached: "_Reached", started: float) -> None:
        if reached.inside:
            self.gate.inside -= 1
        call = reached.call
        self.log.line(
            "operation",
            operation=operation.name,
            outcome=reached.outcome or "CANCELLED",
            ms=round((time.perf_counter() - started) * 1000, 2),
            call_id=call.id if call else "",
            consumer=call.consumer if call else "",
        )


class _Reached:
    """How far a call came, so that its end can be recorded and logged wherever it stopped."""

    __slots__ = ("call", "inside", "outcome", "request")

    def __init__(self) -> None:
        self.inside = False
        self.call: Call | None = None
        self.request: Message | None = None
        self.outcome = ""


def _metadata(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _call(operation: Operation, context: Context) -> Call:
    return call_from(_metadata(context), operation.name, remaining=context.time_remaining())


def _invalid(error: protovalidate.ValidationError) -> Fault:
    """A broken rule by field path and rule, never by value."""
    broken = tuple((_path(violation), str(violation.proto.message)) for violation in error.violations)
    named = ", ".join(path for path, _ in broken)
    return Fault(Reason.INVALID_REQUEST, f"fields break the contract's rules: {named}", fields=broken)


def _path(violation: protovalidate.Violation) -> str:
    field = violation.proto.field
    return ".".join(element.field_name for element in field.elements) if field else ""
