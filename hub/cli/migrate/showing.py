"""`metip migrate status` and `plan`: where interfaces stand, and by which rules they move."""

from pathlib import Path
from typing import Any

import click

from hub.cli import printing
from hub.cli.options import home_option, json_option
from hub.cli.printing import FAILED, OK, WARNED, clean, dim, mark, title
from hub.cli.watching import watch_option


@click.command(
    epilog="\b\nExamples:\n  metip migrate status\n  metip migrate status metip.example.v1.ExampleService\n"
    "  metip migrate status --json\n\n"
    "Ends with status 1 where calls go otherwise than a state says, as when somebody set a weight in Envoy's runtime by hand, or where the "
    "plan's file can't be used."
)
@click.argument("interface", default="", metavar="[INTERFACE]")
@home_option
@json_option
@watch_option
def status(interface: str, home: Path, as_json: bool) -> None:
    """Show where each interface stands, since when, on what evidence, and what its next step still needs."""
    from hub.cli.migrate.asking import asked
    from hub.cli.migrate.words import document
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest

    found = asked(home, "ListStates", ListStatesRequest(interface=interface), as_json=as_json)
    if as_json:
        printing.print_json(document(found))
    elif not found.interfaces:
        click.echo("nothing is being moved: no contract has an old platform behind it, and migration.yaml names none")
    else:
        _table(found)
        if interface:
            _closer(found)
    if found.plan_problem or any(one.deviations for one in found.interfaces):
        click.get_current_context().exit(1)


def _table(found: Any) -> None:
    from hub.cli.migrate.words import evidence_word, last, missing, position_word, since

    rows = []
    for one in found.interfaces:
        sign = mark(FAILED if one.deviations else WARNED if one.HasField("until") else OK)
        following = f"{position_word(one.next)}: needs {missing(one.guards)}" if one.HasField("next") else "-"
        state = position_word(one.position) + (" (watched)" if one.watched else "")
        rows.append((f"{sign} {last(one.interface)}", state, since(one.since), evidence_word(one.figures), following))
    printing.print_table(("interface", "state", "for", "evidence", "next step"), rows)
    for one in found.interfaces:
        for text in one.deviations:
            click.echo(f"{mark(FAILED)} {last(one.interface)}: {clean(text)}")
        for pin in one.pins:
            from hub.cli.migrate.words import PLATFORMS

            click.echo(
                f"{mark(WARNED)} {last(one.interface)}: {clean(pin.consumer)} is tied to {PLATFORMS[pin.platform]}: {clean(pin.because)}"
            )
        if one.HasField("until"):
            from hub.cli.migrate.words import at

            click.echo(f"{mark(WARNED)} {last(one.interface)}: back to {position_word(one.until_position)} at {at(one.until)} UTC")
    if found.plan_problem:
        click.echo(f"{mark(FAILED)} {clean(found.plan_problem)}")
    _waiting(found.scheduled)


def _waiting(scheduled: Any) -> None:
    from hub.cli.migrate.words import at, last, position_word

    for one in scheduled:
        words = f"step {one.number} of {last(one.step.interface)} to {position_word(one.step.to)}, due {at(one.at)} UTC"
        click.echo(f"{mark(FAILED)} {words}, was not taken: {clean(one.problem)}" if one.problem else f"{mark(WARNED)} {words}")


def _closer(found: Any) -> None:
    from hub.cli.migrate.words import guard_rows, position_word

    for one in found.interfaces:
        if one.HasField("next"):
            click.echo(title(f"\n{one.interface}: to {position_word(one.next)}"))
            printing.print_table(("guard", "found", "what to do"), guard_rows(one.guards))
        for note in one.notes:
            click.echo(dim(f"  {clean(note)}"))


@click.command(epilog="\b\nExamples:\n  metip migrate plan\n  metip migrate plan metip.example.v1.ExampleService --json")
@click.argument("interface", default="", metavar="[INTERFACE]")
@home_option
@json_option
def plan(interface: str, home: Path, as_json: bool) -> None:
    """Show the rules by which interfaces move: rings, bars, what is compared how, what moves together, what to know.

    They are what systems say of themselves, in migration.yaml of their contract folders; what migration.yaml in the home says goes before.
    """
    from hub.cli.migrate.asking import asked
    from hub.cli.migrate.words import document
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest

    found = asked(home, "ListStates", ListStatesRequest(interface=interface), as_json=as_json)
    if as_json:
        kept = ("interface", "system", "group", "operations", "rings", "bars", "notes")
        rules = [{key: one[key] for key in kept} for one in document(found)["interfaces"]]
        printing.print_json({"old_platform": found.old_platform, "approval_required": found.approval_required, "interfaces": rules})
        return
    signatures = "two signatures" if found.approval_required else "the name of a second person"
    click.echo(f"The old platform is {found.old_platform or 'nobody'}. A step forward takes {signatures}.")
    for one in found.interfaces:
        _rules(one)
    if found.plan_problem:
        click.echo(f"{mark(FAILED)} {clean(found.plan_problem)}")


def _rules(one: Any) -> None:
    from hub.cli.migrate.words import position_word, span_of

    click.echo(title(f"\n{one.interface}") + dim(f"  new platform: {one.system}{f'; moves with {one.group}' if one.group else ''}"))
    words = [f"{rule.method} {'writes' if rule.writes else rule.mirror}" for rule in one.operations]
    click.echo(f"  operations  {', '.join(words)}")
    click.echo(f"  rings       {', '.join(f'{ring} %' for ring in one.rings) or 'none: it moves as a whole'}")
    rows = [
        (position_word(bar.to), f"{bar.comparisons:,} comparisons", f"{bar.parity_percent:g} % agree", f"{span_of(bar.soak)} before")
        for bar in one.bars
    ]
    for text in printing.aligned(rows, indent="              "):
        click.echo(text)
    for note in one.notes:
        click.echo(f"  note        {clean(note)}")
