"""Asks the hub what is live; a refusal, or a hub that does not answer, ends the command with status 1."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from hub.cli.options import Problem

T = TypeVar("T")
PATIENCE: Final = 10.0


def asked(home: Path, as_json: bool, work: Callable[[Any], Awaitable[T]]) -> T | None:
    """What `work` finds out by the service's stub; None where Ctrl-C, or whoever reads its output, ended it. Raises `Problem`."""
    import grpc

    from hub.cli.client import place

    try:
        return asyncio.run(_through(place(home), work))
    except (KeyboardInterrupt, BrokenPipeError):
        return None
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise Problem("the hub does not answer", "start it with `metip up`; `metip check` says what else is wrong") from None
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise Problem("the hub is older than this command", "start the hub of this version") from None
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(error), as_json=as_json)
        raise click.exceptions.Exit(1) from None


async def _through(where: Any, work: Callable[[Any], Awaitable[T]]) -> T:
    from hub.cli.client import hub_client
    from metip.estate.v1.estate_service_pb2_grpc import EstateServiceStub

    async with hub_client(where) as hub:
        return await work(EstateServiceStub(hub.channel))


@asynccontextmanager
async def following(call: Any) -> AsyncIterator[Any]:
    """Answers as they come, for the length of the block; then the hub is told that nobody wants more."""
    try:
        yield call
    finally:
        call.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await call.code()
