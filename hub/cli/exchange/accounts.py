"""`metip messages subscriptions` and `groups`: what each subscription was given and what became of it; what waits for a person, and why."""

from datetime import UTC, datetime
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.exchange.asking import Caller, asked, caller_options
from hub.cli.exchange.moments import age, written
from hub.cli.exchange.names import shortened, subscription_named
from hub.cli.printing import FAILED, OK, WARNED, clean, count, mark
from hub.cli.watching import watch_option
from hub.exchange.life import WAITING_FOR_A_PERSON, State

ALWAYS: Final = (State.PENDING, State.PROCESSED)
"""States that have a column even where nothing is in them."""


@click.command(
    epilog="\b\nExamples:\n  metip messages subscriptions\n  metip messages subscriptions --watch 2s\n"
    "  metip messages subscriptions --json\n\n"
    "Ends with status 1 if a subscriber can't be reached or something waits for a person. States: docs/exchange.md."
)
@caller_options
@watch_option
def subscriptions(caller: Caller) -> None:
    """Show what each subscription was given, by state: the accounts.

    The numbers of a line add up, at every instant, to all that the subscription was given and that is kept.
    """
    if not all(map(well, _show(caller))):
        click.get_current_context().exit(1)


def _show(caller: Caller) -> list[Any]:
    from hub.cli.exchange import documents

    found = asked(caller, lambda exchange: exchange.subscriptions())
    if caller.as_json:
        printing.print_json([documents.subscription(one) for one in found])
    elif not found:
        click.echo("there are no subscriptions: a contract makes one with `subscribes` (docs/exchange.md)")
    else:
        columns, rows = table(found, datetime.now(UTC))
        printing.print_table(columns, rows)
    return found


def well(one: Any) -> bool:
    """Whether a subscription's subscriber can be reached and nothing waits for a person."""
    from hub.cli.exchange.filters import number_of

    waiting = {number_of(state) for state in WAITING_FOR_A_PERSON}
    return not one.HasField("unreachable_since") and not any(each.deliveries for each in one.counts if each.state in waiting)


def table(found: list[Any], now: datetime) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Subscriptions as a table: a column for each state that something is in, in the order of a delivery's life."""
    from hub.cli.exchange.documents import counts

    tallies = [counts(one.counts) for one in found]
    states = [state.value for state in State if state in ALWAYS or any(tally.get(state.value) for tally in tallies)]
    names = shortened(one.subscription for one in found)
    rows = []
    for one, tally in zip(found, tallies, strict=True):
        numbers = [str(tally.get(state, 0)) for state in states]
        sign = mark(OK if well(one) and not one.paused else WARNED if not one.HasField("unreachable_since") else FAILED)
        rows.append(
            (f"{sign} {names[one.subscription]}", *numbers, str(sum(tally.values())), age(one.oldest_waiting, now), _condition(one, now))
        )
    return ("subscription", *states, "total", "oldest waiting", "condition"), rows


def _condition(one: Any, now: datetime) -> str:
    found = ["paused"] if one.paused else []
    if one.HasField("unreachable_since"):
        found.append(f"unreachable for {age(one.unreachable_since, now)}, since {written(one.unreachable_since)} UTC")
    return ", ".join(found) or "delivers"


@click.command(
    epilog="\b\nExamples:\n  metip messages groups\n  metip messages groups --subscription PublishExample\n"
    "  metip messages groups --json\n\n"
    "What a group waits for is the exchange's to say: docs/exchange.md has the table. Ends with status 1 if anything waits."
)
@caller_options
@click.option("--subscription", default="", metavar="NAME", help="Of this subscription, system:operation or a part of it.")
@watch_option
def groups(caller: Caller, subscription: str) -> None:
    """Count what waits for a person, by cause, the largest group first.

    That is what is parked, in doubt or expired. Each line names one of its messages.
    """
    from hub.cli.exchange import documents
    from metip.exchange.v1.exchange_service_pb2 import GroupWaitingRequest

    async def ask(exchange: Any) -> list[Any]:
        name = subscription and subscription_named(subscription, [one.subscription for one in await exchange.subscriptions()])
        return list((await exchange.ask("GroupWaiting", GroupWaitingRequest(subscription=name))).groups)

    found = asked(caller, ask)
    if caller.as_json:
        printing.print_json([documents.group(one) for one in found])
    elif not found:
        click.echo(f"{mark(OK)} nothing waits for a person")
    else:
        now, names = datetime.now(UTC), shortened(one.subscription for one in found)
        columns = ("subscription", "state", "status", "reason", "deliveries", "oldest", "one of them", "last note")
        printing.print_table(columns, [_group(documents.group(one), names, age(one.oldest, now)) for one in found])
        total = sum(one.deliveries for one in found)
        click.echo(printing.dim(f"{count(total, 'delivery waits', 'deliveries wait')}: `metip messages show ID` says of one why"), err=True)
    if found:
        click.get_current_context().exit(1)


def _group(one: dict[str, Any], names: dict[str, str], oldest: str) -> tuple[str, ...]:
    name, reason = names[one["subscription"]], clean(one["reason"])
    said = clean(one["notes"][0]["words"]) if one["notes"] else ""
    return (name, one["state"], one["status"], reason, str(one["deliveries"]), oldest, one["example_message_id"], said)
