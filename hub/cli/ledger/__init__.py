"""`metip ledger`: who looked at whom. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "status": ("hub.cli.ledger.status:status", "Show how large and how far signed the ledger is, and how each journal is gathered."),
        "search": ("hub.cli.ledger.finding:search", "Find records by subject, person, consumer, operation, purpose, time, reference."),
        "show": ("hub.cli.ledger.finding:show", "Show one record, masked; unmasked only to an officer with the role."),
    },
    "Answer": {
        "report": ("hub.cli.ledger.reporting:report", "Report who consulted data on a subject, or how interfaces were used."),
        "export": ("hub.cli.ledger.exporting:export", "Write records with their proofs as a signed bundle for a case."),
    },
    "Prove": {
        "verify": ("hub.cli.ledger.verifying:verify", "Verify the ledger, a copy of it, a bundle or a proof; name the first bad record."),
        "prove": ("hub.cli.ledger.proving:prove", "Prove that one record is in the ledger as it was first written."),
        "witness": ("hub.cli.ledger.witnessing:witness", "Run the witness, which cosigns only what was never put back."),
    },
    "Keep": {
        "erase": ("hub.cli.ledger.keeping:erase", "Erase what is personal in records whose time is over; the ledger still verifies."),
        "rotate-key": ("hub.cli.ledger.keeping:rotate_key", "Put a new index, sealing or signing key in use."),
    },
}
"""Commands by section: where each one lives, and what `metip ledger --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip ledger status\n"
    "  metip ledger search --by vrm --since 30d --reason 'Complaint 17'          asks for the number itself\n"
    "  metip ledger search --subject-file - --reason 'Complaint 17' < subject.txt\n"
    "  metip ledger show 41 --reason 'Complaint 17'\n\n"
    "An identifier of a person is never an argument: every user of a machine can read those. Each question is recorded with its reason "
    "before it is answered. docs/ledger.md says what is kept of whom.",
)
def ledger() -> None:
    """Find, show, report, hand out and erase records of who looked at whom."""
