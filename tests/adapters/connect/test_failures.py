"""The adapter while CONNECT fails: in time, with a reason that tells whether to come again, and no command done twice."""

import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy, running_adapter
from google.protobuf.duration_pb2 import Duration
from waiting import until

from adapters.connect.upstream import PROBLEMS
from adapters.kit.simulation.dials import Dial
from metip.connect.v1.investigation_service_pb2_grpc import InvestigationServiceStub
from metip.settings import SettingsError
from tests.adapters.connect.asking import PATIENT, get, hand_over, investigation, link, record, refused, search

SYSTEM = "connect"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}  # the breaker has tests of its own
pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILURES = [
    ("delay", "5s", "TIMED_OUT", ""),
    ("hang", "", "TIMED_OUT", ""),
    ("half_open", "", "TIMED_OUT", ""),
    ("drop", "", "UPSTREAM_UNAVAILABLE", ""),
    ("truncate", "", "UPSTREAM_UNAVAILABLE", ""),
    ("garbage", "", "UPSTREAM_FAULT", ""),
    ("release", "", "UPSTREAM_UNAVAILABLE", ""),
    ("token_forgotten", "", "UPSTREAM_UNAVAILABLE", "401"),
    ("error", "", "UPSTREAM_FAULT", "500"),
]


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial."""
    assert rig.dials
    rig.dials.set([Dial(dial, setting, times=times)])


@pytest.mark.parametrize(("dial", "setting", "reason", "code"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_a_failure_ends_in_time_with_its_reason_and_can_be_repeated(
    rig: Rig, dial: str, setting: str, reason: str, code: str
) -> None:
    assert rig.dials
    await get(rig, "N0000000001")
    stub, command, serial = rig.stub(InvestigationServiceStub), investigation(), 910_000 + [row[0] for row in FAILURES].index(dial)
    turn(rig, dial, setting)
    began = time.monotonic()
    calls = (
        get(rig, "N0000000001"),
        search(rig, family_name="Quuxnobody"),  # whatever fails, it must never look like nobody of that name
        stub.CreateInvestigation(command, metadata=from_envoy(), timeout=PATIENT),
        hand_over(rig, record(serial)),
    )
    for call in calls:
        told = await refused(call)
        assert (told[1], told[2]) == (reason, code)
    assert time.monotonic() - began < 4 * 4
    rig.dials.clear()
    # What had been done before the answer was lost is not done again.
    before = len(rig.simulator.register.feed.items)
    first = await stub.CreateInvestigation(command, metadata=from_envoy(), timeout=PATIENT)
    await hand_over(rig, record(serial), 2)
    again = await stub.CreateInvestigation(command, metadata=from_envoy(), timeout=PATIENT)
    assert first.entity_id == again.entity_id
    lost = dial in ("delay", "hang", "half_open", "drop", "truncate", "garbage")
    assert len(rig.simulator.register.feed.items) - before == (0 if lost else 2)
    assert (first.already_done, again.already_done) == (lost, True)


async def test_who_is_asked_to_wait_waits_and_does_not_ask_meanwhile(rig: Rig) -> None:
    assert rig.dials
    await get(rig, "N0000000001")
    asked = rig.dials.exchanges["get"]
    turn(rig, "rate_limited", "2", times=1)
    for _ in range(2):
        assert (await refused(get(rig, "N0000000001")))[:2] == ("RESOURCE_EXHAUSTED", "BUSY")
    assert rig.dials.exchanges["get"] == asked
    await until(lambda: answered(get(rig, "N0000000001")))
    assert rig.dials.exchanges["get"] == asked + 1


async def answered(call: Awaitable[Any]) -> bool:
    """Whether a call is answered."""
    try:
        await call
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_a_lost_answer_to_a_link_is_found_again_by_its_command(rig: Rig) -> None:
    assert rig.dials
    stub, command = rig.stub(InvestigationServiceStub), link("I0000000016", "N0000000030")
    turn(rig, "drop", times=1)
    assert (await refused(stub.LinkEntities(command, metadata=from_envoy(), timeout=PATIENT)))[1] == "UPSTREAM_UNAVAILABLE"
    done = await stub.LinkEntities(command, metadata=from_envoy(), timeout=PATIENT)
    assert (done.version, done.already_done) == (2, True)


async def test_no_token_no_question(tmp_path: Path) -> None:
    async with running_adapter("connect", tmp_path) as rig:
        turn(rig, "client_refused")
        assert await refused(get(rig, "N0000000001")) == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "401")
        assert rig.dials
        assert rig.dials.exchanges["get"] == 0


async def test_a_system_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with running_adapter("connect", tmp_path, address="http://127.0.0.1:9") as rig:
        assert await refused(get(rig, "N0000000001")) == ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "")


async def test_a_secret_that_cannot_be_read_stops_the_adapter_before_it_starts(tmp_path: Path) -> None:
    from adapters.connect.adapter import serve
    from adapters.kit import Log, Site
    from metip.connect.v1.settings_pb2 import Settings

    for name in ("client_secret_file", "authority_file"):
        settings = Settings(**{name: str(tmp_path / "missing")})  # type: ignore[arg-type]  # by name
        settings.upstream.address = "http://127.0.0.1:9"
        with pytest.raises(SettingsError):
            async with serve(settings, Site(Log())):
                pass


async def test_every_problem_of_connect_has_a_meaning_and_none_of_its_words_gets_out() -> None:
    assert all(text and text[0].islower() for _, text in PROBLEMS.values())
