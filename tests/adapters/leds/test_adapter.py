"""The adapter against the simulated LEDS, on real HTTPS: what LEDS is told of who asks, and what becomes of each of its errors."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import case_files, error_info, play, read_case

from adapters.kit.population import Arrest
from adapters.kit.simulation.dials import Dial
from adapters.leds.register import urn
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId
from metip.common.v1.time_pb2 import CivilDate
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from metip.libra.v1 import court_pb2 as courts
from metip.libra.v1 import result_pb2 as results
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION, PURPOSE_PROSECUTION
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.arrest_summons_service_pb2_grpc import ArrestSummonsServiceStub
from metip.pnc.v1.case_update_service_pb2 import RecordDisposalRequest
from metip.pnc.v1.case_update_service_pb2_grpc import CaseUpdateServiceStub
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from tests.adapters.pnc.test_results import ADJOURNED, FINE, GUILTY, LATER, PRISON, Court, offence

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "leds"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000}
DISPOSAL = next(one for one in map(read_case, case_files((SYSTEM,))) if one.path.stem == "record_disposal")
WHY = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="Detained person to be\nidentified.", reference="1234/23NOV26")
UPDATES = ("court-case-disposal-result", "court-case-subsequent-disposal-results", "basic-remands")


class LedsCourt(Court):
    """The court of the other back end's tests, with this one's counts."""

    def asked(self) -> dict[str, int]:
        """How often LEDS was told what."""
        assert self._rig.dials is not None
        return {name: self._rig.dials.exchanges[name] for name in UPDATES}


@pytest.fixture(scope="module")
def court(rig: Rig) -> LedsCourt:
    """The court of this module."""
    return LedsCourt(rig)


@pytest.fixture(scope="module")
def fresh(rig: Rig) -> Iterator[Arrest]:
    """Charged with several different offences, with results to come; each is handed out once."""
    open_ones = (arrest for arrest in rig.population.arrests() if arrest.charged and arrest.number % 2 and arrest.number > 40)
    return (arrest for arrest in open_ones if len({one.cjs_code for one in arrest.offences}) == len(arrest.offences) > 1)


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    assert rig.dials is not None
    rig.dials.set([Dial(dial, setting, times=times)])


async def person(rig: Rig, access: AccessContext = WHY, **metadata: Any) -> Any:
    """Somebody's record."""
    known = rig.population.person(1)
    request = GetPersonRequest(access=access, pnc_id=PncId(value=known.pnc_id))
    return await rig.stub(PersonEnquiryServiceStub).GetPerson(request, metadata=from_envoy(**metadata), timeout=10)


async def refused(call: Any) -> tuple[str, str, dict[str, str]]:
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call
    info = error_info(told.value)
    return told.value.code().name, info.reason, {key: info.metadata[key] for key in ("code", "exception") if key in info.metadata}


def disposal() -> RecordDisposalRequest:
    return RecordDisposalRequest.FromString(DISPOSAL.case.request.value)


# Who asks.


async def test_leds_is_told_who_asks_why_and_by_which_call(rig: Rig) -> None:
    await person(rig, call_id="call-77")
    said = rig.simulator.headers[-1]
    assert said["X-Leds-System-Name"] == "MetIP Hub"
    assert said["X-Leds-Justification"] == "Detained person to be identified."
    assert said["X-Leds-Reason"] == "6 - Crime or alleged crime"
    assert said["X-Leds-On-Behalf-Of"] == "P123456"
    assert said["X-Leds-Activity-Code"] == "Person Enquiry"
    assert said["X-Leds-Action-Code"] == "View Person Summary"
    assert said["X-Leds-Reference-Id"] == "1234/23NOV26"
    assert (said["X-Leds-Activity-Flow-Id"], said["X-Leds-Correlation-Id"]) == ("call-77", "call-77")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["X-Leds-Application-Datetime"])
    assert UUID(said["X-Leds-Session-Id"])


async def test_who_asks_for_somebody_else_names_them_and_a_session_is_one_persons(rig: Rig) -> None:
    access = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="asked by radio", on_behalf_of="PC 1234 Example")
    await person(rig, access)
    await person(rig, officer="P654321")
    await person(rig)
    first, second, third = (one["X-Leds-Session-Id"] for one in rig.simulator.headers[-3:])
    assert rig.simulator.headers[-3]["X-Leds-On-Behalf-Of"] == "PC 1234 Example"
    assert (first == third, first == second) == (True, False)


async def test_an_update_says_so_and_all_its_requests_are_one_flow(rig: Rig) -> None:
    await play(DISPOSAL, rig.channel, from_envoy(officer=None, call_id="call-78"))
    read, update = rig.simulator.headers[-2:]
    assert (read["X-Leds-Reason"], update["X-Leds-Reason"]) == ("7 - Admin, major/minor process", "9 - Update/Confirm/Broadcast")
    assert (read["X-Leds-Activity-Code"], update["X-Leds-Activity-Code"]) == ("Person Enquiry", "Person Update")
    assert update["X-Leds-Action-Code"] == "Add Disposal Results"
    assert read["X-Leds-Activity-Flow-Id"] == update["X-Leds-Activity-Flow-Id"] == "call-78"
    assert update["X-Leds-Justification"]
    assert "X-Leds-On-Behalf-Of" not in update


@pytest.mark.parametrize("words", ["\u0416\u0416\u0416", "a\x00b\x07c", "\x7f\x7f\x7f"], ids=["foreign", "control", "delete"])
async def test_a_reason_that_no_header_can_hold_is_refused_before_anybody_is_asked(rig: Rig, words: str) -> None:
    before = len(rig.simulator.headers)
    access = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification=words)
    assert (await refused(person(rig, access)))[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert len(rig.simulator.headers) == before


# What becomes of errors. The last two columns are PNC's own reasons for the like.

KINDS = {
    "conflict/version": ("UPSTREAM_UNAVAILABLE", "LOCKED"),
    "conflict/pending-change-exists": ("UPSTREAM_UNAVAILABLE", "LOCKED"),
    "conflict/duplicate-exists": ("PRECONDITION", "PRECONDITION"),
    "conflict/missing-required-data": ("INVALID_REQUEST", "INVALID_REQUEST"),
    "unprocessable/references-exist": ("PRECONDITION", "PRECONDITION"),
    "unprocessable/no-changes": ("PRECONDITION", "PRECONDITION"),
    "unprocessable/maximum-limit-reached": ("PRECONDITION", "PRECONDITION"),
    "unprocessable/not-allowed": ("PRECONDITION", "PRECONDITION"),
    "bad-request/does-not-match": ("PRECONDITION", "PRECONDITION"),
    "bad-request/invalid-reference": ("PRECONDITION", "PRECONDITION"),
    "forbidden/payload": ("JUSTIFICATION_NEEDED", "UPSTREAM_REFUSED"),
    "unprocessable/something-new": ("UPSTREAM_FAULT", "IN_DOUBT"),
}


@pytest.mark.parametrize(("kind", "reasons"), KINDS.items(), ids=KINDS)
async def test_each_type_of_error_is_a_reason_of_the_contract(rig: Rig, kind: str, reasons: tuple[str, str]) -> None:
    turn(rig, "type", kind, times=1)
    enquiry = await refused(person(rig))
    turn(rig, "update_type", kind)
    update = await refused(rig.stub(CaseUpdateServiceStub).RecordDisposal(disposal(), metadata=from_envoy(), timeout=10))
    assert (enquiry[1], update[1]) == reasons
    assert update[2].get("code") == (kind if "something" not in kind else "422")


STATUSES = {
    "400": "INVALID_REQUEST",
    "403": "UPSTREAM_REFUSED",
    "404": "NO_TRACE",
    "418": "UPSTREAM_FAULT",
    "500": "UPSTREAM_FAULT",
    "503": "UPSTREAM_UNAVAILABLE",
}


@pytest.mark.parametrize(("status", "reason"), STATUSES.items(), ids=STATUSES)
async def test_a_status_without_a_word_of_leds_is_a_reason_too(rig: Rig, status: str, reason: str) -> None:
    turn(rig, "status", status, times=1)
    assert (await refused(person(rig)))[1] == reason


FAR = {"drop": "UPSTREAM_UNAVAILABLE", "truncate": "UPSTREAM_UNAVAILABLE", "garbage": "UPSTREAM_FAULT", "no_token": "UPSTREAM_UNAVAILABLE"}


@pytest.mark.parametrize(("dial", "reason"), FAR.items(), ids=FAR)
async def test_a_service_that_fails_is_told_apart_from_one_that_answers(rig: Rig, dial: str, reason: str) -> None:
    if dial == "no_token":
        turn(rig, "expired", times=1)
        turn(rig, dial, times=1)
        assert (await refused(person(rig)))[1] == reason
        return
    await person(rig)
    turn(rig, dial, times=1)
    assert (await refused(person(rig)))[1] == reason


async def test_no_error_holds_a_word_of_leds(rig: Rig) -> None:
    known = urn(rig.population.person(1).pnc_id)
    turn(rig, "type", "bad-request/does-not-match", times=1)
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await person(rig)
    assert "PLAYED" not in str(told.value)
    assert known not in str(told.value)


async def test_the_cro_number_of_a_subject_must_be_the_one_on_file(rig: Rig) -> None:
    request = disposal()
    request.subject.cro_number.CopyFrom(CroNumber(value="907920/05B"))
    assert (await refused(rig.stub(CaseUpdateServiceStub).RecordDisposal(request, metadata=from_envoy(), timeout=10)))[1] == "PRECONDITION"


# Courts' results.


async def test_a_result_is_on_file_once_however_often_it_comes(court: LedsCourt, fresh: Iterator[Arrest]) -> None:
    arrest, before = next(fresh), court.asked()
    request = court.result(arrest, *(offence(arrest, n + 1, FINE, PRISON, finding=GUILTY) for n in range(len(arrest.offences))))
    for _ in range(3):
        assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    assert court.asked() == before | {UPDATES[0]: before[UPDATES[0]] + 1}
    ((first, *_),) = await court.on_file(arrest)
    assert [(one.code, one.amount_pence, one.duration.value) for one in first.disposals] == [(1015, 25_000, 0), (1002, 0, 12)]


async def test_a_lost_reply_is_in_doubt_and_the_next_delivery_finds_that_it_was_done(court: LedsCourt, fresh: Iterator[Arrest]) -> None:
    request = court.result(next(fresh))
    court.turn("lost_reply", times=1)
    assert (await court.refused(request))[:2] == ("FAILED_PRECONDITION", "IN_DOUBT")
    before = court.asked()
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED
    assert court.asked() == before


async def test_a_change_by_somebody_else_makes_it_come_again(court: LedsCourt, fresh: Iterator[Arrest]) -> None:
    request = court.result(next(fresh))
    court.turn("update_type", "conflict/version", times=1)
    assert (await court.refused(request))[:2] == ("ABORTED", "LOCKED")
    assert (await court.sends(request)).progress == PROGRESS_PROCESSED


async def test_an_adjourned_offence_goes_on_in_a_case_of_its_own(court: LedsCourt, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    request = court.result(arrest, offence(arrest, 1, FINE, finding=GUILTY), offence(arrest, 2, ADJOURNED))
    await court.sends(request)
    first, carried = await court.on_file(arrest)
    assert [disposal.code for disposal in first[0].disposals] == [1015]
    assert (carried[0].number, carried[0].cjs_offence_code) == (1, arrest.offences[1].cjs_code)
    before = court.asked()
    await court.sends(request)
    assert court.asked() == before
    then = courts.Hearing(court="B01EF01", date=LATER)
    await court.sends(court.result(arrest, offence(arrest, 2, PRISON, finding=GUILTY, conviction_date=LATER), hearing=then))
    _, carried = await court.on_file(arrest)
    assert [disposal.code for disposal in carried[0].disposals] == [1002]


async def test_what_follows_a_conviction_or_varies_a_result_is_a_later_appearance(court: LedsCourt, fresh: Iterator[Arrest]) -> None:
    arrest, heard = next(fresh), CivilDate(year=2026, month=11, day=20)
    then = courts.Hearing(court="B01EF01", date=LATER)
    await court.sends(court.result(arrest, offence(arrest, 1, ADJOURNED, finding=GUILTY, conviction_date=heard)))
    sentence = court.result(arrest, offence(arrest, 1, PRISON, finding=GUILTY, conviction_date=heard), hearing=then)
    for _ in range(2):
        await court.sends(sentence)
    ((first, second, *_),) = await court.on_file(arrest)
    assert ([one.code for one in first.disposals], first.adjudication.sentence_date) == ([4047, 1002], heard)
    sine_die = results.CourtResult(code=2007)
    await court.sends(court.result(arrest, offence(arrest, 2, sine_die, finding=results.COURT_FINDING_NOT_GUILTY)))
    await court.sends(court.result(arrest, offence(arrest, 2, FINE, finding=GUILTY, conviction_date=LATER), hearing=then))
    ((first, second, *_),) = await court.on_file(arrest)
    assert [one.code for one in second.disposals] == [1015, 3027]
    assert court.asked()["court-case-subsequent-disposal-results"] >= 2


async def test_a_case_that_was_opened_is_named_in_the_answer(rig: Rig, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    access = AccessContext(purpose=PURPOSE_PROSECUTION)
    number = ArrestSummonsNumber(value=arrest.asn)
    shown = await rig.stub(ArrestSummonsServiceStub).GetArrestSummons(
        GetArrestSummonsRequest(access=access, arrest_summons_number=number), metadata=from_envoy(), timeout=10
    )
    request = disposal()
    del request.results[1:]
    request.subject.CopyFrom(shown.subject)
    request.court_case_reference.CopyFrom(shown.court_cases[0].reference)
    request.results[0].cjs_offence_code = arrest.offences[0].cjs_code
    request.results[0].ClearField("adjudication")
    del request.results[0].disposals[:]
    request.results[0].disposals.add(code=2059)
    request.carry_forward.court.code = "2576"
    reply = await rig.stub(CaseUpdateServiceStub).RecordDisposal(request, metadata=from_envoy(), timeout=10)
    assert (reply.receipt.code, [one.code for one in reply.receipt.remarks]) == ("A0003", ["A0027"])
    again = await rig.stub(ArrestSummonsServiceStub).GetArrestSummons(
        GetArrestSummonsRequest(access=access, arrest_summons_number=number), metadata=from_envoy(), timeout=10
    )
    assert again.court_cases[-1].reference == reply.additional_case != shown.court_cases[0].reference
