"""Who answers for an interface or a back end, and under which assessment: what both must say."""

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

from metip.contracts.model import Contracts, Fault, Review
from metip.options.v1 import options_pb2 as options

WARNED_AHEAD: Final = 60
"""Days before an assessment's review date from which it is warned of."""


def faults(name: str, said: options.Interface | options.BackEnd, option: Literal["interface", "back_end"], today: date) -> Iterator[Fault]:
    """What is missing or overdue. `today` decides which assessments are overdue."""
    if not said.owner.strip():
        yield Fault(name, "names no owner", f'Add owner: "…" to its {option} option')
    if not said.dpia.reference.strip():
        yield Fault(name, "has no DPIA reference", f'Add dpia: {{reference: "…"}} to its {option} option')
    review = _date(said.dpia.review_by)
    if review is None:
        yield Fault(name, "has no date by which its DPIA is reviewed", f'Add dpia: {{review_by: "YYYY-MM-DD"}} to its {option} option')
    elif review < today:
        yield Fault(name, f"has a DPIA whose review was due on {review}", "Have it reviewed, then move dpia.review_by")


def reviews_due(contracts: Contracts, today: date, *, within: int = WARNED_AHEAD) -> tuple[Review, ...]:
    """Assessments that are to be reviewed within so many days, the most urgent first; overdue ones of what loaded on an earlier day too."""
    answered = [(one.name, one.dpia) for one in contracts.interfaces]
    answered += [(f"metip.{one.system}.v1 back_end", one.dpia) for one in contracts.back_ends]
    found = [Review(dpia.review_by, name, dpia.reference, (dpia.review_by - today).days) for name, dpia in answered]
    return tuple(sorted(one for one in found if one.days <= within))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
