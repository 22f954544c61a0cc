"""Merlin behind the bus: the population's episodes as reports, found, given, raised and changed; in memory, the same at every start.

A report that the asker may not see does not exist for them. Days and instants have years of two digits here, and only here.
"""

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.kit.population import Episode, EpisodeKind, EpisodeStatus, Person, Population
from adapters.kit.population.name_index import folded
from adapters.metip1.simulated import printing
from adapters.metip1.simulated.printing import Refused, cut, in_parts, named, said, short_day, short_moment, word, yes
from adapters.metip1.wire import Record

MOST: Final = 50
RESTRICTED_UNITS: Final = ("PPU",)
FIRST_SERIAL: Final = 900_000
RISING: Final = ("NONE_APPARENT", "LOW", "MEDIUM", "HIGH")
REVIEWED_AFTER: Final = {"HIGH": timedelta(hours=12)}
KINDS: Final[Mapping[str, tuple[str, str]]] = {"PAC": ("PAC", "PAC"), "MIS": ("MISPER", "MIS"), "ACN": ("ACN", "ACN")}
"""By the population's kind: the word of the type, and what stands in the reference."""
SHARED: Final[Mapping[EpisodeKind, tuple[str, str]]] = {
    EpisodeKind.PAC: ("CHILDRENS_SOCIAL_CARE", "CHILD_SAFEGUARDING"),
    EpisodeKind.ACN: ("ADULT_SOCIAL_CARE", "ADULT_SAFEGUARDING"),
}
DETAILS: Final[Mapping[str, str]] = {"MissingPerson": "MIS", "Child": "PAC", "Adult": "ACN"}
STEPS: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "Located": ("LOCATED", ("OPEN",), ("OPEN",)),
    "Debriefed": ("DEBRIEFED", ("LOCATED",), ("LOCATED",)),
    "Closed": ("CLOSED", ("DEBRIEFED",), ("OPEN", "LOCATED", "DEBRIEFED")),
}
"""By the element of a change: the status after it, and from which a missing person's report and any other may get there."""


class Episodes:
    """All reports by reference."""

    def __init__(self, population: Population, clock: Callable[[], datetime]) -> None:
        self._population, self._clock = population, clock
        self._reports = {episode.reference: self._report(episode, clock()) for episode in population.episodes()}
        self._before = copy.deepcopy(self._reports)
        self._submissions: dict[str, tuple[Record, str]] = {}

    def find(self, asked: Record, asker: Record, stale_days: int) -> Record:
        """Summaries, one for each person who fits in each report, open ones and late ones first."""
        reports = [one for one in (self._before if stale_days else self._reports).values() if _open_to(one, asker)]
        fit = [hit for one in reports if _wanted(one["Summary"], asked) for hit in _hits(one, asked)]
        fit.sort(key=lambda hit: hit["MerlinRef"])
        fit.sort(key=lambda hit: _order(hit["Created"]), reverse=True)
        fit.sort(key=lambda hit: hit["Status"].strip() == "CLOSED")
        if not fit:
            raise Refused("MB1101", f"NO REPORT ON {asked['Surname']}")
        limit = printing.most(asked, MOST, MOST)
        return {"Report": fit[:limit], "AnswerInfo": self._info(len(fit) > limit)}

    def get(self, asked: Record, asker: Record, stale_days: int) -> Record:
        """One report in full."""
        return {
            "Report": copy.deepcopy(self._seen(asked, asker, self._before if stale_days else self._reports)),
            "AnswerInfo": self._info(),
        }

    def submit(self, asked: Record, asker: Record) -> Record:
        """Raises a report; the same submission again gives the first reference."""
        key, before = asked["SubmissionId"], self._submissions.get(asked["SubmissionId"])
        if before is not None and before[0] != asked:
            raise Refused("MB1001", "THE SUBMISSION WAS USED BEFORE")
        reference = before[1] if before else self._raised(cut(asked))
        self._submissions[key] = (asked, reference)
        report = self._reports[reference]
        return said(MerlinRef=reference, Created=report["Summary"]["Created"], ReviewDue=report.get("ReviewDue"), AnswerInfo=self._info())

    def update(self, asked: Record, asker: Record) -> Record:
        """Changes a report."""
        report = self._seen(asked, asker, self._reports)
        summary, change = report["Summary"], cut({key: value for key, value in asked.items() if key != "MerlinRef"})
        status = summary["Status"].strip()
        if "Risk" in change:
            self._assess(report, change["Risk"], status, asker)
        else:
            (step,) = change
            after, missing, other = STEPS[step]
            if status not in (missing if summary["Type"].strip() == "MISPER" else other):
                raise Refused("MB1201", f"{summary['MerlinRef']} IS {status}")
            summary["Status"] = word(after)
            report[step] = change[step]
            report.pop("ReviewDue", None)
        return said(Status=summary["Status"], Risk=summary["Risk"], ReviewDue=report.get("ReviewDue"), AnswerInfo=self._info())

    def _assess(self, report: Record, found: Record, status: str, asker: Record) -> None:
        summary = report["Summary"]
        if status == "CLOSED":
            raise Refused("MB1201", f"{summary['MerlinRef']} IS CLOSED")
        lowered = RISING.index(found["Level"].strip()) < RISING.index(summary["Risk"].strip())
        if lowered and found.get("Supervisor", "") in ("", asker.get("UserId", "")):
            raise Refused("MB1201", "LOWERING A RISK NEEDS A SUPERVISOR")
        now = self._clock()
        summary["Risk"] = found["Level"]
        report["Assessment"] = [found | {"Assessed": short_moment(now)}, *report.get("Assessment", ())]
        if due := _due(summary["Type"], status, found["Level"], now):
            report["ReviewDue"] = short_moment(due)

    def _raised(self, asked: Record) -> str:
        sharing = asked.get("Sharing", {})
        basis = sharing.get("Basis", "").strip()
        if sharing and (not basis or (basis == "CONSENT" and sharing.get("ConsentGiven") != "Y")):
            raise Refused("MB1201", "SHARING NEEDS A LEGAL BASIS")
        details = next(one for one in DETAILS if one in asked)
        if details == "MissingPerson":
            self._check_not_missing(asked["Subject"])
        now, level = self._clock(), asked["Risk"]["Level"]
        kind, letters = KINDS[DETAILS[details]]
        reference = f"{printing.local(now):%y}{letters}{FIRST_SERIAL + len(self._submissions) + 1:06d}"
        due = _due(kind, "OPEN", level, now)
        self._reports[reference] = said(
            Summary=said(
                MerlinRef=reference,
                Type=word(kind),
                Status=word("OPEN"),
                Risk=level,
                Person=asked["Subject"],
                Role=word("SUBJECT"),
                Summary=asked["Summary"],
                Created=short_moment(now),
                LastSeen=asked.get("MissingPerson", {}).get("LastSeen"),
                Restricted="N",
            ),
            **{key: asked[key] for key in (details, "Linked", "Sharing") if key in asked},
            Assessment=[asked["Risk"] | {"Assessed": short_moment(now)}],
            ReviewDue=short_moment(due) if due else "",
        )
        return reference

    def _check_not_missing(self, subject: Record) -> None:
        for report in self._reports.values():
            summary = report["Summary"]
            same = all(summary["Person"].get(key) == subject.get(key) for key in ("DOB", "Name"))
            if same and (summary["Type"].strip(), summary["Status"].strip()) == ("MISPER", "OPEN"):
                raise Refused("MB1204", f"{subject['Name'].get('Surname', '')} IS MISSING ALREADY")

    def _seen(self, asked: Record, asker: Record, reports: Mapping[str, Record]) -> Record:
        report = reports.get(asked["MerlinRef"])
        if report is None or not _open_to(report, asker):
            raise Refused("MB1101", f"NO REPORT {asked['MerlinRef']}")
        return report

    def _info(self, more: bool = False) -> Record:
        return {"AsOf": short_moment(self._clock()), "MoreRecords": yes(more)}

    # The population's episodes

    def _report(self, episode: Episode, now: datetime) -> Record:
        subject, (kind, _) = self._population.person(episode.subject_number), KINDS[str(episode.kind)]
        missing = episode.kind is EpisodeKind.MIS
        heard = missing and episode.status in (EpisodeStatus.DEBRIEFED, EpisodeStatus.CLOSED)
        due = _due(kind, str(episode.status), str(episode.risk), episode.created_at)
        if due is not None and due < now:
            every = due - episode.created_at
            due += ((now - due) // every + 1) * every
        home = self._population.address(subject.address_number)
        seen = {"LastSeen": short_moment(episode.last_seen_at), "LastSeenPlace": f"{home.street}, {home.town}"}
        partner, basis = SHARED.get(episode.kind, ("", ""))
        concerns = [word(one.upper()) for one in episode.concerns]
        return said(
            Summary=said(
                MerlinRef=episode.reference,
                Type=word(kind),
                Status=word(str(episode.status)),
                Risk=word(str(episode.risk)),
                Person=self._person(subject),
                Role=word("SUBJECT"),
                Summary=episode.circumstances,
                Created=short_moment(episode.created_at),
                LastSeen=short_moment(episode.last_seen_at),
                Restricted=yes(episode.restricted),
            ),
            MissingPerson=said(**seen, Circumstances=episode.circumstances) if missing else None,
            Child=said(Circumstances=episode.circumstances, Concern=concerns, School=subject.school)
            if episode.kind is EpisodeKind.PAC
            else None,
            Adult=said(Circumstances=episode.circumstances) if episode.kind is EpisodeKind.ACN else None,
            Linked=self._guardian(subject),
            Assessment=[{"Level": word(str(episode.risk)), "Rationale": "First assessment.", "Assessed": short_moment(episode.created_at)}],
            ReviewDue=short_moment(due),
            Sharing={"Partner": [word(partner)], "Basis": word(basis), "ConsentGiven": "N"} if partner else None,
            Located={"Found": short_moment(episode.found_at), "FoundBy": "police"} if episode.found_at else None,
            Debriefed={"Account": "Stayed with a friend.", "ReturnInterviewOffered": "Y"} if heard else None,
            Closed={"Reason": "Nothing more for the police to do."} if episode.status is EpisodeStatus.CLOSED else None,
        )

    def _guardian(self, subject: Person) -> list[Record]:
        if not subject.guardian_number:
            return []
        return [{"Person": self._person(self._population.person(subject.guardian_number)), "Role": word("GUARDIAN")}]

    def _person(self, person: Person) -> Record:
        home = self._population.address(person.address_number)
        return said(
            Name=named(person.surname, person.forenames),
            DOB=short_day(person.date_of_birth),
            Sex=person.sex,
            ICCode=str(person.observed_ethnicity or ""),
            SDECode=person.self_defined_ethnicity,
            HeightCM=str(person.height_cm),
            PNCID=person.pnc_id,
            CRONumber=person.cro,
            Alias=[named(one.surname, one.forenames) for one in person.aliases],
            Address=[in_parts(home, str(home.flat or ""))],
        )


def _due(kind: str, status: str, risk: str, assessed: datetime) -> datetime | None:
    """When the risk of somebody missing must be looked at again."""
    if (kind.strip(), status) != ("MISPER", "OPEN"):
        return None
    return assessed + REVIEWED_AFTER.get(risk.strip(), timedelta(hours=24))


def _open_to(report: Record, asker: Record) -> bool:
    return report["Summary"]["Restricted"] == "N" or asker.get("Unit") in RESTRICTED_UNITS


def _wanted(summary: Record, asked: Record) -> bool:
    kind = asked.get("Type", "").strip()
    return kind in ("", summary["Type"].strip()) and not (asked.get("OpenOnly") == "Y" and summary["Status"].strip() == "CLOSED")


def _hits(report: Record, asked: Record) -> list[Record]:
    summary = report["Summary"]
    everybody = [(summary["Person"], summary["Role"]), *((one["Person"], one["Role"]) for one in report.get("Linked", ()))]
    return [copy.deepcopy(summary) | {"Person": copy.deepcopy(one), "Role": role} for one, role in everybody if _fits(one, asked)]


def _fits(person: Record, asked: Record) -> bool:
    surname, given = folded(asked["Surname"][: printing.LETTERS]), [folded(one) for one in asked.get("Forename", "").split()]
    bounds, born = printing.bounds(asked.get("DOB", ""), short=True), printing.bounds(person.get("DOB", ""), short=True)
    if bounds and born and not (bounds[0] <= born[1] and born[0] <= bounds[1]):
        return False
    names: list[Any] = [person["Name"], *person.get("Alias", ())]
    return any(
        folded(one.get("Surname", "")).startswith(surname)
        and all(any(folded(each).startswith(start) for each in one.get("Forename", ())) for start in given)
        for one in names
    )


def _order(text: str) -> str:
    return f"{text[6:8]}{text[3:5]}{text[:2]}{text[8:]}"
