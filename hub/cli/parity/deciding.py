"""`metip parity accept`, `withdraw` and `list`: which differences somebody decided to live with, and why."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub.cli import printing
from hub.cli.contexts.guarding import Changing
from hub.cli.exchange.asking import Words
from hub.cli.exchange.moments import written
from hub.cli.options import F, Problem, home_option, json_option
from hub.cli.printing import OK, clean, mark
from hub.cli.watching import watch_option


def because_option(command: F) -> F:
    """Adds `--because`."""
    return click.option("--because", type=Words(), required=True, metavar="WORDS", help="Why; it is recorded in the ledger.")(command)


@click.command(
    cls=Changing,
    epilog="\b\nExamples:\n"
    "  metip parity accept provenance.system --operation GetExample --because 'The new platform names itself'\n"
    "  metip parity accept 'examples[].name.family_name' --because 'CHG-17: accents are right now' --until 2027-03-31\n\n"
    "Only what was seen until now is accepted: the same field differing in another way is a finding again, unless --however is given.",
)
@click.argument("field")
@click.option("--operation", default="", metavar="NAME", help="Of this operation; may be left out where only one differed in the field.")
@because_option
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), metavar="TIME", help="Until then (UTC): 2027-03-31.")
@click.option("--however", is_flag=True, help="However it may differ, also in ways that were never seen.")
@home_option
@json_option
def accept(field: str, operation: str, because: str, until: datetime | None, however: bool, home: Path, as_json: bool) -> None:
    """Accept how FIELD differs, such as an improvement; it then counts no longer against the new platform."""
    from hub.cli.parity.asking import asked, operation_meant, since_of
    from hub.parity import reporting
    from metip.parity.v1.parity_service_pb2 import AcceptDifferenceRequest

    name = operation_meant(home, operation, field, as_json=as_json)
    request = AcceptDifferenceRequest(operation=name, field=field, because=because, however=however)
    found = asked(home, "AcceptDifference", since_of(request, until, "until"), as_json=as_json).acceptance
    if as_json:
        printing.print_json(reporting.document(found))
        return
    what = ", ".join(found.looks) or "however it differs"
    click.echo(clean(f"{mark(OK)} accepted as number {found.number}: {found.field} of {found.operation} ({what})"))


@click.command(cls=Changing, epilog="\b\nExamples:\n  metip parity withdraw 3 --because 'It is no improvement after all'")
@click.argument("number", type=click.IntRange(1))
@because_option
@home_option
@json_option
def withdraw(number: int, because: str, home: Path, as_json: bool) -> None:
    """Take acceptance NUMBER back: the difference counts again."""
    from hub.cli.parity.asking import asked
    from hub.parity import reporting
    from metip.parity.v1.parity_service_pb2 import WithdrawAcceptanceRequest

    found = asked(home, "WithdrawAcceptance", WithdrawAcceptanceRequest(number=number, because=because), as_json=as_json).acceptance
    if as_json:
        printing.print_json(reporting.document(found))
        return
    click.echo(clean(f"{mark(OK)} withdrawn: {found.field} of {found.operation}"))


@click.command(
    "list",
    epilog="\b\nExamples:\n  metip parity list\n  metip parity list --all --json\n\n"
    "Without --all, acceptances that no longer hold are left out.",
)
@click.option("--all", "everything", is_flag=True, help="Also those that are over or withdrawn.")
@home_option
@json_option
@watch_option
def listing(everything: bool, home: Path, as_json: bool) -> None:
    """List what was compared, and the differences that were accepted."""
    from hub.cli.parity.asking import asked
    from hub.parity import reporting
    from metip.parity.v1.parity_service_pb2 import ListAcceptancesRequest

    found = asked(home, "ListAcceptances", ListAcceptancesRequest(), as_json=as_json)
    if as_json:
        printing.print_json(reporting.document(found))
        return
    if not found.operations:
        raise Problem("nothing was compared yet", "docs/parity.md says how comparisons come about")
    click.echo(printing.title("compared"))
    for name in found.operations:
        click.echo(f"  {clean(name)}")
    if found.failed:
        click.echo(printing.dim(f"{printing.count(found.failed, 'pair')} could not be compared since the hub started"), err=True)
    rows = [_row(one) for one in found.acceptances if everything or one.in_force]
    if rows:
        click.echo(printing.title("\naccepted"))
        printing.print_table(("number", "field", "operation", "covers", "by", "at (UTC)", "holds", "because"), rows)


def _row(one: Any) -> tuple[str, ...]:
    withdrawn = f"withdrawn: {one.withdrawn_because}" if one.withdrawn_by else "over"
    holds = (f"until {written(one.until)}" if one.HasField("until") else "yes") if one.in_force else withdrawn
    cells = (str(one.number), one.field, one.operation, ", ".join(one.looks) or "all", one.author, written(one.at), holds, one.because)
    return tuple(map(clean, cells))
