"""Messages that the bus delivers while it owns them: taken once for each key, refused by its codes, and told apart from what was lost."""

from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from cases import case_files, error_info, read_case

from adapters.kit.simulation.dials import Dial
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.case_service_pb2_grpc import CaseServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "metip1"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000}
RECORDS = {path.stem: read_case(path).case.request.value for path in case_files(("custody",))}
CASES = {path.stem: read_case(path).case.request.value for path in case_files(("libra",))}


def handed(message_id: str, attempt: int = 1) -> list[tuple[str, str]]:
    """The metadata of a message that the exchange hands over."""
    handover = [("x-metip-message-id", message_id), ("x-metip-attempt", str(attempt))]
    return [*from_envoy(officer=None), *handover, ("x-metip-redelivery", str(attempt > 1).lower()), ("x-metip-accepted", "1795600000.5")]


def submit(rig: Rig, request: SubmitCaseRequest, message_id: str = "m-1", attempt: int = 1) -> Any:
    return rig.stub(CaseServiceStub).SubmitCase(request, metadata=handed(message_id, attempt), timeout=10)


async def test_a_case_is_taken_once_however_often_it_is_handed_over(rig: Rig) -> None:
    request = SubmitCaseRequest.FromString(CASES["submit_case"])
    assert rig.dials is not None
    rig.dials.set([Dial("lost_reply", times=1)])
    with pytest.raises(grpc.aio.AioRpcError) as lost:
        await submit(rig, request)
    assert error_info(lost.value).reason == "UPSTREAM_UNAVAILABLE"
    for attempt in (2, 3):
        assert (await submit(rig, request, attempt=attempt)).progress == PROGRESS_PROCESSED
    key = ("URN", request.pti_urn.value, f"{request.submission:04d}")
    assert [found for found in rig.simulator.accepted if found[0] == "URN"] == [key]
    defendant = rig.simulator.accepted[key]["Defendant"][0]
    given = request.defendants[0].individual.details.name.family_name
    assert defendant["Individual"]["Details"]["Name"]["Surname"] == given
    assert rig.simulator.asked[-1][0]["Transaction"] == "m-1"


async def test_a_custody_record_is_taken_by_number_and_version(rig: Rig) -> None:
    request = PublishCustodyRecordRequest.FromString(RECORDS["publish_record_closed"])
    stub = rig.stub(CustodyRecordServiceStub)
    for version in (1, 2, 2):
        request.version = version
        reply = await stub.PublishCustodyRecord(request, metadata=handed(f"c-{version}"), timeout=10)
        assert reply.progress == PROGRESS_PROCESSED
    taken = [found for found in rig.simulator.accepted if found[0] == "CustodyNumber"]
    assert taken == [("CustodyNumber", request.custody_record_number.value, version) for version in ("0001", "0002")]
    kept = rig.simulator.accepted[taken[0]]["Record"]["DetainedPerson"]["Name"]["Surname"]
    assert kept == request.record.detained_person.name.family_name


@pytest.mark.parametrize(("code", "reason"), [("MB2003", "BUSY"), ("MB1001", "INVALID_REQUEST"), ("MB3002", "UPSTREAM_FAULT")])
async def test_a_message_that_the_bus_refuses_is_in_no_doubt_since_it_may_come_again(rig: Rig, code: str, reason: str) -> None:
    assert rig.dials is not None
    rig.dials.set([Dial("fault", code, times=1)])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await submit(rig, SubmitCaseRequest.FromString(CASES["submit_case"]))
    assert error_info(told.value).reason == reason
