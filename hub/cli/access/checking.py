"""`metip access check`: is this policy one that the hub can use, and does all of it grant something."""

from pathlib import Path

import click

from hub.cli import printing
from hub.cli.options import home_option, json_option
from hub.cli.printing import FAILED, OK, count, mark


@click.command(
    epilog="\b\nExamples:\n  metip access check new.yaml\n  metip access check                        the home's own\n"
    "  metip access check new.yaml --json\n\nEnds with status 1 if there is any problem, one that only grants nothing included."
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@home_option
@json_option
def check(file: Path | None, home: Path, as_json: bool) -> None:
    """Check the policy in FILE, by default the home's own; name each problem and its place.

    A pattern that matches nothing, or a purpose that no matched operation permits, does not keep the hub from using a policy; it is a
    problem here all the same, since whoever wrote it meant something.
    """
    from hub.access import reading
    from hub.cli.access.policies import trust_domain
    from hub.cli.messages import contracts
    from hub.laptop.layout import Home
    from metip.settings import SettingsError

    path, grants = file or Home.at(home).access, 0
    try:
        found = reading.read(reading.content_of(path), contracts(), trust_domain(home), source=str(path))
        problems, grants, usable = found.idle, len(found.policy.grants), True
    except SettingsError as error:
        problems, usable = error.problems, False
    if as_json:
        printing.print_json({"file": str(path), "usable": usable, "grants": grants, "problems": list(problems)})
    else:
        for problem in problems:
            click.echo(f"{mark(FAILED)} {printing.clean(problem)}")
        if not problems:
            click.echo(f"{mark(OK)} {path} can be used: {count(grants, 'grant')}")
    if problems:
        click.get_current_context().exit(1)
