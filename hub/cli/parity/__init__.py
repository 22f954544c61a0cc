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
    "Record": {
        "record": ("hub.cli.parity.recording:record", "Keep a share of calls as one platform answered them, sealed, for a time."),
        "recordings": ("hub.cli.parity.recording:recordings", "List recordings."),
        "stop": ("hub.cli.parity.recording:stop", "End a recording before its time."),
        "erase": ("hub.cli.parity.recording:erase", "Destroy a recording's keys and content."),
        "replay": ("hub.cli.parity.replaying:replay", "Ask the other platform each recorded call, and compare."),
    },
    "Sample": {
        "sample": ("hub.cli.parity.sampling:sample", "Set the share of an operation's calls that the other platform is asked too."),
        "sampling": ("hub.cli.parity.sampling:sampling", "Show what is sampled, and what became of it."),
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
    "  metip parity accept provenance.system --operation GetExample --because 'The new platform names itself'\n"
    "  metip parity record metip.example.v1.ExampleService --for 2h --share 1% --reason 'Evidence for the board'\n"
    "  metip parity replay 20261126-0a1b2c3d --reason 'Evidence for the board'\n\n"
    "Nothing personal is shown: examples say how long a value was and from where on it differed. docs/parity.md says how to read a report.",
)
def parity() -> None:
    """Report where the old and the new platform differ; show, accept, and make cases of it."""
