"""Tries an operation out for whoever signed in to the console: through the edge, as the consumer `console`, with that person's own token.

The law: nothing is tried that was not recorded before, and nothing comes back but what `metip call` would show: the answer masked, or the
refusal. The edge and the adapter judge the call as any other; the hub adds no right to it.
"""

import json
import re
import time
from typing import Any, Final

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from hub.api.actions import Recorder
from hub.api.checking import check
from hub.api.operators import OPERATOR
from hub.contracts import Contracts, Operation
from hub.contracts.messages import Messages
from hub.exchange.accepting import metadata_of
from hub.exchange.sending import Sender
from hub.mesh.inputs import HUB_SYSTEM
from metip.call import CALL_ID_HEADER, OPERATOR_HEADER
from metip.console.v1 import try_service_pb2 as api
from metip.console.v1.try_service_pb2_grpc import TryServiceServicer
from metip.faults import Fault, Reason, status_of
from metip.identifiers import PARSERS
from metip.masking import MASK, masked
from metip.options.v1.options_pb2 import PURPOSE_AUDIT

TRIED: Final = "console/try"
LONGEST: Final = 30.0
"""Seconds, whatever the operation's own timeout is."""
SPARE: Final = 1.0
"""Seconds beyond it, in which the far end's own words about it still arrive."""
SHOWN: Final = 100
"""Replies of a stream."""
AT: Final = re.compile(r' at "?(?P<path>[\w.\[\]]+)"?\.?')
NO_FIELD: Final = re.compile(r'has no field named "(?P<name>\w{1,100})"')


class TryApi(TryServiceServicer):
    """Answers by calling `edge`; `consumer` is the SPIFFE ID under which that calls."""

    def __init__(self, contracts: Contracts, edge: Sender, consumer: str, record: Recorder) -> None:
        self._contracts, self._edge, self._consumer, self._record = contracts, edge, consumer, record
        self._messages = Messages(contracts)

    async def TryOperation(self, request: api.TryOperationRequest, context: Any) -> api.TryOperationResponse:  # noqa: N802
        """Tries one operation; see the contract."""
        await check(request, context)
        metadata = metadata_of(context)
        try:
            operator = metadata.get(OPERATOR_HEADER, "")
            if not OPERATOR.fullmatch(operator):
                raise Fault(Reason.CONSUMER_UNKNOWN, f"the operator is not named in {OPERATOR_HEADER}")
            operation = self._operation(request.operation)
            message = self._request(operation, request.request)
            purpose = getattr(getattr(message, "access", None), "purpose", 0) or PURPOSE_AUDIT
            await self._record(TRIED, operator, purpose, f"{operation.name} as {self._consumer}")
        except Fault as fault:
            call_id = metadata.get(CALL_ID_HEADER, "")
            await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id=call_id)))
            raise AssertionError("unreachable: abort always raises") from None
        within = request.within.ToMicroseconds() / 1e6 if request.HasField("within") else min(operation.timeout, LONGEST) + SPARE
        # What consults nobody's data has no use for a token, and the edge would not pass it on.
        token = metadata.get("authorization", "") if operation.officer_admissible else ""
        return await self._called(operation, message, within, [("authorization", token)] if token else [])

    def _operation(self, name: str) -> Operation:
        found = self._contracts.operations.get(name)
        if found is None or self._contracts.interface(found.interface).private:
            raise Fault(Reason.NO_TRACE, f"no operation {name} is on the mesh")
        if found.client_streams:
            raise Fault(Reason.PRECONDITION, "what takes a stream of requests can't be tried from the console")
        return found

    def _request(self, operation: Operation, text: str) -> Message:
        try:
            said = json.loads(text or "{}")
            if not isinstance(said, dict):
                raise ValueError("no object")
            return json_format.ParseDict(said, self._messages.kind(operation.request)(), descriptor_pool=self._messages.pool)
        except ValueError:
            raise Fault(Reason.INVALID_REQUEST, "the request is not JSON", fields=(("request", "must be a JSON object"),)) from None
        except json_format.ParseError as error:
            raise _unreadable(operation, str(error)) from None

    async def _called(
        self, operation: Operation, message: Message, within: float, metadata: list[tuple[str, str]]
    ) -> api.TryOperationResponse:
        kind = self._messages.kind(operation.reply)
        shape: Any = self._edge.channel().unary_stream if operation.server_streams else self._edge.channel().unary_unary
        ask = shape(operation.path, request_serializer=_bytes, response_deserializer=kind.FromString)
        found, began = api.TryOperationResponse(status="OK", consumer=self._consumer), time.monotonic()
        call = ask(message, timeout=within, metadata=metadata)
        try:
            found.call_id = str(dict(await call.initial_metadata()).get(CALL_ID_HEADER, ""))
            async for reply in call if operation.server_streams else _one(call):
                if len(found.replies) < SHOWN:
                    found.replies.append(json.dumps(masked(reply), ensure_ascii=False))
                else:
                    found.more += 1
        except grpc.aio.AioRpcError as error:
            found.status = error.code().name
            found.refusal.CopyFrom(_refusal(error))
            found.call_id = found.call_id or str(dict(error.initial_metadata() or ()).get(CALL_ID_HEADER, ""))
        found.took.FromMicroseconds(int((time.monotonic() - began) * 1e6))
        return found


async def _one(call: Any) -> Any:
    yield await call


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _unreadable(operation: Operation, words: str) -> Fault:
    """What protobuf says of a document, without the values that it quotes."""
    at, unknown = AT.search(words), NO_FIELD.search(words)
    path = at["path"].partition(".")[2] if at else ""
    problem = f"has no field {unknown['name']}" if unknown else "is not of the field's type"
    fields = (((f"request.{path}" if path else "request"), problem),)
    return Fault(Reason.INVALID_REQUEST, f"the request is not a {operation.request} in JSON", fields=fields)


def _refusal(error: grpc.aio.AioRpcError) -> api.Refusal:
    """What a call that failed says of itself, as its caller would read it."""
    failed: Any = error
    found = api.Refusal(reason=error.code().name, text=error.details() or "")
    try:
        status = rpc_status.from_call(failed)
    except ValueError:  # details that contradict the status are nobody's we know
        return found
    for detail in status.details if status else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            said = {key: MASK if key in PARSERS else value for key, value in info.metadata.items()}
            found.reason, found.domain, found.advice = info.reason, info.domain, said.get("advice", "")
            found.text = found.text.removeprefix(f"{info.reason}: ")
        elif detail.Unpack(bad):
            found.violations.extend(api.FieldViolation(field=one.field, description=one.description) for one in bad.field_violations)
    return found
