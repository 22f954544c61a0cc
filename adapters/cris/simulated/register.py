"""The reports that the simulated CRIS holds and changes. Nothing outlives the process.

The law: whether somebody may see a report is asked before anything else about it, and the refusal is the same for a report that is not
there (`_seen`); a search passes over what its asker may not see before it counts.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from adapters.cris import records
from adapters.cris.codes import MOST_DETS, MOST_HITS, Code, Problem, Status
from adapters.cris.records import Day
from adapters.cris.simulated import originals, rules
from adapters.cris.simulated.rules import Refusal
from adapters.kit.population import Population
from adapters.kit.population.reserved import crime_reference


@dataclass(frozen=True, slots=True)
class _Submission:
    """What came under a client reference, who sent it, and the number it got."""

    sheet: records.Sheet
    warrant_no: str
    crime_no: str


class Register:
    """All reports by number, and by the family names in them."""

    def __init__(self, population: Population, clock: Callable[[], datetime]) -> None:
        self._scale = population.scale
        self._clock = clock
        self._reports: dict[str, records.Report] = {}
        self._named: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._submissions: dict[str, _Submission] = {}
        for crime in population.crimes():
            self._keep(originals.report_of(population, crime))

    def search(self, asked: records.Search) -> records.Found:
        """Reports that fit, latest crimes first, at most `maximum` and never more than 200."""
        rules.check_search(asked)
        numbers = self._named.get(_folded(asked.family_name), {}) if asked.family_name else self._reports
        reports = (self._reports[number] for number in numbers)
        hits = [hit for report in reports if _open_to(report, asked.requestor) for hit in _hits(report, asked)]
        hits.sort(key=lambda hit: (hit.committed_from, hit.crime_no), reverse=True)
        most = min(asked.maximum, MOST_HITS)
        return records.Found(as_at=self._clock(), more=len(hits) > most, hits=tuple(hits[:most]))

    def get(self, asked: records.Get) -> records.Given:
        """One report with its latest entries."""
        report = self._seen(asked.crime_no, asked.requestor)
        latest = replace(report, dets=report.dets[-MOST_DETS:])
        return records.Given(as_at=self._clock(), more=len(report.dets) > MOST_DETS, report=latest)

    def create(self, asked: records.Create) -> records.Created:
        """Records a crime; the same submission again gives the first number."""
        now, before = self._clock(), self._submissions.get(asked.client_ref)
        if before is not None:
            if (before.sheet, before.warrant_no) != (asked.sheet, asked.requestor.warrant_no):
                raise Refusal(Code.REUSED_REF, (("CLIENT_REF", Problem.FORMAT),))
            return records.Created(as_at=now, crime_no=before.crime_no, version=self._reports[before.crime_no].version, duplicate=True)
        rules.check_sheet(asked.sheet, "SHEET", now)
        sheet = replace(
            asked.sheet,
            class_title=rules.CLASSES[asked.sheet.class_code],
            first_officer=asked.sheet.first_officer or asked.requestor.warrant_no,
            parties=rules.merged((), asked.sheet.parties, "SHEET.PARTIES"),
            property=rules.merged((), asked.sheet.property, "SHEET.PROPERTY"),
        )
        crime_no = crime_reference(self._scale.crimes + len(self._submissions) + 1, self._scale.as_of.year)
        self._keep(records.Report(crime_no=crime_no, version=1, status=Status.OPEN, restricted=False, recorded_at=now, sheet=sheet))
        self._submissions[asked.client_ref] = _Submission(asked.sheet, asked.requestor.warrant_no, crime_no)
        return records.Created(as_at=now, crime_no=crime_no, version=1, duplicate=False)

    def add_det(self, asked: records.AddDet) -> records.Added:
        """Adds an entry; the version stays, since nothing that was there has changed."""
        now, report = self._clock(), self._seen(asked.crime_no, asked.requestor)
        rules.check_open(report)
        rules.check_entry(asked)
        number = len(report.dets) + 1
        entry = records.Det(number=number, page=asked.page, author=asked.requestor.warrant_no, entered_at=now, text=asked.text)
        self._keep(replace(report, dets=(*report.dets, entry)))
        return records.Added(as_at=now, det_no=number, entered_at=now)

    def update(self, asked: records.Update) -> records.Updated:
        """Changes a report that still has the version named. What would change nothing is confirmed, whatever version it names."""
        now, report = self._clock(), self._seen(asked.crime_no, asked.requestor)
        rules.check_open(report)
        sheet = _changed(report.sheet, asked.changes)
        if sheet == report.sheet:
            return records.Updated(as_at=now, version=report.version)
        if asked.version != report.version:
            raise Refusal(Code.VERSION_CONFLICT)
        rules.check_sheet(sheet, "CHANGES", now)
        self._keep(replace(report, version=report.version + 1, sheet=sheet))
        return records.Updated(as_at=now, version=report.version + 1)

    def save_elsewhere(self, crime_no: str) -> None:
        """Lets somebody else save the report, so that whoever read it before holds an old version."""
        report = self._reports.get(crime_no)
        if report is not None:
            self._keep(replace(report, version=report.version + 1))

    def exists(self, crime_no: str) -> bool:
        """Whether there is such a report, whoever may see it."""
        return crime_no in self._reports

    def _seen(self, crime_no: str, by: records.Requestor) -> records.Report:
        report = self._reports.get(crime_no)
        if report is not None and _open_to(report, by):
            return report
        raise Refusal(Code.UNKNOWN_REF if by.need_to_know else Code.RESTRICTED)

    def _keep(self, report: records.Report) -> None:
        self._reports[report.crime_no] = report
        for party in report.sheet.parties:
            self._named[_folded(party.person.family_name)][report.crime_no] = None


def _changed(old: records.Sheet, changes: records.Changes) -> records.Sheet:
    return replace(
        old,
        class_code=changes.class_code or old.class_code,
        class_title=rules.CLASSES.get(changes.class_code, old.class_title) if changes.class_code != old.class_code else old.class_title,
        committed=changes.committed or old.committed,
        mo_text=old.mo_text if changes.mo_text is None else changes.mo_text,
        flags=tuple(dict.fromkeys(flag for flag in (*old.flags, *changes.add_flags) if flag not in changes.remove_flags)),
        parties=rules.merged(old.parties, changes.parties, "CHANGES.PARTIES"),
        property=rules.merged(old.property, changes.property, "CHANGES.PROPERTY"),
    )


def _open_to(report: records.Report, by: records.Requestor) -> bool:
    return by.need_to_know or not report.restricted


def _hits(report: records.Report, asked: records.Search) -> Iterator[records.Hit]:
    if not (_committed_in(report.sheet.committed, asked) and _at(report.sheet.venue, asked) and _marked(report.sheet.property, asked)):
        return
    if not asked.family_name:
        yield _hit(report, None)
    for party in report.sheet.parties if asked.family_name else ():
        if _fits(party.person, asked):
            yield _hit(report, party)


def _hit(report: records.Report, party: records.Party | None) -> records.Hit:
    sheet = report.sheet
    on = sheet.committed.from_date
    return records.Hit(
        crime_no=report.crime_no,
        role=party.role if party else "",
        person=party.person if party else None,
        class_code=sheet.class_code,
        class_title=sheet.class_title,
        committed_from=on,
        summary=f"{sheet.class_title}, {sheet.borough}, {on.day:02d}/{on.month:02d}/{on.year:04d}",
        restricted=report.restricted,
        status=report.status,
        borough=sheet.borough,
    )


def _committed_in(period: records.Period, asked: records.Search) -> bool:
    """Whether any day of the crime lies in the time asked for."""
    first, last = period.from_date, period.to_date or period.from_date
    return (asked.committed_from or first) <= last and first <= (asked.committed_to or last)


def _marked(property_lines: Iterable[records.PropertyLine], asked: records.Search) -> bool:
    """Whether any property bears the mark, whole; blanks and case make no difference."""
    return not asked.mark or any(_plain(line.mark) == _plain(asked.mark) for line in property_lines)


def _plain(mark: str) -> str:
    return mark.replace(" ", "").casefold()


def _at(venue: records.Address | None, asked: records.Search) -> bool:
    if not (asked.postcode or asked.street):
        return True
    if venue is None:
        return False
    # Half a postcode stands for all that begin with it, but ZZ1 is not the beginning of ZZ10.
    near = not asked.postcode or venue.postcode == asked.postcode or venue.postcode.startswith(f"{asked.postcode} ")
    return near and _folded(venue.street).startswith(_folded(asked.street))


def _fits(person: records.Person, asked: records.Search) -> bool:
    if _folded(person.family_name) != _folded(asked.family_name):
        return False
    return _in_order(map(_folded, asked.given_names.split()), map(_folded, person.given_names)) and _born(person, asked.date_of_birth)


def _in_order(wanted: Iterable[str], names: Iterator[str]) -> bool:
    """Whether each is the beginning of a name, in the order of the names."""
    return all(any(name.startswith(start) for name in names) for start in wanted)


def _born(person: records.Person, wanted: Day | None) -> bool:
    if wanted is None:
        return True
    held = person.date_of_birth
    parts = zip((wanted.year, wanted.month, wanted.day), (held.year, held.month, held.day), strict=True) if held else ()
    return held is not None and all(not asked or asked == known for asked, known in parts)


def _folded(name: str) -> str:
    """A name as it is compared: small letters and digits without accents, nothing else."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", name.casefold()) if mark.isalnum())
