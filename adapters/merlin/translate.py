"""Questions and answers: the contract's messages to Merlin's records and back. Pure; what a report is made of is in `contents`."""

from collections.abc import Iterable
from datetime import datetime

from adapters.kit import Call
from adapters.merlin import contents, records
from adapters.merlin.people import day, person, person_record
from adapters.merlin.vocabulary import PURPOSE, RISK, ROLE, STATUS, TYPE
from metip.common.v1 import answer_pb2
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import MerlinReference
from metip.identifiers import parse_merlin_reference
from metip.merlin.v1 import report_pb2 as contract
from metip.merlin.v1.report_service_pb2 import (
    GetReportResponse,
    RaiseReportRequest,
    RaiseReportResponse,
    SearchReportsRequest,
    SearchReportsResponse,
    UpdateReportRequest,
    UpdateReportResponse,
)

SYSTEM = "Merlin"
MOST = 50
"""Reports in one answer (assumed)."""
TYPE_BY_DETAILS = {"missing_person": "MIS", "child": "PAC", "adult": "ACN"}


def asker(access: AccessContext, call: Call) -> records.Asker:
    """Who asks, by the verified token, and why, by the request."""
    officer = call.officer
    return records.Asker(
        warrant=officer.warrant_number if officer else "",
        force=officer.force if officer else "",
        unit=officer.unit if officer else "",
        reason=PURPOSE.code(access.purpose),
        reference=access.reference,
        on_behalf_of=access.on_behalf_of,
        device=access.device_id,
        justification=access.justification,
    )


def criteria(request: SearchReportsRequest) -> records.Find:
    """What to search for."""
    return records.Find(
        surname=request.family_name,
        forenames=request.given_names,
        born=day(request.date_of_birth),
        type=TYPE.code(request.type),
        open_only=request.open_only,
        most=request.limit or MOST,
    )


def reports(found: records.Found) -> SearchReportsResponse:
    """What was found."""
    return SearchReportsResponse(
        reports=[_summary(one) for one in found.reports], provenance=_provenance(found.as_at, truncated=found.more)
    )


def report(fetched: records.Fetched) -> GetReportResponse:
    """One report in full."""
    return GetReportResponse(report=_report(fetched.report), provenance=_provenance(fetched.as_at, remarks=fetched.remarks))


def submission(request: RaiseReportRequest) -> records.Raise:
    """What is raised."""
    details = request.WhichOneof("details")
    return records.Raise(
        submission=request.submission_id.lower(),
        type=TYPE_BY_DETAILS.get(details or "", ""),
        summary=request.summary,
        subject=person_record(request.subject),
        assessment=contents.assessment_record(request.risk),
        missing=contents.missing_record(request.missing_person) if details == "missing_person" else None,
        child=contents.child_record(request.child) if details == "child" else None,
        adult=contents.adult_record(request.adult) if details == "adult" else None,
        people=tuple(contents.linked_record(one) for one in request.people),
        sharing=contents.sharing_record(request.sharing) if request.HasField("sharing") else None,
    )


def raised(record: records.Raised) -> RaiseReportResponse:
    """What became of it."""
    return RaiseReportResponse(
        merlin_reference=_reference(record.reference),
        created=contents.timestamp(record.created),
        review_due=contents.timestamp(record.review_due),
        provenance=_provenance(record.as_at),
    )


def change(request: UpdateReportRequest) -> records.Amend:
    """What is changed."""
    what = request.WhichOneof("change")
    return records.Amend(
        reference=request.merlin_reference.value,
        assessment=contents.assessment_record(request.risk) if what == "risk" else None,
        located=contents.located_record(request.located) if what == "located" else None,
        debriefed=contents.debriefed_record(request.debriefed) if what == "debriefed" else None,
        closed=records.Closed(reason=request.closed.reason) if what == "closed" else None,
    )


def changed(record: records.Amended) -> UpdateReportResponse:
    """Where the report stands then."""
    return UpdateReportResponse(
        status=STATUS.value(record.status),
        risk=RISK.value(record.risk),
        review_due=contents.timestamp(record.review_due),
        provenance=_provenance(record.as_at),
    )


def _summary(record: records.Summary) -> contract.ReportSummary:
    return contract.ReportSummary(
        merlin_reference=_reference(record.reference),
        type=TYPE.value(record.type),
        status=STATUS.value(record.status),
        risk=RISK.value(record.risk),
        person=person(record.person),
        role=ROLE.value(record.role),
        summary=record.line,
        created=contents.timestamp(record.created),
        last_seen=contents.timestamp(record.last_seen),
        restricted=record.restricted,
    )


def _report(record: records.Report) -> contract.Report:
    return contract.Report(
        summary=_summary(record.summary),
        missing_person=contents.missing(record.missing) if record.missing else None,
        child=contents.child(record.child) if record.child else None,
        adult=contents.adult(record.adult) if record.adult else None,
        people=[contents.linked(one) for one in record.people],
        assessments=[contents.assessment(one) for one in record.assessments],
        review_due=contents.timestamp(record.review_due),
        sharing=contents.sharing(record.sharing) if record.sharing else None,
        located=contents.located(record.located) if record.located else None,
        debriefed=contents.debriefed(record.debriefed) if record.debriefed else None,
        closed=contract.Closing(reason=record.closed.reason) if record.closed else None,
    )


def _reference(received: str) -> MerlinReference:
    canonical = parse_merlin_reference(received).canonical
    return MerlinReference(value=canonical, as_received="" if canonical == received else received)


def _provenance(as_at: datetime, *, truncated: bool = False, remarks: Iterable[records.Remark] = ()) -> answer_pb2.Provenance:
    warnings = [answer_pb2.Warning(code=remark.code, text=remark.text) for remark in remarks]
    return answer_pb2.Provenance(system=SYSTEM, as_of=contents.timestamp(as_at), truncated=truncated, warnings=warnings)
