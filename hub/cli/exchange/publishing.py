"""`metip messages publish`: one message by its own operation, as any producer hands it over, or a file of them through PublishBatch."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, asked, caller_options, token_of
from hub.cli.exchange.documents import stamp
from hub.cli.exchange.moments import written
from hub.cli.options import Problem
from hub.cli.printing import FAILED, OK, clean, count, dim, mark, shortened

if TYPE_CHECKING:
    from hub.cli.exchange.bulk import Summary
    from hub.cli.messages import Messages
    from hub.contracts import Operation

SHOWN = 20
"""Refused lines that are told one by one."""


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages publish PublishExample --sample\n"
    "  metip messages publish PublishExample id=42 line=a --purpose crime-investigation --why 'Enquiry into an example'\n"
    "  metip messages publish PublishExample --file requests.jsonl\n"
    "  generate | metip messages publish PublishExample --file - --json\n\n"
    "Fields are written as for `metip call`. A file holds one request to a line, as protobuf's JSON; lines that break a rule are refused "
    "alone, by their number. Handing over the same again is harmless: what was accepted is known by its idempotency key. Ends with status "
    "1 if anything was refused.",
)
@click.argument("operation")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--sample", is_flag=True, help="Begin with the request of the operation's sample case.")
@click.option(
    "--file", "path", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), metavar="FILE", help="Requests, one to a line."
)
@click.option("--purpose", default="", metavar="PURPOSE", help="Why it is passed on, such as crime-investigation.")
@click.option("--why", default="", metavar="WORDS", help="The written justification.")
@click.option(
    "--contracts", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Read a descriptor set, not the installed one."
)
@caller_options
def publish(
    caller: Caller,
    operation: str,
    fields: tuple[str, ...],
    sample: bool,
    path: Path | None,
    purpose: str,
    why: str,
    contracts: Path | None,
) -> None:
    """Hand over one message, or a file of them in bulk.

    It is accepted when it is on disk; `metip messages track` says what becomes of it then.
    """
    from hub.cli import messages as protobuf
    from hub.cli.requests import Wanted, request_of

    messages = protobuf.Messages(protobuf.contracts(contracts))
    one = message_operation(operation, messages)
    if path is None:
        request, remarks = request_of(one, Wanted(fields, sample, purpose, why), messages)
        for remark in remarks:
            click.echo(dim(f"handed over with {clean(remark)}"), err=True)
        _tell_receipt(caller, _publish(caller, one, request, messages))
        return
    if fields or sample:
        raise click.UsageError("a file holds whole requests: give --file, or fields and --sample")
    from hub.cli.exchange import bulk

    lines = bulk.Lines(path, one, messages, purpose, why)
    summary = asked(caller, lambda exchange: bulk.hand_over(exchange, one.name, lines, quiet=caller.as_json))
    _tell_summary(caller, summary)
    if summary.refused:
        click.get_current_context().exit(1)


def message_operation(text: str, messages: "Messages") -> "Operation":
    """The message operation of that name. Raises `Problem` when there is none, or it is no message operation."""
    from hub.cli.messages import operation_named

    one = operation_named(text, messages.contracts)
    if one.delivery is None:
        names = sorted(each.name for each in messages.contracts.operations.values() if each.delivery is not None)
        fix = f"message operations are {', '.join(names)}; this one is for `metip call`" if names else "call it with `metip call`"
        raise Problem(f"{one.name} is answered at once and keeps no messages", fix)
    return one


def _publish(caller: Caller, operation: "Operation", request: Any, messages: "Messages") -> Any:
    import grpc

    from hub.cli.client import Edge, edge_channel, place
    from hub.cli.refusals import print_refusal, refusal_of

    where = place(caller.home)
    token = token_of(where, caller.officer) if operation.officer_admissible else ""

    async def hand_over() -> Any:
        async with edge_channel(where, where.identity()) as channel:
            return await anext(Edge(channel, messages).replies(operation, request, token=token))

    try:
        return asyncio.run(hand_over())
    except grpc.aio.AioRpcError as error:
        print_refusal(refusal_of(error), as_json=caller.as_json)
        raise click.exceptions.Exit(1) from None


def _tell_receipt(caller: Caller, receipt: Any) -> None:
    if caller.as_json:
        document = {"message_id": receipt.message_id, "accepted": stamp(receipt.accepted)}
        printing.print_json(document | ({"duplicate_of": receipt.duplicate_of} if receipt.duplicate_of else {}))
        return
    if receipt.duplicate_of:
        click.echo(f"{mark(OK)} accepted before as {receipt.duplicate_of}, {written(receipt.accepted)} UTC; nothing was kept of this one")
    else:
        click.echo(f"{mark(OK)} accepted as {receipt.message_id}, {written(receipt.accepted)} UTC")
    click.echo(dim(f"what becomes of it: metip messages track {receipt.message_id}"), err=True)


def _tell_summary(caller: Caller, summary: "Summary") -> None:
    if caller.as_json:
        printing.print_json(summary.document())
        return
    words = f"{mark(OK)} accepted: {count(summary.accepted, 'message')}"
    click.echo(words + (f", {summary.duplicates} of them known from before" if summary.duplicates else ""))
    for one in summary.refused[:SHOWN]:
        click.echo(f"{mark(FAILED)} line {one.line}: {one.status} {one.reason} {clean(shortened(one.text, 200))}".rstrip(), err=True)
    if len(summary.refused) > SHOWN:
        click.echo(f"{mark(FAILED)} and {len(summary.refused) - SHOWN} more: --json lists all", err=True)
    if any(one.reason == "BUSY" for one in summary.refused):
        click.echo("  BUSY: a backlog is full. Hand the same file over again in a while; what was accepted is known", err=True)
