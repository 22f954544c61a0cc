"""`metip parity case`: a difference becomes a case file, which the fleet's tests run from now on."""

from pathlib import Path

import click

from hub.cli.options import Problem, home_option
from hub.cli.printing import OK, mark


@click.command(
    epilog="\b\nExamples:\n"
    "  metip parity case 'examples[].name.family_name' --out adapters/example/cases/get_example_long_name.txtpb\n"
    "  metip parity case '(status)' --operation GetExample --out /tmp/case.txtpb\n\n"
    "A case expects what the primary answered; what must be otherwise, correct by hand. Cases are made of replicas only, whose people are "
    "made up, and only while the pair is in the hub's memory: no pair is kept on disk. It is recorded in the ledger."
)
@click.argument("field")
@click.option("--operation", default="", metavar="NAME", help="Of this operation; may be left out where only one differed in the field.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="Where to; it must not exist.")
@home_option
def case(field: str, operation: str, out: Path, home: Path) -> None:
    """Make a case file of the latest pair that differed in FIELD."""
    from hub.cli.parity.asking import asked, operation_meant
    from metip.parity.v1.parity_service_pb2 import MakeCaseRequest

    if out.exists():
        raise Problem(f"{out} is there already", "name another file")
    if not out.parent.is_dir():
        raise Problem(f"there is no folder {out.parent}", "make it, or name another")
    name = operation_meant(home, operation, field, as_json=False)
    text = asked(home, "MakeCase", MakeCaseRequest(operation=name, field=field), as_json=False).text
    out.write_text(text, encoding="utf-8")
    click.echo(f"{mark(OK)} {out}: read it, correct what must be otherwise, and run: python -m pytest tests/adapters")
