"""CONNECT through its adapter on real sockets: who may see what, merges, versions, commands once, and custody records taken in."""

from pathlib import Path
from typing import Any

import pytest
from adapter_rig import Rig, from_envoy

from adapters.kit.simulation import HttpReply, HttpRequest
from adapters.kit.simulation.dials import Dial
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CustodyNumber
from metip.connect.v1 import entity_pb2 as entities
from metip.connect.v1.custody_pb2 import (
    CUSTODY_DISPOSAL_KIND_CHARGED,
    CUSTODY_RELEASE_KIND_TO_COURT,
    OBSERVATION_LEVEL_CONSTANT,
    AppropriateAdult,
    CustodyRecord,
)
from metip.connect.v1.custody_service_pb2 import CreateCustodyRecordRequest, GetCustodyRecordRequest
from metip.connect.v1.custody_service_pb2_grpc import CustodyServiceStub
from metip.connect.v1.intelligence_service_pb2 import GetIntelligenceReportRequest, SubmitIntelligenceReportRequest
from metip.connect.v1.intelligence_service_pb2_grpc import IntelligenceServiceStub
from metip.connect.v1.investigation_service_pb2 import GetInvestigationRequest
from metip.connect.v1.investigation_service_pb2_grpc import InvestigationServiceStub
from metip.connect.v1.location_service_pb2 import GetLocationRequest
from metip.connect.v1.location_service_pb2_grpc import LocationServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from tests.adapters.connect.asking import (
    ACCESS,
    CLEARED,
    PATIENT,
    PERSONAL,
    entity,
    get,
    hand_over,
    investigation,
    link,
    number,
    record,
    refused,
    search,
)

SYSTEM = "connect"
pytestmark = pytest.mark.asyncio(loop_scope="module")
RESTRICTED = ("PERMISSION_DENIED", "RESTRICTED", "restricted")


def turn(rig: Rig, dial: str, setting: str = "", times: int = 0) -> None:
    """Sets one dial."""
    assert rig.dials
    rig.dials.set([Dial(dial, setting, times=times)])


def asked(rig: Rig, what: str) -> int:
    """How often CONNECT was asked that."""
    assert rig.dials
    return rig.dials.exchanges[what]


async def custody_record(rig: Rig, serial: int) -> CustodyRecord:
    """A custody record by its number."""
    request = GetCustodyRecordRequest(access=ACCESS, custody_record_number=CustodyNumber(value=number(serial)))
    reply = await rig.stub(CustodyServiceStub).GetCustodyRecord(request, metadata=from_envoy(), timeout=PATIENT)
    found: CustodyRecord = reply.record
    return found


# Who may see what.


async def test_a_restricted_record_and_an_id_that_nobody_has_are_told_in_the_same_words(rig: Rig) -> None:
    told = [await refused(get(rig, value)) for value in ("N0000000003", "N0000999999", "N9999999999")]
    assert told == [RESTRICTED] * 3


async def test_who_needs_to_know_sees_restricted_records_and_is_told_that_there_is_none(rig: Rig) -> None:
    found = await get(rig, "N0000000003", CLEARED)
    assert (found.record.restricted, found.record.person.name.family_name) == (True, "Esterenvoxby")
    assert await refused(get(rig, "N0000999999", CLEARED)) == RESTRICTED  # CONNECT itself says no more to anybody
    turn(rig, "tells_apart")
    assert await refused(get(rig, "N0000999999", CLEARED)) == ("NOT_FOUND", "NO_TRACE", "not-found")
    assert await refused(get(rig, "N0000999999")) == RESTRICTED


async def test_links_to_restricted_records_are_in_no_list(rig: Rig) -> None:
    crime = next(one for one in rig.population.crimes() if one.restricted and one.number > 2)
    victim, hidden = f"N{crime.victim_number:010d}", f"I{crime.number:010d}"
    shown, all_of_them = [[link.entity_id.value for link in (await get(rig, victim, who)).record.links] for who in (None, CLEARED)]
    assert hidden not in shown
    assert hidden in all_of_them
    assert set(shown) < set(all_of_them)


async def test_pages_are_full_and_hide_where_somebody_is_missing(rig: Rig) -> None:
    name = "Esteren"  # begins the name of the restricted victim too
    cleared = await search(rig, CLEARED, family_name=name, page_size=100)
    hidden = [one.entity_id.value for one in cleared.persons if one.restricted]
    assert hidden == ["N0000000003"]
    expected = [one.entity_id.value for one in cleared.persons if not one.restricted]
    assert len(expected) > 3
    for size in (1, 2, len(expected) - 1, len(expected), 100):
        pages, token = [], ""
        while True:
            reply = await search(rig, family_name=name, page_size=size, page_token=token)
            pages.append([one.entity_id.value for one in reply.persons])
            token = reply.next_page_token
            assert reply.provenance.truncated == bool(token)
            if not token:
                break
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert [one for page in pages for one in page] == expected
        assert pages[-1]


async def test_a_page_token_that_is_too_old_says_so(rig: Rig) -> None:
    token = (await search(rig, family_name="Halz", page_size=1)).next_page_token
    turn(rig, "cursor_expired")
    call = search(rig, family_name="Halz", page_size=1, page_token=token)
    assert await refused(call) == ("FAILED_PRECONDITION", "PRECONDITION", "cursor-expired")


async def test_connect_learns_who_asks_and_why_and_nothing_stands_in_a_url(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[HttpRequest] = []
    original = rig.simulator._face._answer

    def answer(request: HttpRequest, body: dict[str, Any]) -> HttpReply:
        seen.append(request)
        found: HttpReply = original(request, body)
        return found

    monkeypatch.setattr(rig.simulator._face, "_answer", answer)
    await search(rig, family_name="Halzerwick", given_names="Calquol")
    headers = seen[-1].headers
    assert (headers["X-Connect-User"], headers["X-Connect-Reason"], headers["X-Connect-Reference"]) == ("P123456", "INV", "1234/23NOV26")
    assert headers["X-Connect-Justification"] == "na%C3%AFve witness%3B QUACKENBUSH"
    assert "X-Connect-Need-To-Know" not in headers
    assert not [word for request in seen for word in PERSONAL if word in f"{request.path}{request.query}"]


# F22: merged, and apart again.


async def test_a_merged_id_answers_with_the_other_and_with_its_own_record_once_it_is_apart_again(rig: Rig) -> None:
    rig.simulator.register.merge("N0000000021", "N0000000022")
    found = await get(rig, "N0000000021")
    assert (found.WhichOneof("result"), found.merged.moved_to.value) == ("merged", "N0000000022")
    assert found.merged.HasField("merged_at")
    assert (await get(rig, found.merged.moved_to.value)).record.version == 2
    rig.simulator.register.unmerge("N0000000021")
    apart = (await get(rig, "N0000000021")).record
    assert (apart.entity_id.value, apart.version) == ("N0000000021", 3)


async def test_an_id_that_is_merged_while_somebody_asks_answers_with_the_other(rig: Rig) -> None:
    turn(rig, "merge", "N0000000024", times=1)
    assert (await get(rig, "N0000000023")).merged.moved_to.value == "N0000000024"
    turn(rig, "unmerge", times=1)
    assert (await get(rig, "N0000000023")).record.entity_id.value == "N0000000023"


async def test_a_merge_into_a_restricted_record_tells_nobody_where(rig: Rig) -> None:
    rig.simulator.register.merge("N0000000025", "N0000000003")
    assert await refused(get(rig, "N0000000025")) == RESTRICTED
    assert (await get(rig, "N0000000025", CLEARED)).merged.moved_to.value == "N0000000003"


async def test_a_merged_record_is_in_no_search(rig: Rig) -> None:
    same_name = await search(rig, family_name="Corzandle", given_names="Elxodan", page_size=100)
    found = [one.entity_id.value for one in same_name.persons]
    assert "N0000000010" in found
    assert "N0000000135" not in found


# F23: the same field, another meaning.


async def test_one_letter_of_two_sources_comes_in_two_fields(rig: Rig) -> None:
    stub = rig.stub(CustodyServiceStub)
    found = {}
    for serial in (5, 10):  # of CONNECT and of NSPIS; both say Y
        request = GetCustodyRecordRequest(access=ACCESS, entity_id=entity(f"C{serial:010d}"))
        found[serial] = (await stub.GetCustodyRecord(request, metadata=from_envoy(), timeout=PATIENT)).record
    assert found[5].sheet.appropriate_adult == AppropriateAdult(need_found=True)
    assert found[10].sheet.appropriate_adult == AppropriateAdult(called=True)
    care = {serial: next(group for group in one.field_groups if group.section == entities.SECTION_CARE) for serial, one in found.items()}
    assert (care[5].source_system, care[5].semantic_version) == (entities.SOURCE_SYSTEM_CONNECT, "2.0.1")
    assert (care[10].source_system, care[10].semantic_version) == (entities.SOURCE_SYSTEM_NSPIS_CUSTODY, "1.0.0")


@pytest.mark.parametrize("version", ["", "1.9.9.9", "two"], ids=["another major", "no version", "a word"])
async def test_values_of_an_unknown_meaning_are_left_out_of_the_record_and_of_lists(rig: Rig, version: str) -> None:
    turn(rig, "meaning", version)
    found = (await get(rig, "N0000000001")).record
    assert found.person.ByteSize() == 0
    assert [group.left_out for group in found.field_groups] == [True] * 5
    (summary,) = (await search(rig, family_name="Halzerwick", given_names="Calquol")).persons
    assert (summary.entity_id.value, summary.person.ByteSize()) == ("N0000000001", 0)


async def test_a_newer_minor_version_means_the_same(rig: Rig) -> None:
    turn(rig, "meaning", "1.7.0")
    assert (await get(rig, "N0000000001")).record.person.name.family_name == "Halzerwick"


# Commands.


async def test_a_command_is_done_once_however_often_it_is_given(rig: Rig) -> None:
    stub, command = rig.stub(InvestigationServiceStub), investigation()
    replies = [await stub.CreateInvestigation(command, metadata=from_envoy(), timeout=PATIENT) for _ in range(3)]
    assert len({reply.entity_id.value for reply in replies}) == 1
    assert [reply.already_done for reply in replies] == [False, True, True]
    other = investigation(command.command_id, borough="VK")
    call = stub.CreateInvestigation(other, metadata=from_envoy(), timeout=PATIENT)
    assert await refused(call) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "key-reused")
    request = GetInvestigationRequest(access=ACCESS, entity_id=replies[0].entity_id)
    found = (await stub.GetInvestigation(request, metadata=from_envoy(), timeout=PATIENT)).record
    assert (found.sheet.borough, found.sheet.committed_from) == ("ZD", command.sheet.committed_from)


async def test_a_field_that_connect_refuses_is_named_as_the_contract_names_it(rig: Rig) -> None:
    call = rig.stub(InvestigationServiceStub).CreateInvestigation(
        investigation(classification="998/99"), metadata=from_envoy(), timeout=PATIENT
    )
    assert await refused(call) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "invalid")


async def test_two_records_are_tied_from_the_version_that_was_read_and_no_other(rig: Rig) -> None:
    stub = rig.stub(InvestigationServiceStub)
    command = link("I0000000015", "N0000000030")
    first, again = [await stub.LinkEntities(command, metadata=from_envoy(), timeout=PATIENT) for _ in range(2)]
    assert (first.version, first.already_done, again.version, again.already_done) == (2, False, 2, True)
    stale = stub.LinkEntities(link("I0000000015", "N0000000031"), metadata=from_envoy(), timeout=PATIENT)
    assert await refused(stale) == ("ABORTED", "CONFLICT", "stale-version")
    await stub.LinkEntities(link("I0000000015", "N0000000031", version=2), metadata=from_envoy(), timeout=PATIENT)
    request = GetInvestigationRequest(access=ACCESS, entity_id=entity("I0000000015"))
    found = (await stub.GetInvestigation(request, metadata=from_envoy(), timeout=PATIENT)).record
    assert found.version == 3
    tied = {one.entity_id.value for one in found.links if one.role == entities.LINK_ROLE_WITNESS}
    assert tied == {"N0000000030", "N0000000031"}


async def test_intelligence_comes_back_as_it_was_graded(rig: Rig) -> None:
    stub = rig.stub(IntelligenceServiceStub)
    said = SubmitIntelligenceReportRequest(access=ACCESS, command_id=investigation().command_id, about=[entity("N0000000004")])
    said.items.add(text="Said to be away.", source_evaluation=3, information_evaluation=5, handling=2, handling_conditions="ask first")
    said.items.add(text="Has a new car.", source_evaluation=1, information_evaluation=1, handling=1)
    done = await stub.SubmitIntelligenceReport(said, metadata=from_envoy(), timeout=PATIENT)
    request = GetIntelligenceReportRequest(access=ACCESS, entity_id=done.entity_id)
    found = (await stub.GetIntelligenceReport(request, metadata=from_envoy(), timeout=PATIENT)).record
    assert list(found.items) == list(said.items)
    assert [(one.entity_id.value, one.role) for one in found.links] == [("N0000000004", entities.LINK_ROLE_SUBJECT)]


async def test_intelligence_about_somebody_restricted_is_refused_and_nothing_is_kept(rig: Rig) -> None:
    before = len(rig.simulator.register.feed.items)
    said = SubmitIntelligenceReportRequest(access=ACCESS, command_id=investigation().command_id, about=[entity("N0000000003")])
    said.items.add(text="x", source_evaluation=1, information_evaluation=1, handling=1)
    call = rig.stub(IntelligenceServiceStub).SubmitIntelligenceReport(said, metadata=from_envoy(), timeout=PATIENT)
    assert await refused(call) == RESTRICTED
    assert len(rig.simulator.register.feed.items) == before


# Custody records of NSPIS.


async def test_a_custody_record_comes_in_with_what_connect_has_a_place_for(rig: Rig) -> None:
    receipt = await hand_over(
        rig, record(900_001, 3, released=True, arrest_summons_number=ArrestSummonsNumber(value="2601ZD0199000000001A"))
    )
    assert receipt.progress == PROGRESS_PROCESSED
    found = await custody_record(rig, 900_001)
    sheet = found.sheet
    assert (found.source_version, sheet.suite, sheet.observation_level) == (3, "01ZD", OBSERVATION_LEVEL_CONSTANT)
    assert (sheet.detained_person.name.family_name, sheet.detained_person.date_of_birth.month) == ("Testcase", 5)
    assert (sheet.arrived_at, sheet.arrested_at) == (record(1).record.arrived_at, record(1).record.arrest.arrested_at)
    assert [(one.number, one.cjs_offence_code) for one in sheet.offences] == [(1, "TH68006")]
    assert [(one.offence_number, one.kind) for one in sheet.disposals] == [(1, CUSTODY_DISPOSAL_KIND_CHARGED)]
    assert (sheet.release_kind, sheet.arrest_summons_number.as_received) == (CUSTODY_RELEASE_KIND_TO_COURT, "2601ZD0199000000001A")
    assert {group.source_system for group in found.field_groups} == {entities.SOURCE_SYSTEM_NSPIS_CUSTODY}
    assert [(one.entity_id.value, one.role) for one in found.links] == [("N0000000001", entities.LINK_ROLE_DETAINED_PERSON)]


async def test_the_same_version_again_has_one_effect_and_an_earlier_one_is_done_with(rig: Rig) -> None:
    for version, attempt in ((1, 1), (1, 2), (3, 1), (2, 1), (3, 2)):
        receipt = await hand_over(rig, record(900_002, version, released=version == 3), attempt)
        assert receipt.progress == PROGRESS_PROCESSED
    found = await custody_record(rig, 900_002)
    assert (found.source_version, found.version, found.sheet.HasField("released_at")) == (3, 2, True)


async def test_another_content_under_the_same_version_is_refused_for_good(rig: Rig) -> None:
    await hand_over(rig, record(900_003))
    call = hand_over(rig, record(900_003, suite="01VK"))
    assert await refused(call) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "key-reused")


async def test_a_version_that_is_created_and_published_is_one(rig: Rig) -> None:
    await hand_over(rig, record(900_004, 2))
    stub, low = rig.stub(CustodyServiceStub), CreateCustodyRecordRequest(access=record(1).access, source_version=1)
    low.custody_record_number.value = number(900_004)
    low.sheet.CopyFrom((await custody_record(rig, 900_004)).sheet)
    call = stub.CreateCustodyRecord(low, metadata=from_envoy(), timeout=PATIENT)
    assert await refused(call) == ("ABORTED", "CONFLICT", "superseded")
    low.source_version = 3
    low.sheet.appropriate_adult.need_found = False
    assert (await stub.CreateCustodyRecord(low, metadata=from_envoy(), timeout=PATIENT)).version == 2
    found = await custody_record(rig, 900_004)
    assert found.sheet.appropriate_adult.WhichOneof("recorded") == "need_found"


# The rest.


async def test_a_location_has_its_grid_reference(rig: Rig) -> None:
    request = GetLocationRequest(access=ACCESS, entity_id=entity("L0000000007"))
    found = (await rig.stub(LocationServiceStub).GetLocation(request, metadata=from_envoy(), timeout=PATIENT)).record
    address = rig.population.address(7)
    assert (found.easting, found.northing, found.address.bs7666.uprn) == (address.easting, address.northing, address.uprn)


async def test_a_record_without_its_entity_tag_is_a_fault_of_connect(rig: Rig) -> None:
    turn(rig, "no_tag")
    assert (await refused(get(rig, "N0000000001")))[:2] == ("INTERNAL", "UPSTREAM_FAULT")


async def test_the_journal_names_subjects_by_what_was_asked(rig: Rig) -> None:
    await get(rig, "N0000000001")
    entry = rig.entries[-1]
    assert (entry.operation.name, entry.outcome) == ("metip.connect.v1.PersonService/GetPerson", "OK")


async def test_nothing_personal_is_in_the_log(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> None:
    said = "".join(path.read_text() for path in Path(tmp_path_factory.getbasetemp()).glob("rig*/log"))
    assert said
    assert not [word for word in (*PERSONAL, "N0000000") if word in said]
