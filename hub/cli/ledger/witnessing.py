"""`metip ledger witness`: the witness's process, as `metip up` starts it."""

from pathlib import Path

import click

from hub.cli.options import Problem, home_option


@click.command(
    epilog="\b\nExamples:\n  metip ledger witness --settings /etc/metip/witness.yaml\n  metip ledger witness --home .metip\n\n"
    "`metip up` runs one of its own. In production it runs as another user, best on another machine, so that whoever holds the ledger "
    "does not hold its witness."
)
@click.option("--settings", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Its settings. Default: the home's.")
@home_option
def witness(home: Path, settings: Path | None) -> None:
    """Run the witness until it is told to stop.

    It remembers the last checkpoint of a ledger and cosigns the next only if that begins with it: a ledger that was put back, or that is
    shown in two forms, gets no signature.
    """
    from hub.laptop.layout import Home
    from hub.ledger.witness import run

    path = settings or Home.at(home).witness_settings
    if not path.exists():
        raise Problem(f"there is no {path}", "name the witness's settings with --settings, or start the mesh once: metip up")
    code = run(path)
    if code:
        click.get_current_context().exit(code)
