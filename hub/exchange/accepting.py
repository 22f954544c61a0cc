"""One handler for every message operation there is or will be: nothing here knows any of them.

The request is judged as an adapter would judge it, its keys are read from the fields that the contract marks, its bytes are kept as they
came, and the receipt leaves when they are on disk.
"""

import time
from array import array
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NoReturn, TypeVar

import grpc
import protovalidate
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status import rpc_status

from hub.exchange.calls import SYSTEM, Calls
from hub.exchange.keys import fingerprints, key_reader
from hub.exchange.lots import Judged, Lot, packed
from hub.exchange.port import Engine
from hub.exchange.records import Accepted, Arrival, BrokenError, FullError
from metip.admission import admission
from metip.call import CALL_ID_HEADER, OFFICER_HEADER, Call, call_from
from metip.contracts import Contracts, Operation
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason, status_of
from metip.journal.records import DUPLICATE, Facts
from metip.journal.refusals import refusal
from metip.journal.subjects import subjects
from metip.logs import Log
from metip.telemetry import tracing
from metip.telemetry.spread import Counted
from metip.tracing import HEADER as TRACE_HEADER
from metip.tracing import trace_id_in

COME_AGAIN: Final = timedelta(seconds=1)
T = TypeVar("T")
R = TypeVar("R")
Context = grpc.aio.ServicerContext[Any, Any]


class Acceptor:
    """Judges and keeps the messages of one operation."""

    def __init__(
        self, operation: Operation, kind: type[Message], engine: Engine | None, validator: protovalidate.Validator, calls: Calls | None
    ) -> None:
        """`engine` is None where messages are judged only."""
        assert operation.delivery is not None, "only message operations are accepted"
        self.operation, self.kind = operation, kind
        self._read = admission(operation, kind, validator)
        self._idempotency = key_reader(operation.idempotency_fields)
        self._ordering = key_reader(operation.ordering_fields) if operation.ordering_fields else None
        self._engine = engine
        self._said = operation.delivery
        self._waits = bool(operation.delivery.delay or operation.delivery.after_field)
        self._calls = calls if operation.personal else None
        self.counted = Counted()
        """Messages that were handed over one by one, and what became of them."""
        self.batched = 0
        """Messages that were handed over in bulk and are kept."""

    def check(self) -> None:
        """Raises `Fault` JOURNAL while nothing can be recorded of messages with personal data."""
        if self._calls is not None:
            self._calls.check()

    def judge(self, data: bytes, call: Call, officer: str, now: float) -> Arrival:
        """The message as it may be kept. Raises `Fault`."""
        self.check()
        request, said = self._read(data, call), self._said
        key = self._idempotency(request) or self._no_key()
        ordering = self._ordering(request) if self._ordering else ""
        not_before = self._not_before(request, now) if self._waits else 0.0
        expires = now + said.max_age if said.max_age else 0.0
        trace = call.traceparent if trace_id_in(call.traceparent) else ""
        window = said.dedupe_window
        return Arrival(self.operation.name, data, key, ordering, call.consumer, officer, call.id, not_before, expires, window, trace)

    def judge_all(self, messages: Sequence[bytes], call: Call, officer: str, now: float) -> Judged:
        """Messages that one call hands over in bulk, as they may be kept, and why others may not. Raises `Fault` JOURNAL while nothing can
        be recorded of messages with personal data."""
        self.check()
        read, key_of, order_of, due = self._read, self._idempotency, self._ordering, self._waits
        rows, refused = list[tuple[float, str, str, bytes]](), list[tuple[int, Fault]]()
        for place, data in enumerate(messages):
            try:
                request = read(data, call)
                key = key_of(request) or self._no_key()
            except Fault as fault:
                refused.append((place, fault))
                continue
            rows.append((self._not_before(request, now) if due else 0.0, key, order_of(request) if order_of else "", data))
        lots = (self._lot(not_before, list(some), call, officer, now) for not_before, some in groupby(rows, key=itemgetter(0)))
        return Judged(len(messages), tuple(lots), tuple(refused))

    def _lot(self, not_before: float, rows: Sequence[tuple[float, str, str, bytes]], call: Call, officer: str, now: float) -> Lot:
        name, said = self.operation.name, self._said
        keys, lines = [row[1] for row in rows], [row[2] for row in rows]
        return Lot(
            name,
            call.consumer,
            officer,
            call.id,
            not_before,
            now + said.max_age if said.max_age else 0.0,
            said.dedupe_window,
            tuple(packed(key, line, data) for _, key, line, data in rows),
            array("q", fingerprints(name, keys)),
            array("q", fingerprints(name, lines)) if any(lines) else array("q"),
            len(set(keys)) == len(keys),
            call.traceparent if trace_id_in(call.traceparent) else "",
        )

    def _no_key(self) -> NoReturn:
        fields = tuple((name, "is needed to know the message by") for name in self.operation.idempotency_fields)
        raise Fault(Reason.INVALID_REQUEST, "the message has no idempotency key", fields=fields)

    def _not_before(self, request: Any, now: float) -> float:
        """When the message may be delivered at the earliest, as its contract and the message itself say; 0 for at once."""
        said = self._said
        asked = 0.0
        if said.after_field and request.HasField(said.after_field):
            asked = getattr(request, said.after_field).ToNanoseconds() / 1e9
        return max(asked, now + said.delay if said.delay else 0.0)

    async def keep(self, arrival: Arrival) -> Accepted:
        """Returns when the message is on disk. Raises `Fault` BUSY or NOT_KEPT."""
        assert self._engine is not None, "one that only judges keeps nothing"
        (found,) = await kept(self._engine.accept, [arrival])
        if isinstance(found, FullError):
            raise full(found)
        return found

    async def record_repeated(self, data: bytes, call: Call, message_id: str, seconds: float) -> None:
        """Records that a message with personal data, which the exchange has, was handed over again. Raises `Fault` JOURNAL."""
        if self._calls is not None:
            request = self.kind.FromString(data)
            facts = Facts(self.operation, call, request, DUPLICATE, seconds, subjects=subjects(request))
            await self._calls.record_repeated(facts, message_id)


async def kept(accept: Callable[[T], Awaitable[R]], handed: T) -> R:
    """Keeps messages by one of the engine's ways. Raises `Fault` NOT_KEPT when nobody can say that they are safe."""
    try:
        return await accept(handed)
    except BrokenError:
        raise Fault(Reason.NOT_KEPT, "the exchange can't make anything durable") from None


def full(error: FullError) -> Fault:
    """What a producer is told who can't be served now."""
    return Fault(Reason.BUSY, str(error), retry_after=COME_AGAIN)


class Accepting:
    """All message operations of the contracts."""

    def __init__(self, contracts: Contracts, engine: Engine, log: Log, clock: Callable[[], float], calls: Calls | None = None) -> None:
        """`calls` records who was refused; None where nothing is recorded, as in tests of acceptance alone."""
        self._log, self._clock, self.calls = log, clock, calls
        self.acceptors: Mapping[str, Acceptor] = acceptors_of(contracts, engine, calls)

    def handlers(self) -> Iterable[grpc.GenericRpcHandler]:
        """A gRPC handler for each interface of messages."""
        methods: dict[str, dict[str, Any]] = {}
        for acceptor in self.acceptors.values():
            operation = acceptor.operation
            handler: Any = grpc.unary_unary_rpc_method_handler(self._answering(acceptor))
            methods.setdefault(operation.interface, {})[operation.method] = handler
        return [grpc.method_handlers_generic_handler(interface, found) for interface, found in methods.items()]

    def _answering(self, acceptor: Acceptor) -> Callable[[bytes, Context], Awaitable[bytes]]:
        tell = self._log.prepared("operation", "outcome", "ms", "call_id", "consumer", operation=acceptor.operation.name)

        async def answer(data: bytes, context: Context) -> bytes:
            began, outcome, consumer = time.perf_counter(), "CANCELLED", ""
            metadata = metadata_of(context)
            about = {"metip__system": SYSTEM, "metip__call_id": metadata.get(CALL_ID_HEADER, "")}
            span = tracing.begin_call(acceptor.operation.name, tracing.Role.SERVER, metadata.get(TRACE_HEADER, ""), **about)
            if span is not None:
                metadata[TRACE_HEADER] = span.traceparent
            try:
                call = call_from(metadata, acceptor.operation.name, remaining=context.time_remaining())
                consumer = call.consumer
                arrival = acceptor.judge(data, call, metadata.get(OFFICER_HEADER, ""), self._clock())
                accepted = await acceptor.keep(arrival)
                if accepted.duplicate_of:
                    await acceptor.record_repeated(data, call, accepted.duplicate_of, time.perf_counter() - began)
                reply = receipt(accepted).SerializeToString()
                outcome = "OK"
                return reply
            except Fault as found:
                fault = await self._recorded(found, acceptor, data, metadata, time.perf_counter() - began)
                outcome = fault.reason.name
                await refuse(fault, metadata, context)
                raise AssertionError("unreachable: abort always raises") from None
            finally:
                seconds = time.perf_counter() - began
                tell(outcome, round(seconds * 1000, 2), metadata.get(CALL_ID_HEADER, ""), consumer)
                acceptor.counted.ended(outcome, seconds)
                if span is not None:
                    span.end(outcome)

        return answer

    async def _recorded(self, fault: Fault, acceptor: Acceptor, data: bytes, metadata: Mapping[str, str], seconds: float) -> Fault:
        """The refusal, once it was recorded; JOURNAL where it can't be."""
        if self.calls is not None and acceptor.operation.personal:
            try:
                await self.calls.record(refusal(acceptor.operation, acceptor.kind, data, metadata, fault.reason.name, seconds))
            except Fault as unrecorded:
                return unrecorded
        return fault


def acceptors_of(contracts: Contracts, engine: Engine | None, calls: Calls | None) -> dict[str, Acceptor]:
    """An acceptor for each message operation."""
    validator, kind = protovalidate.Validator(), kinds(contracts)
    return {
        operation.name: Acceptor(operation, kind(operation.request), engine, validator, calls)
        for operation in contracts.operations.values()
        if operation.delivery is not None
    }


def receipt(accepted: Accepted) -> Receipt:
    """What the producer is told."""
    seconds, rest = divmod(accepted.accepted, 1)
    return Receipt(
        message_id=accepted.message_id,
        accepted=Timestamp(seconds=int(seconds), nanos=int(rest * 1e9)),
        duplicate_of=accepted.duplicate_of,
    )


def metadata_of(context: Context) -> dict[str, str]:
    """Metadata by key; values of one key are joined by commas, so that no second value hides behind another."""
    found: dict[str, str] = {}
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found[key] = f"{found[key]},{value}" if key in found else value
    return found


async def refuse(fault: Fault, metadata: Mapping[str, str], context: Context) -> None:
    """Ends the call with the fault; always raises."""
    call_id = metadata.get(CALL_ID_HEADER, "")
    await context.abort_with_status(rpc_status.to_status(status_of(fault, system=SYSTEM, call_id=call_id)))


def kinds(contracts: Contracts) -> Callable[[str], type[Message]]:
    """Message classes of the contracts' own descriptors, which need not be those that this installation was built with."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(contracts.descriptor_set).file:
        pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
