"""The adapter on real sockets: each operation, each refusal of the far side, and that a restricted report leaves no trace."""

import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from adapters.kit.population import STORIES, Episode, EpisodeKind, EpisodeStatus, Person
from adapters.kit.simulation.dials import Dial
from adapters.merlin import codes
from adapters.merlin.upstream import FAULTS
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import MerlinReference
from metip.common.v1.pole_pb2 import Person as PersonMessage
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.merlin.v1 import report_pb2 as contract
from metip.merlin.v1.report_service_pb2 import (
    GetReportRequest,
    RaiseReportRequest,
    SearchReportsRequest,
    UpdateReportRequest,
)
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub
from metip.options.v1 import options_pb2

if TYPE_CHECKING:  # the generated module has it for the type checker only
    from metip.merlin.v1.report_service_pb2_grpc import ReportServiceAsyncStub

SYSTEM = "merlin"
pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCESS = AccessContext(purpose=options_pb2.PURPOSE_SAFEGUARDING, justification="call from the family", reference="1234/23NOV26")
UNKNOWN = "20MIS000001"
PATIENT = 10.0


@pytest.fixture(scope="module")
def grpc_stub_cls() -> Any:
    """pytest-grpc: the stub of the interface."""
    return ReportServiceStub


def asking(unit: str = "ZD", **more: str) -> list[tuple[str, str]]:
    """Metadata of a call by an officer of that unit."""
    claims = json.dumps({"sub": "P123456", "force": "01", "unit": unit, "roles": ["officer"]}).encode()
    metadata = [entry for entry in from_envoy(**more) if entry[0] != "x-metip-officer"]
    return [*metadata, ("x-metip-officer", base64.urlsafe_b64encode(claims).decode().rstrip("="))]


def search(person: Person, **more: Any) -> SearchReportsRequest:
    born = person.date_of_birth
    return SearchReportsRequest(
        access=ACCESS,
        family_name=person.surname[:35],
        given_names=" ".join(person.forenames),
        date_of_birth=CivilDate(year=born.year, month=born.month, day=born.day),
        **more,
    )


def get(reference: str) -> GetReportRequest:
    return GetReportRequest(access=ACCESS, merlin_reference=MerlinReference(value=reference))


def submission(surname: str = "Testcase", **more: Any) -> RaiseReportRequest:
    """A missing person to be raised; every surname is another person."""
    return RaiseReportRequest(
        access=ACCESS,
        submission_id=str(uuid.uuid4()),
        subject=PersonMessage(
            name=PersonName(given_names=["Ann"], family_name=surname), date_of_birth=CivilDate(year=2012, month=3, day=4)
        ),
        summary="Left home after an argument.",
        risk=contract.RiskAssessment(level=contract.RISK_LEVEL_HIGH, rationale="young, and it is cold"),
        missing_person=_missing(),
        **more,
    )


def _missing() -> contract.MissingPerson:
    details = contract.MissingPerson(circumstances="Left home after an argument.", vulnerabilities=[contract.VULNERABILITY_COUNTY_LINES])
    details.last_seen.FromDatetime(datetime(2026, 11, 22, 18, 5, tzinfo=UTC))
    return details


def update(reference: str, **change: Any) -> UpdateReportRequest:
    return UpdateReportRequest(access=ACCESS, merlin_reference=MerlinReference(value=reference), **change)


def located() -> contract.Locating:
    found = contract.Locating(place="at a friend's", found_by="police")
    found.found.FromDatetime(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    return found


async def raised(stub: "ReportServiceAsyncStub", surname: str) -> str:
    """Raises a missing person and gives the reference."""
    reply = await stub.RaiseReport(submission(surname), metadata=asking(), timeout=PATIENT)
    return reply.merlin_reference.value


def status_of(error: grpc.aio.AioRpcError) -> Any:
    """The error's `google.rpc.Status`."""
    status = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None
    return status


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status, reason and metadata of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_details_pb2.ErrorInfo()
    status_of(told.value).details[0].Unpack(info)
    assert info.domain == "merlin.metip"
    return told.value.code(), info.reason, dict(info.metadata)


def episode(rig: Rig, fits: Callable[[Episode], bool]) -> Episode:
    return next(one for one in rig.population.episodes() if fits(one))


def restricted(rig: Rig) -> Episode:
    return episode(rig, lambda one: one.restricted)


# --- searching and getting ---


async def test_a_search_finds_the_missing_child_with_the_part_of_each_person(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    child = rig.population.person(STORIES["missing_child"])
    reply = await grpc_stub.SearchReports(search(child, type=contract.REPORT_TYPE_MISPER), metadata=asking(), timeout=PATIENT)
    [found] = reply.reports
    missing = rig.population.episodes_of(child)[0]
    assert missing.last_seen_at
    assert found.merlin_reference.value == missing.reference
    assert (found.type, found.status, found.risk) == (
        contract.REPORT_TYPE_MISPER,
        contract.REPORT_STATUS_OPEN,
        contract.RISK_LEVEL_HIGH,
    )
    assert found.role == contract.PERSON_ROLE_SUBJECT
    assert found.person.name == PersonName(family_name=child.surname, given_names=child.forenames)
    assert found.person.pnc_id.value == child.pnc_id
    assert found.last_seen.ToDatetime(tzinfo=UTC) == missing.last_seen_at
    assert found.created.ToDatetime(tzinfo=UTC) == missing.created_at
    assert not found.restricted
    assert reply.provenance.system == "Merlin"
    assert abs((reply.provenance.as_of.ToDatetime(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 120


async def test_a_search_by_surname_shows_guardians_as_such(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    guardian = rig.population.person(STORIES["known_offender"])
    reply = await grpc_stub.SearchReports(search(guardian), metadata=asking(), timeout=PATIENT)
    roles = {(found.type, found.role) for found in reply.reports}
    assert (contract.REPORT_TYPE_MISPER, contract.PERSON_ROLE_GUARDIAN) in roles
    assert (contract.REPORT_TYPE_ACN, contract.PERSON_ROLE_SUBJECT) in roles


async def test_a_search_for_open_reports_leaves_closed_ones_out(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    child = rig.population.person(STORIES["missing_child"])
    everything = await grpc_stub.SearchReports(search(child), metadata=asking(), timeout=PATIENT)
    still_open = await grpc_stub.SearchReports(search(child, open_only=True), metadata=asking(), timeout=PATIENT)
    assert {found.status for found in everything.reports} == {contract.REPORT_STATUS_OPEN, contract.REPORT_STATUS_CLOSED}
    assert {found.status for found in still_open.reports} == {contract.REPORT_STATUS_OPEN}


async def test_a_search_with_too_many_answers_says_that_there_are_more(grpc_stub: "ReportServiceAsyncStub") -> None:
    few = SearchReportsRequest(access=ACCESS, family_name="Ha", limit=2)
    reply = await grpc_stub.SearchReports(few, metadata=asking(), timeout=PATIENT)
    assert (len(reply.reports), reply.provenance.truncated) == (2, True)
    most = await grpc_stub.SearchReports(SearchReportsRequest(access=ACCESS, family_name="Ha"), metadata=asking(), timeout=PATIENT)
    assert len(most.reports) <= 50


async def test_nobody_by_that_description_is_no_trace(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    nobody = rig.population.person(STORIES["no_trace"])
    code, reason, _ = await refused(grpc_stub.SearchReports(search(nobody), metadata=asking(), timeout=PATIENT))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "NO_TRACE")


@pytest.mark.parametrize("kind", [EpisodeKind.MIS, EpisodeKind.PAC, EpisodeKind.ACN])
async def test_a_report_of_each_type_is_given_in_full(grpc_stub: "ReportServiceAsyncStub", rig: Rig, kind: EpisodeKind) -> None:
    wanted = episode(rig, lambda one: one.kind is kind and one.status is EpisodeStatus.CLOSED and not one.restricted)
    report = (await grpc_stub.GetReport(get(wanted.reference), metadata=asking(), timeout=PATIENT)).report
    subject = rig.population.person(wanted.subject_number)
    assert report.summary.merlin_reference.value == wanted.reference
    assert report.summary.person.name.family_name == subject.surname[:35]
    details = {EpisodeKind.MIS: "missing_person", EpisodeKind.PAC: "child", EpisodeKind.ACN: "adult"}[kind]
    assert report.WhichOneof("details") == details
    assert getattr(report, details).circumstances == wanted.circumstances
    assert report.HasField("closed")
    assert report.HasField("sharing") is (kind is not EpisodeKind.MIS)
    assert bool(report.people) is bool(subject.guardian_number)


async def test_a_risk_review_that_is_late_is_warned_of(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    reference = rig.population.episodes_of(rig.population.person(STORIES["missing_child"]))[0].reference
    now = await grpc_stub.GetReport(get(reference), metadata=asking(), timeout=PATIENT)
    assert now.report.HasField("review_due")
    assert not now.provenance.warnings
    assert rig.dials
    rig.dials.set([Dial("later", setting="25h")])
    later = await grpc_stub.GetReport(get(reference), metadata=asking(), timeout=PATIENT)
    assert [warning.code for warning in later.provenance.warnings] == [codes.REVIEW_OVERDUE]


# --- what may not be seen ---


async def test_a_restricted_report_is_answered_word_for_word_as_an_unknown_one(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    hidden = restricted(rig).reference
    for ask in (
        lambda reference: grpc_stub.GetReport(get(reference), metadata=asking(), timeout=PATIENT),
        lambda reference: grpc_stub.UpdateReport(
            update(reference, closed=contract.Closing(reason="done")), metadata=asking(), timeout=PATIENT
        ),
    ):
        said = []
        for reference in (hidden, UNKNOWN):
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await ask(reference)
            said.append((told.value.code(), told.value.details(), told.value.trailing_metadata()))
        assert said[0] == said[1]
        assert said[0][0] is grpc.StatusCode.NOT_FOUND


async def test_a_restricted_report_is_in_no_search_and_in_no_count(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    hidden = restricted(rig)
    subject = rig.population.person(hidden.subject_number)
    insider = await grpc_stub.SearchReports(search(subject), metadata=asking("PPU"), timeout=PATIENT)
    assert hidden.reference in {found.merlin_reference.value for found in insider.reports if found.restricted}
    seen = [found for found in insider.reports if not found.restricted]
    if seen:
        officer = await grpc_stub.SearchReports(search(subject, limit=len(seen)), metadata=asking(), timeout=PATIENT)
        assert list(officer.reports) == seen
        assert not officer.provenance.truncated
    else:
        answer = await refused(grpc_stub.SearchReports(search(subject), metadata=asking(), timeout=PATIENT))
        nobody = rig.population.person(STORIES["no_trace"])
        assert answer == await refused(grpc_stub.SearchReports(search(nobody), metadata=asking(), timeout=PATIENT))


async def test_a_member_of_the_unit_gets_a_restricted_report_marked_as_such(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    reply = await grpc_stub.GetReport(get(restricted(rig).reference), metadata=asking("PPU"), timeout=PATIENT)
    assert reply.report.summary.restricted


# --- raising ---


async def test_a_report_is_raised_once_for_each_submission(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    request = submission("Raisedonce")
    first = await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    again = await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    assert first.merlin_reference.value == again.merlin_reference.value
    assert first.created == again.created
    assert first.HasField("review_due")
    report = (await grpc_stub.GetReport(get(first.merlin_reference.value), metadata=asking(), timeout=PATIENT)).report
    assert report.missing_person == request.missing_person
    assert report.summary.person == request.subject
    assert report.summary.summary == request.summary
    assert (report.assessments[0].level, report.assessments[0].rationale) == (request.risk.level, request.risk.rationale)


@pytest.mark.parametrize("details", ["child", "adult"])
async def test_notices_are_raised_with_everybody_they_name_and_what_is_shared(grpc_stub: "ReportServiceAsyncStub", details: str) -> None:
    request = submission(
        "Noticed",
        people=[
            contract.LinkedPerson(person=PersonMessage(name=PersonName(family_name="Aunt")), role=contract.PERSON_ROLE_HOUSEHOLD_MEMBER)
        ],
        sharing=contract.Sharing(
            partners=[contract.PARTNER_CHILDRENS_SOCIAL_CARE, contract.PARTNER_EDUCATION],
            basis=contract.LEGAL_BASIS_CONSENT,
            consent_given=True,
        ),
    )
    if details == "child":
        request.child.CopyFrom(
            contract.ChildNotice(circumstances="Alone in a park.", concerns=[contract.CONCERN_DOMAIN_FAMILY], childs_voice="I was bored.")
        )
    else:
        request.adult.CopyFrom(contract.AdultNotice(circumstances="Confused in the street.", wishes="To go home."))
    reply = await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    assert not reply.HasField("review_due")
    report = (await grpc_stub.GetReport(get(reply.merlin_reference.value), metadata=asking(), timeout=PATIENT)).report
    assert getattr(report, details) == getattr(request, details)
    assert list(report.people) == list(request.people)
    assert report.sharing == request.sharing


async def test_somebody_still_missing_is_not_raised_again(grpc_stub: "ReportServiceAsyncStub") -> None:
    reference = await raised(grpc_stub, "Missingtwice")
    answer = await refused(grpc_stub.RaiseReport(submission("Missingtwice"), metadata=asking(), timeout=PATIENT))
    assert answer[:2] == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert answer[2]["merlin_reference"] == reference
    assert answer[2]["code"] == codes.EPISODE_OPEN


async def test_another_report_under_a_used_submission_id_is_invalid(grpc_stub: "ReportServiceAsyncStub") -> None:
    request = submission("Firstuse")
    await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    request.summary = "Something else altogether."
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    assert told.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    fields = error_details_pb2.BadRequest()
    status_of(told.value).details[1].Unpack(fields)
    assert [violation.field for violation in fields.field_violations] == ["submission_id"]


async def test_sharing_without_a_legal_basis_raises_nothing(grpc_stub: "ReportServiceAsyncStub") -> None:
    request = submission("Sharedfornothing", sharing=contract.Sharing(partners=[contract.PARTNER_HEALTH]))
    code, reason, metadata = await refused(grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT))
    assert (code, reason, metadata["code"]) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED", codes.NO_LEGAL_BASIS)
    await _not_there(grpc_stub, "Sharedfornothing")


async def test_a_full_outbox_raises_nothing_and_says_when_to_come_again(grpc_stub: "ReportServiceAsyncStub", rig: Rig) -> None:
    assert rig.dials
    rig.dials.set([Dial("outbox_full", times=1)])
    request = submission(
        "Outboxfull",
        sharing=contract.Sharing(partners=[contract.PARTNER_HEALTH], basis=contract.LEGAL_BASIS_VITAL_INTERESTS),
    )
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)
    retry = error_details_pb2.RetryInfo()
    status_of(told.value).details[1].Unpack(retry)
    assert (told.value.code(), retry.retry_delay.seconds) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 30)
    await _not_there(grpc_stub, "Outboxfull")
    assert (await grpc_stub.RaiseReport(request, metadata=asking(), timeout=PATIENT)).merlin_reference.value


async def _not_there(stub: "ReportServiceAsyncStub", surname: str) -> None:
    _, reason, _ = await refused(
        stub.SearchReports(SearchReportsRequest(access=ACCESS, family_name=surname), metadata=asking(), timeout=PATIENT)
    )
    assert reason == "NO_TRACE"


# --- updating ---


async def test_a_missing_episode_is_taken_to_its_end_step_by_step(grpc_stub: "ReportServiceAsyncStub") -> None:
    reference = await raised(grpc_stub, "Stepbystep")
    lowered = contract.RiskAssessment(level=contract.RISK_LEVEL_MEDIUM, rationale="seen on a camera", supervisor="P654321")
    reply = await grpc_stub.UpdateReport(update(reference, risk=lowered), metadata=asking(), timeout=PATIENT)
    assert (reply.status, reply.risk) == (contract.REPORT_STATUS_OPEN, contract.RISK_LEVEL_MEDIUM)
    assert reply.HasField("review_due")
    steps: list[tuple[dict[str, Any], Any]] = [
        ({"located": located()}, contract.REPORT_STATUS_LOCATED),
        ({"debriefed": contract.Debriefing(account="Was at a friend's.")}, contract.REPORT_STATUS_DEBRIEFED),
        ({"closed": contract.Closing(reason="back at home")}, contract.REPORT_STATUS_CLOSED),
    ]
    for change, status in steps:
        reply = await grpc_stub.UpdateReport(update(reference, **change), metadata=asking(), timeout=PATIENT)
        assert reply.status == status
        assert not reply.HasField("review_due")
    report = (await grpc_stub.GetReport(get(reference), metadata=asking(), timeout=PATIENT)).report
    assert report.located == located()
    assert report.debriefed.account == "Was at a friend's."
    assert report.closed.reason == "back at home"
    assert [one.level for one in report.assessments] == [contract.RISK_LEVEL_MEDIUM, contract.RISK_LEVEL_HIGH]


async def test_a_step_out_of_turn_is_refused(grpc_stub: "ReportServiceAsyncStub") -> None:
    reference = await raised(grpc_stub, "Outofturn")
    answer = await refused(
        grpc_stub.UpdateReport(update(reference, closed=contract.Closing(reason="done")), metadata=asking(), timeout=PATIENT)
    )
    assert answer[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "PRECONDITION")
    assert answer[2]["code"] == codes.STEP_NOT_ALLOWED


@pytest.mark.parametrize("supervisor", ["", "P123456"], ids=["nobody", "the asker"])
async def test_lowering_a_risk_without_a_supervisor_is_refused(grpc_stub: "ReportServiceAsyncStub", supervisor: str) -> None:
    reference = await raised(grpc_stub, f"Lowered{supervisor}")
    lowered = contract.RiskAssessment(level=contract.RISK_LEVEL_LOW, rationale="a feeling", supervisor=supervisor)
    answer = await refused(grpc_stub.UpdateReport(update(reference, risk=lowered), metadata=asking(), timeout=PATIENT))
    assert answer[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED")
    assert answer[2]["code"] == codes.RISK_DOWNGRADE


# --- the contract ---

INVALID: list[tuple[str, str, Any]] = [
    ("a surname of one letter", "SearchReports", SearchReportsRequest(access=ACCESS, family_name="H")),
    ("a limit beyond fifty", "SearchReports", SearchReportsRequest(access=ACCESS, family_name="Ha", limit=51)),
    ("a reference of another kind", "GetReport", get("123/26")),
    ("no reference", "GetReport", GetReportRequest(access=ACCESS)),
    ("no details", "RaiseReport", RaiseReportRequest(access=ACCESS, submission_id=str(uuid.uuid4()))),
    ("a submission id that is none", "RaiseReport", RaiseReportRequest(access=ACCESS, submission_id="1")),
    ("no change", "UpdateReport", update("26MIS800001")),
    ("a character that no document holds", "SearchReports", SearchReportsRequest(access=ACCESS, family_name="Ha\x00lz")),
]


@pytest.mark.parametrize(("name", "method", "request_"), INVALID, ids=[row[0] for row in INVALID])
async def test_a_request_that_breaks_the_contract_never_reaches_the_far_side(
    grpc_stub: "ReportServiceAsyncStub", rig: Rig, name: str, method: str, request_: Any
) -> None:
    await refused(grpc_stub.GetReport(get(UNKNOWN), metadata=asking(), timeout=PATIENT))
    assert rig.dials
    before = rig.dials.exchanges.copy()
    code, reason, _ = await refused(getattr(grpc_stub, method)(request_, metadata=asking(), timeout=PATIENT))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert rig.dials.exchanges == before


async def test_a_traffic_stop_is_no_reason_to_look_into_these_reports(grpc_stub: "ReportServiceAsyncStub") -> None:
    access = AccessContext(purpose=options_pb2.PURPOSE_ROAD_TRAFFIC, justification="speeding")
    answer = await refused(
        grpc_stub.SearchReports(SearchReportsRequest(access=access, family_name="Ha"), metadata=asking(), timeout=PATIENT)
    )
    assert answer[:2] == (grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_PERMITTED")


async def test_every_refusal_of_the_far_side_has_a_reason() -> None:
    refusals = {value for name, value in vars(codes).items() if isinstance(value, str) and value.startswith("MR") and name.isupper()}
    assert set(FAULTS) == refusals
