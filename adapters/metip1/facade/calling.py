"""A SOAP call as a call of the contract, through Envoy under the consumer's own identity, and its answer as the old bus would print it.

The law: nothing is decided here that Envoy or the adapter decides. The officer's token goes on as it came, purpose and reference go into
the typed request, and the answer is whatever the mesh says, whichever platform serves the interface that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from adapters.metip1.facade.consumers import Consumer
from adapters.metip1.facade.refusals import of_call, refused
from adapters.metip1.facade.requests import Asked
from adapters.metip1.services import context_contract
from adapters.metip1.translate import TranslationError
from adapters.metip1.wire import Record
from metip.contracts import Operation
from metip.faults import Fault, Reason

CALL_ID: Final = "x-request-id"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What the mesh said, as the old bus prints it."""

    record: Record
    call_id: str
    """Envoy's, by which log lines and the ledger name the call."""


class Calls:
    """Asks operations of contracts. `known` has them by name."""

    def __init__(self, known: Mapping[str, Operation]) -> None:
        self._known = known

    def bound(self, contract: str) -> float:
        """Seconds that an operation may take. Raises `Refusal` for one whose contract does not load, or is not installed."""
        if contract not in self._known:
            raise refused(Fault(Reason.UPSTREAM_UNAVAILABLE, "the contract behind this operation is not in force"))
        return self._known[contract].timeout

    async def ask(self, asked: Asked, consumer: Consumer, seconds: float, traceparent: str = "") -> Answer:
        """The answer within that many seconds. Raises `Refusal`."""
        request = _request(asked)
        operation = self._known[asked.operation.contract]
        metadata = [("authorization", f"Bearer {asked.token}")] if asked.token else []
        metadata += [("traceparent", traceparent)] if traceparent else []
        call: Any = consumer.mesh.channel().unary_unary(
            operation.path, request_serializer=type(request).SerializeToString, response_deserializer=_kind(operation.reply).FromString
        )
        sent = call(request, timeout=seconds, metadata=metadata)
        try:
            reply = await sent
        except grpc.aio.AioRpcError as error:
            raise of_call(error, write_once=asked.operation.write_once) from None
        call_id = next((str(value) for key, value in await sent.initial_metadata() if key == CALL_ID), "")
        try:
            return Answer(asked.operation.answer_native(reply), call_id)
        except TranslationError as error:
            found = refused(Fault(Reason.UPSTREAM_FAULT, f"the answer can't be said in this interface: {error}"))
            found.call_id = call_id
            raise found from None


def _request(asked: Asked) -> Message:
    """The contract's request. Raises `Refusal`."""
    try:
        request: Any = asked.operation.ask_contract(asked.record)
        if asked.context is not None and "access" in request.DESCRIPTOR.fields_by_name:
            request.access.CopyFrom(context_contract(asked.context))
    except TranslationError as error:
        raise refused(Fault(Reason.INVALID_REQUEST, f"{error}")) from None
    return request  # type: ignore[no-any-return]  # only here it is any message


@cache
def _kind(name: str) -> type[Message]:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
