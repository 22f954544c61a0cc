"""What the comparisons of an interface say: figures for a guard, a report and a programme board."""

from dataclasses import dataclass
from enum import Enum


class Finding(Enum):
    """What is made of one field's differences."""

    NOISE = "NOISE"
    """No more than the primary differs from itself."""
    UNPROVED = "UNPROVED"
    """Seen, but too rarely to be told from noise yet."""
    FINDING = "FINDING"
    """Significantly more than noise: somebody must look at it."""
    ACCEPTED = "ACCEPTED"
    """A finding that somebody accepted, with a reason."""


@dataclass(frozen=True, slots=True)
class FieldVerdict:
    """What is said of one field of one operation's answers.

    `field` is a path such as `persons[].name.family_name`, or `(status)` for the outcome. `kinds` counts pairs by kind of difference.
    `rate` is `differing / compared`, and `lower` and `upper` its 95 % Wilson bounds; `noise_rate` is the same of the primary with itself.
    `confidence` is one less the probability that noise alone differs as often (0 to 1). `hints` guess at causes, the most frequent first.
    Instants are in seconds since 1970.
    """

    operation: str
    field: str
    finding: Finding
    kinds: dict[str, int]
    compared: int
    differing: int
    rate: float
    lower: float
    upper: float
    noise_compared: int
    noise_differing: int
    noise_rate: float
    confidence: float
    first_seen: float
    last_seen: float
    hints: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The comparisons of one interface since an instant.

    `differing` counts comparisons with a difference that is neither noise nor accepted; `parity` is `1 - differing / compared` (0 without a
    comparison), `lower` its 95 % Wilson lower bound. `fields` has every field that ever differed, findings first. Errors are calls that one
    answered with another status than OK and NOT_FOUND; `p99` in milliseconds, 0 without calls.
    """

    interface: str
    since: float
    compared: int
    differing: int
    parity: float
    lower: float
    fields: tuple[FieldVerdict, ...]
    primary_errors: int
    shadow_errors: int
    primary_p99_ms: float
    shadow_p99_ms: float
