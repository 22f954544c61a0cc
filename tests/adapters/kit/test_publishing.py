"""Publishing what can't be put aside: a message that breaks the contract is passed over, any other refusal loses nothing."""

from io import StringIO
from typing import Any

import grpc
import pytest

from adapters.kit import Fault, Log, Reason
from adapters.kit.publishing import publish_or_pass_over
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = pytest.mark.asyncio(loop_scope="module")


def answering(*codes: grpc.StatusCode | None) -> Any:
    """An operation that answers so, one after the other; None is a receipt."""
    waiting = list(codes)

    async def ask(request: Any, **_: Any) -> Receipt:
        code = waiting.pop(0)
        if code is not None:
            raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "QUACKENBUSH")
        return Receipt()

    return ask


async def test_a_message_that_is_taken_says_nothing() -> None:
    lines = StringIO()
    await publish_or_pass_over(answering(None), Receipt(), Log(lines))
    assert lines.getvalue() == ""


async def test_one_that_breaks_the_contract_is_told_and_passed_over() -> None:
    lines = StringIO()
    await publish_or_pass_over(answering(grpc.StatusCode.INVALID_ARGUMENT), Receipt(), Log(lines))
    assert '"publishing_refused"' in lines.getvalue()
    assert "QUACKENBUSH" not in lines.getvalue()


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL])
async def test_any_other_refusal_is_the_producers_and_loses_nothing(code: grpc.StatusCode) -> None:
    with pytest.raises(Fault) as told:
        await publish_or_pass_over(answering(code), Receipt(), Log(StringIO()))
    assert told.value.reason is Reason.NOT_KEPT
    assert "QUACKENBUSH" not in str(told.value)
