"""`metip migrate step`, `back`, `pin` and `schedule`: what changes where calls go."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.moments import CLOCK, Moment
from hub.cli.migrate.asking import BECAUSE, INTERFACE, Refused, asked, tried
from hub.cli.options import Seconds, home_option, json_option
from hub.cli.printing import clean

STATES: Final = ("shadow", "canary", "primary", "new")
BACK: Final = ("legacy", "shadow", "canary", "primary")
PERCENT = click.option("--percent", type=click.IntRange(1, 99), default=None, help="Of a canary: the per cent of calls.")
APPROVER = click.option("--approver", default="", metavar="NAME", help="Who approved it: somebody else than you.")
SIGNED = click.option("--approved", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="A file of `metip migrate approve`.")


class Later(Moment):
    """A moment to come: a bare time of day that is past today means tomorrow."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC."""
        from datetime import UTC, timedelta

        found = super().convert(value, param, ctx)
        if found < datetime.now(UTC) and isinstance(value, str) and CLOCK.fullmatch(value):
            found += timedelta(days=1)
        if found < datetime.now(UTC):
            self.fail(f"{value} is past", param, ctx)
        return found


def position(state: str, percent: int | None) -> Any:
    """A position as a message. Raises `click.UsageError`."""
    from metip.migration.v1 import step_pb2

    if (state == "canary") != (percent is not None):
        raise click.UsageError("--percent belongs to --to canary, and to nothing else")
    return step_pb2.Position(state=step_pb2.State.Value(f"STATE_{state.upper()}"), percent=percent or 0)


def request_of(
    interface: str, to: str, percent: int | None, because: str, attest: str, override: bool, at: datetime | None, lasting: float | None
) -> Any:
    """A step as it is asked for, and as it is signed."""
    from metip.migration.v1.migration_service_pb2 import TakeStepRequest

    request = TakeStepRequest(interface=interface, to=position(to, percent), because=because, attested=attest, override=override)
    if at is not None:
        request.at.FromDatetime(at)
    if lasting is not None:
        request.lasting.FromMilliseconds(int(lasting * 1000))
    return request


@click.command(
    cls=Changing,
    when=lambda given: not given["preview"],
    epilog="\b\nExamples:\n"
    "  metip migrate step metip.example.v1.ExampleService --to shadow --because 'Board of 12 May' --approver lead\n"
    "  metip migrate step metip.example.v1.ExampleService --to canary --percent 10 --because 'Board of 19 May' --approver lead --for 2h\n"
    "  metip migrate step metip.example.v1.ExampleService --to primary --because 'Board of 2 June' --approver lead --at 07:00\n"
    "  metip migrate step metip.example.v1.ExampleService --to primary --because x --preview      what would it need?\n\n"
    "Ends with status 1 where a guard fails; nothing has moved then. --override excuses guards in an emergency, and is recorded as that; a "
    "second person, a platform that is there and undivided writes nothing excuses. Times are UTC.",
)
@INTERFACE
@click.option("--to", type=click.Choice(STATES), required=True, help="The state.")
@PERCENT
@BECAUSE
@APPROVER
@click.option("--attest", default="", metavar="REFERENCE", help="Evidence where nothing may be compared, such as a daily reconciliation.")
@click.option("--at", type=Later(), default=None, metavar="TIME", help="Take it then; its guards are judged then.")
@click.option("--for", "lasting", type=Seconds(), default=None, metavar="TIME", help="Step back by itself after so long.")
@click.option("--override", is_flag=True, help="An emergency: take it although guards fail.")
@click.option("--preview", is_flag=True, help="Say what it would need, and take no step.")
@SIGNED
@home_option
@json_option
def step(
    interface: str,
    to: str,
    percent: int | None,
    because: str,
    approver: str,
    attest: str,
    at: datetime | None,
    lasting: float | None,
    override: bool,
    preview: bool,
    approved: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Take a step forward: to the shadow, to a canary of some per cent, to primary, to new.

    Each guard must pass; one that fails says what is missing and how to get it. Whatever moves together moves.
    """
    from hub.cli.migrate.signing import approval_in

    request = request_of(interface, to, percent, because, attest, override, at, lasting)
    request.approver, request.preview = approver, preview
    if approved is not None:
        request.approval.CopyFrom(approval_in(approved, request))
    if preview or at is not None:
        reply = asked(home, "TakeStep", request, as_json=as_json)
        _told(reply.step, as_json, admissible=reply.admissible) if preview else _scheduled(reply.scheduled, request, as_json)
        click.get_current_context().exit(int(preview and not reply.admissible))
    try:
        reply = tried(home, "TakeStep", request)
    except Refused as refused:
        _refused(home, request, refused, as_json)
    _told(reply.step, as_json, admissible=True)


def _refused(home: Path, request: Any, refused: Refused, as_json: bool) -> None:
    """Shows every guard of a step that failed one; any other refusal as it is."""
    from hub.cli.refusals import print_refusal, refusal_of

    request.preview = True
    try:
        reply = tried(home, "TakeStep", request)
    except Refused:
        reply = None
    if reply is None or reply.admissible:
        print_refusal(refusal_of(refused.error), as_json=as_json)
    else:
        _told(reply.step, as_json, admissible=False)
    raise click.exceptions.Exit(1)


def _told(one: Any, as_json: bool, *, admissible: bool) -> None:
    from hub.cli.migrate.words import document, guard_rows, position_word, what

    if as_json:
        printing.print_json({"admissible": admissible, "step": document(one)})
        return
    for move in one.moves:
        if move.guards:
            click.echo(printing.title(f"{move.interface}: {position_word(move.before)} → {position_word(move.after)}"))
            printing.print_table(("guard", "found", "what to do"), guard_rows(move.guards))
    if one.number:
        click.echo(f"{printing.mark(printing.OK)} step {one.number}: {clean(what(one))}, recorded and in force")
    elif admissible:
        click.echo(f"{printing.mark(printing.OK)} nothing is missing; it was not taken")
    else:
        click.echo(f"{printing.mark(printing.FAILED)} not taken: see above what is missing", err=True)


def _scheduled(number: int, request: Any, as_json: bool) -> None:
    from hub.cli.migrate.words import at

    if as_json:
        printing.print_json({"scheduled": number})
    else:
        click.echo(f"{printing.mark(printing.OK)} step {number} waits until {at(request.at)} UTC; its guards are judged then")


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip migrate back metip.example.v1.ExampleService --because 'Complaints of the control room'\n"
    "  metip migrate back metip.example.v1.ExampleService --to canary --percent 1 --because 'Less for the weekend'\n"
    "  metip migrate back metip.example.v1.ExampleService --to legacy --because 'The programme pauses'",
)
@INTERFACE
@click.option("--to", type=click.Choice(BACK), default=None, help="The state; without it, where callers are safe (the shadow).")
@PERCENT
@BECAUSE
@home_option
@json_option
def back(interface: str, to: str | None, percent: int | None, because: str, home: Path, as_json: bool) -> None:
    """Step back, at once. It needs no approval and no evidence; it is recorded, as every step is."""
    from metip.migration.v1.migration_service_pb2 import StepBackRequest

    if to is None and percent is not None:
        raise click.UsageError("--percent belongs to --to canary, and to nothing else")
    request = StepBackRequest(interface=interface, because=because, to=position(to, percent) if to else None)
    _told(asked(home, "StepBack", request, as_json=as_json).step, as_json, admissible=True)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip migrate pin metip.example.v1.ExampleService --consumer consumer/room-1 --to new --because 'Goes first' --approver lead\n"
    "  metip migrate pin metip.example.v1.ExampleService --consumer consumer/old-app --to legacy --because 'Its vendor needs June'\n"
    "  metip migrate pin metip.example.v1.ExampleService --consumer consumer/room-1 --release --because 'All are there'\n\n"
    "Who goes first passes the guards of a canary and comes back with everybody when a bar is breached.",
)
@INTERFACE
@click.option("--consumer", required=True, metavar="NAME", help="A SPIFFE ID, or what follows the trust domain in it.")
@click.option("--to", type=click.Choice(("legacy", "new")), default=None, help="The platform.")
@click.option("--release", is_flag=True, help="Let it go with everybody.")
@BECAUSE
@APPROVER
@home_option
@json_option
def pin(interface: str, consumer: str, to: str | None, release: bool, because: str, approver: str, home: Path, as_json: bool) -> None:
    """Tie a consumer to one platform whatever the share is: to the old one until it is ready, or to the new one before all others."""
    from hub.cli.client import place
    from metip.migration.v1 import step_pb2
    from metip.migration.v1.migration_service_pb2 import PinConsumerRequest

    if (to is None) != release:
        raise click.UsageError("either --to legacy, --to new or --release")
    name = consumer if consumer.startswith("spiffe://") else f"spiffe://{place(home).settings.trust_domain}/{consumer}"
    platforms = {"legacy": step_pb2.PLATFORM_METIP, "new": step_pb2.PLATFORM_METIP2, None: step_pb2.PLATFORM_UNSPECIFIED}
    request = PinConsumerRequest(interface=interface, consumer=name, platform=platforms[to], because=because, approver=approver)
    _told(asked(home, "PinConsumer", request, as_json=as_json).step, as_json, admissible=True)


@click.command(
    cls=Changing,
    when=lambda given: given["cancel"] is not None,
    epilog="\b\nExamples:\n  metip migrate schedule\n  metip migrate schedule --cancel 3 --because 'The board met again'",
)
@click.option("--cancel", type=click.IntRange(1), default=None, metavar="NUMBER", help="Call this one off.")
@click.option("--because", default="", metavar="WORDS", help="Why, naming nobody; it is recorded.")
@home_option
@json_option
def schedule(cancel: int | None, because: str, home: Path, as_json: bool) -> None:
    """List steps that wait for their time (`metip migrate step … --at`), and those that were not taken then; or call one off."""
    from hub.cli.migrate.words import at, document, last, position_word
    from metip.migration.v1.migration_service_pb2 import CancelStepRequest, ListStatesRequest

    if cancel is not None:
        if not because:
            raise click.UsageError("--cancel needs --because")
        asked(home, "CancelStep", CancelStepRequest(number=cancel, because=because), as_json=as_json)
    found = asked(home, "ListStates", ListStatesRequest(), as_json=as_json).scheduled
    if as_json:
        printing.print_json({"scheduled": [document(one) for one in found]})
    elif not found:
        click.echo("nothing waits")
    else:
        rows = [
            (
                str(one.number),
                last(one.step.interface),
                position_word(one.step.to),
                at(one.at),
                clean(one.author),
                clean(one.problem) or "waits",
            )
            for one in found
        ]
        printing.print_table(("number", "interface", "to", "due (UTC)", "author", "condition"), rows)
