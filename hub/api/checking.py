"""Checks requests of the hub's own services by the rules of their contracts."""

from typing import Any

import grpc
import protovalidate
from google.protobuf.message import Message

from metip.rules import where

_validator = protovalidate.Validator()


async def check(request: Message, context: Any) -> None:
    """Ends the call with INVALID_ARGUMENT that names every broken rule."""
    try:
        _validator.validate(request)
    except protovalidate.ValidationError as error:
        broken = "; ".join(f"{where(violation) or 'the request'}: {violation.proto.message}" for violation in error.violations)
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, broken)
