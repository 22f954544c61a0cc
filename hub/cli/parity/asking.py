"""Asks the comparator over the hub's own socket, as this user."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.ledger.asking import operator
from hub.cli.options import Problem

if TYPE_CHECKING:
    from hub.cli.client import Place

PATIENCE = 30.0


def asked(home: Path, rpc: str, request: Any, *, as_json: bool) -> Any:
    """The answer to a request; a refusal is printed and ends the command with status 1. Raises `Problem` where there is no mesh or hub."""
    import grpc

    from hub.cli.client import place

    where = place(home)
    try:
        return asyncio.run(_ask(where, rpc, request))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise Problem("this hub compares nothing", "its contracts have no metip.parity.v1") from None
        if error.code() is grpc.StatusCode.UNAVAILABLE and "JOURNAL" not in (error.details() or ""):
            raise Problem(f"the hub at {where.hub} does not answer", where.remedy) from None
        from hub.cli.refusals import print_refusal, refusal_of

        print_refusal(refusal_of(error), as_json=as_json)
        raise click.exceptions.Exit(1) from None


def operation_meant(home: Path, text: str, field: str, *, as_json: bool) -> str:
    """The full name of a compared operation by its end, or the only one whose answers differed in that field. Raises `Problem`."""
    from metip.parity.v1.parity_service_pb2 import ListAcceptancesRequest

    known = list(asked(home, "ListAcceptances", ListAcceptancesRequest(), as_json=as_json).operations)
    if text:
        found = [one for one in known if one == text or one.replace("/", ".").endswith(f".{text.replace('/', '.')}")]
    else:
        found = [one for one in known if field in _fields(home, one, as_json=as_json)]
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise Problem(
            f"no operation that was compared {f'is named {text}' if text else f'differed in {field}'}", "`metip parity list` shows them"
        )
    raise Problem(f"{len(found)} operations are meant", f"say which with --operation: {', '.join(found)}")


def _fields(home: Path, operation: str, *, as_json: bool) -> set[str]:
    from metip.parity.v1.parity_service_pb2 import GetReportRequest

    answer = asked(home, "GetReport", GetReportRequest(interface=operation), as_json=as_json)
    return {one.field for one in answer.report.fields}


def since_of(request: Any, since: datetime | None, name: str = "since") -> Any:
    """The request with a moment in it, where there is one."""
    if since is not None:
        getattr(request, name).FromDatetime(since)
    return request


async def _ask(where: "Place", rpc: str, request: Any) -> Any:
    from hub.cli.client import hub_channel
    from metip.parity.v1.parity_service_pb2_grpc import ParityServiceStub

    async with hub_channel(where) as channel:
        ask = getattr(ParityServiceStub(channel), rpc)
        return await ask(request, metadata=[("x-metip-operator", operator())], timeout=PATIENCE)
