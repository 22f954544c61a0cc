"""The adapter on real sockets: case files given, opened and changed, and courts' results filed on them once."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import error_info
from google.protobuf.duration_pb2 import Duration

from adapters.copa import codes
from adapters.copa.upstream import READINGS
from adapters.kit.population import Arrest
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.common.v1.pole_pb2 import PersonName
from metip.common.v1.time_pb2 import CivilDate, LocalTime
from metip.copa.v1 import case_file_pb2 as contract
from metip.copa.v1.case_file_service_pb2 import (
    Closing,
    CreateCaseFileRequest,
    GetCaseFileRequest,
    UpdateCaseFileRequest,
)
from metip.copa.v1.case_file_service_pb2_grpc import CaseFileServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED, Receipt
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.libra.v1.result_service_pb2_grpc import ResultServiceStub
from metip.options.v1 import options_pb2

SYSTEM = "copa"
UPSTREAM = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}  # the breaker has tests of its own
pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCESS = AccessContext(purpose=options_pb2.PURPOSE_PROSECUTION, reference="01ZT9791926")
HEARD = CivilDate(year=2026, month=11, day=20)
UNKNOWN = "01ZZ0000126"


class Bench:
    """Asks one running adapter, and hands it results as the exchange does."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.files: Any = CaseFileServiceStub(rig.channel)

    async def get(self, urn: str) -> contract.CaseFile:
        request = GetCaseFileRequest(access=ACCESS, pti_urn=PtiUrn(value=urn))
        return (await self.files.GetCaseFile(request, metadata=from_envoy(), timeout=10)).case_file  # type: ignore[no-any-return]

    async def create(self, request: CreateCaseFileRequest) -> int:
        return (await self.files.CreateCaseFile(request, metadata=from_envoy(), timeout=10)).version  # type: ignore[no-any-return]

    async def update(self, urn: str, version: int, **change: Any) -> Any:
        request = UpdateCaseFileRequest(access=ACCESS, pti_urn=PtiUrn(value=urn), version=version, **change)
        return await self.files.UpdateCaseFile(request, metadata=from_envoy(), timeout=10)

    async def sends(self, result: PublishResultRequest) -> Receipt:
        return await ResultServiceStub(self.rig.channel).PublishResult(result, metadata=from_envoy(officer=None), timeout=10)

    def turn(self, dial: str, setting: str = "", times: int = 0) -> None:
        assert self.rig.dials is not None
        self.rig.dials.set([Dial(dial, setting, times=times)])

    def asked(self, question: str) -> int:
        assert self.rig.dials is not None
        return self.rig.dials.exchanges[question]


@pytest.fixture(scope="module")
def bench(rig: Rig) -> Bench:
    return Bench(rig)


@pytest.fixture(scope="module")
def fresh(rig: Rig) -> Iterator[Arrest]:
    """Charged; each is handed out once."""
    return (arrest for arrest in rig.population.arrests() if arrest.charged and arrest.number > 100)


def result(arrest: Arrest, *, delivery: str = "delivery-1", code: int = 1015, **more: Any) -> PublishResultRequest:
    """Guilty of the first offence, and fined."""
    first = arrest.offences[0]
    decided = results.ResultedOffence(
        details=courts.OffenceDetails(sequence_number=1, offence_code=first.cjs_code),
        plea=results.COURT_PLEA_GUILTY_6,
        finding=results.COURT_FINDING_GUILTY,
        results=[results.CourtResult(code=code, text="Fined £100 & costs")],
    )
    defaults: dict[str, Any] = {
        "pti_urn": PtiUrn(value=arrest.pti_urn),
        "defendant": results.ResultedDefendant(arrest_summons_number=ArrestSummonsNumber(value=arrest.asn)),
    }
    return PublishResultRequest(
        access=AccessContext(purpose=options_pb2.PURPOSE_PROSECUTION),
        delivery_id=delivery,
        case_number=1,
        content_digest="0" * 64,
        hearing=courts.Hearing(court="B01EF01", date=HEARD),
        psa_code="2576",
        offences=[decided],
        **(defaults | more),
    )


def opening(urn: str, arrest: Arrest) -> CreateCaseFileRequest:
    """A file to be opened."""
    return CreateCaseFileRequest(
        access=ACCESS,
        submission_id=str(uuid.uuid4()),
        pti_urn=PtiUrn(value=urn),
        officer_in_case="P123456",
        unit="01ZD",
        defendants=[defendant(arrest)],
    )


def defendant(arrest: Arrest) -> contract.Defendant:
    return contract.Defendant(
        arrest_summons_number=ArrestSummonsNumber(value=arrest.asn),
        name=PersonName(given_names=["Ann"], family_name="O'Testcase"),
        date_of_birth=CivilDate(year=1999),
        charges=[contract.Charge(sequence=1, cjs_offence_code="TH68010")],
    )


async def refused(call: Any) -> tuple[str, str, str]:
    """Status, reason and the far side's code of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_info(told.value)
    return told.value.code().name, info.reason, info.metadata.get("code", "")


# Case files


async def test_a_file_tells_the_same_of_somebody_as_the_other_systems_do(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    person = bench.rig.population.person(arrest.person_number)
    file = await bench.get(arrest.pti_urn)
    (one,) = file.defendants
    assert (one.arrest_summons_number.value, one.pnc_id.value, one.name.family_name) == (arrest.asn, person.pnc_id, person.surname[:35])
    assert [charge.cjs_offence_code for charge in one.charges] == [offence.cjs_code for offence in arrest.offences]
    assert (file.version, file.status, file.unit) == (1, contract.CASE_STATUS_OPEN, arrest.force_station)
    assert file.hearings[0].court_code == arrest.court_code


async def test_a_submission_opens_one_file_however_often_it_is_sent(bench: Bench, fresh: Iterator[Arrest]) -> None:
    request = opening("01ZD9100026", next(fresh))
    bench.turn("lost_reply", times=1)
    assert (await refused(bench.create(request)))[1] == "UPSTREAM_FAULT"
    assert [await bench.create(request) for _ in range(2)] == [1, 1]
    file = await bench.get("01ZD9100026")
    assert file.defendants[0].name.family_name == "O'Testcase"
    assert file.defendants[0].date_of_birth == CivilDate(year=1999)
    assert file.officer_in_case == "P123456"


async def test_another_file_under_a_used_submission_is_refused(bench: Bench, fresh: Iterator[Arrest]) -> None:
    request = opening("01ZD9100126", next(fresh))
    await bench.create(request)
    request.officer_in_case = "P654321"
    assert await refused(bench.create(request)) == ("INVALID_ARGUMENT", "INVALID_REQUEST", codes.SUBMISSION_USED)


async def test_a_file_changes_step_by_step_and_a_closed_one_no_more(bench: Bench, fresh: Iterator[Arrest]) -> None:
    urn, other = next(fresh).pti_urn, next(fresh)
    trial = contract.Hearing(
        court_code="2732", date=CivilDate(year=2025, month=1, day=4), time=LocalTime(hour=14, minute=5), purpose="Trial"
    )
    assert (await bench.update(urn, 1, hearing=trial)).version == 2
    assert (await bench.update(urn, 2, defendant=defendant(other))).version == 3
    assert (await bench.update(urn, 3, officer_in_case="P777777")).version == 4
    file = await bench.get(urn)
    assert file.hearings[0] == trial
    assert len(file.defendants) == 2
    assert file.officer_in_case == "P777777"
    assert (await bench.update(urn, 4, closed=Closing(reason="discontinued"))).status == contract.CASE_STATUS_CLOSED
    assert await refused(bench.update(urn, 5, officer_in_case="P1")) == ("FAILED_PRECONDITION", "PRECONDITION", codes.CASE_CLOSED)


async def test_a_change_to_another_version_is_a_conflict_that_names_the_one_there_is(bench: Bench, fresh: Iterator[Arrest]) -> None:
    urn = next(fresh).pti_urn
    bench.turn("conflict", times=1)
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await bench.update(urn, 1, officer_in_case="P1")
    assert told.value.code() is grpc.StatusCode.ABORTED
    assert error_info(told.value).metadata["version"] == "2"


@pytest.mark.parametrize(
    ("dial", "setting", "of_a_question", "of_a_change"),
    [
        ("delay", "5s", "TIMED_OUT", "IN_DOUBT"),
        ("hang", "", "TIMED_OUT", "IN_DOUBT"),
        ("half_open", "", "TIMED_OUT", "IN_DOUBT"),
        ("drop", "", "UPSTREAM_UNAVAILABLE", "IN_DOUBT"),
        ("truncate", "", "UPSTREAM_UNAVAILABLE", "IN_DOUBT"),
        ("garbage", "", "UPSTREAM_FAULT", "IN_DOUBT"),
        ("error", "CPA-998", "UPSTREAM_FAULT", "IN_DOUBT"),
        ("account_refused", "", "UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_a_far_side_that_fails_leaves_a_change_in_doubt(
    bench: Bench, fresh: Iterator[Arrest], dial: str, setting: str, of_a_question: str, of_a_change: str
) -> None:
    urn = next(fresh).pti_urn
    bench.turn(dial, setting, times=1)
    assert (await refused(bench.get(urn)))[1] == of_a_question
    bench.turn(dial, setting, times=1)
    assert (await refused(bench.update(urn, 1, officer_in_case="P1")))[1] == of_a_change


# Results


async def test_a_result_is_on_the_file_of_its_case(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    assert (await bench.sends(result(arrest))).progress == PROGRESS_PROCESSED
    file = await bench.get(arrest.pti_urn)
    assert (file.version, file.status) == (2, contract.CASE_STATUS_RESULTED)
    (filed,) = file.results
    assert (filed.arrest_summons_number.value, filed.court_code, filed.heard) == (arrest.asn, "2576", HEARD)
    assert filed.HasField("filed")
    (decided,) = filed.offences
    assert (decided.sequence, decided.plea, decided.verdict) == (1, "G", "G")
    assert [(one.code, one.text) for one in decided.disposals] == [(1015, "Fined £100 & costs")]


async def test_a_result_that_comes_again_is_filed_once(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    for _ in range(3):
        assert (await bench.sends(result(arrest))).progress == PROGRESS_PROCESSED
    file = await bench.get(arrest.pti_urn)
    assert (file.version, len(file.results)) == (2, 1)
    await bench.sends(result(arrest, delivery="delivery-2"))
    assert len((await bench.get(arrest.pti_urn)).results) == 2


async def test_a_result_whose_answer_was_lost_comes_again_and_is_filed_once(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    bench.turn("lost_reply", times=1)
    assert (await refused(bench.sends(result(arrest))))[0] == "INTERNAL"
    assert (await bench.sends(result(arrest))).progress == PROGRESS_PROCESSED
    assert len((await bench.get(arrest.pti_urn)).results) == 1


async def test_a_file_that_changed_in_between_is_read_again(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest, before = next(fresh), bench.asked("GetCase")
    bench.turn("conflict", times=READINGS - 1)
    assert (await bench.sends(result(arrest))).progress == PROGRESS_PROCESSED
    assert bench.asked("GetCase") - before == READINGS
    assert (await bench.get(arrest.pti_urn)).version == 1 + READINGS


async def test_a_file_that_never_rests_makes_the_result_come_again_later(bench: Bench, fresh: Iterator[Arrest]) -> None:
    before = bench.asked("FileResult")
    bench.turn("conflict")
    assert await refused(bench.sends(result(next(fresh)))) == ("ABORTED", "CONFLICT", codes.VERSION_CONFLICT)
    assert bench.asked("FileResult") - before == READINGS


async def test_results_of_one_case_at_the_same_time_are_all_filed(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await asyncio.gather(*(bench.sends(result(arrest, delivery=f"delivery-{number}")) for number in range(3)))
    assert len((await bench.get(arrest.pti_urn)).results) == 3


async def test_a_result_is_filed_on_a_closed_case_too(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    await bench.update(arrest.pti_urn, 1, closed=Closing(reason="discontinued"))
    await bench.sends(result(arrest))
    file = await bench.get(arrest.pti_urn)
    assert (file.status, len(file.results)) == (contract.CASE_STATUS_CLOSED, 1)


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        ("locked", ("ABORTED", "LOCKED", codes.CASE_LOCKED)),
        ("read_only", ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", codes.READ_ONLY)),
        ("drop", ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "")),
    ],
)
async def test_what_passes_makes_the_result_come_again(
    bench: Bench, fresh: Iterator[Arrest], dial: str, expected: tuple[str, str, str]
) -> None:
    arrest = next(fresh)
    bench.turn(dial, times=1)
    assert await refused(bench.sends(result(arrest))) == expected
    assert (await bench.sends(result(arrest))).progress == PROGRESS_PROCESSED


@pytest.mark.parametrize("urn", [PtiUrn(value=UNKNOWN), PtiUrn(as_received="not a reference")], ids=["unknown", "no reference"])
async def test_a_result_of_a_case_that_was_never_prepared_is_for_a_person(bench: Bench, fresh: Iterator[Arrest], urn: PtiUrn) -> None:
    assert await refused(bench.sends(result(next(fresh), pti_urn=urn))) == ("NOT_FOUND", "NO_TRACE", codes.URN_UNKNOWN)


async def test_a_result_of_somebody_who_is_not_in_the_case_is_for_a_person(bench: Bench, fresh: Iterator[Arrest]) -> None:
    stranger = results.ResultedDefendant(arrest_summons_number=ArrestSummonsNumber(value=next(fresh).asn))
    request = result(next(fresh), defendant=stranger)
    assert await refused(bench.sends(request)) == ("FAILED_PRECONDITION", "PRECONDITION", codes.DEFENDANT_UNKNOWN)


async def test_no_fault_tells_about_anybody(bench: Bench, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    person = bench.rig.population.person(arrest.person_number)
    await bench.update(arrest.pti_urn, 1, closed=Closing(reason="discontinued"))
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await bench.update(arrest.pti_urn, 2, officer_in_case="P1")
    assert person.surname not in repr(told.value)
    assert arrest.pti_urn not in repr(told.value)


async def test_each_access_is_journalled_with_its_operation(bench: Bench, fresh: Iterator[Arrest]) -> None:
    before = len(bench.rig.entries)
    arrest = next(fresh)
    await bench.sends(result(arrest))
    await bench.get(arrest.pti_urn)
    assert [(one.operation.method, one.outcome) for one in bench.rig.entries[before:]] == [("PublishResult", "OK"), ("GetCaseFile", "OK")]
