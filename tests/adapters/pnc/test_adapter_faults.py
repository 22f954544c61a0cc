"""The adapter against its simulator, on real sockets: every refusal of the host and every way in which the line fails."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import running_adapter
from cases import error_info
from google.protobuf.duration_pb2 import Duration

from adapters.kit.population import STORIES, Arrest
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PncId, Vrm
from metip.identifiers import build_pnc_id
from metip.options.v1.options_pb2 import Purpose
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.driver_enquiry_service_pb2 import GetDriverRequest
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, SearchPersonsRequest
from metip.pnc.v1.property_enquiry_service_pb2 import PropertyType, SearchPropertyRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest, SearchVehiclesRequest

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "pnc"
# One failure after another is played on one adapter, whose circuit must stay closed; nobody should wait eight seconds for a hung host.
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}
ENQUIRIES = ["SearchPersons", "GetPerson", "GetVehicle", "SearchVehicles", "GetDriver", "SearchProperty", "GetArrestSummons"]
UPDATES = ["RecordDisposal", "RecordRemand", "RecordDeferredSentence", "RecordVariation"]
OPERATIONS = ENQUIRIES + UPDATES
named = pytest.mark.parametrize("operation", OPERATIONS)
each_update = pytest.mark.parametrize("operation", UPDATES)
each_enquiry = pytest.mark.parametrize("operation", ENQUIRIES)

# What the host refuses

ENQUIRY_CODES = [
    ("I1008", "NOT_FOUND", "NO_TRACE", "HO100301"),
    ("I0013", "NOT_FOUND", "NO_TRACE", "HO100301"),
    ("I1001", "INVALID_ARGUMENT", "INVALID_REQUEST", "HO100314"),
    ("I0208", "FAILED_PRECONDITION", "PRECONDITION", "HO100313"),
    ("I6001", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "HO100314"),
    ("PNCUE", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "HO100302"),
    ("PNCAM", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "HO100302"),
    ("I0007", "INTERNAL", "UPSTREAM_FAULT", "HO100314"),
    ("X9999", "INTERNAL", "UPSTREAM_FAULT", "HO100314"),
    ("J0001", "FAILED_PRECONDITION", "JUSTIFICATION_NEEDED", ""),
]
UPDATE_CODES = [
    ("I0001", "INVALID_ARGUMENT", "INVALID_REQUEST", "HO100402"),
    ("I1008", "INVALID_ARGUMENT", "INVALID_REQUEST", "HO100402"),
    ("I0013", "FAILED_PRECONDITION", "PRECONDITION", "HO100401"),
    ("I0256", "FAILED_PRECONDITION", "PRECONDITION", "HO100401"),
    ("I6002", "ABORTED", "LOCKED", "HO100404"),
    ("PNCUE", "ABORTED", "LOCKED", "HO100404"),
    ("PNCAM", "FAILED_PRECONDITION", "IN_DOUBT", "HO100404"),
    ("X9999", "FAILED_PRECONDITION", "IN_DOUBT", "HO100402"),
]
codes_of_enquiries = pytest.mark.parametrize(
    ("code", "status", "reason", "exception"), ENQUIRY_CODES, ids=[row[0] for row in ENQUIRY_CODES]
)
codes_of_updates = pytest.mark.parametrize(("code", "status", "reason", "exception"), UPDATE_CODES, ids=[row[0] for row in UPDATE_CODES])


@each_enquiry
@codes_of_enquiries
async def test_a_code_refuses_an_enquiry(asker: Any, operation: str, code: str, status: str, reason: str, exception: str) -> None:
    asker.turn("code", code)
    before = asker.count(operation)
    metadata = {"code": code} | ({"exception": exception} if exception else {})
    assert await asker.refused(operation) == (status, reason, metadata)
    assert asker.count(operation) == before + 1


@each_update
@codes_of_updates
async def test_a_code_refuses_an_update(asker: Any, operation: str, code: str, status: str, reason: str, exception: str) -> None:
    asker.turn("code", code)
    before = asker.count(operation)
    assert await asker.refused(operation) == (status, reason, {"code": code, "exception": exception})
    assert asker.count(operation) == before + 1


@each_enquiry
async def test_a_warning_comes_beside_the_answer(asker: Any, operation: str) -> None:
    asker.turn("code", "I5116")
    response = await asker.ask(operation)
    assert [warning.code for warning in response.provenance.warnings] == ["I5116"]


async def test_a_warning_on_an_update_that_was_done_is_a_remark(asker: Any, fresh: Iterator[Arrest]) -> None:
    asker.turn("code", "I5069")
    response = await asker.asked("RecordDisposal", asker.disposal_of(next(fresh)))
    assert response.receipt.code == "A0003"
    assert [remark.code for remark in response.receipt.remarks] == ["I5069"]


async def test_a_lock_says_when_to_come_back(asker: Any) -> None:
    asker.turn("code", "PNCUE", times=1)
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await asker.ask("RecordRemand")
    assert any(key == "grpc-status-details-bin" and b"google.rpc.RetryInfo" in value for key, value in told.value.trailing_metadata())
    assert (await asker.ask("RecordRemand")).receipt.code == "A0031"


@pytest.mark.parametrize("method", ENQUIRIES)
async def test_what_the_host_does_not_have_is_no_trace(asker: Any, method: str) -> None:
    nobody = {
        "SearchPersons": SearchPersonsRequest(access=asker.asking, family_name="QQQQQQQ"),
        "GetPerson": GetPersonRequest(access=asker.asking, pnc_id=PncId(value=build_pnc_id(1999, 1))),
        "GetVehicle": GetVehicleRequest(access=asker.asking, vrm=Vrm(value="QQ99QQQ")),
        "SearchVehicles": SearchVehiclesRequest(access=asker.searching, vrm_pattern="QQ99*"),
        "GetDriver": GetDriverRequest(access=asker.asking, driver_number="QUILL806125A9XZZ"),
        "SearchProperty": SearchPropertyRequest(access=asker.searching, type=PropertyType.PROPERTY_TYPE_TRAILER, serial_number="MET900037"),
        "GetArrestSummons": GetArrestSummonsRequest(
            access=asker.recording, arrest_summons_number=ArrestSummonsNumber(value="1401ZD0100000449846U")
        ),
    }
    assert await asker.refusal(method, nobody[method]) == ("NOT_FOUND", "NO_TRACE", {"code": "I1008", "exception": "HO100301"})


# What never reaches the host

UNTOUCHED = [
    ("0800NP0100000000001H", "FAILED_PRECONDITION", "DUMMY_NUMBER"),
    ("1401ZD0100000449846A", "INVALID_ARGUMENT", "INVALID_REQUEST"),
]


@pytest.mark.parametrize(("number", "status", "reason"), UNTOUCHED, ids=["a dummy number", "a wrong check letter"])
async def test_a_number_that_is_none_does_not_trouble_the_host(asker: Any, number: str, status: str, reason: str) -> None:
    before = (asker.count("GetArrestSummons"), asker.count("RecordRemand"))
    request = GetArrestSummonsRequest(access=asker.recording, arrest_summons_number=ArrestSummonsNumber(value=number))
    assert (await asker.refusal("GetArrestSummons", request))[:2] == (status, reason)
    remand = asker.remand_of(asker.first_open)
    remand.arrest_summons_number.value = number
    assert (await asker.refusal("RecordRemand", remand))[:2] == (status, reason)
    assert (asker.count("GetArrestSummons"), asker.count("RecordRemand")) == before


@named
async def test_a_purpose_that_is_not_permitted_does_not_trouble_the_host(asker: Any, operation: str) -> None:
    before = asker.count(operation)
    request = asker.request(operation)
    request.access.purpose = Purpose.PURPOSE_TRAINING
    assert (await asker.refusal(operation, request))[:2] == ("PERMISSION_DENIED", "PURPOSE_NOT_PERMITTED")
    assert asker.count(operation) == before


# How the line fails

LINE = [
    ("drop", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE"),
    ("truncate", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE"),
    ("garbage", "INTERNAL", "UPSTREAM_FAULT"),
    ("wrong_serial", "INTERNAL", "UPSTREAM_FAULT"),
    ("delay", "DEADLINE_EXCEEDED", "TIMED_OUT"),
    ("hang", "DEADLINE_EXCEEDED", "TIMED_OUT"),
    ("half_open", "DEADLINE_EXCEEDED", "TIMED_OUT"),
]
each_failure = pytest.mark.parametrize(("dial", "status", "reason"), LINE, ids=[row[0] for row in LINE])


@each_failure
async def test_an_enquiry_tells_how_the_line_failed_and_the_next_one_is_answered(asker: Any, dial: str, status: str, reason: str) -> None:
    asker.turn(dial, "3s" if dial == "delay" else "", times=1)
    assert (await asker.refused("GetPerson"))[:2] == (status, reason)
    answers = await asyncio.gather(asker.ask("GetPerson"), asker.ask("GetVehicle"))
    assert answers[0].nominal.person.pnc_id.value == asker.population.person(STORIES["wanted"]).pnc_id
    assert answers[1].vehicle.vrm.value == asker.population.vehicle_numbered(2).vrm


@each_failure
async def test_an_update_whose_reply_is_lost_is_in_doubt_and_was_sent_once(
    asker: Any, fresh: Iterator[Arrest], dial: str, status: str, reason: str
) -> None:
    arrest = next(fresh)
    before = asker.count("RecordDisposal")
    asker.turn(dial, "3s" if dial == "delay" else "", times=1)
    request = asker.disposal_of(arrest)
    assert (await asker.refusal("RecordDisposal", request))[:2] == ("FAILED_PRECONDITION", "IN_DOUBT")
    record = await asker.asked("GetArrestSummons", asker.summons(arrest))
    assert record.court_cases[0].offences[0].adjudication == asker.found_guilty
    assert asker.count("RecordDisposal") == before + 1


async def test_an_update_that_was_done_and_answered_pncam_is_in_doubt_and_was_sent_once(asker: Any, fresh: Iterator[Arrest]) -> None:
    arrest = next(fresh)
    before = asker.count("RecordDisposal")
    asker.turn("lost_reply")
    status, reason, codes = await asker.refusal("RecordDisposal", asker.disposal_of(arrest))
    assert (status, reason, codes) == ("FAILED_PRECONDITION", "IN_DOUBT", {"code": "PNCAM", "exception": "HO100404"})
    record = await asker.asked("GetArrestSummons", asker.summons(arrest))
    assert record.court_cases[0].offences[0].adjudication == asker.found_guilty
    assert asker.count("RecordDisposal") == before + 1


async def test_a_callers_deadline_ends_the_wait(asker: Any) -> None:
    asker.turn("delay", "3s")
    status, _, _ = await asker.refused("GetPerson", within=0.4)
    assert status == "DEADLINE_EXCEEDED"


# How the host is odd


@pytest.mark.parametrize("dial", ["clock_ahead", "trim"])
@each_enquiry
async def test_an_oddity_of_the_host_changes_nothing(asker: Any, operation: str, dial: str) -> None:
    plain = await asker.ask(operation)
    asker.turn(dial)
    odd = await asker.ask(operation)
    for response in (plain, odd):
        response.provenance.ClearField("as_of")
    assert odd == plain


@pytest.mark.parametrize("dial", ["clock_ahead", "trim"])
async def test_an_oddity_of_the_host_does_not_put_an_update_in_doubt(asker: Any, dial: str) -> None:
    asker.turn(dial)
    assert (await asker.ask("RecordRemand")).receipt.code == "A0031"


async def test_the_host_wants_a_fuller_reason_and_is_content_with_one(asker: Any) -> None:
    asker.turn("justify", "60")
    assert await asker.refused("GetPerson") == ("FAILED_PRECONDITION", "JUSTIFICATION_NEEDED", {"code": "J0001"})
    request = asker.request("GetPerson")
    request.access.justification = "Detained on suspicion of robbery; the name given is not believed and no document is carried."
    assert (await asker.asked("GetPerson", request)).nominal.person.pnc_id.value


async def test_a_record_that_was_weeded_between_search_and_look_up_is_no_trace(asker: Any) -> None:
    asker.turn("weeded")
    found = await asker.ask("SearchPersons")
    request = GetPersonRequest(access=asker.asking, pnc_id=found.nominals[0].person.pnc_id)
    assert (await asker.refusal("GetPerson", request))[:2] == ("NOT_FOUND", "NO_TRACE")


async def test_a_keeper_changes_at_the_refresh(asker: Any) -> None:
    before = await asker.ask("GetVehicle")
    asker.turn("refreshed")
    after = await asker.ask("GetVehicle")
    assert after.keeper.name != before.keeper.name
    assert after.keeper_changes == before.keeper_changes + 1


# What stays behind

LEAKY = [("code", "I0001"), ("code", "I1008"), ("code", "X9999"), ("garbage", ""), ("truncate", ""), ("wrong_serial", "")]


async def test_no_refusal_and_no_log_line_names_anybody(tmp_path: Path, asker_of: Callable[..., Any]) -> None:
    async with running_adapter(SYSTEM, tmp_path, **UPSTREAM) as rig:
        asker, people, words = asker_of(rig), rig.population, []
        for dial, setting in LEAKY:
            for operation in OPERATIONS:
                asker.turn(dial, setting, times=1)
                with pytest.raises(grpc.aio.AioRpcError) as told:
                    await asker.ask(operation)
                words.append(f"{told.value.details()} {error_info(told.value)}")
        said = (" ".join(words) + (tmp_path / "log").read_text()).casefold()
    arrest = people.arrest(1)
    named = [people.person(number) for number in (arrest.person_number, STORIES["wanted"], STORIES["apostrophe"])]
    hidden = [value for person in named for value in (person.surname, person.pnc_id, person.pnc_id[5:])]
    hidden += [arrest.asn, arrest.asn[-9:], arrest.court_case_reference, people.vehicle_numbered(2).vrm, "not found"]
    assert not [value for value in hidden if value.casefold() in said]


async def test_an_adapter_without_a_host_says_so(tmp_path: Path, asker_of: Callable[..., Any]) -> None:
    async with running_adapter(SYSTEM, tmp_path, address="127.0.0.1:1", failures_to_open=3) as rig:
        asker = asker_of(rig)
        outcomes = [(await asker.refused(method))[1] for method in ("GetPerson", "RecordRemand", "RecordDisposal", "GetPerson")]
    assert outcomes == ["UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "CIRCUIT_OPEN"]
