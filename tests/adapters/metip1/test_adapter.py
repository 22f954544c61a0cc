"""The adapter against the simulated bus, on real HTTPS: what it is told of who asks, and what becomes of its codes."""

import re
from typing import Any
from uuid import UUID

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import case_files, error_info, play, read_case

from adapters.kit.population import STORIES
from adapters.kit.simulation.dials import Dial
from adapters.metip1.faults import FAULTS
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CrimeReportNumber, PncId, Vrm
from metip.common.v1.time_pb2 import CivilDate
from metip.cris.v1.crime_report_pb2 import DETAIL_PAGE_INVESTIGATION
from metip.cris.v1.crime_report_service_pb2 import AddDetailRequest, CreateCrimeReportRequest, GetCrimeReportRequest
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.merlin.v1.report_service_pb2 import SearchReportsRequest
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.arrest_summons_service_pb2_grpc import ArrestSummonsServiceStub
from metip.pnc.v1.case_update_service_pb2 import RecordDisposalRequest
from metip.pnc.v1.case_update_service_pb2_grpc import CaseUpdateServiceStub
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "metip1"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000}
RECORDED = {path.stem: read_case(path) for path in case_files((SYSTEM,))}
WHY = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="Detained person to be identified.", reference="1234/23NOV26")


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    assert rig.dials is not None
    rig.dials.set([Dial(dial, setting, times=times)])


def asked(rig: Rig, name: str) -> int:
    assert rig.dials is not None
    return rig.dials.exchanges[name]


async def person(rig: Rig, story: str = "wanted", access: AccessContext = WHY, **metadata: Any) -> Any:
    """Somebody's record."""
    known = rig.population.person(STORIES[story])
    request = GetPersonRequest(access=access, pnc_id=PncId(value=known.pnc_id))
    return await rig.stub(PersonEnquiryServiceStub).GetPerson(request, metadata=from_envoy(**metadata), timeout=10)


def disposal() -> RecordDisposalRequest:
    return RecordDisposalRequest.FromString(RECORDED["update_disposal_in_doubt"].case.request.value)


def record(rig: Rig, request: RecordDisposalRequest) -> Any:
    return rig.stub(CaseUpdateServiceStub).RecordDisposal(request, metadata=from_envoy(officer=None), timeout=10)


async def refused(call: Any) -> tuple[str, dict[str, str]]:
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_info(told.value)
    assert info.domain == "metip1.metip"
    return info.reason, {key: info.metadata[key] for key in ("code",) if key in info.metadata}


# Who asks.


async def test_the_bus_is_told_who_asks_why_and_by_which_call(rig: Rig) -> None:
    await person(rig, call_id="call-77")
    requester, context, addressing = rig.simulator.asked[-1]
    assert requester == {"Account": "METIP2", "UserId": "P123456", "Unit": "ZD", "Role": ["officer"], "Transaction": "call-77"}
    assert context == {"Purpose": "04", "Reference": "1234/23NOV26", "Justification": "Detained person to be identified."}
    assert addressing["Action"] == "urn:metip:bus:1:PNCEnquiry/GetName"
    assert UUID(addressing["MessageID"].removeprefix("urn:uuid:"))


async def test_the_officers_token_stays_here(rig: Rig) -> None:
    await person(rig)
    assert not re.search("bearer|eyJ", str(rig.simulator.asked[-1]), re.IGNORECASE)


async def test_no_two_questions_have_one_number(rig: Rig) -> None:
    await person(rig)
    await person(rig)
    numbers = [addressing["MessageID"] for _, _, addressing in rig.simulator.asked[-2:]]
    assert numbers[0] != numbers[1]


async def test_a_question_that_nobody_stands_behind_names_no_user(rig: Rig) -> None:
    await play(RECORDED["update_remand"], rig.channel, from_envoy(officer=None))
    assert "UserId" not in rig.simulator.asked[-1][0]


async def test_a_question_that_no_document_can_hold_is_refused_before_the_bus_is_asked(rig: Rig) -> None:
    before = len(rig.simulator.asked)
    odd = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="a\x00b\x07c")
    assert (await refused(person(rig, access=odd)))[0] == "INVALID_REQUEST"
    ancient = SearchReportsRequest(access=WHY, family_name="Halzerwick", date_of_birth=CivilDate(year=1901, month=2, day=3))
    assert (await refused(rig.stub(ReportServiceStub).SearchReports(ancient, metadata=from_envoy(), timeout=10)))[0] == "INVALID_REQUEST"
    assert len(rig.simulator.asked) == before


# What becomes of its codes.


@pytest.mark.parametrize("code", [*FAULTS, "MB4711", "no code at all"])
async def test_each_code_is_a_reason_of_the_contract_and_doubt_only_for_what_is_written_once(rig: Rig, code: str) -> None:
    turn(rig, "fault", code)
    meaning = FAULTS.get(code, FAULTS["MB9999"])
    told = {"code": code if re.fullmatch("[A-Z0-9]+", code) else "none"}
    assert await refused(person(rig)) == (meaning.reason.name, told)
    assert await refused(record(rig, disposal())) == ((meaning.write or meaning.reason).name, told)


async def test_when_to_come_again_is_passed_on(rig: Rig) -> None:
    turn(rig, "fault", "MB2003")
    turn(rig, "retry", "7")
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await person(rig)
    assert "7" in str(dict(told.value.trailing_metadata() or ())["grpc-status-details-bin"])


async def test_no_error_holds_a_word_of_the_bus(rig: Rig) -> None:
    turn(rig, "fault", "MB3001")
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await person(rig)
    assert "PLAYED" not in str(told.value)
    assert "P123456" not in str(told.value)


async def test_an_account_that_the_bus_does_not_know_is_no_fault_of_the_caller(rig: Rig) -> None:
    turn(rig, "unknown")
    assert await refused(person(rig)) == ("UPSTREAM_UNAVAILABLE", {"code": "MB1107"})


# What fails on the way.

FAR = {
    "drop": ("UPSTREAM_UNAVAILABLE", "IN_DOUBT"),
    "truncate": ("UPSTREAM_UNAVAILABLE", "IN_DOUBT"),
    "garbage": ("UPSTREAM_FAULT", "IN_DOUBT"),
    "lost_reply": ("UPSTREAM_UNAVAILABLE", "IN_DOUBT"),
    "broken": ("UPSTREAM_FAULT", "IN_DOUBT"),
}


@pytest.mark.parametrize(("dial", "reasons"), FAR.items(), ids=FAR)
async def test_a_bus_that_fails_is_told_apart_and_leaves_a_write_in_doubt(rig: Rig, dial: str, reasons: tuple[str, str]) -> None:
    turn(rig, dial)
    assert (await refused(person(rig)))[0] == reasons[0]
    request = disposal()
    request.subject.check_name = "SOMEBODY"  # so that nothing is recorded, whatever the dial lets through
    if dial in ("lost_reply", "broken"):
        return
    assert (await refused(record(rig, request)))[0] == reasons[1]


async def test_a_write_whose_answer_was_lost_was_done_once_and_is_never_sent_again(rig: Rig) -> None:
    number = rig.population.crime(40).reference
    request = AddDetailRequest(
        access=WHY, crime_report_number=CrimeReportNumber(value=number), page=DETAIL_PAGE_INVESTIGATION, text="Seen again."
    )
    before = asked(rig, "AddDet")
    turn(rig, "lost_reply")
    stub = rig.stub(CrimeReportServiceStub)
    assert (await refused(stub.AddDetail(request, metadata=from_envoy(), timeout=10)))[0] == "IN_DOUBT"
    assert rig.dials is not None
    rig.dials.clear()
    known = GetCrimeReportRequest(access=WHY, crime_report_number=request.crime_report_number)
    report = (await stub.GetCrimeReport(known, metadata=from_envoy(), timeout=10)).report
    assert [one.text for one in report.details].count("Seen again.") == asked(rig, "AddDet") - before == 1


async def test_a_crime_is_recorded_once_however_often_it_is_sent(rig: Rig) -> None:
    request = CreateCrimeReportRequest.FromString(RECORDED["create_crime"].case.request.value)
    request.client_reference = "0b7a2f7e-1111-4222-8333-444455556666"
    stub = rig.stub(CrimeReportServiceStub)
    turn(rig, "lost_reply", times=1)
    assert (await refused(stub.CreateCrimeReport(request, metadata=from_envoy(), timeout=10)))[0] == "UPSTREAM_UNAVAILABLE"
    first, again = [await stub.CreateCrimeReport(request, metadata=from_envoy(), timeout=10) for _ in range(2)]
    assert first.already_recorded
    assert first.crime_report_number == again.crime_report_number


# What the bus tells as it is.


async def test_a_name_that_the_bus_cut_stays_cut(rig: Rig) -> None:
    known = next(one for one in rig.population.people() if len(one.surname) > 30 and one.pnc_id)
    request = SearchPersonsRequest(access=WHY, family_name=known.surname[:35])
    reply = await rig.stub(PersonEnquiryServiceStub).SearchPersons(request, metadata=from_envoy(), timeout=10)
    assert known.surname.upper()[:30].rstrip() in [one.person.name.family_name for one in reply.nominals]


async def test_an_answer_says_that_this_system_gave_it(rig: Rig) -> None:
    reply = await person(rig)
    assert reply.provenance.system == "METIP1"
    assert reply.provenance.HasField("as_of")


async def test_a_stale_answer_is_marked_nowhere(rig: Rig) -> None:
    fresh = next(one for one in rig.population.vehicles() if one.reports)
    request = GetVehicleRequest(access=WHY, vrm=Vrm(value=fresh.vrm))
    stub = rig.stub(VehicleEnquiryServiceStub)
    now = await stub.GetVehicle(request, metadata=from_envoy(), timeout=10)
    turn(rig, "stale", "3650")
    then = await stub.GetVehicle(request, metadata=from_envoy(), timeout=10)
    assert (len(now.reports), len(then.reports)) == (len(fresh.reports), 0)
    assert then.provenance.as_of.seconds >= now.provenance.as_of.seconds
    assert not then.provenance.warnings


async def test_a_row_that_the_bus_tells_twice_is_told_twice(rig: Rig) -> None:
    known = rig.population.person(STORIES["wanted"])
    request = SearchPersonsRequest(access=WHY, family_name=known.surname, limit=3)
    stub = rig.stub(PersonEnquiryServiceStub)
    once = await stub.SearchPersons(request, metadata=from_envoy(), timeout=10)
    turn(rig, "duplicated")
    twice = await stub.SearchPersons(request, metadata=from_envoy(), timeout=10)
    assert list(twice.nominals) == [once.nominals[0], *once.nominals]


async def test_the_bus_is_slow_by_the_row(rig: Rig) -> None:
    turn(rig, "slow", "400ms")
    assert rig.dials is not None
    request = GetPersonRequest(access=WHY, pnc_id=PncId(value=rig.population.person(1).pnc_id))
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await rig.stub(PersonEnquiryServiceStub).GetPerson(request, metadata=from_envoy(), timeout=0.2)
    assert told.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_what_is_recorded_changes_what_is_told_but_not_the_copy(rig: Rig) -> None:
    request = disposal()
    arrest = next(one for one in rig.population.arrests() if one.court_case_reference == request.court_case_reference.value)
    ask = GetArrestSummonsRequest(access=WHY)
    ask.arrest_summons_number.value = arrest.asn
    await record(rig, request)
    told = rig.stub(ArrestSummonsServiceStub)
    reply = await told.GetArrestSummons(ask, metadata=from_envoy(), timeout=10)
    assert [one.disposals[0].amount_pence for one in reply.court_cases[0].offences] == [25_000] * len(request.results)
    turn(rig, "stale")
    reply = await told.GetArrestSummons(ask, metadata=from_envoy(), timeout=10)
    assert not any(one.disposals for one in reply.court_cases[0].offences)
    assert rig.dials is not None
    rig.dials.clear()
    assert await refused(record(rig, request)) == ("PRECONDITION", {"code": "MB1201"})
