"""Reports over the real adapters of CRIS and Merlin and a real exchange: recorded or kept, once, on whichever way they come."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from cases import error_info
from consulted import Fleet, running_fleet
from google.protobuf import text_format

from adapters.kit.simulation.dials import Dial
from adapters.tablet import submissions
from metip.cris.v1.crime_report_service_pb2 import CreateCrimeReportRequest
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from metip.tablet.v1 import report_service_pb2 as api
from metip.tablet.v1.report_service_pb2_grpc import OfficerReportServiceStub, ReportServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
CRIME = """
access { purpose: PURPOSE_SAFEGUARDING justification: "Met at the scene" reference: "90001/23NOV26" }
code_tables_version: 12
crime {
  borough: "ZD" classification { code: "044/00" } committed { from_date { year: 2024 month: 5 day: 17 } }
  parties { role: PARTY_ROLE_VICTIM person { name { family_name: "Dalquimsby-Jasvexmoor" } } }
}
"""
CHILD = """
access { purpose: PURPOSE_SAFEGUARDING justification: "Met on patrol" reference: "90001/23NOV26" }
code_tables_version: 12
safeguarding {
  subject { name { given_names: "Zejivia" family_name: "Yarenquavish" } date_of_birth { year: 2013 month: 5 day: 6 } }
  summary: "Found alone in a park after dark."
  risk { level: RISK_LEVEL_MEDIUM rationale: "Young, cold night" }
  child { circumstances: "Found alone in a park after dark." concerns: CONCERN_DOMAIN_FAMILY }
}
"""
BOTH = {"cris": CRIME, "merlin": CHILD}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with running_fleet("tablet", tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture(scope="module")
def grpc_server(fleet: Fleet) -> Any:
    return fleet.rig.channel


@pytest.fixture(scope="module")
def grpc_stub_cls(grpc_channel: grpc.aio.Channel) -> type[OfficerReportServiceStub]:
    return OfficerReportServiceStub


@pytest.fixture(autouse=True)
def _dials_back(fleet: Fleet) -> Any:
    yield
    fleet.clear()


def report(text: str) -> api.SubmitReportRequest:
    """A report under an id of its own."""
    return text_format.Parse(text, api.SubmitReportRequest(submission_id=str(uuid4())))


async def submit(stub: Any, request: api.SubmitReportRequest, *, within: float = 10.0) -> api.SubmitReportResponse:
    answer: api.SubmitReportResponse = await stub.SubmitReport(request, timeout=within, metadata=from_envoy())
    return answer


def reference(answer: api.SubmitReportResponse) -> str:
    which = answer.WhichOneof("reference")
    return str(getattr(answer, which).value) if which else ""


@pytest.mark.parametrize(("system", "text"), BOTH.items(), ids=BOTH)
async def test_a_report_goes_where_it_belongs_and_again_gives_the_first_reference(grpc_stub: Any, system: str, text: str) -> None:
    request = report(text)
    first, again = await submit(grpc_stub, request), await submit(grpc_stub, request)
    assert api.ReportDestination.Name(first.destination) == f"REPORT_DESTINATION_{system.upper()}"
    assert first.state == again.state == api.SUBMISSION_STATE_RECORDED
    assert reference(first)
    assert reference(again) == reference(first)


AWAY = {
    "hangs": ("hang", ""),
    "drops the line": ("drop", ""),
    "answers nonsense": ("garbage", ""),
    "cuts its answer": ("truncate", ""),
}


@pytest.mark.parametrize(("dial", "setting"), AWAY.values(), ids=AWAY)
@pytest.mark.parametrize(("system", "text"), BOTH.items(), ids=BOTH)
async def test_a_report_is_safe_in_time_however_its_system_fails(
    grpc_stub: Any, fleet: Fleet, system: str, text: str, dial: str, setting: str
) -> None:
    dials = fleet.rigs[system].dials
    assert dials is not None
    request = report(text)
    dials.set([Dial(dial, setting)])
    started = time.monotonic()
    first, again = await submit(grpc_stub, request), await submit(grpc_stub, request)
    assert time.monotonic() - started < 9.0
    assert first.state == again.state == api.SUBMISSION_STATE_UNDER_WAY
    assert (again.message_id, again.repeated_submission) == (first.message_id, True)
    assert not reference(first)


@pytest.mark.parametrize("within", [0.8, 1.9], ids=str)
async def test_a_caller_in_a_hurry_still_gets_its_report_kept(grpc_stub: Any, within: float) -> None:
    assert (await submit(grpc_stub, report(CRIME), within=within)).state == api.SUBMISSION_STATE_UNDER_WAY


@pytest.mark.parametrize(("system", "text"), BOTH.items(), ids=BOTH)
async def test_what_was_recorded_at_once_is_not_recorded_again_when_its_message_comes(
    grpc_stub: Any, fleet: Fleet, system: str, text: str
) -> None:
    request = report(text)
    stub: Any = ReportServiceStub(fleet.rigs[system].channel)
    receipt = await stub.ForwardReport(submissions.forwarded(request), timeout=10, metadata=from_envoy())
    assert receipt.progress == PROGRESS_PROCESSED
    first = await submit(grpc_stub, request)
    again = await stub.ForwardReport(submissions.forwarded(request), timeout=10, metadata=from_envoy())
    assert again.progress == PROGRESS_PROCESSED
    assert reference(await submit(grpc_stub, request)) == reference(first)


@pytest.mark.parametrize(("system", "text"), [("cris", CHILD), ("merlin", CRIME)], ids=["cris", "merlin"])
async def test_a_report_for_the_other_system_is_processed_and_nobody_is_asked(fleet: Fleet, system: str, text: str) -> None:
    dials = fleet.rigs[system].dials
    assert dials is not None
    asked = sum(dials.exchanges.values())
    stub: Any = ReportServiceStub(fleet.rigs[system].channel)
    receipt = await stub.ForwardReport(submissions.forwarded(report(text)), timeout=10, metadata=from_envoy())
    assert (receipt.progress, sum(dials.exchanges.values())) == (PROGRESS_PROCESSED, asked)


async def test_the_same_id_with_another_report_is_refused_with_the_tablets_field(grpc_stub: Any) -> None:
    request = report(CRIME)
    await submit(grpc_stub, request)
    request.crime.beat = "ZD07"
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await submit(grpc_stub, request)
    info = error_info(raised.value)
    assert (raised.value.code(), info.reason, info.metadata["code"]) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "CRIS-0303")
    assert info.domain == "tablet.metip"


async def test_old_tables_are_refused_before_anybody_is_asked(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rigs["cris"].dials
    assert dials is not None
    asked = sum(dials.exchanges.values())
    request = report(CRIME)
    request.code_tables_version = 10
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await submit(grpc_stub, request)
    assert error_info(raised.value).metadata["required_version"] == "12"
    assert sum(dials.exchanges.values()) == asked


async def test_a_device_that_loaded_its_tables_and_sends_again_gets_the_first_reference(grpc_stub: Any) -> None:
    request = report(CRIME)
    request.code_tables_version = 11
    first = await submit(grpc_stub, request)
    request.code_tables_version = 12
    assert reference(await submit(grpc_stub, request)) == reference(first)


async def test_each_system_records_the_officer_and_the_tablet(grpc_stub: Any, fleet: Fleet) -> None:
    await submit(grpc_stub, report(CHILD))
    entry: Any = fleet.rigs["merlin"].entries[-1]
    assert (entry.call.consumer.rpartition("/")[2], entry.call.officer.warrant_number) == ("tablet", "P123456")


async def test_cris_finds_what_it_recorded_of_a_submission(grpc_stub: Any, fleet: Fleet) -> None:
    request = report(CRIME)
    first = await submit(grpc_stub, request)
    stub: Any = CrimeReportServiceStub(fleet.rigs["cris"].channel)
    create = CreateCrimeReportRequest(access=request.access, client_reference=request.submission_id, sheet=submissions.sheet(request))
    created = await stub.CreateCrimeReport(create, timeout=10, metadata=from_envoy())
    assert (created.already_recorded, created.crime_report_number.value) == (True, reference(first))
