"""What another adapter refused, read from a real call and passed on: its reason and codes stay, its own call id does not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from adapters.kit.rejections import passed_on, reason
from metip.faults import Fault, Reason, status_of

pytestmark = pytest.mark.asyncio

Ending = Callable[["grpc.aio.ServicerContext[Any, Any]"], Awaitable[bytes]]


@asynccontextmanager
async def refused(folder: Path, end: Ending) -> AsyncIterator[grpc.aio.AioRpcError]:
    """The error of a real call that a real server ended so."""

    async def answer(request: bytes, context: Any) -> bytes:
        return await end(context)

    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Ask": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("far.Source", handlers),))
    server.add_insecure_port(f"unix:{folder}/far.sock")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{folder}/far.sock") as channel:
            ask: Any = channel.unary_unary("/far.Source/Ask")
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await ask(b"")
            yield raised.value
    finally:
        await server.stop(None)


def with_fault(fault: Fault) -> Ending:
    async def end(context: Any) -> bytes:
        await context.abort_with_status(rpc_status.to_status(status_of(fault, system="far", call_id="theirs")))
        raise AssertionError("unreachable")

    return end


@pytest.mark.parametrize("known", Reason, ids=lambda one: one.name)
async def test_a_refusal_of_an_adapter_keeps_its_reason(tmp_path: Path, known: Reason) -> None:
    async with refused(tmp_path, with_fault(Fault(known, "words"))) as error:
        assert reason(error) == known.name
        assert passed_on(error).reason is known


async def test_codes_fields_and_delay_are_passed_on_and_the_other_calls_id_is_not(tmp_path: Path) -> None:
    fault = Fault(
        Reason.INVALID_REQUEST,
        "fields were refused",
        metadata={"code": "F-1"},
        fields=(("sheet.beat", "too long"),),
        retry_after=timedelta(seconds=2),
    )
    async with refused(tmp_path, with_fault(fault)) as error:
        passed = passed_on(error, renamed=lambda path: path.replace("sheet.", "crime."))
    assert passed == Fault(
        Reason.INVALID_REQUEST,
        "far refused: fields were refused",
        metadata={"code": "F-1"},
        fields=(("crime.beat", "too long"),),
        retry_after=timedelta(seconds=2),
    )


async def test_a_refusal_without_a_reason_is_no_affair_of_the_askers(tmp_path: Path) -> None:
    async def end(context: Any) -> bytes:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "RBAC: access denied")
        raise AssertionError("unreachable")

    async with refused(tmp_path, end) as error:
        assert reason(error) == ""
        assert passed_on(error) == Fault(Reason.INTERNAL, "a system that was asked on the way answered PERMISSION_DENIED")


async def test_details_that_nobody_can_read_are_none(tmp_path: Path) -> None:
    async def end(context: Any) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff\xff"),))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        raise AssertionError("unreachable")

    async with refused(tmp_path, end) as error:
        assert reason(error) == ""
