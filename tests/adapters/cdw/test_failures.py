"""The warehouse while its database fails: in time, with a reason that tells the exchange whether to come again, and without half a load."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import Rig, running_adapter
from google.protobuf.duration_pb2 import Duration

from adapters.cdw.database import running_database
from adapters.cdw.schema import LATEST
from adapters.cdw.upstream import FAULTS
from adapters.kit import Reason
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.proxied import Proxied
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.settings import SettingsError
from tests.adapters.cdw.asking import PATIENT, from_exchange, number, record, refused

SYSTEM = "cdw"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}  # the breaker has tests of its own
pytestmark = pytest.mark.asyncio(loop_scope="module")

AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED}
"""Statuses after which the exchange hands the message over again."""
HELD = "SELECT version FROM warehouse.custody_version WHERE custody_number = $1"
STANDARD = [
    ("delay", "5s", "TIMED_OUT"),
    ("hang", "", "TIMED_OUT"),
    ("half_open", "", "TIMED_OUT"),
    ("drop", "", "UPSTREAM_UNAVAILABLE"),
    ("truncate", "", "UPSTREAM_UNAVAILABLE"),
    ("garbage", "", "UPSTREAM_UNAVAILABLE"),
]
STATES = [
    ("40P01", grpc.StatusCode.ABORTED, "CONFLICT"),
    ("40001", grpc.StatusCode.ABORTED, "CONFLICT"),
    ("55P03", grpc.StatusCode.ABORTED, "LOCKED"),
    ("53100", grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY"),
    ("53300", grpc.StatusCode.RESOURCE_EXHAUSTED, "BUSY"),
    ("25006", grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE"),
    ("57P03", grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE"),
    ("28P01", grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE"),
    ("23514", grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED"),
    ("22001", grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED"),
    ("42P01", grpc.StatusCode.INTERNAL, "UPSTREAM_FAULT"),
    ("XX000", grpc.StatusCode.INTERNAL, "UPSTREAM_FAULT"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path) -> AsyncIterator[Rig]:
    """An adapter that nobody has used, with the time limit of its own settings."""
    async with running_adapter(SYSTEM, tmp_path) as rig:
        yield rig


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial."""
    assert rig.dials
    rig.dials.set([Dial(dial, setting, times=times)])


async def hand_over(rig: Rig, serial: int, version: int = 1) -> None:
    """Hands a version over."""
    await rig.stub(CustodyRecordServiceStub).PublishCustodyRecord(record(serial, version), metadata=from_exchange(), timeout=PATIENT)


async def held(rig: Rig, serial: int) -> list[int]:
    """The versions that are held of a record."""
    return [version for (version,) in await rig.simulator.fetch(HELD, number(serial))]


@pytest.mark.parametrize(("dial", "setting", "reason"), STANDARD, ids=[row[0] for row in STANDARD])
async def test_a_load_without_an_answer_ends_in_time_and_can_be_repeated(rig: Rig, dial: str, setting: str, reason: str) -> None:
    serial = 910_000 + [row[0] for row in STANDARD].index(dial)
    await hand_over(rig, 910_900)
    turn(rig, dial, setting)
    began = time.monotonic()
    assert (await refused(hand_over(rig, serial)))[:2] == (Reason[reason].status, reason)
    assert Reason[reason].status in AGAIN
    assert time.monotonic() - began < 6
    assert rig.dials
    rig.dials.clear()
    await hand_over(rig, serial)
    assert await held(rig, serial) == [1]


@pytest.mark.parametrize(("state", "status", "reason"), STATES, ids=[row[0] for row in STATES])
async def test_each_kind_of_error_tells_the_exchange_what_to_do(rig: Rig, state: str, status: grpc.StatusCode, reason: str) -> None:
    turn(rig, "error", state)
    assert await refused(hand_over(rig, 910_010)) == (status, reason, state)
    assert await held(rig, 910_010) == []


async def test_the_table_of_errors_gives_no_reason_that_a_load_cannot_end_with() -> None:
    assert {reason.status for reason, _ in FAULTS.values()} <= {*AGAIN, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL}
    assert all(len(state) in (2, 5) for state in FAULTS)


async def test_a_database_that_only_reads_is_tried_again_and_holds_nothing(rig: Rig) -> None:
    turn(rig, "readonly")
    assert await refused(hand_over(rig, 910_020)) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "25006")
    assert await held(rig, 910_020) == []


async def test_a_restart_ends_one_load_and_the_next_has_a_new_session(rig: Rig) -> None:
    await hand_over(rig, 910_030)
    turn(rig, "restart", times=1)
    status, reason, code = await refused(hand_over(rig, 910_031))
    assert (status, reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
    assert code in ("57P01", "08003")
    await hand_over(rig, 910_031)
    assert await held(rig, 910_031) == [1]


async def test_a_lock_that_is_held_for_long_is_told_as_one(rig: Rig) -> None:
    turn(rig, "lock", "2s", times=1)
    assert await refused(hand_over(rig, 910_040)) == (grpc.StatusCode.ABORTED, "LOCKED", "55P03")


async def test_a_short_lock_is_waited_for(fresh: Rig) -> None:
    turn(fresh, "lock", "300ms", times=1)
    await hand_over(fresh, 910_041)
    assert await held(fresh, 910_041) == [1]


async def test_a_commit_whose_answer_is_lost_is_done_and_its_repetition_changes_nothing(rig: Rig) -> None:
    turn(rig, "lost_commit", times=1)
    assert (await refused(hand_over(rig, 910_050)))[:2] == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
    assert await held(rig, 910_050) == [1]
    await hand_over(rig, 910_050)
    rows = await rig.simulator.fetch("SELECT * FROM warehouse.custody_offence WHERE custody_number = $1", number(910_050))
    assert await held(rig, 910_050) == [1]
    assert len(rows) == 1


async def test_faults_at_random_lose_and_double_nothing_when_each_is_handed_over_until_it_is_processed(rig: Rig) -> None:
    assert rig.dials
    rig.dials.set(
        [Dial("drop", share=0.1), Dial("truncate", share=0.05), Dial("lost_commit", share=0.3), Dial("error", "40P01", share=0.2)]
    )
    refusals = 0

    async def until_processed(serial: int, version: int) -> None:
        nonlocal refusals
        while True:
            try:
                return await hand_over(rig, serial, version)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                refusals += 1
                await asyncio.sleep(0.02)

    async with asyncio.timeout(40):
        await asyncio.gather(*(until_processed(911_000 + serial, version) for serial in range(20) for version in (3, 1, 2)))
    rig.dials.clear()
    assert refusals > 20
    rows = await rig.simulator.fetch(
        "SELECT (SELECT count(*) FROM warehouse.custody_version WHERE custody_number >= $1),"
        " (SELECT count(*) FROM warehouse.custody_offence WHERE custody_number >= $1),"
        " (SELECT array_agg(DISTINCT version) FROM warehouse.custody_record WHERE custody_number >= $1)",
        number(911_000),
    )
    assert tuple(rows[0]) == (60, 60, [3])


async def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with running_adapter(SYSTEM, tmp_path, address="127.0.0.1:9") as rig:
        assert (await refused(hand_over(rig, 1)))[:2] == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")


@pytest.mark.parametrize(
    "wrong", [{"address": "http://far"}, {"credentials": "one line"}, {"credentials": None}], ids=["address", "one-line", "no-file"]
)
async def test_settings_that_cannot_be_used_are_told_at_the_start(tmp_path: Path, wrong: dict[str, Any]) -> None:
    from adapters.cdw.adapter import serve
    from adapters.kit import Log, Site
    from metip.adapter.v1.settings_pb2 import Upstream
    from metip.cdw.v1.settings_pb2 import Settings

    file = tmp_path / "credentials"
    if wrong.get("credentials"):
        file.write_text(wrong["credentials"] or "")
    settings = Settings(
        upstream=Upstream(address=wrong.get("address", "h:1")), credentials_file=str(file) if "credentials" in wrong else ""
    )
    with (tmp_path / "log").open("w") as log, pytest.raises(SettingsError):
        async with serve(settings, Site(Log(log))):
            pass


async def test_an_empty_database_gets_its_tables_once_however_many_come_first(tmp_path: Path) -> None:
    async with Proxied(running_database).listening("127.0.0.1", 0, Dials({}, seed=1)) as address:
        async with running_adapter(SYSTEM, tmp_path, address=address, sessions=8) as rig:
            await asyncio.gather(*(hand_over(rig, 912_000 + serial) for serial in range(12)))
        import asyncpg

        host, _, port = address.rpartition(":")
        connection = await asyncpg.connect(host=host, port=int(port), user="postgres", database="postgres", ssl=False)
        assert await connection.fetchval("SELECT count(*) FROM warehouse.custody_record") == 12
        assert [row[0] for row in await connection.fetch("SELECT number FROM warehouse.step")] == list(range(1, LATEST + 1))
        await connection.close()


async def test_no_log_line_and_no_text_names_anybody(tmp_path: Path) -> None:
    texts = []
    async with running_adapter(SYSTEM, tmp_path, **UPSTREAM) as rig:
        for dial, setting in (("error", "23514"), ("error", "22001"), ("drop", ""), ("garbage", ""), ("restart", "")):
            turn(rig, dial, setting, times=1)
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await hand_over(rig, 913_000)
            texts.append(told.value.details() or "")
    everything = "\n".join((*texts, (tmp_path / "log").read_text())).casefold()
    personal = ("Testcase", "Nobody", "2002/0073319Z", "1401ZD0100000449846U", "P654321", "Test Road", number(913_000))
    assert not [word for word in personal if word.casefold() in everything]
