"""Questions and answers: the contract's messages to COPA's records and back. Pure; what a case file is made of is in `contents`."""

from datetime import datetime
from hashlib import sha256

from adapters.copa import contents, records
from adapters.copa.vocabulary import PLEA, REASON, STATUS, VERDICT
from adapters.kit import Call
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.copa.v1.case_file_service_pb2 import (
    CreateCaseFileRequest,
    CreateCaseFileResponse,
    GetCaseFileResponse,
    UpdateCaseFileRequest,
    UpdateCaseFileResponse,
)
from metip.libra.v1.result_service_pb2 import PublishResultRequest

SYSTEM = "COPA"
TEXT = 2500
"""Characters of a result's words (Standard Prosecutor Interface)."""


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


def result(request: PublishResultRequest) -> records.Result:
    """What a court decided. COPA knows it again by one key made of the message's three, since it has room for one."""
    parts = (request.delivery_id, str(request.case_number), request.content_digest)
    return records.Result(
        key=sha256("\0".join(parts).encode()).hexdigest(),
        asn=_received(request.defendant.arrest_summons_number),
        court=request.psa_code,
        heard=contents.day(request.hearing.date),
        decisions=tuple(
            records.Decision(
                sequence=offence.details.sequence_number,
                code=offence.details.offence_code,
                plea=PLEA.code(offence.plea),
                verdict=VERDICT.code(offence.finding),
                disposals=tuple(records.Disposal(code=one.code, text=one.text[:TEXT]) for one in offence.results),
            )
            for offence in request.offences
        ),
    )


def urn(request: PublishResultRequest) -> str:
    """The case that a result is of."""
    return _received(request.pti_urn)


def _received(number: ArrestSummonsNumber | PtiUrn) -> str:
    """A number as COPA compares it; one that is none of its kind goes as it came."""
    return number.value or number.as_received


def _provenance(as_at: datetime) -> Provenance:
    return Provenance(system=SYSTEM, as_of=contents.timestamp(as_at))
