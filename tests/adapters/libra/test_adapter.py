"""The adapter as the exchange and the CJS Exchange see it, on real sockets: cases out, answers and results in."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from adapters.kit.simulation.dials import Dial
from adapters.libra import codes, court
from metip.exchange.v1.receipt_pb2 import PROGRESS_DELIVERED
from metip.libra.v1.court_pb2 import OffenceDetails
from metip.libra.v1.result_pb2 import COURT_PLEA_UNSPECIFIED
from tests.adapters.libra.court_rig import CourtRig, court_rig
from tests.adapters.libra.samples import sample_case

pytestmark = pytest.mark.asyncio(loop_scope="module")
WAITING = Dial("late", "30s")
"""The court answers after the end of the test."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CourtRig]:
    async with court_rig(tmp_path_factory.mktemp("courts"), retrieve_every={"nanos": 300_000_000}) as rig:
        yield rig


@pytest.fixture
def courts(running: CourtRig) -> Any:
    """The rig, with every dial back and nothing remembered of other tests."""
    yield running
    running.dials.clear()
    running.exchange.refusing, running.exchange.knows_deliveries = None, True


def case_of(number: int, **changed: Any) -> Any:
    return sample_case(pti_urn={"value": f"01ZD{number:05d}26"}, **changed)


async def refusal(courts: CourtRig, request: Any, message_id: str = "") -> tuple[str, str, str]:
    """Status, reason and the far side's code."""
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await courts.submit(request, message_id)
    status = rpc_status.from_call(told.value)  # type: ignore[arg-type]  # its stub knows the synchronous call only
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return told.value.code().name, info.reason, info.metadata.get("code", "")


async def test_a_case_is_delivered_then_processed_then_resulted(courts: CourtRig) -> None:
    message_id = str(uuid.uuid4())
    receipt = await courts.submit(case_of(1), message_id)
    assert receipt.progress == PROGRESS_DELIVERED
    await courts.exchange.until(lambda: message_id in courts.exchange.outcomes)
    assert courts.exchange.outcomes[message_id] == (True, "")
    await courts.exchange.until(lambda: any(one.pti_urn.value == "01ZD0000126" for one in courts.exchange.results.values()))
    result = next(one for one in courts.exchange.results.values() if one.pti_urn.value == "01ZD0000126")
    assert result.defendant.individual.details.name.family_name == "Norquorve"
    assert result.defendant.arrest_summons_number == case_of(1).defendants[0].arrest_summons_number
    assert result.offences[0].details == case_of(1).defendants[0].offences[0].details
    assert result.offences[0].plea != COURT_PLEA_UNSPECIFIED
    assert result.hearing == case_of(1).initial_hearing
    assert not result.kept_aside


async def test_a_case_that_comes_twice_is_taken_once(courts: CourtRig) -> None:
    courts.dials.set([WAITING])
    message_id, request = str(uuid.uuid4()), case_of(2)
    for attempt in (1, 2):
        assert (await courts.submit(request, message_id, attempt)).progress == PROGRESS_DELIVERED
    assert courts.simulator.effects["01ZD0000226"] == 1


async def test_a_case_whose_reply_was_lost_is_found_again(tmp_path: Path) -> None:
    async with court_rig(tmp_path, first=False) as rig:  # the first one retrieves deliveries meanwhile, whose reply would be lost instead
        rig.dials.set([WAITING, Dial("drop", times=1)])
        message_id, request = str(uuid.uuid4()), case_of(3)
        assert (await refusal(rig, request, message_id))[:2] == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE")
        assert rig.simulator.effects["01ZD0000326"] == 1
        assert (await rig.submit(request, message_id)).progress == PROGRESS_DELIVERED
        assert rig.simulator.effects["01ZD0000326"] == 1


async def test_two_retries_and_then_success(courts: CourtRig) -> None:
    courts.dials.set([WAITING, Dial("code", "200", times=2)])
    message_id, request = str(uuid.uuid4()), case_of(4)
    for _ in range(2):
        assert await refusal(courts, request, message_id) == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "200")
    assert (await courts.submit(request, message_id)).progress == PROGRESS_DELIVERED


RESPONSES = [
    *((code, "UNAVAILABLE", "UPSTREAM_UNAVAILABLE") for code in (200, 201, 202)),
    *(
        (code, "FAILED_PRECONDITION", "UPSTREAM_REFUSED")
        for code in (0, 301, 304, 305, 306, 307, 308, 309, 311, 1310, 1317, 1318, 1321, 1359, 4711)
    ),
]


@pytest.mark.parametrize(("code", "status", "reason"), RESPONSES, ids=[str(row[0]) for row in RESPONSES])
async def test_each_response_code_is_answered_by_its_class(courts: CourtRig, code: int, status: str, reason: str) -> None:
    courts.dials.set([Dial("code", str(code))])
    assert await refusal(courts, case_of(5)) == (status, reason, str(code))
    assert courts.simulator.effects["01ZD0000526"] == 0


@pytest.mark.parametrize("code", [codes.SUCCESS, codes.PREVIOUSLY_SENT])
async def test_a_case_that_is_there_already_is_delivered(courts: CourtRig, code: int) -> None:
    courts.dials.set([Dial("code", str(code))])
    assert (await courts.submit(case_of(6))).progress == PROGRESS_DELIVERED


async def test_a_refusal_of_the_court_comes_later_with_its_code(courts: CourtRig) -> None:
    courts.dials.set([Dial("business_error", "308"), Dial("late", "300ms")])
    message_id = str(uuid.uuid4())
    assert (await courts.submit(case_of(7), message_id)).progress == PROGRESS_DELIVERED
    assert message_id not in courts.exchange.outcomes
    await courts.exchange.until(lambda: message_id in courts.exchange.outcomes)
    assert courts.exchange.outcomes[message_id] == (False, "308")
    assert not [one for one in courts.exchange.results.values() if one.pti_urn.value == "01ZD0000726"]


OBJECTIONS = [
    ("an offence code of another form", {"offence_code": "X"}, "309"),
]


@pytest.mark.parametrize(("name", "changed", "code"), OBJECTIONS, ids=[row[0] for row in OBJECTIONS])
async def test_the_court_objects_to_what_it_does_not_know(courts: CourtRig, name: str, changed: Any, code: str) -> None:
    message_id, request = str(uuid.uuid4()), case_of(8)
    request.defendants[0].offences[0].details.MergeFrom(OffenceDetails(**changed))
    await courts.submit(request, message_id)
    await courts.exchange.until(lambda: message_id in courts.exchange.outcomes)
    assert courts.exchange.outcomes[message_id] == (False, code)


async def test_a_date_that_no_calendar_has_is_refused_before_the_far_system_is_asked(courts: CourtRig) -> None:
    request = case_of(9)
    request.initial_hearing.date.month, request.initial_hearing.date.day = 2, 31
    assert (await refusal(courts, request))[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert courts.simulator.effects["01ZD0000926"] == 0


async def test_a_character_that_xml_has_not_is_refused_before_the_far_system_is_asked(courts: CourtRig) -> None:
    assert (await refusal(courts, case_of(10, informant="a\x01b")))[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_results_wait_at_the_sender_while_the_exchange_is_away(courts: CourtRig) -> None:
    courts.exchange.refusing = grpc.StatusCode.UNAVAILABLE
    await courts.submit(case_of(11))
    await courts.exchange.until(lambda: courts.exchange.refusals > 0)
    waiting = [one for one in courts.simulator.courier.deliveries if b"01ZD0001126" in one.body]
    assert [one.done for one in waiting] == [False]
    courts.exchange.refusing = None
    await courts.exchange.until(lambda: any(one.pti_urn.value == "01ZD0001126" for one in courts.exchange.results.values()))


def resulted(courts: CourtRig, urn: str) -> list[Any]:
    return [one for one in courts.exchange.results.values() if one.pti_urn.value == urn]


DELIVERIES = ["escaped", "repeat", "undelivered"]


@pytest.mark.parametrize("dial", DELIVERIES)
async def test_a_result_arrives_once_however_it_is_delivered(courts: CourtRig, dial: str) -> None:
    courts.dials.set([Dial(dial)])
    number = 20 + DELIVERIES.index(dial)
    urn, message_id = f"01ZD{number:05d}26", str(uuid.uuid4())
    await courts.submit(case_of(number), message_id)
    await courts.exchange.until(lambda: bool(resulted(courts, urn)) and message_id in courts.exchange.outcomes)
    assert len(resulted(courts, urn)) == 1


async def test_a_result_for_a_case_that_was_never_sent_is_published_with_its_dummy_number(courts: CourtRig) -> None:
    courts.dials.set([Dial("unknown_case"), Dial("no_result")])
    before = set(courts.exchange.results)
    await courts.submit(case_of(12))
    await courts.exchange.until(lambda: bool(set(courts.exchange.results) - before))
    (found,) = [courts.exchange.results[key] for key in set(courts.exchange.results) - before]
    assert found.defendant.arrest_summons_number.value == "0800NP0100000000001H"
    assert found.defendant.individual.details.name.family_name
    assert list(found.defendant.address.simple.lines) == ["NO FIXED ABODE"]


async def test_a_result_with_101_offences_is_published_whole(courts: CourtRig) -> None:
    courts.dials.set([Dial("many_offences")])
    await courts.submit(case_of(13))
    await courts.exchange.until(lambda: bool(resulted(courts, "01ZD0001326")))
    assert [one.details.sequence_number for one in resulted(courts, "01ZD0001326")[0].offences] == list(range(1, 102))


async def test_a_result_that_is_put_right_by_telephone_is_published_as_it_was_sent_and_no_other_comes(courts: CourtRig) -> None:
    courts.dials.set([Dial("phoned", times=1)])
    await courts.submit(case_of(14))
    await courts.exchange.until(lambda: bool(resulted(courts, "01ZD0001426")))
    (published,) = resulted(courts, "01ZD0001426")
    (case,) = [one for one in courts.simulator.cases.values() if one.pti_urn == "01ZD0001426"]
    books = court.result_of(case).session
    assert books is not None
    held = [one.code for tried in books.cases if tried.defendant for offence in tried.defendant.offences for one in offence.results]
    assert [one.code for offence in published.offences for one in offence.results] != held


FAULTS = [
    ("hang", "DEADLINE_EXCEEDED"),
    ("half_open", "DEADLINE_EXCEEDED"),
    ("truncate", "UNAVAILABLE"),
    ("garbage", "INTERNAL"),
    ("drop", "UNAVAILABLE"),
]


@pytest.mark.parametrize(("dial", "status"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_a_fault_of_the_wire_is_told_and_passes(tmp_path: Path, dial: str, status: str) -> None:
    async with court_rig(tmp_path, upstream={"timeout": {"nanos": 300_000_000}}) as rig:
        rig.dials.set([WAITING, Dial(dial)])
        message_id, request = str(uuid.uuid4()), case_of(1)
        assert (await refusal(rig, request, message_id))[0] == status
        rig.dials.clear()
        assert (await rig.submit(request, message_id)).progress == PROGRESS_DELIVERED
        assert rig.simulator.effects["01ZD0000126"] == 1


async def test_a_slow_exchange_is_waited_for(courts: CourtRig) -> None:
    courts.dials.set([WAITING, Dial("delay", "200ms")])
    assert (await courts.submit(case_of(14))).progress == PROGRESS_DELIVERED


async def test_another_worker_submits_and_takes_no_deliveries(tmp_path: Path) -> None:
    async with court_rig(tmp_path, first=False) as rig:
        assert (await rig.submit(case_of(1))).progress == PROGRESS_DELIVERED
        assert rig.simulator.courier.address == ""
        assert rig.dials.exchanges["retrieve"] == 0


async def test_without_a_mesh_nothing_is_acknowledged_and_the_log_says_so(tmp_path: Path) -> None:
    async with court_rig(tmp_path, mesh=False, hub=False) as rig:
        await rig.submit(case_of(1))
        status, body = await rig.push(rig.simulator.courier.deliveries[1].body)
        assert (status, b"<ResponseCode>200<" in body) == (200, True)
        assert "not_publishing" in rig.log.read_text()


async def test_the_log_names_nobody(courts: CourtRig) -> None:
    assert "Marchbank" not in courts.log.read_text()
    assert "01ZD0000126" not in courts.log.read_text()
