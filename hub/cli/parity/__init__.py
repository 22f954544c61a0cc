"""`metip parity`: where the old and the new platform differ. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "report": ("hub.cli.parity.reporting:report", "Report how far the platforms agree on an interface, field by field."),
        "show": ("hub.cli.parity.showing:show", "Show one field closer by, with masked examples."),
        "list": ("hub.cli.parity.deciding:listing", "List what was compared, and the differences that were accepted."),
    },
    "Decide": {
        "accept": ("hub.cli.parity.deciding:accept", "Accept how a field differs, with a reason; it is recorded."),
        "withdraw": ("hub.cli.parity.deciding:withdraw", "Take an acceptance back."),
        "case": ("hub.cli.parity.casework:case", "Make a case file of a difference, so that it is tested from now on."),
    },
}
"""Commands by section: where each one lives, and what `metip parity --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip parity report metip.example.v1.ExampleService\n"
    "  metip parity report metip.example.v1 --since 7d --html board.html\n"
    "  metip parity show 'examples[].name.family_name' --operation GetExample\n"
    "  metip parity accept provenance.system --operation GetExample --because 'The new platform names itself'\n\n"
    "Nothing personal is shown: examples say how long a value was and from where on it differed. docs/parity.md says how to read a report.",
)
def parity() -> None:
    """Report where the old and the new platform differ; show, accept, and make cases of it."""
