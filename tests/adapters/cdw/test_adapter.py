"""The warehouse on real sockets and a real PostgreSQL: every version kept, the highest one current, nothing lost and nothing doubled."""

import asyncio
import random
import time
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.kit.simulation.dials import Dial
from metip.cdw.v1.warehouse_service_pb2 import DATASET_CUSTODY, GetLoadRequest, GetLoadResponse
from metip.cdw.v1.warehouse_service_pb2_grpc import WarehouseServiceStub
from metip.common.v1.identifiers_pb2 import PncId
from metip.common.v1.pole_pb2 import Person, PersonName
from metip.common.v1.time_pb2 import CivilDate
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from tests.adapters.cdw.asking import PATIENT, from_exchange, number, record, refused

SYSTEM = "cdw"
pytestmark = pytest.mark.asyncio(loop_scope="module")

VERSIONS = "SELECT version, suite_name FROM warehouse.custody_version WHERE custody_number = $1 ORDER BY version"
CURRENT = "SELECT * FROM warehouse.custody_record WHERE custody_number = $1"


async def hand_over(rig: Rig, request: Any, attempt: int = 1) -> None:
    """Hands a message over as the exchange does; it is processed."""
    stub = rig.stub(CustodyRecordServiceStub)
    receipt = await stub.PublishCustodyRecord(request, metadata=from_exchange(attempt), timeout=PATIENT)
    assert receipt.progress == PROGRESS_PROCESSED


async def held(rig: Rig, serial: int) -> list[int]:
    """The versions that are held of a record."""
    return [row["version"] for row in await rig.simulator.fetch(VERSIONS, number(serial))]


async def current(rig: Rig, serial: int) -> Any:
    """The row that people see of a record: there is exactly one."""
    (row,) = await rig.simulator.fetch(CURRENT, number(serial))
    return row


async def count(rig: Rig, year: int, month: int, day: int) -> GetLoadResponse:
    """What the warehouse says of a day."""
    request = GetLoadRequest(dataset=DATASET_CUSTODY, business_date=CivilDate(year=year, month=month, day=day))
    reply = await rig.stub(WarehouseServiceStub).GetLoad(request, metadata=from_envoy(officer=None), timeout=PATIENT)
    assert isinstance(reply, GetLoadResponse)
    return reply


async def test_a_version_is_in_its_tables_when_it_is_processed(rig: Rig) -> None:
    await hand_over(rig, record(900_001))
    row = await current(rig, 900_001)
    assert (row["version"], row["status"], row["suite"], row["sex"], row["risk"]) == (1, "O", "01ZD", "F", 2)
    assert (row["birth_year"], row["birth_month"], row["birth_day"]) == (1990, 5, None)
    assert (row["authority"], row["footwear_taken"], row["released_at"], row["release_kind"]) == ("CUS", True, None, None)
    assert len(row["digest"]) == 32
    parts = {}
    for table in ("custody_offence", "custody_disposal", "custody_review", "quality_issue"):
        rows = await rig.simulator.fetch(f"SELECT * FROM warehouse.{table} WHERE custody_number = $1", number(900_001))  # noqa: S608 - tables of our own
        parts[table] = [tuple(one.values())[2:4] for one in rows]
    assert parts["custody_offence"] == [(1, "TH68023")]
    assert parts["custody_disposal"] == [(1, "TH68023")]
    assert len(parts["custody_review"]) == 1
    assert parts["quality_issue"] == []


async def test_the_same_version_again_changes_nothing(rig: Rig) -> None:
    for attempt in (1, 2, 3):
        await hand_over(rig, record(900_002), attempt)
    assert await held(rig, 900_002) == [1]
    rows = await rig.simulator.fetch("SELECT * FROM warehouse.custody_offence WHERE custody_number = $1", number(900_002))
    assert len(rows) == 1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)], ids=str)
async def test_the_highest_version_is_current_whatever_came_last(rig: Rig, order: tuple[int, ...]) -> None:
    serial = 900_100 + int("".join(map(str, order)))
    for version in order:
        await hand_over(rig, record(serial, version))
    assert await held(rig, serial) == [1, 2, 3]
    row = await current(rig, serial)
    assert (row["version"], row["suite_name"]) == (3, "Croydon, as of version 3")


async def test_two_spellings_of_a_number_are_one_record(rig: Rig) -> None:
    request = record(3)
    await hand_over(rig, request)
    request.custody_record_number.value = "01ZD/000003/26"
    await hand_over(rig, request)
    assert await held(rig, 3) == [1]


async def test_another_content_under_the_same_version_is_refused_and_the_first_stays(rig: Rig) -> None:
    await hand_over(rig, record(900_004))
    other = record(900_004, suite_name="Somewhere else")
    stub = rig.stub(CustodyRecordServiceStub)
    call = stub.PublishCustodyRecord(other, metadata=from_exchange(), timeout=PATIENT)
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED", "23505")
    assert (await current(rig, 900_004))["suite_name"] == "Croydon, as of version 1"


async def test_deliveries_at_the_same_time_share_transactions_and_none_is_lost_or_doubled(rig: Rig) -> None:
    assert rig.dials
    wanted = [(serial, version) for serial in range(900_200, 900_240) for version in (1, 2, 3, 4, 5)]
    calls = [*wanted, *random.Random(1).sample(wanted, 60)]
    random.Random(2).shuffle(calls)
    rig.dials.set([Dial("delay", "50ms")])  # so that deliveries come while a load is under way, on the slowest machine too
    before = rig.dials.exchanges["Load"]
    began = time.monotonic()
    room = asyncio.Semaphore(150)  # as many as the subscription has under way

    async def one(serial: int, version: int) -> None:
        async with room:
            await hand_over(rig, record(serial, version))

    await asyncio.gather(*(one(serial, version) for serial, version in calls))
    rig.dials.clear()
    assert time.monotonic() - began < PATIENT
    assert rig.dials.exchanges["Load"] - before < len(calls) / 3
    rows = await rig.simulator.fetch(
        "SELECT custody_number, array_agg(version ORDER BY version) FROM warehouse.custody_version"
        " WHERE custody_number BETWEEN $1 AND $2 GROUP BY 1",
        number(900_200),
        number(900_239),
    )
    assert [versions for _, versions in rows] == [[1, 2, 3, 4, 5]] * 40
    found = await rig.simulator.fetch(
        "SELECT version FROM warehouse.custody_record WHERE custody_number BETWEEN $1 AND $2", number(900_200), number(900_239)
    )
    assert [version for (version,) in found] == [5] * 40
    offences = await rig.simulator.fetch(
        "SELECT count(*) FROM warehouse.custody_offence WHERE custody_number BETWEEN $1 AND $2", number(900_200), number(900_239)
    )
    assert offences[0][0] == len(wanted)


async def test_data_that_the_warehouse_refuses_keep_back_no_others_of_the_batch(rig: Rig) -> None:
    good = [record(serial) for serial in range(900_300, 900_310)]
    bad = record(900_310)
    await rig.simulator.fetch(f"ALTER TABLE warehouse.custody_version ADD CONSTRAINT played CHECK (custody_number <> '{number(900_310)}')")
    try:
        stub = rig.stub(CustodyRecordServiceStub)
        calls = [stub.PublishCustodyRecord(one, metadata=from_exchange(), timeout=PATIENT) for one in (*good[:5], bad, *good[5:])]
        ended = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        await rig.simulator.fetch("ALTER TABLE warehouse.custody_version DROP CONSTRAINT played")
    assert [isinstance(one, grpc.aio.AioRpcError) for one in ended] == [False] * 5 + [True] + [False] * 5
    assert await refused(calls[5]) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED", "23514")
    assert [await held(rig, serial) for serial in range(900_300, 900_311)] == [[1]] * 10 + [[]]


async def test_a_character_that_postgresql_cannot_store_is_replaced_and_told(rig: Rig) -> None:
    await hand_over(rig, record(900_005, suite_name="Croy\0don"))
    assert (await current(rig, 900_005))["suite_name"] == "Croy\ufffddon"
    rows = await rig.simulator.fetch("SELECT column_name, problem FROM warehouse.quality_issue WHERE custody_number = $1", number(900_005))
    assert [tuple(row) for row in rows] == [("suite_name", "CHARACTER_REPLACED")]
    await hand_over(rig, record(900_005, suite_name="Croy\0don"))
    assert await held(rig, 900_005) == [1]


async def test_what_cannot_be_taken_as_it_came_is_a_quality_issue(rig: Rig) -> None:
    request = record(900_006, detained_person=Person(pnc_id=PncId(as_received="99/XX")))
    request.record.detained_person.pnc_id.value = ""
    request.record.disposals[0].offence_number = 7
    await hand_over(rig, request)
    rows = await rig.simulator.fetch("SELECT column_name, problem FROM warehouse.quality_issue WHERE custody_number = $1", number(900_006))
    assert {tuple(row) for row in rows} == {("pnc_id", "IDENTIFIER_UNREADABLE"), ("disposals", "OFFENCE_UNKNOWN")}
    assert (await current(rig, 900_006))["pnc_id"] is None


async def test_an_instant_outside_the_calendar_is_refused_before_the_warehouse_is_asked(rig: Rig) -> None:
    assert rig.dials
    before = rig.dials.exchanges["Load"]
    request = record(900_007)
    request.record.recorded_at.CopyFrom(Timestamp(seconds=10**15))
    call = rig.stub(CustodyRecordServiceStub).PublishCustodyRecord(request, metadata=from_exchange(), timeout=PATIENT)
    assert (await refused(call))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert rig.dials.exchanges["Load"] == before


async def test_a_day_counts_records_versions_and_issues_in_london_s_calendar(rig: Rig) -> None:
    empty = await count(rig, 2027, 7, 2)
    assert (empty.records, empty.versions, empty.issues) == (0, 0, 0)
    made = Timestamp()
    made.FromJsonString("2027-07-01T23:30:00Z")  # half past midnight in London's summer
    for serial, version in ((900_401, 1), (900_401, 2), (900_402, 1)):
        await hand_over(rig, record(serial, version, recorded_at=made, suite_name="Croy\0don" if serial == 900_402 else ""))
    full = await count(rig, 2027, 7, 2)
    assert (full.records, full.versions, full.issues) == (2, 3, 1)
    assert full.sha256 != empty.sha256
    assert (await count(rig, 2027, 7, 1)).versions == 0
    await hand_over(rig, record(900_401, 1, recorded_at=made, suite_name=""))
    assert (await count(rig, 2027, 7, 2)).sha256 == full.sha256


async def test_the_far_side_keeps_no_name_that_the_dataset_does_not_need(rig: Rig) -> None:
    await hand_over(rig, record(900_008, detained_person=Person(height_cm=187, aliases=[PersonName(family_name="Quackenbush")])))
    row = await current(rig, 900_008)
    assert "Quackenbush" not in str(tuple(row.values()))
