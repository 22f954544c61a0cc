"""Checks requests of the hub's own services by the rules of their contracts."""

from typing import Any

import protovalidate
from google.protobuf.message import Message
from grpc_status import rpc_status

from metip.call import CALL_ID_HEADER
from metip.faults import Fault, Reason, status_of
from metip.rules import where

_validator = protovalidate.Validator()


def judge(request: Message) -> None:
    """Raises `Fault` INVALID_REQUEST, which names every broken rule and repeats no value, as adapters do."""
    try:
        _validator.validate(request)
    except protovalidate.ValidationError as error:
        fields = tuple((where(violation), str(violation.proto.message)) for violation in error.violations)
        broken = "; ".join(f"{path or 'the request'}: {words}" for path, words in fields)
        raise Fault(Reason.INVALID_REQUEST, broken, fields=fields) from None


async def check(request: Message, context: Any) -> None:
    """Ends the call where `judge` raises."""
    try:
        judge(request)
    except Fault as fault:
        call_id = str(dict(context.invocation_metadata() or ()).get(CALL_ID_HEADER, ""))
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system="hub", call_id=call_id)))
