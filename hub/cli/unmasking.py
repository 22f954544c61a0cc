"""Seeing what is personal: recorded by the hub before anything is shown, and not shown where that can't be done."""

import getpass
import socket
from typing import TYPE_CHECKING, Final

import click

from hub.cli.exchange.asking import Words
from hub.cli.options import F, Problem

if TYPE_CHECKING:
    from hub.cli.client import Place
    from metip.options.v1.options_pb2 import Purpose

LONGEST_DETAIL: Final = 1000


def unmask_options(command: F) -> F:
    """Adds `--unmask` and `--reason`; the command has `--purpose` already."""
    why = click.option("--reason", type=Words(), metavar="WORDS", help="Why what is personal must be seen; it is recorded.")
    return why(
        click.option("--unmask", is_flag=True, help="Show what is personal; takes --purpose and --reason, and is recorded.")(command)
    )


def demand(*, unmask: bool, purpose: str, reason: str | None) -> None:
    """Nothing is un-masked by the way. Raises `click.UsageError`."""
    if unmask and not (purpose and reason):
        raise click.UsageError("--unmask takes --purpose and --reason: both are recorded")
    if reason and not unmask:
        raise click.UsageError("--reason is of --unmask")


def author() -> str:
    """Who types, as the record has it: `os://<host>/<user>`."""
    return f"os://{socket.gethostname() or 'localhost'}/{getpass.getuser()}"


async def recorded(
    where: "Place", action: str, purpose: "Purpose.ValueType", detail: str, *, instead: str = "nothing is un-masked"
) -> None:
    """Has the hub record an action. Raises `Problem` when it did not, and then `instead`."""
    import grpc

    from hub.cli.client import PATIENCE, hub_channel
    from hub.cli.refusals import refusal_of
    from metip.ledger.v1.action_service_pb2 import RecordActionRequest
    from metip.ledger.v1.action_service_pb2_grpc import ActionServiceStub

    request = RecordActionRequest(action=action, author=author(), purpose=purpose, detail=detail[:LONGEST_DETAIL])
    async with hub_channel(where) as channel:
        try:
            await ActionServiceStub(channel).RecordAction(request, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
            fix = "`metip check` says what is wrong with the hub; an answer is shown masked without --unmask"
            raise Problem(f"it can't be recorded, so {instead}: {refusal.reason}: {refusal.text}", fix) from None
