"""Who answers for an interface or a back end, and under which assessment: what both must say."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from metip.contracts.model import Fault
from metip.options.v1 import options_pb2 as options


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


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
