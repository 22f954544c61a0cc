"""Messages are found by subject on either engine of the ledger; a page looks at a bounded number of records."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gathered import Gathered

from hub.ledger.finding import AT_ONCE, PASSED, Finder, accepted
from hub.ledger.postgres.connecting import Server
from hub.ledger.readers import Readers
from hub.ledger.searching import LATEST, Place, Wanted
from metip.faults import Fault
from metip.journal.records import Draft
from metip.ledger.v1 import query_pb2, record_pb2

VEHICLE = query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="AB12CDE")])


@pytest.fixture
def estate(tmp_path: Path, server: Server | None) -> Iterator[Gathered]:
    """A ledger of either engine."""
    found = Gathered(tmp_path, server)
    yield found
    found.close()


def message(estate: Gathered, name: str, at: float, *, platform: str = "exchange", recipient: str = "") -> Draft:
    """The record of a message about the vehicle."""
    found = estate.draft(("vrm", "AB12CDE"), at=at, disclosed=0)
    found.record.message_id, found.record.platform, found.record.recipient = name, platform, recipient
    return found


@pytest.mark.asyncio(loop_scope="function")
async def test_of_the_records_on_a_vehicle_those_of_acceptance_lead_to_messages(estate: Gathered) -> None:
    estate.write(
        [
            message(estate, "m-1", 1),
            message(estate, "m-1", 2, platform="far", recipient="far"),
            estate.draft(("vrm", "AB12CDE"), at=3),
            message(estate, "m-2", 4),
            message(estate, "m-2", 4),
            estate.draft(("vrm", "XY34ZZZ"), at=5),
        ]
    )
    estate.gather()
    readers = Readers(estate.engine.glass, estate.keys_folder / "sealing")
    try:
        finder = Finder(readers, estate.keys)
        found, token = await finder.find(VEHICLE, 10)
        assert [one.record.message_id for one in found] == ["m-2", "m-1"]
        assert token == ""
        first, token = await finder.find(VEHICLE, 1)
        second, _ = await finder.find(VEHICLE, 10, token)
        assert {one.record.message_id for one in (*first, *second)} == {"m-1", "m-2"}
        with pytest.raises(Fault):
            await finder.find(VEHICLE, 1, "none-of-ours")
    finally:
        readers.close()


def test_a_page_looks_at_a_bounded_number_of_records_and_says_where_it_stopped() -> None:
    looked_up = record_pb2.Record(kind=record_pb2.KIND_OPERATION, platform="far")
    wanted = record_pb2.Record(kind=record_pb2.KIND_OPERATION, platform="exchange", message_id="m")

    def find(_: Wanted, limit: int, after: Place) -> list[Place]:
        return [(one, one) for one in range(min(after[0], 3000) - 1, -1, -1)][:limit]

    def read(idx: int) -> record_pb2.Record:
        return wanted if idx == 100 else looked_up

    found, last = accepted(find, read, Wanted(), 10, LATEST)
    assert (found, last) == ([], (3000 - PASSED, 3000 - PASSED))
    assert last is not None
    found, end = accepted(find, read, Wanted(), 10, last)
    assert ([one.index for one in found], end) == ([100], None)
    assert PASSED % AT_ONCE == 0
