"""`metip messages owner` and `hand-over`: which platform delivers a message where several could, and how that is changed."""

from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Caller, access, asked, caller_options, reason_option, why_option
from hub.cli.exchange.moments import written
from hub.cli.exchange.names import operation_named, short
from hub.cli.printing import OK, WARNED, mark

SCOPES = {"key": "one key", "all": "all keys", "new": "keys to come", "cut": "a subscription"}


@click.group(
    epilog="\b\nExamples:\n  metip messages owner show\n  metip messages owner show PublishExample --key CASE-17\n"
    "  metip messages owner move PublishExample --to example1 --new-keys --reason 'New cases stay on the old platform, CHG-17'"
)
def owner() -> None:
    """Which of several platforms delivers a message, and moving that.

    Of each message one platform delivers, never both. The first message of an ordering key fixes which.
    """


@owner.command("show", epilog="\b\nExamples:\n  metip messages owner show\n  metip messages owner show PublishExample --key CASE-17 --json")
@click.argument("operation", default="")
@click.option("--key", default="", metavar="KEY", help="Say whose this ordering key is, too; needs an operation.")
@why_option
@caller_options
def show(caller: Caller, operation: str, key: str, why: str) -> None:
    """Show who owns what, and the moves that have not ended."""
    if key and not operation:
        raise click.UsageError("--key needs an operation")
    from metip.exchange.v1.owner_pb2 import ListOwnersRequest

    async def ask(exchange: Any) -> Any:
        name = operation and operation_named(operation, [one.subscription for one in await exchange.subscriptions()])
        return await exchange.ask("ListOwners", ListOwnersRequest(access=access(why), operation=name, key=key))

    found = asked(caller, ask)
    if caller.as_json:
        printing.print_json(
            {
                "owners": [_document(one) for one in found.owners],
                "moves": [_move(one) for one in found.moves],
                "keys": [{"post": one.post, "owner": one.owner, "number": one.number} for one in found.keys],
            }
        )
        return
    if not found.owners:
        click.echo("no messages could be delivered by several platforms: a contract says so with `instead_of` (docs/exchange.md)")
        return
    rows = [
        (short(one.post), system.system, *(str(count) for count in (system.keys, system.ejected, system.unfinished)), _role(one, system))
        for one in found.owners
        for system in one.systems
    ]
    printing.print_table(("in the place of", "system", "keys", "put there", "unfinished", ""), rows)
    for one in found.keys:
        click.echo(f"the key is {one.owner}'s at {short(one.post)}, token {one.number}")
    for one in found.moves:
        words = f", waits for {one.waits_for}" if one.waits_for else ""
        click.echo(
            f"{mark(WARNED)} {SCOPES[one.scope]} of {short(one.post)} to {one.to}: {one.stage} since {written(one.began)} UTC{words}"
        )


@owner.command(
    "move",
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip messages owner move PublishExample --to example --all --reason 'Board of 1 June, CHG-17'\n"
    "  metip messages owner move PublishExample --to example1 --key CASE-17 --reason 'This case goes back, INC-9'\n"
    "  metip messages owner move PublishExample --to example --new-keys --reason 'New cases from today, CHG-18'",
)
@click.argument("operation")
@click.option("--to", required=True, metavar="SYSTEM", help="The system that is to own them.")
@click.option("--key", default="", metavar="KEY", help="This ordering key; it stays there when all others move.")
@click.option("--all", "everything", is_flag=True, help="All keys, but for those that were put somewhere one by one.")
@click.option("--new-keys", is_flag=True, help="Keys that nobody owns yet; a case that began on one platform ends there.")
@click.option("--patience", default=60, type=click.IntRange(1, 300), metavar="SECONDS", help="Take it back when it takes longer; 60.")
@reason_option
@caller_options
def move(caller: Caller, operation: str, to: str, key: str, everything: bool, new_keys: bool, patience: int, reason: str) -> None:
    """Move messages to another platform: what is under way ends first, and nothing that is in doubt is moved.

    Whoever loses them holds a fence, on disk, before the other is given the first. When it is refused nothing is moved, and it ends with
    status 1.
    """
    from metip.exchange.v1 import owner_pb2

    chosen = [scope for scope, asked_for in ((1, bool(key)), (2, everything), (3, new_keys)) if asked_for]
    if len(chosen) != 1:
        raise click.UsageError("say what to move: one of --key KEY, --all, --new-keys")

    async def ask(exchange: Any) -> Any:
        request = owner_pb2.MoveOwnerRequest(
            access=access(reason),
            operation=operation_named(operation, [one.subscription for one in await exchange.subscriptions()]),
            scope=owner_pb2.MoveScope.ValueType(chosen[0]),
            key=key,
            to=to,
            patience_seconds=patience,
        )
        return (await exchange.ask("MoveOwner", request)).move

    done = asked(caller, ask)
    if caller.as_json:
        printing.print_json(_move(done))
    else:
        moved = f", {done.deliveries} that waited with it" if done.deliveries else ""
        click.echo(f"{mark(OK)} {SCOPES[done.scope]} of {short(done.post)} is {done.to}'s, token {done.number}{moved}")


@click.command(
    cls=Changing, epilog="\b\nExamples:\n  metip messages hand-over PublishExample --from example1 --to example --reason 'CHG-20'"
)
@click.argument("operation")
@click.option("--from", "source", required=True, metavar="SYSTEM", help="The system that hands over.")
@click.option("--to", required=True, metavar="SYSTEM", help="The system that takes over.")
@reason_option
@caller_options
def hand_over(caller: Caller, operation: str, source: str, to: str, reason: str) -> None:
    """Hand a subscription over to another platform from now on; nothing is lost, nothing is doubled, nothing waits.

    The first finishes what it was given. All that follows is the other's; of one key, once the first has finished what it has of it.
    """
    from metip.exchange.v1 import owner_pb2

    async def ask(exchange: Any) -> Any:
        name = operation_named(operation, [one.subscription for one in await exchange.subscriptions()])
        request = owner_pb2.HandOverRequest(access=access(reason), operation=name, to=to, **{"from": source})
        return (await exchange.ask("HandOver", request)).move

    done = asked(caller, ask)
    if caller.as_json:
        printing.print_json(_move(done))
    else:
        rest = f"; {source} finishes what it has: {done.waits_for}" if done.waits_for else ""
        click.echo(f"{mark(OK)} what comes from now on is {to}'s, token {done.number}{rest}")


def _role(one: Any, system: Any) -> str:
    return f"gets new keys, token {one.number}" if system.system == one.owner else ""


def _document(one: Any) -> dict[str, Any]:
    systems = [{"system": each.system, "keys": each.keys, "ejected": each.ejected, "unfinished": each.unfinished} for each in one.systems]
    return {"post": one.post, "operation": one.operation, "owner": one.owner, "number": one.number, "systems": systems}


def _move(one: Any) -> dict[str, Any]:
    return {
        "move_id": one.move_id,
        "post": one.post,
        "scope": one.scope,
        "to": one.to,
        "stage": one.stage,
        "number": one.number,
        "began": written(one.began),
        "deliveries": one.deliveries,
        "waits_for": one.waits_for,
    }
