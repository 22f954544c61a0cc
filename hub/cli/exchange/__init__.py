"""`metip messages`: the operator's commands for the exchange. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "subscriptions": ("hub.cli.exchange.accounts:subscriptions", "Show what each subscription was given, by state: the accounts."),
        "groups": ("hub.cli.exchange.accounts:groups", "Count what waits for a person, by cause, the largest group first."),
        "list": ("hub.cli.exchange.finding:list_", "List the deliveries that a filter finds, oldest first."),
        "find": ("hub.cli.exchange.searching:find", "Find messages by whom or what they are about, without opening any."),
        "export": ("hub.cli.exchange.finding:export", "Write the deliveries that a filter finds as JSON lines, nothing personal in them."),
        "show": ("hub.cli.exchange.following:show", "Show a message: its content, masked, and every step of every delivery."),
        "track": ("hub.cli.exchange.following:track", "Say where each delivery of a message stands."),
        "watch": ("hub.cli.exchange.following:watch", "Follow a message live until all of its deliveries are done."),
    },
    "Steer": {
        "park": ("hub.cli.exchange.deciding:park", "Hold back deliveries that are pending, until they are released."),
        "release": ("hub.cli.exchange.deciding:release", "Let deliveries that are parked, expired or in doubt be delivered again."),
        "purge": ("hub.cli.exchange.deciding:purge", "Take deliveries out for good, undelivered."),
        "settle": ("hub.cli.exchange.deciding:settle", "Settle deliveries in doubt: the far system has done it, or has not."),
        "note": ("hub.cli.exchange.noting:note", "Leave a note on a group of messages that wait for a person."),
        "pause": ("hub.cli.exchange.pausing:pause", "Stop the deliveries of one subscription; what is accepted meanwhile waits."),
        "resume": ("hub.cli.exchange.pausing:resume", "Resume the deliveries of one subscription."),
    },
    "Platforms": {
        "owner": ("hub.cli.exchange.owning:owner", "Which of several platforms delivers a message, and moving that."),
        "hand-over": (
            "hub.cli.exchange.owning:hand_over",
            "Hand a subscription over to another platform from now on; nothing is lost, nothing is doubled, nothing waits.",
        ),
    },
    "Replay": {
        "replay": ("hub.cli.exchange.replaying:replay", "Plan a replay and say what it would do; carry it out only when told to."),
        "approve": ("hub.cli.exchange.replaying:approve", "Approve a replay that somebody else planned."),
    },
    "Keep": {
        "backup": (
            "hub.cli.exchange.keeping:backup",
            "Copy everything that this hub's exchange keeps, as of one moment, while it goes on.",
        ),
    },
    "Hand over": {
        "publish": ("hub.cli.exchange.publishing:publish", "Hand over one message, or a file of them in bulk."),
    },
}
"""Commands by section: where each one lives, and what `metip messages --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip messages subscriptions                         does anything wait, and for how long?\n"
    "  metip messages groups                                what waits for a person, and why\n"
    "  metip messages list --state parked --since 2h        which messages\n"
    "  metip messages show 0197c5a0-0000-8000-8000-00000000002a\n"
    "  metip messages release --state parked --cause TIMED_OUT --reason 'The far system is back'\n\n"
    "docs/exchange.md says what the states mean and what follows from each.",
)
def messages() -> None:
    """Find, follow, steer, replay and hand over messages of the exchange.

    A message is accepted once and delivered to each subscription, `<system>:<operation>`. Names may be shortened as far as they are unique:
    the system, the operation's end, or both.
    """
