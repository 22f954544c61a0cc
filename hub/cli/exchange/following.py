"""`metip messages show`, `track` and `watch`: one message, what became of it, and what becomes of it now."""

from datetime import UTC, datetime
from typing import Any

import click

from hub.cli import printing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, purpose_named, why_option
from hub.cli.exchange.names import MessageId
from hub.cli.options import Problem, Seconds
from hub.cli.unmasking import unmask_options


@click.command(
    epilog="\b\nExamples:\n  metip messages show 0197c5a0-0000-8000-8000-00000000002a\n"
    "  metip messages show 0197c5a0-0000-8000-8000-00000000002a --json --why 'Complaint 2026/17'\n"
    "  metip messages show 0197c5a0-0000-8000-8000-00000000002a --unmask --purpose audit --reason 'Complaint 2026/17' --role unmask\n\n"
    "Times are UTC. Each line of a trail is one step: an attempt with its time, its outcome and the state that followed, or a move by "
    "a person."
)
@click.argument("message_id", type=MessageId(), metavar="ID")
@click.option("--keys", is_flag=True, help="Show ordering keys, which are personal.")
@click.option("--purpose", default="", metavar="PURPOSE", help="What for, with --unmask: audit.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A further role of the officer; what is personal takes unmask.")
@unmask_options
@why_option
@caller_options
def show(
    caller: Caller, message_id: str, keys: bool, why: str, unmask: bool, purpose: str, reason: str | None, roles: tuple[str, ...]
) -> None:
    """Show a message: its content, masked, and every step of every delivery.

    --unmask shows what is personal, once the hub has recorded who wanted that and why.
    """
    from dataclasses import replace

    from hub.cli.exchange import documents, trail
    from hub.cli.unmasking import demand
    from metip.exchange.v1.exchange_service_pb2 import GetMessageRequest

    demand(unmask=unmask, purpose=purpose, reason=reason)
    said = access(reason or why)
    if purpose:
        said.purpose = purpose_named(purpose)
    caller = replace(caller, roles=roles)
    request = GetMessageRequest(access=said, message_id=message_id, unmask=unmask, keys=keys)
    reply = asked(caller, lambda exchange: exchange.ask("GetMessage", request))
    if caller.as_json:
        printing.print_json(documents.whole(reply, keys=keys))
        return
    now = datetime.now(UTC)
    lines = [*trail.head(reply.message, now), *trail.content(reply), *trail.trails(reply, now, keys=keys)]
    if not reply.message.deliveries and not reply.steps:
        lines += ["", *trail.standings(reply.message, now)]
    click.echo("\n".join(lines))


@click.command(
    epilog="\b\nExamples:\n  metip messages track 0197c5a0-0000-8000-8000-00000000002a\n"
    "  metip messages track 0197c5a0-0000-8000-8000-00000000002a --json\n\n"
    "`delivered` means that the subscriber has it, `processed` that the far system said that it is done. Ends with status 0 wherever "
    "it stands."
)
@click.argument("message_id", type=MessageId(), metavar="ID")
@caller_options
def track(caller: Caller, message_id: str) -> None:
    """Say where each delivery of a message stands."""
    from hub.cli.exchange import documents, trail
    from metip.exchange.v1.exchange_service_pb2 import TrackRequest

    reply = asked(caller, lambda exchange: exchange.ask("Track", TrackRequest(message_id=message_id)))
    if caller.as_json:
        printing.print_json(documents.message(reply.message))
        return
    now = datetime.now(UTC)
    click.echo("\n".join([*trail.head(reply.message, now), *trail.standings(reply.message, now)]))


@click.command(
    epilog="\b\nExamples:\n  metip messages watch 0197c5a0-0000-8000-8000-00000000002a\n"
    "  metip messages watch 0197c5a0-0000-8000-8000-00000000002a --deadline 30s --json\n\n"
    "With --json a document to a line. A delivery that is `delivered` is followed until its far system is heard of. Ends with status 0 "
    "when all is done, 1 when something was refused, waits for a person, or is not done by the deadline."
)
@click.argument("message_id", type=MessageId(), metavar="ID")
@click.option("--deadline", type=Seconds(), metavar="TIME", help="How long to follow it; default: until it is done.")
@caller_options
def watch(caller: Caller, message_id: str, deadline: float | None) -> None:
    """Follow a message live until all of its deliveries are done."""
    from hub.cli.exchange import trail

    told = trail.Changes()
    last = asked(caller, lambda exchange: _follow(exchange, caller, message_id, deadline, told))
    if not trail.ended_well(last):
        click.get_current_context().exit(1)


async def _follow(exchange: Any, caller: Caller, message_id: str, deadline: float | None, told: Any) -> Any:
    """The state in which the message ended. Raises `Problem` when `deadline` seconds passed first.

    A watch lasts as long as the operation's own time limit; then the next one goes on. The deadline is kept here and not by the call's
    own, at which Envoy may come first, and it says INTERNAL of a stream that is under way.
    """
    import asyncio

    import grpc

    from hub.cli.exchange import documents
    from metip.exchange.v1.exchange_service_pb2 import WatchRequest

    last: Any = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                try:
                    async for reply in exchange.follow("Watch", WatchRequest(message_id=message_id)):
                        _tell(reply.message, last, told, as_json=caller.as_json)
                        last = reply.message
                    return last
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                        raise
    except TimeoutError:
        words = "" if last is None else ": " + ", ".join(sorted({documents.delivery(one)["state"] for one in last.deliveries}))
        raise Problem(f"the message was not done in time{words}", "watch it longer, or see `metip messages show`") from None


def _tell(message: Any, last: Any, told: Any, *, as_json: bool) -> None:
    """Prints what changed since `last`, or the whole as one line of JSON."""
    import json

    from hub.cli.exchange import documents

    if not as_json:
        for line in told.lines(message, datetime.now(UTC)):
            click.echo(line)
    elif message != last:
        click.echo(json.dumps(documents.message(message), ensure_ascii=False))
