"""`metip call`: one call through the edge, as any consumer makes it; the answer masked, readable or as JSON, a refusal with its reason."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.options import Seconds, home_option, json_option
from hub.cli.printing import OK, dim, mark, span
from hub.cli.unmasking import unmask_options

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from hub.cli.client import Place
    from hub.cli.messages import Messages
    from hub.cli.refusals import Refusal
    from hub.contracts import Operation


@click.command(
    cls=Changing,
    reasons=("because",),
    epilog="\b\nExamples:\n"
    "  metip call GetExample --sample\n"
    "  metip call GetExample id=42 --purpose crime-investigation --why 'Enquiry into an example'\n"
    "  metip call metip.example.v1.ExampleService/SearchExamples name.family_name=Example born=1980-05-17 \\\n"
    "      kinds=FIRST kinds=SECOND lines[0].text=one labels[colour]=red since=2026-11-23T10:15:00Z\n"
    "  metip call GetExample --sample --as consumer-desk --deadline 500ms --json\n"
    "  metip call GetExample id=42 --unmask --purpose crime-investigation --reason 'The match of 24 November is disputed'\n\n"
    "Values are written as people write them: enum values without their prefix, dates YYYY-MM-DD, times HH:MM, spans "
    "2s, identifiers as they are printed; a whole message as JSON in braces. A list grows by repetition.\n\n"
    "What is personal in the answer is shown as •••. --unmask shows it, once the hub has recorded who wanted that, for what purpose and "
    "why. Ends with status 1 if the call is refused.",
)
@click.argument("operation")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@home_option
@json_option
@click.option("--sample", is_flag=True, help="Begin with the request of the operation's sample case.")
@click.option("--purpose", default="", metavar="PURPOSE", help="Why it is asked, such as crime-investigation.")
@click.option("--why", default="", metavar="WORDS", help="The written justification.")
@click.option("--as", "name", default="developer", show_default=True, metavar="NAME", help="Identity to call under (metip identity list).")
@click.option("--no-token", is_flag=True, help="Send no officer token, to see that it is refused.")
@click.option("--deadline", type=Seconds(), metavar="TIME", help="How long to wait; default: the operation's own timeout.")
@unmask_options
def call(
    operation: str,
    fields: tuple[str, ...],
    home: Path,
    as_json: bool,
    sample: bool,
    purpose: str,
    why: str,
    name: str,
    no_token: bool,
    deadline: float | None,
    unmask: bool,
    reason: str | None,
) -> None:
    """Call an operation through the edge and print a readable answer, masked.

    OPERATION is a full name, or its end as far as that is unique. The call carries a certificate and, where the operation
    demands one, the token of a synthetic officer.
    """
    from hub.cli.client import place
    from hub.cli.messages import installed, operation_named
    from hub.cli.requests import Wanted, request_of
    from hub.cli.unmasking import demand, recorded

    demand(unmask=unmask, purpose=purpose, reason=reason)
    messages = installed()
    one = operation_named(operation, messages.contracts)
    request, remarks = request_of(one, Wanted(fields, sample, purpose, why), messages)
    where = place(home)
    where.identity(name)
    for remark in remarks:
        click.echo(dim(f"asked with {printing.clean(remark)}"), err=True)
    token = where.token(name) if one.officer_admissible and not no_token else ""
    if unmask:
        said: Any = request
        asyncio.run(recorded(where, "call/unmask", said.access.purpose, f"{one.name} as {name}: {reason}"))
    refused = asyncio.run(_call(where, name, messages, one, request, token, deadline, as_json, unmask))
    if refused is not None:
        from hub.cli.refusals import print_refusal

        print_refusal(refused, as_json=as_json)
        click.get_current_context().exit(1)


async def _call(
    where: "Place",
    name: str,
    messages: "Messages",
    operation: "Operation",
    request: "Message",
    token: str,
    deadline: float | None,
    as_json: bool,
    unmask: bool,
) -> "Refusal | None":
    import grpc

    from hub.cli.client import Edge, edge_channel
    from hub.cli.refusals import refusal_of

    started = time.monotonic()
    count = 0
    try:
        async with edge_channel(where, where.identity(name)) as channel:
            async for reply in Edge(channel, messages).replies(operation, request, token=token, within=deadline):
                count += 1
                after = time.monotonic() - started
                _print(reply, messages, after, as_json=as_json, streamed=operation.server_streams, unmask=unmask)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    if not as_json:
        answers = f"{printing.count(count, 'message')} in " if operation.server_streams else ""
        click.echo(dim(f"{mark(OK)} {operation.method} answered: {answers}{span(time.monotonic() - started)}"), err=True)
    return None


def _print(reply: Any, messages: "Messages", after: float, *, as_json: bool, streamed: bool, unmask: bool) -> None:
    import json

    from hub.cli.rendering import lines
    from metip.masking import masked

    if as_json:
        document = messages.document(reply) if unmask else masked(reply)
        # A stream is one document to a line, so that a reader downstream need not wait for the end.
        click.echo(json.dumps(document, ensure_ascii=False, indent=None if streamed else 2))
        return
    if streamed:
        click.echo(dim(f"after {span(after)}"))
    found = list(lines(reply, "  " if streamed else "", masked=not unmask)) or ["(empty: nothing is set in the answer)"]
    for line in found:
        click.echo(line)
