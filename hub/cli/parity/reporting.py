"""`metip parity report`: how far two platforms agree, for a terminal, a program, or a programme board."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub.cli import printing
from hub.cli.exchange.moments import Moment
from hub.cli.options import home_option, json_option
from hub.cli.printing import clean


@click.command(
    epilog="\b\nExamples:\n"
    "  metip parity report metip.example.v1.ExampleService\n"
    "  metip parity report metip.example.v1 --since 7d\n"
    "  metip parity report metip.example.v1 --json\n"
    "  metip parity report metip.example.v1 --since 14d --html board.html      one page, to be sent to a programme board\n\n"
    "Ends with status 1 where the hub compared nothing of that name, and with 0 otherwise, whatever the report says."
)
@click.argument("interface")
@click.option("--since", type=Moment(), metavar="TIME", help="Of what was compared since then: 2026-11-23 (UTC), or an age: 7d.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page that stands alone.")
@click.option("--all", "everything", is_flag=True, help="List noise too.")
@home_option
@json_option
def report(interface: str, since: datetime | None, page: Path | None, everything: bool, home: Path, as_json: bool) -> None:
    """Report how far the platforms agree on INTERFACE (or a package, or an operation), field by field.

    The verdict comes first, in words; then numbers by operation and field.
    """
    from hub.cli.parity.asking import asked, since_of
    from hub.parity import reporting
    from metip.parity.v1.parity_service_pb2 import GetReportRequest

    found = asked(home, "GetReport", since_of(GetReportRequest(interface=interface), since), as_json=as_json).report
    if page is not None:
        page.write_text(reporting.page(found), encoding="utf-8")
    if as_json:
        printing.print_json(reporting.document(found))
        return
    if page is not None:
        click.echo(f"written to {page}", err=True)
    _print(found, everything)


def _print(found: Any, everything: bool) -> None:
    from hub.parity import reporting

    click.echo(printing.title(clean(reporting.headline(found))))
    for sentence in reporting.sentences(found):
        click.echo(clean(sentence))
    click.echo(printing.title("\nby operation"))
    columns = ("operation", "compared", "differing", "agreement", "at least", "asked twice")
    printing.print_table(columns, [tuple(map(clean, row)) for row in reporting.operation_rows(found)])
    rows = [row for row in reporting.field_rows(found) if everything or row[0] != "noise"]
    click.echo(printing.title("\nby field"))
    if rows:
        printing.print_table(reporting.FIELD_COLUMNS, [tuple(map(clean, row)) for row in rows])
    else:
        click.echo("no field differs")
    noisy = sum(1 for row in reporting.field_rows(found) if row[0] == "noise")
    if noisy and not everything:
        click.echo(printing.dim(f"{printing.count(noisy, 'field')} of noise left out: --all lists them"), err=True)
