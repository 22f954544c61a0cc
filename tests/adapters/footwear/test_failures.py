"""The adapter while the database fails: in time, with a reason that tells the exchange whether to come again, and nothing twice."""

import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy, running_adapter
from google.protobuf.duration_pb2 import Duration

from adapters.footwear.upstream import FAULTS, key
from adapters.kit import Reason
from adapters.kit.simulation.dials import Dial
from metip.common.v1.identifiers_pb2 import CustodyNumber
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.footwear.v1 import impression_pb2 as contract
from metip.footwear.v1.footwear_service_pb2 import GetImpressionRequest, SearchImpressionsRequest
from metip.footwear.v1.footwear_service_pb2_grpc import FootwearServiceStub
from metip.settings import SettingsError
from tests.adapters.footwear.asking import ACCESS, PATIENT, PERSONAL, from_exchange, number, record, refused

SYSTEM = "footwear"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000, "timeout": Duration(seconds=2)}  # the breaker has tests of its own
pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILURES = [
    ("delay", "5s", "TIMED_OUT", ""),
    ("hang", "", "TIMED_OUT", ""),
    ("half_open", "", "TIMED_OUT", ""),
    ("drop", "", "UPSTREAM_UNAVAILABLE", ""),
    ("truncate", "", "UPSTREAM_UNAVAILABLE", ""),
    ("garbage", "", "UPSTREAM_FAULT", ""),
    ("busy", "", "BUSY", "NF429"),
    ("closed", "", "UPSTREAM_UNAVAILABLE", "NF503"),
    ("key_refused", "", "UPSTREAM_UNAVAILABLE", "NF401"),
    ("error", "NF999", "UPSTREAM_FAULT", "NF999"),
]


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial."""
    assert rig.dials
    rig.dials.set([Dial(dial, setting, times=times)])


async def hand_over(rig: Rig, serial: int, version: int = 1, **said: Any) -> None:
    """Hands a version over."""
    stub = rig.stub(CustodyRecordServiceStub)
    await stub.PublishCustodyRecord(record(serial, version, **said), metadata=from_exchange(), timeout=PATIENT)


async def get(rig: Rig, serial: int) -> contract.Impression:
    """The impression of a record."""
    request = GetImpressionRequest(access=ACCESS, custody_record_number=CustodyNumber(value=number(serial)))
    reply = await rig.stub(FootwearServiceStub).GetImpression(request, metadata=from_envoy(), timeout=PATIENT)
    found: contract.Impression = reply.impression
    return found


async def search(rig: Rig) -> None:
    """Looks for a pattern that nobody wore: whatever fails, it must never look like that."""
    request = SearchImpressionsRequest(access=ACCESS, pattern_code="X-X-9999")
    await rig.stub(FootwearServiceStub).SearchImpressions(request, metadata=from_envoy(), timeout=PATIENT)


@pytest.mark.parametrize(("dial", "setting", "reason", "code"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_a_failure_ends_in_time_with_its_reason_and_can_be_repeated(
    rig: Rig, dial: str, setting: str, reason: str, code: str
) -> None:
    serial = 910_000 + [row[0] for row in FAILURES].index(dial)
    turn(rig, dial, setting)
    began = time.monotonic()
    for call in (hand_over(rig, serial), hand_over(rig, serial + 100, recordable=(False,)), search(rig)):
        assert await refused(call) == (Reason[reason].status, reason, code)
    assert time.monotonic() - began < 12
    assert rig.dials
    rig.dials.clear()
    await hand_over(rig, serial)
    assert (await get(rig, serial)).version == 1


async def test_a_scan_that_cannot_be_read_parks_the_record(rig: Rig) -> None:
    turn(rig, "unreadable")
    assert await refused(hand_over(rig, 910_020)) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED", "NF422")


async def test_a_scan_that_never_comes_leaves_the_impression_waiting_and_unfound(rig: Rig) -> None:
    turn(rig, "no_scan", times=1)
    await hand_over(rig, 910_021)
    found = await get(rig, 910_021)
    assert (found.status, found.shoe.pattern_code, found.scan_method) == (contract.IMPRESSION_STATUS_AWAITING_SCAN, "", 0)
    await hand_over(rig, 910_021)
    assert (await get(rig, 910_021)).status == contract.IMPRESSION_STATUS_AWAITING_SCAN
    await hand_over(rig, 910_021, 2)
    assert (await get(rig, 910_021)).status == contract.IMPRESSION_STATUS_CODED


async def test_a_pattern_that_is_in_no_collection_goes_to_the_bureau(rig: Rig) -> None:
    turn(rig, "unknown_pattern", times=1)
    await hand_over(rig, 910_022)
    assert (await get(rig, 910_022)).status == contract.IMPRESSION_STATUS_AT_BUREAU


@pytest.mark.parametrize("dial", ["drop", "truncate", "hang"])
async def test_an_answer_that_is_lost_is_asked_again_and_has_one_effect(rig: Rig, dial: str) -> None:
    serial = 910_030 + ["drop", "truncate", "hang"].index(dial)
    assert rig.dials
    before = dict(rig.dials.exchanges)
    turn(rig, dial, times=1)
    await refused(hand_over(rig, serial))
    await hand_over(rig, serial)
    assert rig.dials.exchanges["Submit"] - before.get("Submit", 0) == 2
    turn(rig, dial, times=1)
    await refused(hand_over(rig, serial, 2, recordable=(False,)))
    await hand_over(rig, serial, 2, recordable=(False,))
    assert (await refused(get(rig, serial)))[1] == "NO_TRACE"


async def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with running_adapter(SYSTEM, tmp_path, address="http://127.0.0.1:9") as rig:
        assert (await refused(hand_over(rig, 1)))[:2] == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")


async def test_no_code_of_the_database_is_handed_over_again_in_vain() -> None:
    parked = {code for code, (reason, _) in FAULTS.items() if reason.status is grpc.StatusCode.FAILED_PRECONDITION}
    assert parked == {"NF411", "NF422", "NF423"}


@pytest.mark.parametrize(
    "content", [None, "", "two\nlines", "x" * 300, "f\u00fcr"], ids=["no-file", "empty", "two-lines", "long", "foreign"]
)
async def test_a_key_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, content: str | None) -> None:
    from adapters.footwear.adapter import serve
    from adapters.kit import Log, Site
    from metip.adapter.v1.settings_pb2 import Upstream
    from metip.footwear.v1.settings_pb2 import Settings

    file = tmp_path / "key"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    settings = Settings(upstream=Upstream(address="http://h"), key_file=str(file))
    with (tmp_path / "log").open("w") as log, pytest.raises(SettingsError) as told:
        async with serve(settings, Site(Log(log))):
            pass
    assert str(file) not in str(told.value)


async def test_a_key_is_read_without_its_end_of_line(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")
    assert key(str(tmp_path / "key")) == "abc"
    assert key("") == ""


async def test_no_log_line_and_no_text_names_anybody(tmp_path: Path) -> None:
    texts = []
    async with running_adapter(SYSTEM, tmp_path, **UPSTREAM) as rig:
        for dial in ("drop", "garbage", "unreadable", "closed", "error"):
            turn(rig, dial, times=1)
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await hand_over(rig, 913_000)
            texts.append(told.value.details() or "")
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await get(rig, 913_001)
        texts.append(told.value.details() or "")
    everything = "\n".join((*texts, (tmp_path / "log").read_text())).casefold()
    personal = (*PERSONAL[:-1], number(913_000), number(913_001), "01ZD913000", "mark found at the scene", "P123456")
    assert not [word for word in personal if word.casefold() in everything]
