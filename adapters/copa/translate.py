"""Questions and answers: the contract's messages to COPA's records and back. Pure; what a case file is made of is in `contents`."""

from datetime import datetime

from adapters.copa import contents, records
from adapters.copa.vocabulary import REASON, STATUS
from adapters.kit import Call
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.copa.v1.case_file_service_pb2 import (
    CreateCaseFileRequest,
    CreateCaseFileResponse,
    GetCaseFileResponse,
    UpdateCaseFileRequest,
    UpdateCaseFileResponse,
)

SYSTEM = "COPA"


def caller(access: AccessContext, call: Call, account: str) -> records.Caller:
    """The account, and who asks behind it: by the verified token; and why, by the request."""
    officer = call.officer
    return records.Caller(
        account=account,
        officer=officer.warrant_number if officer else "",
        force=officer.force if officer else "",
        unit=officer.unit if officer else "",
        reason=REASON.code(access.purpose),
        reference=access.reference,
        on_behalf_of=access.on_behalf_of,
        justification=access.justification,
    )


def case_file(reply: records.GetCaseReply) -> GetCaseFileResponse:
    """A case file."""
    return GetCaseFileResponse(case_file=contents.case_file(reply.case), provenance=_provenance(reply.as_at))


def opening(request: CreateCaseFileRequest) -> records.OpenCase:
    """A case file to be opened."""
    case = records.Case(
        urn=request.pti_urn.value,
        officer=request.officer_in_case,
        unit=request.unit,
        crime=request.crime_report_number.value,
        defendants=tuple(contents.defendant_record(one) for one in request.defendants),
    )
    return records.OpenCase(submission=request.submission_id.lower(), case=case)


def opened(reply: records.OpenCaseReply) -> CreateCaseFileResponse:
    """The file that was opened."""
    return CreateCaseFileResponse(version=reply.version, provenance=_provenance(reply.as_at))


def change(request: UpdateCaseFileRequest) -> records.AmendCase:
    """A change."""
    what = request.WhichOneof("change")
    return records.AmendCase(
        urn=request.pti_urn.value,
        version=request.version,
        defendant=contents.defendant_record(request.defendant) if what == "defendant" else None,
        hearing=contents.hearing_record(request.hearing) if what == "hearing" else None,
        officer=request.officer_in_case,
        closing=request.closed.reason,
    )


def changed(reply: records.AmendCaseReply) -> UpdateCaseFileResponse:
    """Where the file stands then."""
    return UpdateCaseFileResponse(version=reply.version, status=STATUS.value(reply.status), provenance=_provenance(reply.as_at))


def _provenance(as_at: datetime) -> Provenance:
    return Provenance(system=SYSTEM, as_of=contents.timestamp(as_at))
