"""`metip messages note`: what everybody who looks at a group of waiting messages should know of it."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, why_option
from hub.cli.exchange.filters import number_of, state_of
from hub.cli.exchange.names import StateName, subscription_named
from hub.cli.options import Problem
from hub.cli.printing import OK, mark
from hub.exchange.life import State


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n  metip messages note PublishExample --cause TIMED_OUT 'The far system is down until noon, CHG-17'\n\n"
    "`metip messages groups` lists the groups, and --json their notes. A note is for everybody: one that names a person or a vehicle by an "
    "identifier is refused.",
)
@click.argument("subscription")
@click.argument("words")
@click.option("--cause", default="", metavar="CODE", help="Of the group with this reason, such as TIMED_OUT.")
@click.option("--state", type=StateName(), metavar="STATE", help="Of the group in this state: parked, in_doubt or expired.")
@why_option
@caller_options
def note(caller: Caller, subscription: str, words: str, cause: str, state: State | None, why: str) -> None:
    """Leave a note on a group of messages that wait for a person.

    Where a subscription has several groups, --cause and --state say which.
    """
    from hub.cli.exchange import documents
    from metip.exchange.v1.exchange_service_pb2 import GroupWaitingRequest
    from metip.exchange.v1.note_pb2 import NoteGroupRequest

    async def ask(exchange: Any) -> Any:
        name = subscription_named(subscription, [one.subscription for one in await exchange.subscriptions()])
        groups = list((await exchange.ask("GroupWaiting", GroupWaitingRequest(subscription=name))).groups)
        group = _one([one for one in groups if cause in ("", one.reason) and (state is None or one.state == number_of(state))])
        request = NoteGroupRequest(access=access(why), subscription=name, state=group.state, status=group.status, reason=group.reason)
        request.words = words
        return (await exchange.ask("NoteGroup", request)).note

    kept = asked(caller, ask)
    if caller.as_json:
        printing.print_json(documents.note(kept))
    else:
        click.echo(f"{mark(OK)} it is listed with the group")


def _one(groups: list[Any]) -> Any:
    if len(groups) == 1:
        return groups[0]
    if not groups:
        raise Problem("nothing waits for that", "`metip messages groups` lists what waits")
    said = ", ".join(f"--state {state_of(one.state)} --cause {one.reason}" for one in groups)
    raise Problem(f"that is not one group but {len(groups)}", f"say which: {said}")
