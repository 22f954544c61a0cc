"""What operators do to the ledger, as it is itself recorded, and the seam to whoever keeps such records."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from metip.journal.blinding import Token

UNMASK: Final = "unmask"
"""The role, in the officer token, of those who may see what is personal."""
KEEPER: Final = "ledger-keeper"
"""The role of those who hand records out, erase, and put new keys in use."""


@dataclass(frozen=True)
class Person:
    """The officer or staff member who acts, as their verified token names them."""

    warrant_number: str = field(repr=False)
    force: str
    unit: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """One act of an operator."""

    name: str
    """`ledger/search` and so on."""
    operator: str
    """The operating system's user, `os://<host>/<user>`, or who signed in to the console, `sso://<issuer>/<subject>`."""
    purpose: int
    verb: int
    reason: str = field(repr=False)
    detail: str = ""
    """What was asked or done, without anything personal."""
    reference: str = field(default="", repr=False)
    person: Person | None = None
    outcome: str = "OK"
    disclosed: int = 0
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    """Of the data subject and the officer who were asked about."""


OPERATORS: Final = ("os://", "sso://")
"""How the names of operators begin."""
Recorder = Callable[[Action], Awaitable[None]]
"""Returns when the record is on disk. Raises `Fault` JOURNAL when it can't be written; nothing is to be disclosed then."""
Identify = Callable[[str], Person]
"""The person of an officer token. Raises `Fault` OFFICER_NEEDED for one that is not accepted."""
