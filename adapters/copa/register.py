"""COPA's case files as the simulator keeps them: the rules of the real one (assumed), in memory, without any wire.

The laws: a file's version grows by one with each change and a change that names another version is refused; a submission opens one file and
a result is filed once, however often either is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapters.copa import codes, records
from adapters.kit.population import Arrest, Person, Population
from adapters.kit.values import Parts


@dataclass
class Refusal(Exception):
    """What COPA says instead of an answer; `words` are for its own users, so they name people."""

    code: str
    words: str
    own: bool = False
    """Whether COPA calls it its own fault rather than the asker's."""
    version: int = 0
    """The version that the file has by now; 0 where that is not the matter."""


@dataclass
class Register:
    """All case files by reference, from those held at the start on."""

    cases: dict[str, records.Case]
    _submissions: dict[str, records.OpenCase] = field(default_factory=dict)

    @classmethod
    def of(cls, population: Population) -> "Register":
        """A file for each arrest that ended in a charge."""
        charged = (arrest for arrest in population.arrests() if arrest.charged)
        return cls({arrest.pti_urn: held(arrest, population.person(arrest.person_number), population) for arrest in charged})

    def get(self, urn: str) -> records.Case:
        """One case file. Raises `Refusal` URN_UNKNOWN."""
        case = self.cases.get(urn)
        if case is None:
            raise Refusal(codes.URN_UNKNOWN, f"Case {urn} is not known.")
        return case

    def open(self, asked: records.OpenCase, now: datetime) -> records.Case:
        """Opens a file, or gives the one that this submission opened. Raises `Refusal` SUBMISSION_USED and URN_USED."""
        before = self._submissions.get(asked.submission)
        if before is not None:
            if before != asked:
                raise Refusal(codes.SUBMISSION_USED, "The submission was used before.")
            return replace(self.get(asked.case.urn), version=1)
        if asked.case.urn in self.cases:
            raise Refusal(codes.URN_USED, f"Case {asked.case.urn} is open already.")
        self._submissions[asked.submission] = asked
        return self._keep(replace(asked.case, version=0, status=codes.OPEN, opened=now))

    def amend(self, asked: records.AmendCase) -> records.Case:
        """Changes a file. Raises `Refusal` URN_UNKNOWN, VERSION_CONFLICT, CASE_CLOSED, DEFENDANT_KNOWN and MALFORMED."""
        case = self._unchanged(asked.urn, asked.version)
        if case.status == codes.CLOSED:
            raise Refusal(codes.CASE_CLOSED, f"Case {asked.urn} against {case.defendants[0].surname} is closed.")
        if asked.defendant is not None:
            if any(one.asn == asked.defendant.asn for one in case.defendants):
                raise Refusal(codes.DEFENDANT_KNOWN, f"{asked.defendant.surname} is in case {asked.urn} already.")
            return self._keep(replace(case, defendants=(*case.defendants, asked.defendant)))
        if asked.hearing is not None:
            hearings = sorted((*case.hearings, asked.hearing), key=lambda one: (one.day, one.time))
            return self._keep(replace(case, hearings=tuple(hearings)))
        if asked.officer:
            return self._keep(replace(case, officer=asked.officer))
        if asked.closing:
            return self._keep(replace(case, status=codes.CLOSED))
        raise Refusal(codes.MALFORMED, "One change at a time.")

    def file(self, asked: records.FileResult, now: datetime) -> tuple[records.Case, bool]:
        """Files a result; the flag says that it was on file before. Raises `Refusal` URN_UNKNOWN, DEFENDANT_UNKNOWN, VERSION_CONFLICT."""
        case = self.get(asked.urn)
        if any(one.key == asked.result.key for one in case.results):
            return case, True
        if all(one.asn != asked.result.asn for one in case.defendants):
            raise Refusal(codes.DEFENDANT_UNKNOWN, f"Nobody in case {asked.urn} has {asked.result.asn}.")
        case = self._unchanged(asked.urn, asked.version)
        status = case.status if case.status == codes.CLOSED else codes.RESULTED
        return self._keep(replace(case, status=status, results=(*case.results, replace(asked.result, filed=now)))), False

    def touch(self, urn: str) -> None:
        """Somebody else changes the file."""
        self._keep(self.get(urn))

    def _unchanged(self, urn: str, version: int) -> records.Case:
        case = self.get(urn)
        if case.version != version:
            raise Refusal(codes.VERSION_CONFLICT, f"Case {urn} was changed by somebody else.", version=case.version)
        return case

    def _keep(self, case: records.Case) -> records.Case:
        self.cases[case.urn] = kept = replace(case, version=case.version + 1)
        return kept


def held(arrest: Arrest, person: Person, population: Population) -> records.Case:
    """The file that was opened when somebody was charged."""
    crime = population.crime(arrest.crime_number).reference if arrest.crime_number else ""
    return records.Case(
        urn=arrest.pti_urn,
        version=1,
        status=codes.OPEN,
        officer=f"P{200_000 + arrest.number}",
        unit=arrest.force_station,
        crime=crime,
        opened=arrest.arrested_at,
        defendants=(_defendant(arrest, person),),
        hearings=(records.Hearing(court=arrest.court_code, day=_after(arrest), time="10:00", purpose="First hearing"),),
    )


def _defendant(arrest: Arrest, person: Person) -> records.Defendant:
    born = person.date_of_birth
    return records.Defendant(
        asn=arrest.asn,
        surname=person.surname[:35],
        forenames=tuple(name[:35] for name in person.forenames[:3]),
        born=(born.year, born.month, born.day),
        sex={"M": "M", "F": "F"}.get(person.sex, "N"),
        pnc_id=person.pnc_id,
        charges=tuple(_charges(arrest)),
    )


def _charges(arrest: Arrest) -> Iterable[records.Charge]:
    for number, one in enumerate(arrest.offences, 1):
        on = one.committed_on
        yield records.Charge(sequence=number, code=one.cjs_code, title=one.title, first_day=(on.year, on.month, on.day))


def _after(arrest: Arrest) -> Parts:
    """Four weeks after the arrest (assumed)."""
    on = (arrest.arrested_at + timedelta(weeks=4)).date()
    return on.year, on.month, on.day
