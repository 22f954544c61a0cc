"""`metip messages pause` and `resume`: one subscription stops, or goes on, by a person's decision."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, reason_option
from hub.cli.exchange.names import subscription_named
from hub.cli.printing import OK, mark


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n  metip messages pause PublishExample --reason 'Far system in maintenance, CHG-17'\n"
    "  metip messages pause example:PublishExample --reason 'CHG-17' --json",
)
@click.argument("subscription")
@reason_option
@caller_options
def pause(caller: Caller, subscription: str, reason: str) -> None:
    """Stop the deliveries of one subscription; what is accepted meanwhile waits.

    Attempts that are under way end as they would have. Other subscriptions of the same messages go on.
    """
    _pause(caller, subscription, reason, paused=True)


@click.command(cls=Changing, epilog="\b\nExamples:\n  metip messages resume PublishExample --reason 'Maintenance is over'")
@click.argument("subscription")
@reason_option
@caller_options
def resume(caller: Caller, subscription: str, reason: str) -> None:
    """Resume the deliveries of one subscription.

    One that was not paused stays as it is.
    """
    _pause(caller, subscription, reason, paused=False)


def _pause(caller: Caller, subscription: str, reason: str, *, paused: bool) -> None:
    from metip.exchange.v1.exchange_service_pb2 import PauseSubscriptionRequest

    async def ask(exchange: Any) -> str:
        name = subscription_named(subscription, [one.subscription for one in await exchange.subscriptions()])
        request = PauseSubscriptionRequest(access=access(reason), subscription=name, paused=paused)
        await exchange.ask("PauseSubscription", request)
        return name

    name = asked(caller, ask)
    if caller.as_json:
        printing.print_json({"subscription": name, "paused": paused})
    else:
        click.echo(f"{mark(OK)} {name} {'is paused' if paused else 'delivers again'}")
