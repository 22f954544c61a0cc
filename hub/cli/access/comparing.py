"""`metip access diff`: what anybody gains or loses by another policy, before it is in force."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import printing
from hub.cli.options import home_option, json_option
from hub.cli.printing import count

if TYPE_CHECKING:
    from hub.access.comparing import Summary


@click.command(
    epilog="\b\nExamples:\n  metip access diff new.yaml\n  metip access diff new.yaml --against old.yaml\n"
    "  metip access diff new.yaml --json\n\n"
    "Exit status: 0 nothing differs, 3 somebody gains or loses, 1 something is wrong, 2 not understood."
)
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--against", default="running", show_default=True, metavar="FILE", help="Compare with this file, or `running`: with the hub's."
)
@home_option
@json_option
def diff(new: Path, against: str, home: Path, as_json: bool) -> None:
    """Show what anybody would gain (+) or lose (-) by the policy NEW: per consumer, operation, purpose and role.

    A role stands for a token that names it; "(other or none)" for every other call. With --json each row is one consumer, operation,
    purpose and role; the table sums up what goes the same way.
    """
    from hub.access.comparing import differences, summed_up
    from hub.cli.access.policies import REFUSED, RUNNING, of_file, running, trust_domain
    from hub.cli.messages import contracts

    known, domain = contracts(), trust_domain(home)
    after = of_file(new, known, domain).policy
    before = running(home) if against == RUNNING else of_file(Path(against), known, domain).policy
    rows = differences(before, after, known, domain)
    limits = sorted({*before.limits} ^ {*after.limits}, key=lambda one: one.consumer)
    if as_json:
        changed = [{**asdict(one), "gained": one in after.limits} for one in limits]
        printing.print_json({"against": against, "rows": [asdict(row) for row in rows], "limits": changed})
    else:
        lines = summed_up(rows, before, after, known)
        if lines:
            printing.print_table(("", "consumer", "operations", "purposes", "role"), map(_row, lines))
        for one in limits:
            sign = "+" if one in after.limits else "-"
            click.echo(f"{sign} limit of {one.consumer}: {one.rate_per_second}/s, burst {one.burst} (0: as for everybody)")
        gained = sum(row.gained for row in rows)
        click.echo(f"{count(gained, 'right')} gained, {len(rows) - gained} lost" if rows else "nobody gains or loses any right")
    if rows or limits:
        click.get_current_context().exit(REFUSED)


def _row(one: "Summary") -> tuple[str, ...]:
    sign = click.style("+", fg="green") if one.gained else click.style("-", fg="red")
    purposes = "every" if one.purposes is None else ", ".join(purpose.lower() for purpose in one.purposes)
    return sign, one.consumer, one.operations, purposes, ", ".join(one.roles) or "any"
