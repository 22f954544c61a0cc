"""The contract's messages to Merlin's records and back, by tables. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.kit import Call
from adapters.kit.translation import By, Pair, Translation
from adapters.kit.values import DAY_IN_PARTS, Value, timestamp
from adapters.merlin import records, vocabulary
from adapters.merlin.codes import IN_LINES, IN_PARTS
from metip.common.v1 import answer_pb2, pole_pb2
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.time_pb2 import CivilDate
from metip.merlin.v1 import report_pb2 as contract
from metip.merlin.v1 import report_service_pb2 as service

SYSTEM = "Merlin"
MOST = 50
"""Reports in one answer (assumed)."""
TYPE_BY_DETAILS = {"missing_person": "MIS", "child": "PAC", "adult": "ACN"}
FORMS = {"bs7666": IN_PARTS, "lines": IN_LINES}


def asker(access: AccessContext, call: Call) -> records.Asker:
    """Who asks, by the verified token, and why, by the request."""
    why, officer = TRANSLATION.record(access, records.Asker), call.officer
    return replace(why, warrant=officer.warrant_number, force=officer.force, unit=officer.unit) if officer else why


def submission(request: service.RaiseReportRequest) -> records.Raise:
    """What is raised."""
    return TRANSLATION.record(request, records.Raise, type=TYPE_BY_DETAILS.get(request.WhichOneof("details") or "", ""))


def _name(record: records.Name) -> pole_pb2.PersonName:
    given = [name for name in (record.first, record.second, record.third) if name]
    return pole_pb2.PersonName(title=record.title, given_names=given, family_name=record.surname)


def _name_record(message: pole_pb2.PersonName) -> records.Name:
    first, second, third = [*message.given_names, "", "", ""][:3]
    return records.Name(title=message.title, first=first, second=second, third=third, surname=message.family_name)


def _address(record: records.Address) -> pole_pb2.Address:
    address = pole_pb2.Address(postcode=record.postcode)
    if record.form == IN_PARTS:
        address.bs7666.CopyFrom(TRANSLATION.message(record, pole_pb2.Bs7666Address))
    elif record.form == IN_LINES:
        address.lines.CopyFrom(TRANSLATION.message(record, pole_pb2.AddressLines))
    return address


def _address_record(message: pole_pb2.Address) -> records.Address:
    form = message.WhichOneof("form")
    inside = TRANSLATION.record(getattr(message, form), records.Address) if form else records.Address()
    return replace(inside, form=FORMS[form] if form else "", postcode=message.postcode)


def _minute(message: Timestamp) -> datetime:
    """An instant, cut to the minute as Merlin keeps it; so nanoseconds, even impossible ones, fall away."""
    return datetime.fromtimestamp(message.seconds // 60 * 60, UTC)


def _provenance(answer: Any) -> answer_pb2.Provenance:
    remarks = [answer_pb2.Warning(code=remark.code, text=remark.text) for remark in getattr(answer, "remarks", ())]
    as_of, truncated = timestamp(answer.as_at), getattr(answer, "more", False)
    return answer_pb2.Provenance(system=SYSTEM, as_of=as_of, truncated=truncated, warnings=remarks)


VALUES: Mapping[type[Message], Value] = {
    CivilDate: DAY_IN_PARTS,
    Timestamp: Value(timestamp, _minute),
    pole_pb2.PersonName: Value(_name, _name_record),
    pole_pb2.Address: Value(_address, _address_record),
}
PERSON = {"observed_ethnicity": "seen_ethnicity", "self_defined_ethnicity": "own_ethnicity", "height_cm": "height"}
SUBMISSION = By("submission", Value(str, str.lower))
SUPERVISOR = By("supervisor", Value(str, str.strip))
ASSESSED = By("at", Value(timestamp, lambda message: None))
"""When a risk was assessed is Merlin's to say, so it never goes in."""
LIMIT = By("most", Value(int, lambda limit: limit or MOST))
TRANSLATION = Translation(
    pairs=(
        Pair(records.Asker, AccessContext, "warrant", "force", "unit", purpose="reason", device_id="device"),
        Pair(records.Address, pole_pb2.Bs7666Address, "form", "postcode", "lines"),
        Pair(
            records.Address,
            pole_pb2.AddressLines,
            *("form", "postcode", "secondary", "primary", "street", "locality", "town", "uprn"),
            line="lines",
        ),
        Pair(records.Signal, pole_pb2.WarningSignal),
        Pair(records.Person, pole_pb2.Person, warning_signals="signals", date_of_birth="born", **PERSON),
        Pair(records.Linked, contract.LinkedPerson),
        Pair(records.Missing, contract.MissingPerson, last_seen="seen", last_seen_place="place"),
        Pair(records.Child, contract.ChildNotice, childs_voice="voice", general_practitioner="practitioner"),
        Pair(records.Adult, contract.AdultNotice),
        Pair(records.Assessment, contract.RiskAssessment, supervisor=SUPERVISOR, assessed=ASSESSED),
        Pair(records.Sharing, contract.Sharing, consent_given="consent"),
        Pair(records.Located, contract.Locating),
        Pair(records.Debriefed, contract.Debriefing, return_interview_offered="interview_offered"),
        Pair(records.Closed, contract.Closing),
        Pair(records.Summary, contract.ReportSummary, merlin_reference="reference", summary="line"),
        Pair(records.Report, contract.Report, missing_person="missing"),
        Pair(
            records.Find,
            service.SearchReportsRequest,
            "access",
            family_name="surname",
            given_names="forenames",
            date_of_birth="born",
            limit=LIMIT,
        ),
        Pair(records.Found, service.SearchReportsResponse, "as_at", "more", provenance=_provenance),
        Pair(records.Fetched, service.GetReportResponse, "as_at", "remarks", provenance=_provenance),
        Pair(
            records.Raise,
            service.RaiseReportRequest,
            *("access", "type"),
            submission_id=SUBMISSION,
            risk="assessment",
            missing_person="missing",
        ),
        Pair(records.Raised, service.RaiseReportResponse, "as_at", merlin_reference="reference", provenance=_provenance),
        Pair(records.Amend, service.UpdateReportRequest, "access", merlin_reference="reference", risk="assessment"),
        Pair(records.Amended, service.UpdateReportResponse, "as_at", provenance=_provenance),
    ),
    values=VALUES,
    vocabularies=vocabulary.ALL,
)
"""Which field is which."""
