"""`metip access`: commands for the access policy. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "check": ("hub.cli.access.checking:check", "Check a policy; name each problem and its place."),
        "explain": (
            "hub.cli.access.explaining:explain",
            "May this consumer call this operation; which grant says so, or what is missing?",
        ),
        "diff": ("hub.cli.access.comparing:diff", "Show what anybody would gain or lose by another policy."),
    },
    "Approve": {
        "propose": ("hub.cli.access.approving:propose", "Sign for the policy in the home as its author."),
        "approve": ("hub.cli.access.approving:approve", "Approve a policy that somebody else proposed; the hub then puts it in force."),
    },
}
"""Commands by section: where each one lives, and what `metip access --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip access check new.yaml\n"
    "  metip access explain --consumer consumer/tablet --operation GetExample --role response --purpose street_stop\n"
    "  metip access diff new.yaml                        against what the hub has in force\n"
    "  metip access diff new.yaml --against old.yaml --json\n\n"
    "Exit status: 0 yes, or nothing differs; 3 refused, or something differs; 1 something is wrong; 2 not understood.",
)
def access() -> None:
    """Check, explain, compare and approve access policies.

    The policy is one file, access.yaml in the home: consumers, operations, purposes, roles. The hub puts each change in force; where its
    settings demand it, only with the approval of a second person.
    """
