"""Each way in which CRIS fails, by dial, and what stays private when it does."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy, running_adapter
from google.protobuf.duration_pb2 import Duration

from adapters.kit.population import STORIES
from adapters.kit.simulation.dials import Dial
from metip.cris.v1.crime_report_service_pb2_grpc import CrimeReportServiceStub
from metip.options.v1.options_pb2 import PURPOSE_TRAINING
from tests.adapters.cris.asking import METADATA, change, entry, exchanges, get, named, number_of, refusal, theft, turn

SYSTEM = "cris"
# Faults come one after another here, so the circuit would open; that it does is the kit's own test.
# The adapter gives up long before its caller does, so that on a slow machine too it is the adapter who says what happened.
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def grpc_stub_cls() -> Any:
    """pytest-grpc's stub class."""
    return CrimeReportServiceStub


# What CRIS plays, by dial.

Asking = Callable[[Any, Rig], Awaitable[Any]]


def searching(stub: Any, rig: Rig, timeout: float = 10) -> Awaitable[Any]:
    asked: Awaitable[Any] = stub.SearchCrimeReports(named(rig.population, "known_offender"), metadata=METADATA, timeout=timeout)
    return asked


def getting(stub: Any, rig: Rig, timeout: float = 10) -> Awaitable[Any]:
    asked: Awaitable[Any] = stub.GetCrimeReport(get(number_of(rig, 1)), metadata=METADATA, timeout=timeout)
    return asked


def creating(stub: Any, rig: Rig, timeout: float = 10) -> Awaitable[Any]:
    asked: Awaitable[Any] = stub.CreateCrimeReport(theft(), metadata=METADATA, timeout=timeout)
    return asked


def adding(stub: Any, rig: Rig, timeout: float = 10) -> Awaitable[Any]:
    asked: Awaitable[Any] = stub.AddDetail(entry(number_of(rig, 3)), metadata=METADATA, timeout=timeout)
    return asked


def updating(stub: Any, rig: Rig, timeout: float = 10) -> Awaitable[Any]:
    asked: Awaitable[Any] = stub.UpdateCrimeReport(change(number_of(rig, 4), 1), metadata=METADATA, timeout=timeout)
    return asked


ALL = [
    pytest.param(searching, id="search"),
    pytest.param(getting, id="get"),
    pytest.param(creating, id="create"),
    pytest.param(adding, id="add_detail"),
    pytest.param(updating, id="update"),
]
REPEATABLE = ALL[:3]
WRITE_ONCE = ALL[3:]


@pytest.mark.parametrize("ask", ALL)
async def test_the_nightly_window_says_how_long_it_lasts(grpc_stub: Any, rig: Rig, ask: Asking) -> None:
    turn(rig, "maintenance", "12")
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason, told.code) == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "CRIS-0901")
    assert told.retry == timedelta(minutes=12)


@pytest.mark.parametrize("ask", ALL)
async def test_no_session_free_is_busy(grpc_stub: Any, rig: Rig, ask: Asking) -> None:
    turn(rig, "session_limit")
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason, told.code) == ("RESOURCE_EXHAUSTED", "BUSY", "CRIS-0902")
    assert told.retry == timedelta(seconds=2)


@pytest.mark.parametrize("ask", WRITE_ONCE)
async def test_a_report_that_somebody_has_open_is_locked(grpc_stub: Any, rig: Rig, ask: Asking) -> None:
    turn(rig, "locked")
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason, told.code) == ("ABORTED", "LOCKED", "CRIS-0202")


@pytest.mark.parametrize(
    ("setting", "path"),
    [("", "sheet.venue.address.postcode"), ("SHEET.PARTIES[2].PERSON.FAMILY_NAME", "sheet.parties.person.name.family_name")],
)
async def test_a_field_that_cris_refuses_is_named_as_the_contract_has_it(grpc_stub: Any, rig: Rig, setting: str, path: str) -> None:
    turn(rig, "validation", setting)
    told = await refusal(creating(grpc_stub, rig))
    assert (told.status, told.reason, told.code) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "CRIS-0301")
    assert told.fields == ((path, "does not exist or is not complete"),)


async def test_a_slow_search_ends_with_the_callers_patience_and_other_questions_do_not_wait(grpc_stub: Any, rig: Rig) -> None:
    turn(rig, "slow_search", "30s")
    told = await refusal(searching(grpc_stub, rig, timeout=0.4))
    assert told.status == "DEADLINE_EXCEEDED"
    await getting(grpc_stub, rig, timeout=5)


async def test_a_search_that_is_only_slow_is_answered(grpc_stub: Any, rig: Rig) -> None:
    turn(rig, "slow_search", "50ms")
    assert (await searching(grpc_stub, rig)).reports


DEAF = [pytest.param("delay", "30s", id="delay"), pytest.param("hang", "", id="hang"), pytest.param("half_open", "", id="half_open")]


@pytest.mark.parametrize(("dial", "setting"), DEAF)
@pytest.mark.parametrize("ask", REPEATABLE)
async def test_no_answer_in_time_is_said_to_be_that(
    grpc_stub: Any, rig: Rig, ask: Callable[..., Awaitable[Any]], dial: str, setting: str
) -> None:
    turn(rig, dial, setting)
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason) == ("DEADLINE_EXCEEDED", "TIMED_OUT")


@pytest.mark.parametrize(("dial", "setting"), DEAF)
@pytest.mark.parametrize("ask", WRITE_ONCE)
async def test_a_write_without_an_answer_is_in_doubt(
    grpc_stub: Any, rig: Rig, ask: Callable[..., Awaitable[Any]], dial: str, setting: str
) -> None:
    turn(rig, dial, setting)
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason) == ("FAILED_PRECONDITION", "IN_DOUBT")


BROKEN = [
    pytest.param("drop", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", id="drop"),
    pytest.param("truncate", "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", id="truncate"),
    pytest.param("garbage", "INTERNAL", "UPSTREAM_FAULT", id="garbage"),
]


@pytest.mark.parametrize(("dial", "status", "reason"), BROKEN)
@pytest.mark.parametrize("ask", REPEATABLE)
async def test_half_an_answer_is_no_answer(grpc_stub: Any, rig: Rig, ask: Asking, dial: str, status: str, reason: str) -> None:
    turn(rig, dial)
    told = await refusal(ask(grpc_stub, rig))
    assert (told.status, told.reason) == (status, reason)


@pytest.mark.parametrize("dial", ["drop", "truncate", "garbage", "internal"])
@pytest.mark.parametrize("ask", WRITE_ONCE)
async def test_a_write_that_may_have_been_done_is_in_doubt_and_not_sent_again(grpc_stub: Any, rig: Rig, ask: Asking, dial: str) -> None:
    before = exchanges(rig).get("add_det", 0) + exchanges(rig).get("update", 0)
    current = (await grpc_stub.GetCrimeReport(get(number_of(rig, 4)), metadata=METADATA)).report.version
    turn(rig, dial)
    asked = ask(grpc_stub, rig) if ask is adding else grpc_stub.UpdateCrimeReport(change(number_of(rig, 4), current), metadata=METADATA)
    told = await refusal(asked)
    assert (told.status, told.reason) == ("FAILED_PRECONDITION", "IN_DOUBT")
    assert exchanges(rig).get("add_det", 0) + exchanges(rig).get("update", 0) == before + 1


async def test_a_failure_of_cris_on_a_query_is_told_to_operations(grpc_stub: Any, rig: Rig) -> None:
    turn(rig, "internal")
    told = await refusal(getting(grpc_stub, rig))
    assert (told.status, told.reason, told.code) == ("INTERNAL", "UPSTREAM_FAULT", "CRIS-0999")


# Who asks, why, and what stays private.


async def test_an_operation_needs_an_officer(grpc_stub: Any, rig: Rig) -> None:
    told = await refusal(grpc_stub.GetCrimeReport(get(number_of(rig, 1)), metadata=from_envoy(officer=None)))
    assert (told.status, told.reason) == ("UNAUTHENTICATED", "OFFICER_NEEDED")


async def test_a_purpose_that_is_not_permitted_never_reaches_cris(grpc_stub: Any, rig: Rig) -> None:
    before = exchanges(rig)
    asked = named(rig.population, "known_offender")
    asked.access.purpose = PURPOSE_TRAINING
    told = await refusal(grpc_stub.SearchCrimeReports(asked, metadata=METADATA))
    assert (told.status, told.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_PERMITTED")
    assert exchanges(rig) == before


async def test_no_text_and_no_log_line_names_anybody(tmp_path: Path) -> None:
    texts: list[str] = []
    faults = [Dial("maintenance"), Dial("session_limit"), Dial("validation"), Dial("locked"), Dial("garbage"), Dial("internal")]
    async with running_adapter(SYSTEM, tmp_path, failures_to_open=1000) as rig:
        stub = rig.stub(CrimeReportServiceStub)
        await searching(stub, rig)
        for fault in (None, *faults):
            assert rig.dials is not None
            rig.dials.clear()
            if fault:
                rig.dials.set([fault])
            for asked in (
                stub.SearchCrimeReports(named(rig.population, "restricted_victim"), metadata=METADATA),
                stub.GetCrimeReport(get(number_of(rig, 2)), metadata=METADATA),
                stub.CreateCrimeReport(theft(borough="QQ"), metadata=METADATA),
                stub.AddDetail(entry(number_of(rig, 2), "Dalquimsby-Jasvexmoor was seen."), metadata=METADATA),
                stub.UpdateCrimeReport(change(number_of(rig, 4), 999), metadata=METADATA),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await asked
                texts.append(f"{raised.value.details()} {raised.value.trailing_metadata()}")
        people = [rig.population.person(number) for number in STORIES.values()]
        private = {"P123456", "Enquiries in the case", "90001/23NOV26", number_of(rig, 1), number_of(rig, 2), number_of(rig, 4)}
        private |= {name for person in people for name in (person.surname, *person.forenames)} | {"Jasjorham", "ZZ12 3AQ"}
    told = "\n".join((*texts, (tmp_path / "log").read_text())).casefold()
    assert [value for value in sorted(private) if value.casefold() in told] == []
