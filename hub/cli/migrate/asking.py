"""Asks the hub about its migration, over the hub's own socket, as this user."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hub.cli.ledger.asking import operator
from hub.cli.options import Problem

if TYPE_CHECKING:
    from hub.cli.client import Place

T = TypeVar("T")
PATIENCE: Final = 35.0
INTERFACE = click.argument("interface", metavar="INTERFACE")
BECAUSE = click.option("--because", required=True, metavar="WORDS", help="Why, naming nobody; it is recorded.")


class Refused(Exception):
    """The hub refused; the error is gRPC's."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.details())
        self.error = error


def asked(home: Path, rpc: str, request: Any, *, as_json: bool) -> Any:
    """The hub's answer; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh or hub."""
    try:
        return tried(home, rpc, request)
    except Refused as refused:
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(refused.error), as_json=as_json)
        raise click.exceptions.Exit(1) from None


def tried(home: Path, rpc: str, request: Any) -> Any:
    """The hub's answer. Raises `Refused`, and `Problem` where there is no mesh or hub."""
    import grpc

    from hub.cli.client import place

    where = place(home)
    try:
        return asyncio.run(_through(where, lambda stub, metadata: _call(stub, rpc, request, metadata)))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE and "JOURNAL" not in (error.details() or ""):
            raise Problem(f"the hub at {where.hub} does not answer", where.remedy) from None
        raise Refused(error) from None


async def _call(stub: Any, rpc: str, request: Any, metadata: Any) -> Any:
    return await getattr(stub, rpc)(request, metadata=metadata, timeout=PATIENCE)


async def _through(where: "Place", work: Callable[[Any, Any], Awaitable[T]]) -> T:
    from hub.cli.client import hub_channel
    from metip.migration.v1.migration_service_pb2_grpc import MigrationServiceStub

    async with hub_channel(where) as channel:
        return await work(MigrationServiceStub(channel), [("x-metip-operator", operator())])
