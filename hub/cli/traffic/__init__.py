"""`metip traffic`: where calls go, and what happens to them on the way. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "show": ("hub.cli.traffic.showing:show", "Show what is in force, who said so, and what was set by hand in Envoy."),
        "history": ("hub.cli.traffic.showing:history", "List changes, newest first, with what they changed and why."),
        "preview": ("hub.cli.traffic.undoing:preview", "Say what any of these commands would do, and do nothing."),
    },
    "Move": {
        "shift": ("hub.cli.traffic.shifting:shift", "Share calls among the systems behind an interface, or versions of an adapter."),
        "pin": ("hub.cli.traffic.shifting:pin", "Send one consumer's calls to one system, whatever the shares."),
        "mirror": ("hub.cli.traffic.shifting:mirror", "Ask a share of queries of the other platform too, to compare."),
    },
    "Bound": {
        "limit": ("hub.cli.traffic.bounding:limit", "Bound how often an interface is called, by one consumer or by all."),
        "breaker": ("hub.cli.traffic.bounding:breaker", "Bound how much a system is asked at once, and when an instance is left alone."),
        "fault": ("hub.cli.traffic.bounding:fault", "Hold calls back, or end them, on purpose."),
    },
    "Rest": {
        "maintain": ("hub.cli.traffic.resting:maintain", "Let Envoy answer in place of a system, with a text for whoever calls."),
        "drain": ("hub.cli.traffic.resting:drain", "Give a system or an instance no new call; wait for those in progress."),
        "pause": ("hub.cli.traffic.resting:pause", "Stop the deliveries of a subscription."),
        "resume": ("hub.cli.traffic.resting:resume", "End maintenance, drains and pauses of a target."),
    },
    "Go back": {
        "undo": ("hub.cli.traffic.undoing:undo", "Put back what a change changed."),
        "adopt": ("hub.cli.traffic.undoing:adopt", "Take weights that were set by hand in Envoy into the settings."),
        "reset": ("hub.cli.traffic.undoing:reset", "Take back what was set by hand in Envoy."),
    },
}
"""Commands by section: where each one lives, and what `metip traffic --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip traffic show\n"
    "  metip traffic shift ExampleService example=95 other=5 --because CHG-17 --for 30m\n"
    "  metip traffic preview pin ExampleService consumer/tablet other\n"
    "  metip traffic maintain ExampleService 'Back at 14:00' --because CHG-18\n"
    "  metip traffic undo 12 --because 'CHG-17 is over'\n\n"
    "Each change is recorded in the ledger before it is in force, is answered when Envoy carries it out, and names the command that undoes "
    "it. docs/traffic.md says how changes, the file traffic.yaml and Envoy's own runtime go together.",
)
def traffic() -> None:
    """Show and change where calls go: weights, pins, faults, limits, maintenance, drains."""
