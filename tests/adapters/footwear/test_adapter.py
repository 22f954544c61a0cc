"""Custody records to the database and back on real sockets: what is sent, what is withdrawn, and when nobody is asked at all."""

from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy

from adapters.footwear.records import Submit, Withdraw
from adapters.footwear.wire import decode
from metip.common.v1.identifiers_pb2 import CustodyNumber
from metip.custody.v1 import custody_record_pb2 as custody
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from metip.footwear.v1 import impression_pb2 as contract
from metip.footwear.v1.footwear_service_pb2 import GetImpressionRequest, SearchImpressionsRequest
from metip.footwear.v1.footwear_service_pb2_grpc import FootwearServiceStub
from tests.adapters.footwear.asking import ACCESS, PATIENT, PERSONAL, footwear, from_exchange, number, record, refused

SYSTEM = "footwear"
pytestmark = pytest.mark.asyncio(loop_scope="module")
GONE = (grpc.StatusCode.NOT_FOUND, "NO_TRACE", "NF404")


async def hand_over(rig: Rig, request: Any, attempt: int = 1) -> None:
    """Hands a message over as the exchange does; it is processed."""
    stub = rig.stub(CustodyRecordServiceStub)
    receipt = await stub.PublishCustodyRecord(request, metadata=from_exchange(attempt), timeout=PATIENT)
    assert receipt.progress == PROGRESS_PROCESSED


async def get(rig: Rig, serial: int) -> contract.Impression:
    """The impression of a record."""
    request = GetImpressionRequest(access=ACCESS, custody_record_number=CustodyNumber(value=number(serial)))
    reply = await rig.stub(FootwearServiceStub).GetImpression(request, metadata=from_envoy(), timeout=PATIENT)
    found: contract.Impression = reply.impression
    return found


def asked(rig: Rig) -> dict[str, int]:
    """What the database has been asked so far."""
    assert rig.dials
    return dict(rig.dials.exchanges)


async def test_footwear_goes_from_the_record_to_the_database(rig: Rig) -> None:
    await hand_over(rig, record(900_001, 3, recordable=(True, False)))
    found = await get(rig, 900_001)
    assert (found.custody_record_number.value, found.version, found.suite) == (number(900_001), 3, "01ZD")
    assert list(found.offence_codes) == ["TH68001"]
    assert found.shoe == contract.Shoe(pattern_code="Z-B-C-0973", size="9.5", make="TESTMAKE", model="RUNNER")
    assert (found.status, found.scan_method) == (contract.IMPRESSION_STATUS_CODED, contract.SCAN_METHOD_ROLLED)
    assert found.scanned_at == footwear().scanned_at


async def test_what_goes_out_names_nobody(rig: Rig) -> None:
    await hand_over(rig, record(900_002))
    await hand_over(rig, record(900_002, 2, recordable=(False,)))
    sent = [document for document in rig.simulator.seen if isinstance(decode(document), Submit | Withdraw)]
    assert len(sent) >= 2
    assert not [word for word in PERSONAL for document in sent if word.casefold() in document.decode().casefold()]


@pytest.mark.parametrize(
    "said", [{"without_footwear": True}, {"shoe": custody.Footwear(taken=False)}, {"without_footwear": True, "released": True}], ids=str
)
async def test_a_record_without_footwear_is_done_with_and_nobody_hears_of_it(rig: Rig, said: dict[str, Any]) -> None:
    before = asked(rig)
    await hand_over(rig, record(900_003, **said))
    assert asked(rig) == before


async def test_a_record_without_footwear_is_done_with_even_while_the_database_is_away(rig: Rig) -> None:
    from adapters.kit.simulation.dials import Dial

    assert rig.dials
    rig.dials.set([Dial("drop")])
    await hand_over(rig, record(900_004, without_footwear=True))


async def test_the_same_version_again_has_one_effect(rig: Rig) -> None:
    for attempt in (1, 2, 3):
        await hand_over(rig, record(900_005), attempt)
    assert (await get(rig, 900_005)).version == 1


async def test_a_later_version_replaces_and_an_earlier_one_is_done_with(rig: Rig) -> None:
    await hand_over(rig, record(900_006, 2, shoe=footwear(size="10")))
    await hand_over(rig, record(900_006, 3, shoe=footwear(size="11")))
    await hand_over(rig, record(900_006, 1, shoe=footwear(size="9")))
    found = await get(rig, 900_006)
    assert (found.version, found.shoe.size) == (3, "11")


async def test_release_without_a_recordable_offence_withdraws_the_impression_for_good(rig: Rig) -> None:
    await hand_over(rig, record(900_007, 1))
    released = record(900_007, 2, decided=(custody.DISPOSAL_KIND_NO_FURTHER_ACTION,), released=True)
    for attempt in (1, 2):
        await hand_over(rig, released, attempt)
    assert await refused(get(rig, 900_007)) == GONE
    await hand_over(rig, record(900_007, 1), 2)  # handed over late, once more
    assert await refused(get(rig, 900_007)) == GONE


async def test_release_with_a_charge_keeps_it(rig: Rig) -> None:
    await hand_over(rig, record(900_008, 2, decided=(custody.DISPOSAL_KIND_CHARGED,), released=True))
    assert (await get(rig, 900_008)).version == 2


async def test_withdrawing_what_was_never_there_is_done_with(rig: Rig) -> None:
    await hand_over(rig, record(900_009, recordable=(False,)))
    assert await refused(get(rig, 900_009)) == GONE


async def test_footwear_without_a_scan_waits_for_one(rig: Rig) -> None:
    await hand_over(rig, record(900_010, 1, shoe=custody.Footwear(taken=True)))
    assert (await get(rig, 900_010)).status == contract.IMPRESSION_STATUS_AWAITING_SCAN
    await hand_over(rig, record(900_010, 2))
    assert (await get(rig, 900_010)).status == contract.IMPRESSION_STATUS_CODED


async def test_another_content_under_the_same_version_is_refused(rig: Rig) -> None:
    await hand_over(rig, record(900_011))
    call = hand_over(rig, record(900_011, shoe=footwear(size="12")))
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "UPSTREAM_REFUSED", "NF411")
    assert (await get(rig, 900_011)).shoe.size == "9.5"


async def test_a_search_finds_what_was_just_sent(rig: Rig) -> None:
    await hand_over(rig, record(900_012, shoe=footwear(pattern_code="Y-Y-0001")))
    stub = rig.stub(FootwearServiceStub)
    asked_for: list[dict[str, Any]] = [{"pattern_code": "Y-Y-0001"}, {"pattern_code": "Y"}, {"make": "testmake", "pattern_code": "Y-Y"}]
    for what in asked_for:
        reply = await stub.SearchImpressions(SearchImpressionsRequest(access=ACCESS, **what), metadata=from_envoy(), timeout=PATIENT)
        assert [one.custody_record_number.value for one in reply.impressions] == [number(900_012)]
        assert (reply.provenance.system, reply.provenance.truncated) == ("NFD", False)


async def test_the_database_learns_who_searches_and_why(rig: Rig) -> None:
    await rig.stub(FootwearServiceStub).SearchImpressions(
        SearchImpressionsRequest(access=ACCESS, make="Nike"), metadata=from_envoy(), timeout=PATIENT
    )
    asker = decode(rig.simulator.seen[-1]).asker  # type: ignore[union-attr]  # a search is what was sent last
    assert (asker.user, asker.force, asker.reason, asker.reference) == ("P123456", "01", "INV", "1234/23NOV26")
    assert asker.justification == "mark found at the scene"
