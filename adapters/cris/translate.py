"""The contract's messages to what CRIS asks and answers, and back; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.cris import codes, people, records, sheets, vocabulary
from adapters.kit.latin import Transcript, to_latin
from metip.call import Officer
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.answer_pb2 import Warning as Remark
from metip.common.v1.identifiers_pb2 import CrimeReportNumber
from metip.cris.v1 import crime_report_pb2 as cris
from metip.cris.v1 import crime_report_service_pb2 as service
from metip.faults import Fault, Reason
from metip.identifiers import parse_cris_crime_reference

SYSTEM = "CRIS"
USUAL_HITS = 20
ROLE, ACCOUNT = "restricted_crime_reports", "METIPHUB"


@dataclass(frozen=True, slots=True)
class House:
    """How this interface presents itself and its officers to CRIS."""

    account: str = ACCOUNT
    need_to_know_role: str = ROLE

    def requestor(self, access: AccessContext, officer: Officer | None, copy: Transcript) -> records.Requestor:
        """Who asks and why. Raises `Fault` OFFICER_NEEDED: CRIS records every transaction against an officer."""
        if officer is None:
            raise Fault(Reason.OFFICER_NEEDED, "the far system records every transaction against an officer")
        return records.Requestor(
            account=self.account,
            warrant_no=to_latin(officer.warrant_number),
            force=to_latin(officer.force),
            unit=to_latin(officer.unit),
            reason_code=vocabulary.code(vocabulary.REASONS, access.purpose),
            reason_text=copy.copy("access.justification", access.justification, codes.REASON),
            reference=copy.copy("access.reference", access.reference, 50),
            on_behalf_of=copy.copy("access.on_behalf_of", access.on_behalf_of, 50),
            device_id=copy.copy("access.device_id", access.device_id, 40),
            need_to_know=self.need_to_know_role in officer.roles,
        )


def search(request: service.SearchCrimeReportsRequest, by: records.Requestor, copy: Transcript) -> records.Search:
    """A search for CRIS. Raises `Fault` INVALID_REQUEST."""
    wanted, place = request.person, request.place
    asked = records.Search(
        requestor=by,
        family_name=copy.copy("person.family_name", wanted.family_name, codes.NAME),
        given_names=copy.copy("person.given_names", wanted.given_names, 3 * codes.NAME + 2),
        date_of_birth=people.day(wanted.date_of_birth),
        postcode=place.postcode,
        street=copy.copy("place.street", place.street, codes.LINE),
        committed_from=people.day(getattr(request.committed, "from")),
        committed_to=people.day(request.committed.to),
        maximum=request.limit or USUAL_HITS,
    )
    copy.settle()
    return asked


def summaries(found: records.Found, warnings: Iterable[Remark]) -> service.SearchCrimeReportsResponse:
    """What a search found. Raises `Fault` NO_TRACE when that is nothing."""
    if not found.hits:
        raise Fault(Reason.NO_TRACE, "the far system knows no report by that description")
    return service.SearchCrimeReportsResponse(
        reports=[_summary(hit) for hit in found.hits],
        provenance=Provenance(system=SYSTEM, as_of=people.instant(found.as_at), truncated=found.more, warnings=warnings),
    )


def _summary(hit: records.Hit) -> cris.CrimeReportSummary:
    return cris.CrimeReportSummary(
        crime_report_number=_number(hit.crime_no),
        role=vocabulary.member(vocabulary.ROLES, hit.role),
        person=people.known_person(hit.person) if hit.person else None,
        classification=cris.Classification(code=hit.class_code, title=hit.class_title),
        committed_on=people.civil_date(hit.committed_from),
        summary=hit.summary,
        restricted=hit.restricted,
        status=vocabulary.member(vocabulary.STATUSES, hit.status),
        borough=hit.borough,
    )


def get(request: service.GetCrimeReportRequest, by: records.Requestor, copy: Transcript) -> records.Get:
    """The question for one report. Raises `Fault` INVALID_REQUEST."""
    copy.settle()
    return records.Get(requestor=by, crime_no=request.crime_report_number.value)


def report(given: records.Given, warnings: Iterable[Remark]) -> service.GetCrimeReportResponse:
    """A report as it stands."""
    held = given.report
    return service.GetCrimeReportResponse(
        report=cris.CrimeReport(
            crime_report_number=_number(held.crime_no),
            version=held.version,
            status=vocabulary.member(vocabulary.STATUSES, held.status),
            restricted=held.restricted,
            recorded_at=people.instant(held.recorded_at),
            sheet=sheets.known_sheet(held.sheet),
            details=[_detail(entry) for entry in held.dets],
        ),
        provenance=Provenance(system=SYSTEM, as_of=people.instant(given.as_at), truncated=given.more, warnings=warnings),
    )


def _detail(held: records.Det) -> cris.DetailEntry:
    return cris.DetailEntry(
        number=held.number,
        page=vocabulary.member(vocabulary.PAGES, held.page),
        author=held.author,
        entered_at=people.instant(held.entered_at),
        text=held.text,
    )


def create(request: service.CreateCrimeReportRequest, by: records.Requestor, copy: Transcript) -> records.Create:
    """A crime to be recorded. Raises `Fault` INVALID_REQUEST."""
    # Letters of a UUID may come in either case, and the far system compares it as text.
    asked = records.Create(requestor=by, client_ref=request.client_reference.lower(), sheet=sheets.sheet(request.sheet, "sheet", copy))
    copy.settle()
    return asked


def created(done: records.Created, warnings: Iterable[Remark]) -> service.CreateCrimeReportResponse:
    """What CRIS confirmed."""
    return service.CreateCrimeReportResponse(
        crime_report_number=_number(done.crime_no),
        version=done.version,
        already_recorded=done.duplicate,
        provenance=Provenance(system=SYSTEM, as_of=people.instant(done.as_at), warnings=warnings),
    )


def add_detail(request: service.AddDetailRequest, by: records.Requestor, copy: Transcript) -> records.AddDet:
    """An entry for the details pages. Raises `Fault` INVALID_REQUEST."""
    asked = records.AddDet(
        requestor=by,
        crime_no=request.crime_report_number.value,
        page=vocabulary.code(vocabulary.PAGES, request.page),
        text=copy.copy("text", request.text, codes.DETS),
    )
    copy.settle()
    return asked


def added(done: records.Added, warnings: Iterable[Remark]) -> service.AddDetailResponse:
    """What CRIS confirmed."""
    return service.AddDetailResponse(
        number=done.det_no,
        entered_at=people.instant(done.entered_at),
        provenance=Provenance(system=SYSTEM, as_of=people.instant(done.as_at), warnings=warnings),
    )


def update(request: service.UpdateCrimeReportRequest, by: records.Requestor, copy: Transcript) -> records.Update:
    """Changes for CRIS. Raises `Fault` INVALID_REQUEST."""
    wanted = request.changes
    changes = records.Changes(
        class_code=wanted.reclassification.code,
        class_reason=copy.copy("changes.reclassification.reason", wanted.reclassification.reason, codes.REASON),
        committed=sheets.period(wanted.committed) if wanted.HasField("committed") else None,
        mo_text=copy.copy("changes.modus_operandi", wanted.modus_operandi, codes.METHOD) if wanted.HasField("modus_operandi") else None,
        add_flags=tuple(wanted.add_flags),
        remove_flags=tuple(wanted.remove_flags),
        parties=sheets.parties(wanted.parties, "changes", copy),
        property=sheets.property_lines(wanted.property, "changes", copy),
    )
    copy.settle()
    return records.Update(requestor=by, crime_no=request.crime_report_number.value, version=request.version, changes=changes)


def updated(done: records.Updated, warnings: Iterable[Remark]) -> service.UpdateCrimeReportResponse:
    """What CRIS confirmed."""
    return service.UpdateCrimeReportResponse(
        version=done.version,
        provenance=Provenance(system=SYSTEM, as_of=people.instant(done.as_at), warnings=warnings),
    )


def _number(held: str) -> CrimeReportNumber:
    number = parse_cris_crime_reference(held)
    return CrimeReportNumber(value=number.canonical, as_received="" if number.canonical else held)
