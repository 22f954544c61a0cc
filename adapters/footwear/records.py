"""The native records of the database's web service. Codes are kept as it writes them; instants are aware, to the second.

They concern people in custody, so none shows its content in a `repr`.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Shoe:
    """A shoe and its sole; '' for what is not known. `size` is in tenths of a British size, three digits, such as `095`."""

    pattern: str = ""
    size: str = ""
    make: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Impression:
    """An impression, known by `reference`: force and station, six digits, two of the year, such as `01ZD00123426`."""

    reference: str
    version: int
    station: str
    offences: tuple[str, ...]
    shoe: Shoe
    scan: str = ""
    """D, Z or R; '' when there is none."""
    scanned_at: datetime | None = None
    status: str = ""
    """A, B or C; '' in what is submitted."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Submit:
    """Asks to hold an impression, in place of what is held of lower versions."""

    impression: Impression


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Withdraw:
    """Asks to delete what is held under a reference, and to take nothing of this or a lower version any more."""

    reference: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asker:
    """Who asks, and why."""

    user: str = ""
    force: str = ""
    reason: str = ""
    reference: str = ""
    justification: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Search:
    """Asks for impressions; '' does not bound the search."""

    asker: Asker
    pattern: str = ""
    size: str = ""
    make: str = ""
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fetch:
    """Asks for one impression."""

    asker: Asker
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Done:
    """Answers `Submit` and `Withdraw`: the version that is held, or was withdrawn, now."""

    version: int
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Found:
    """Answers `Search` and `Fetch`."""

    as_at: datetime
    more: bool
    impressions: tuple[Impression, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Refused:
    """Answers any question with a code. The words may repeat what was asked."""

    code: str
    words: str = ""


Question = Submit | Withdraw | Search | Fetch
Answer = Done | Found | Refused
