"""The adapter while its far side fails: sessions that end, answers that are lost; and that no failure tells about anybody.

The requests are those of the recorded cases, so that they are the ones which documentation shows.
"""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import Rig, from_envoy, running_adapter
from cases import RecordedCase, case_files, error_info, play, read_case
from google.protobuf.duration_pb2 import Duration

from adapters.kit import Reason, discovery
from adapters.kit.population import STORIES
from adapters.kit.simulation.dials import Dial
from adapters.merlin import codes
from metip.common.v1.access_pb2 import AccessContext
from metip.merlin.v1.report_service_pb2 import GetReportResponse, RaiseReportResponse, SearchReportsRequest, UpdateReportResponse
from metip.merlin.v1.report_service_pb2_grpc import ReportServiceStub
from metip.options.v1 import options_pb2

SYSTEM = "merlin"
PATIENCE = 1
"""Seconds that the rig waits for the far side: far less than the caller, so that it is always the adapter which says what happened."""
UPSTREAM = {"failures_to_open": 1000, "timeout": Duration(seconds=PATIENCE)}  # the breaker has tests of its own
pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILURES = [
    ("delay", "5s", "TIMED_OUT"),
    ("hang", "", "TIMED_OUT"),
    ("half_open", "", "TIMED_OUT"),
    ("drop", "", "UPSTREAM_UNAVAILABLE"),
    ("truncate", "", "UPSTREAM_UNAVAILABLE"),
    ("garbage", "", "UPSTREAM_FAULT"),
    ("error", "MR999", "UPSTREAM_FAULT"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path) -> AsyncIterator[Rig]:
    """An adapter that nobody has used."""
    async with running_adapter(SYSTEM, tmp_path) as rig:
        yield rig


def recorded(name: str) -> RecordedCase:
    """The recorded case of that name."""
    return read_case(discovery.FOLDER / SYSTEM / "cases" / f"{name}.txtpb")


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial."""
    assert rig.dials
    rig.dials.set([Dial(dial, setting, times=times)])


def asked(rig: Rig) -> dict[str, int]:
    """What the far side has been asked so far."""
    assert rig.dials
    return dict(rig.dials.exchanges)


def grown(before: dict[str, int], rig: Rig) -> dict[str, int]:
    """What it was asked since."""
    return {name: count - before.get(name, 0) for name, count in asked(rig).items() if count != before.get(name, 0)}


async def answered(rig: Rig, name: str, kind: type[Any]) -> Any:
    """The reply to a recorded request."""
    played = await play(recorded(name), rig.channel, from_envoy())
    assert played.error is None, played.error
    return kind.FromString(played.replies[0])


async def refused(rig: Rig, name: str) -> tuple[grpc.StatusCode, str, str]:
    """Status, reason and the far side's code of the refusal of a recorded request."""
    played = await play(recorded(name), rig.channel, from_envoy())
    assert played.error is not None
    info = error_info(played.error)
    return played.error.code(), info.reason, info.metadata.get("code", "")


# --- the session ---


async def test_a_session_that_ends_is_begun_again_once_and_nobody_notices(rig: Rig) -> None:
    await answered(rig, "get_report", GetReportResponse)
    for name, question, kind in (("get_report", "Fetch", GetReportResponse), ("update_risk", "Amend", UpdateReportResponse)):
        turn(rig, "ticket_expired", times=1)
        before = asked(rig)
        await answered(rig, name, kind)
        assert grown(before, rig) == {"Logon": 1, question: 2}


async def test_a_session_that_ends_again_at_once_is_given_up(rig: Rig) -> None:
    await answered(rig, "get_report", GetReportResponse)
    turn(rig, "ticket_expired")
    before = asked(rig)
    assert await refused(rig, "update_risk") == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", codes.SESSION_EXPIRED)
    assert grown(before, rig) == {"Logon": 1, "Amend": 2}


async def test_many_calls_share_one_logon(fresh: Rig) -> None:
    stub = fresh.stub(ReportServiceStub)
    request = SearchReportsRequest(
        access=AccessContext(purpose=options_pb2.PURPOSE_SAFEGUARDING, justification="call from the family"), family_name="Halzerwick"
    )
    calls = [stub.SearchReports(request, metadata=from_envoy(), timeout=10) for _ in range(20)]
    for call in calls:
        assert (await call).reports
    assert asked(fresh) == {"Logon": 1, "Find": 20}


async def test_a_ticket_without_a_life_is_got_for_each_call(fresh: Rig) -> None:
    turn(fresh, "ticket_life", "0s")
    for _ in range(3):
        await answered(fresh, "get_report", GetReportResponse)
    assert asked(fresh) == {"Logon": 3, "Fetch": 3}


async def test_a_refused_logon_is_tried_once_and_then_left_alone(fresh: Rig) -> None:
    turn(fresh, "logon_refused")
    for _ in range(3):
        assert await refused(fresh, "get_report") == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", codes.LOGON_REFUSED)
    assert asked(fresh) == {"Logon": 1}


# --- answers that are lost ---


@pytest.mark.parametrize(("dial", "setting", "reason"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_a_question_without_an_answer_ends_in_time_and_is_never_no_trace(rig: Rig, dial: str, setting: str, reason: str) -> None:
    await answered(rig, "get_report", GetReportResponse)
    turn(rig, dial, setting)
    for name in ("search_for_nobody", "get_unknown_report", "raise_missing_person"):
        assert (await refused(rig, name))[:2] == (Reason[reason].status, reason)


@pytest.mark.parametrize(("dial", "setting", "reason"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_an_update_whose_answer_is_lost_is_in_doubt_and_never_sent_again(rig: Rig, dial: str, setting: str, reason: str) -> None:
    assessed = len((await answered(rig, "get_report", GetReportResponse)).report.assessments)
    turn(rig, dial, setting)
    before = asked(rig)
    assert (await refused(rig, "update_risk"))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "IN_DOUBT")
    assert grown(before, rig) == {"Amend": 1}
    assert rig.dials
    rig.dials.clear()
    made = len((await answered(rig, "get_report", GetReportResponse)).report.assessments) - assessed
    assert made == (0 if dial == "error" else 1)  # so in doubt it is: nobody could have told from the refusal


async def test_a_report_whose_confirmation_is_lost_can_be_sent_again(fresh: Rig) -> None:
    await answered(fresh, "get_report", GetReportResponse)
    turn(fresh, "drop", times=1)
    assert (await refused(fresh, "raise_missing_person"))[1] == "UPSTREAM_UNAVAILABLE"
    first = await answered(fresh, "raise_missing_person", RaiseReportResponse)
    again = await answered(fresh, "raise_missing_person", RaiseReportResponse)
    assert asked(fresh)["Raise"] == 3
    # The next number shows that the three made one report.
    other = await answered(fresh, "raise_child_notice", RaiseReportResponse)
    numbers = [int(reply.merlin_reference.value[5:]) for reply in (first, again, other)]
    assert numbers == [numbers[0], numbers[0], numbers[0] + 1]
    assert first.created.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)


async def test_the_caller_s_own_deadline_bounds_the_wait(fresh: Rig) -> None:
    slow = recorded("get_report")
    await play(slow, fresh.channel, from_envoy())
    slow.case.deadline.CopyFrom(Duration(nanos=500_000_000))
    turn(fresh, "hang")
    began = time.monotonic()
    played = await play(slow, fresh.channel, from_envoy())
    assert played.error
    assert played.error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 5  # well before the eight seconds that the settings give the far side


async def test_a_far_side_that_is_not_there_leaves_no_doubt(tmp_path: Path) -> None:
    async with running_adapter(SYSTEM, tmp_path, address="http://127.0.0.1:9") as rig:
        for name in ("get_report", "update_risk"):
            assert (await refused(rig, name))[:2] == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")


# --- what leaves ---


async def test_no_text_and_no_log_line_names_anybody(tmp_path: Path) -> None:
    texts = []
    async with running_adapter(SYSTEM, tmp_path) as rig:
        for path in case_files([SYSTEM]):
            case = read_case(path)
            for fault in case.faults.get(SYSTEM, ()):
                turn(rig, fault.dial, fault.setting, fault.times)
            texts.append((await play(case, rig.channel, from_envoy())).error)
            assert rig.dials
            rig.dials.clear()
        for dial in ("drop", "truncate", "garbage", "error"):
            turn(rig, dial, times=1)
            texts.append((await play(recorded("update_risk"), rig.channel, from_envoy())).error)
        people = [rig.population.person(number) for number in STORIES.values()]
    told = [error.details() or "" for error in texts if error]
    assert len(told) >= 14
    everything = "\n".join((*told, (tmp_path / "log").read_text())).casefold()
    personal = {word for person in people for word in (person.surname, *person.forenames, person.pnc_id) if word}
    personal |= {"Yarenquavish", "Zejivia", "P123456", "Call from the family", "Jasjorham", "26MIS907919", "24PAC942921", "90001/23NOV26"}
    assert not [word for word in personal if word.casefold() in everything]
