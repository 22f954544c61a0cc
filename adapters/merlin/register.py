"""Merlin's register of reports as the simulator keeps it: the rules of the real one, in memory, without any wire.

The laws: a report moves by the tables below and no other way; a risk is lowered by a supervisor only; and a report that the asker may not
see does not exist for them. So nothing here looks at a report before it has asked `_visible`, and what cannot be seen takes no part in any
count, order or refusal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from adapters.kit.population.name_index import folded
from adapters.kit.values import Parts as Day
from adapters.merlin import codes, records

OPEN, LOCATED, DEBRIEFED, CLOSED = codes.STATUSES
MISSING, CHILD, ADULT = codes.TYPES


class Step(Enum):
    """What may be done about a report beside looking at its risk."""

    LOCATE = "locate"
    DEBRIEF = "debrief"
    CLOSE = "close"


EPISODE: Mapping[tuple[str, Step], str | None] = {
    (OPEN, Step.LOCATE): LOCATED,
    (OPEN, Step.DEBRIEF): None,
    (OPEN, Step.CLOSE): None,
    (LOCATED, Step.LOCATE): None,
    (LOCATED, Step.DEBRIEF): DEBRIEFED,
    (LOCATED, Step.CLOSE): None,
    (DEBRIEFED, Step.LOCATE): None,
    (DEBRIEFED, Step.DEBRIEF): None,
    (DEBRIEFED, Step.CLOSE): CLOSED,
    (CLOSED, Step.LOCATE): None,
    (CLOSED, Step.DEBRIEF): None,
    (CLOSED, Step.CLOSE): None,
}
"""Where a missing episode goes from each status by each step; None refuses the step (assumed)."""
NOTICE: Mapping[tuple[str, Step], str | None] = {
    **EPISODE,
    (OPEN, Step.CLOSE): CLOSED,
    (LOCATED, Step.CLOSE): CLOSED,
}
"""The same for a child or an adult who came to notice: nobody has to be found or heard before the end (assumed)."""

REVIEW_AFTER: Mapping[str, timedelta] = {
    "HGH": timedelta(hours=12),
    "MED": timedelta(hours=24),
    "LOW": timedelta(hours=24),
    "NON": timedelta(hours=24),
}
"""How long an assessment of the risk of somebody missing holds (assumed)."""
RISING = tuple(codes.RISKS)
RESTRICTED_UNITS = frozenset({"PPU"})
"""Units whose members see restricted reports: public protection (assumed)."""
FIRST_SERIAL = 800_000
"""New references count from here: about 260,000 reports a year (assumed) leave these to nobody real."""

_Names = tuple[tuple[str, tuple[str, ...]], ...]
"""Somebody's names, each surname with its forenames, folded for comparison."""


@dataclass
class Refusal(Exception):
    """What Merlin says instead of an answer; `words` are for its own users, so they name people."""

    code: str
    words: str
    reference: str = ""
    own: bool = False
    """Whether Merlin calls it its own fault rather than the asker's."""


@dataclass(slots=True)
class _Entry:
    """A report, and everybody in it by folded names: surname first, then forenames."""

    report: records.Report
    people: tuple[tuple[records.Linked, _Names], ...]


class Register:
    """All reports, from those held at the start on."""

    def __init__(self, held: Iterable[records.Report]) -> None:
        self._entries = {report.summary.reference: _entry(report) for report in held}
        self._submissions: dict[str, tuple[records.Raise, str]] = {}
        self._serial = FIRST_SERIAL

    def find(self, criteria: records.Find, asker: records.Asker) -> tuple[tuple[records.Summary, ...], bool]:
        """Summaries, one for each person who fits in each report, open ones and late ones first; and whether there are more."""
        surname, given = folded(criteria.surname), tuple(map(folded, criteria.forenames.split()))
        fit = [
            replace(entry.report.summary, person=linked.person, role=linked.role)
            for entry in self._entries.values()
            if _visible(entry.report, asker) and _wanted(entry.report.summary, criteria)
            for linked, names in entry.people
            if _named(names, surname, given) and _born(linked.person.born, criteria.born)
        ]
        fit.sort(key=lambda one: (one.status == CLOSED, -_seconds(one.created), one.reference))
        return tuple(fit[: criteria.most]), len(fit) > criteria.most

    def fetch(self, reference: str, asker: records.Asker) -> records.Report:
        """One report. Raises `Refusal` REFERENCE_UNKNOWN."""
        return self._get(reference, asker).report

    def submit(self, submission: records.Raise, asker: records.Asker, now: datetime, *, outbox_full: bool) -> records.Report:
        """Raises a report, or gives the one that this submission raised before.

        Raises `Refusal` SUBMISSION_USED, NO_LEGAL_BASIS, EPISODE_OPEN, OUTBOX_FULL; nothing is raised then.
        """
        before = self._submissions.get(submission.submission)
        if before is not None:
            if before[0] != submission:
                raise Refusal(codes.SUBMISSION_USED, "The submission was used before.")
            return self._entries[before[1]].report
        _check_sharing(submission.sharing)
        if submission.type == MISSING:
            self._check_not_missing(submission.subject, asker)
        if submission.sharing and outbox_full:
            raise Refusal(codes.OUTBOX_FULL, "The outbox for partners is full.", own=True)
        self._serial += 1
        reference = f"{now.year % 100:02d}{submission.type}{self._serial:06d}"
        report = _raised(submission, reference, now)
        self._entries[reference] = _entry(report)
        self._submissions[submission.submission] = (submission, reference)
        return report

    def amend(self, change: records.Amend, asker: records.Asker, now: datetime) -> records.Report:
        """Changes a report. Raises `Refusal` REFERENCE_UNKNOWN, STEP_NOT_ALLOWED, RISK_DOWNGRADE."""
        entry = self._get(change.reference, asker)
        if change.assessment:
            entry.report = _assessed(entry.report, change.assessment, asker, now)
        else:
            entry.report = _moved(entry.report, change)
        return entry.report

    def _get(self, reference: str, asker: records.Asker) -> _Entry:
        entry = self._entries.get(reference)
        if entry is None or not _visible(entry.report, asker):
            raise Refusal(codes.REFERENCE_UNKNOWN, "There is no such report.")
        return entry

    def _check_not_missing(self, subject: records.Person, asker: records.Asker) -> None:
        for entry in self._entries.values():
            found = entry.report.summary
            if found.type == MISSING and found.status == OPEN and _visible(entry.report, asker) and _same(found.person, subject):
                words = f"{found.person.name.surname}, {found.person.name.first} is already reported missing."
                raise Refusal(codes.EPISODE_OPEN, words, found.reference)


def overdue(report: records.Report, now: datetime) -> bool:
    """Whether the risk should have been looked at again by now."""
    return report.review_due is not None and report.review_due < now


def review_due(report_type: str, status: str, risk: str, assessed: datetime) -> datetime | None:
    """When a risk assessed at that instant must be looked at again; None when the person is not missing."""
    return assessed + REVIEW_AFTER[risk] if report_type == MISSING and status == OPEN else None


def _entry(report: records.Report) -> _Entry:
    everybody = (records.Linked(role=report.summary.role, person=report.summary.person), *report.people)
    return _Entry(report, tuple((linked, _folded_names(linked.person)) for linked in everybody))


def _folded_names(person: records.Person) -> _Names:
    return tuple(
        (folded(name.surname), tuple(map(folded, (name.first, name.second, name.third)))) for name in (person.name, *person.aliases)
    )


def _visible(report: records.Report, asker: records.Asker) -> bool:
    return not report.summary.restricted or asker.unit in RESTRICTED_UNITS


def _wanted(summary: records.Summary, criteria: records.Find) -> bool:
    return criteria.type in ("", summary.type) and not (criteria.open_only and summary.status == CLOSED)


def _named(names: _Names, surname: str, given: tuple[str, ...]) -> bool:
    """Whether one of somebody's names begins as asked: the surname, and for each forename asked some forename."""
    return any(
        family.startswith(surname) and all(any(name.startswith(start) for name in forenames) for start in given)
        for family, forenames in names
    )


def _born(known: Day, asked: Day) -> bool:
    """Whether a date of birth may be the one asked for: a part that either leaves open does not tell them apart."""
    return all(not mine or not theirs or mine == theirs for mine, theirs in zip(known, asked, strict=True))


def _same(one: records.Person, other: records.Person) -> bool:
    """Whether two descriptions mean one person: the same PNC id, or the same name and date of birth."""
    if one.pnc_id and one.pnc_id == other.pnc_id:
        return True
    same_name = folded(one.name.surname) == folded(other.name.surname) and folded(one.name.first) == folded(other.name.first)
    return same_name and all(one.born) and one.born == other.born


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _check_sharing(sharing: records.Sharing | None) -> None:
    if sharing and (sharing.basis not in codes.BASES or (sharing.basis == "CNS" and not sharing.consent)):
        raise Refusal(codes.NO_LEGAL_BASIS, "Sharing needs a legal basis, and consent must be recorded where it is the basis.")


def _raised(submission: records.Raise, reference: str, now: datetime) -> records.Report:
    level = submission.assessment.level
    return records.Report(
        summary=records.Summary(
            reference=reference,
            type=submission.type,
            status=OPEN,
            risk=level,
            role="SUB",
            created=now,
            last_seen=submission.missing.seen if submission.missing else None,
            person=submission.subject,
            line=submission.summary,
        ),
        review_due=review_due(submission.type, OPEN, level, now),
        missing=submission.missing,
        child=submission.child,
        adult=submission.adult,
        people=submission.people,
        assessments=(replace(submission.assessment, at=now),),
        sharing=submission.sharing,
    )


def _assessed(report: records.Report, found: records.Assessment, asker: records.Asker, now: datetime) -> records.Report:
    summary = report.summary
    if summary.status == CLOSED:
        raise Refusal(codes.STEP_NOT_ALLOWED, f"The report on {summary.person.name.surname} is closed.")
    lowered = RISING.index(found.level) < RISING.index(summary.risk)
    if lowered and found.supervisor in ("", asker.warrant):
        raise Refusal(codes.RISK_DOWNGRADE, f"Lowering the risk of {summary.person.name.surname} needs a supervisor.")
    return replace(
        report,
        summary=replace(summary, risk=found.level),
        assessments=(replace(found, at=now), *report.assessments),
        review_due=review_due(summary.type, summary.status, found.level, now),
    )


def _moved(report: records.Report, change: records.Amend) -> records.Report:
    step = Step.LOCATE if change.located else Step.DEBRIEF if change.debriefed else Step.CLOSE
    summary = report.summary
    status = (EPISODE if summary.type == MISSING else NOTICE)[summary.status, step]
    if status is None:
        raise Refusal(codes.STEP_NOT_ALLOWED, f"The report on {summary.person.name.surname} is {summary.status}.")
    return replace(
        report,
        summary=replace(summary, status=status),
        review_due=None,
        located=change.located or report.located,
        debriefed=change.debriefed or report.debriefed,
        closed=change.closed or report.closed,
    )
