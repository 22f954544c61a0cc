"""`metip parity`: whether the old and the new platform answer alike. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
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
}
"""Commands by section: where each one lives, and what `metip parity --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip parity record metip.example.v1.ExampleService --for 2h --share 1% --reason 'Evidence for the board'\n"
    "  metip parity replay 20261126-0a1b2c3d --reason 'Evidence for the board'\n"
    "  metip parity sampling",
)
def parity() -> None:
    """Compare what the old and the new platform answer."""
