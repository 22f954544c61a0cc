"""`metip parity show`: one field closer by."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub.cli import printing
from hub.cli.exchange.moments import Moment, written
from hub.cli.options import home_option, json_option
from hub.cli.printing import clean


@click.command(
    epilog="\b\nExamples:\n"
    "  metip parity show 'examples[].name.family_name'\n"
    "  metip parity show '(status)' --operation GetExample --since 1d\n"
    "  metip parity show provenance.system --operation GetExample --json\n\n"
    "An example has the id of its call, by which `metip ledger search` finds who asked and why."
)
@click.argument("field")
@click.option("--operation", default="", metavar="NAME", help="Of this operation; may be left out where only one differed in the field.")
@click.option("--since", type=Moment(), metavar="TIME", help="Of what was compared since then: 2026-11-23 (UTC), or an age: 7d.")
@home_option
@json_option
def show(field: str, operation: str, since: datetime | None, home: Path, as_json: bool) -> None:
    """Show how FIELD differs: how often, since when, by day, and masked examples."""
    from hub.cli.parity.asking import asked, operation_meant, since_of
    from hub.parity import reporting
    from metip.parity.v1.parity_service_pb2 import GetFieldRequest

    name = operation_meant(home, operation, field, as_json=as_json)
    found = asked(home, "GetField", since_of(GetFieldRequest(operation=name, field=field), since), as_json=as_json)
    if as_json:
        printing.print_json(reporting.document(found))
        return
    _print(found)


def _print(found: Any) -> None:
    from hub.parity import reporting

    verdict = found.verdict
    click.echo(printing.title(clean(f"{verdict.field} of {verdict.operation}")))
    for sentence in reporting.words_of_field(verdict):
        click.echo(clean(sentence))
    if found.examples:
        click.echo(printing.title("\nexamples, masked"))
        columns = ("call (UTC)", "id", "origin", "kind", "looks like", "primary", "shadow")
        rows = [
            (written(one.at), one.call_id, one.origin, one.kind, f"{one.hint} {one.detail}".strip(), one.primary, one.shadow)
            for one in found.examples
        ]
        printing.print_table(columns, [tuple(map(clean, row)) for row in rows])
    click.echo(printing.title("\nby day (UTC)"))
    days = [(one.day, f"{one.compared:,}", f"{one.differing:,}", reporting.per_cent(one.differing, one.compared)) for one in found.days]
    printing.print_table(("day", "compared", "differing", "share"), days)
