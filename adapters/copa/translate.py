"""The contract's messages to COPA's records and back, by tables. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from google.protobuf.message import Message

from adapters.copa import records
from adapters.copa.vocabulary import PLEA, REASON, SEX, STATUS, VERDICT
from adapters.kit import Call
from adapters.kit.translation import By, Pair, Parts, Translation
from adapters.kit.values import DAY_IN_PARTS, Value, identified, parts, received, timestamp
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.answer_pb2 import Provenance
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.copa.v1 import case_file_pb2 as contract
from metip.copa.v1 import case_file_service_pb2 as service
from metip.libra.v1.result_service_pb2 import PublishResultRequest

SYSTEM = "COPA"
TEXT = 2500
"""Characters of a result's words (Standard Prosecutor Interface)."""


def caller(access: AccessContext, call: Call, account: str) -> records.Caller:
    """The account, and who asks behind it: by the verified token; and why, by the request."""
    why, officer = TRANSLATION.record(access, records.Caller, account=account), call.officer
    return replace(why, officer=officer.warrant_number, force=officer.force, unit=officer.unit) if officer else why


def result(request: PublishResultRequest) -> records.Result:
    """What a court decided. COPA knows it again by one key made of the message's three, since it has room for one."""
    named = (request.delivery_id, str(request.case_number), request.content_digest)
    return records.Result(
        key=sha256("\0".join(named).encode()).hexdigest(),
        asn=received(request.defendant.arrest_summons_number),
        court=request.psa_code,
        heard=parts(request.hearing.date),
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
    return received(request.pti_urn)


def _time(printed: str) -> LocalTime | None:
    hour, colon, minute = printed.partition(":")
    return LocalTime(hour=int(hour), minute=int(minute)) if colon and (hour + minute).isdecimal() else None


def _provenance(answer: Any) -> Provenance:
    return Provenance(system=SYSTEM, as_of=timestamp(answer.as_at))


VALUES: Mapping[type[Message], Value] = {
    PtiUrn: identified(PtiUrn, always=True),
    ArrestSummonsNumber: identified(ArrestSummonsNumber, always=True),
    CivilDate: DAY_IN_PARTS,
    LocalTime: Value(_time, lambda message: f"{message.hour:02d}:{message.minute:02d}"),
}
SUBMISSION = By("submission", Value(str, str.lower))
TRANSLATION = Translation(
    pairs=(
        Pair(records.Caller, AccessContext, "account", "officer", "force", "unit", "device_id", purpose="reason"),
        Pair(records.Charge, contract.Charge, cjs_offence_code="code", committed=Parts(**{"from": "first_day", "to": "last_day"})),
        Pair(
            records.Defendant,
            contract.Defendant,
            arrest_summons_number="asn",
            name=Parts(given_names="forenames", family_name="surname"),
            date_of_birth="born",
        ),
        Pair(records.Hearing, contract.Hearing, court_code="court", date="day"),
        Pair(records.Disposal, contract.FiledDisposal),
        Pair(records.Decision, contract.DecidedOffence, cjs_offence_code="code"),
        Pair(
            records.Result,
            contract.FiledResult,
            result_key="key",
            arrest_summons_number="asn",
            court_code="court",
            offences="decisions",
        ),
        Pair(
            records.Case,
            contract.CaseFile,
            pti_urn="urn",
            officer_in_case="officer",
            crime_report_number="crime",
        ),
        Pair(
            records.OpenCase,
            service.CreateCaseFileRequest,
            *("access", "case.version", "case.status", "case.opened", "case.hearings", "case.results"),
            submission_id=SUBMISSION,
            pti_urn="case.urn",
            officer_in_case="case.officer",
            unit="case.unit",
            crime_report_number="case.crime",
            defendants="case.defendants",
        ),
        Pair(
            records.AmendCase,
            service.UpdateCaseFileRequest,
            "access",
            pti_urn="urn",
            officer_in_case="officer",
            closed=Parts(reason="closing"),
        ),
        Pair(records.GetCaseReply, service.GetCaseFileResponse, "as_at", case_file="case", provenance=_provenance),
        Pair(records.OpenCaseReply, service.CreateCaseFileResponse, "as_at", provenance=_provenance),
        Pair(records.AmendCaseReply, service.UpdateCaseFileResponse, "as_at", provenance=_provenance),
    ),
    values=VALUES,
    vocabularies=(STATUS, REASON, PLEA, VERDICT, SEX),
)
"""Which field is which."""
