"""`metip migrate`: from the old platform to the new one and back. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "status": ("hub.cli.migrate.showing:status", "Show where each interface stands, and what its next step still needs."),
        "plan": (
            "hub.cli.migrate.showing:plan",
            "Show the rules of each interface: rings, bars, hours, what moves together, what to know.",
        ),
        "evidence": ("hub.cli.migrate.looking:evidence", "Show what proves an interface's next step, guard by guard."),
        "history": ("hub.cli.migrate.looking:history", "List steps, those that the hub took by itself among them."),
        "report": ("hub.cli.migrate.looking:report", "Write the programme board's page on an interface: every step, with its evidence."),
    },
    "Move": {
        "step": ("hub.cli.migrate.moving:step", "Take a step forward, past its guards; now, later, or for a time."),
        "back": ("hub.cli.migrate.moving:back", "Step back, at once; without a state, to where callers are safe."),
        "pin": ("hub.cli.migrate.moving:pin", "Tie a consumer to one platform, or let it go."),
        "schedule": ("hub.cli.migrate.moving:schedule", "List steps that wait for their time, or call one off."),
    },
    "Approve": {
        "propose": ("hub.cli.migrate.signing:propose", "Sign for a step as its author, into a file for somebody else to approve."),
        "approve": ("hub.cli.migrate.signing:approve", "Approve a step that somebody else proposed."),
    },
}
"""Commands by section: where each one lives, and what `metip migrate --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip migrate status\n"
    "  metip migrate step metip.example.v1.ExampleService --to canary --percent 10 --because 'Board of 12 May' --approver lead\n"
    "  metip migrate back metip.example.v1.ExampleService --because 'Complaints of the control room'\n"
    "  metip migrate report metip.example.v1.ExampleService --html board.html\n\n"
    "A step forward needs evidence and a second person; a step back needs neither, and the hub takes one by itself when a bar is breached. "
    "docs/parallel-running.md says what each state means.",
)
def migrate() -> None:
    """Move interfaces from the old platform to the new one and back, with evidence."""
