"""What is in the files of the learning partner and in ours. A class is a kind of file, its fields are the columns (all assumed)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One thing that happened to one learner."""

    learner_id: str
    sequence: int
    recorded: date
    cohort: str
    kind: str
    """M module, A attendance, P portfolio, W withdrawal."""
    uln: str = ""
    module: str = ""
    attempt: int | None = None
    mark: int | None = None
    outcome: str = ""
    credits: int | None = None
    starts: date | None = None
    ends: date | None = None
    attendance: int | None = None
    portfolio: str = ""
    patrol: date | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What both sides tell of a learner."""

    learner_id: str
    cohort: str
    route: str
    surname: str
    forenames: str = ""
    warrant_number: str = ""
    uln: str = ""
    university: str = ""
    programme_code: str = ""
    apprenticeship_levy_id: str = ""
    reasonable_adjustments: bool = False


@dataclass(frozen=True, kw_only=True)
class Enrolled(Learner):
    """A learner as the nightly roster has them."""

    starts: date | None = None
    ends: date | None = None
    modules: str = ""
    """`MODULE/ATTEMPT/MARK/OUTCOME/CREDITS` parted by semicolons; mark and credits may be empty."""
    credits: int | None = None
    attendance: int | None = None
    portfolio: str = ""
    patrol: date | None = None
    left: date | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Enrolment(Learner):
    """One version of an enrolment, as the partner is told of it; `reference` is the exchange's message id. Its dates are
    `yyyy-mm-dd`, with zeros for what is unknown."""

    reference: str
    version: int
    change: str
    born: str = ""
    starts: str = ""
    ends: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one file: a row of the partner's statement of a day, and with what it stated, of our report."""

    file: str
    rows: int | None = None
    accepted: int = 0
    repeated: int = 0
    rejected: int = 0
    unknown_codes: int = 0
    stated: int | None = None
    difference: str = ""
