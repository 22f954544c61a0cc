"""The ledger's service: what operators find, see and change, who may, and that each of it is recorded before it is answered."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import grpc
import pytest
import pytest_asyncio
from gathered import CONSUMER, OPERATION, START
from google.protobuf.timestamp_pb2 import Timestamp
from ledger_service import ORIGIN, WHY, Served, served
from waiting import until

from hub.ledger import entries, exporting, notes, tree
from hub.ledger.exporting import ProvedLeaf
from metip.common.v1.access_pb2 import AccessContext
from metip.ledger.v1 import ledger_service_pb2 as api
from metip.ledger.v1 import query_pb2, record_pb2
from metip.options.v1 import options_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
OF_VEHICLE = query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="AB12CDE")])
WRITTEN = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A ledger of five calls, one of them refused."""
    async with served(tmp_path_factory.mktemp("desk")) as found:
        estate = found.estate()
        estate.write(
            [
                estate.draft(("vrm", "AB12CDE"), at=0, call_id="call-0"),
                estate.draft(("vrm", "AB12CDE"), at=1, officer="200002YY", disclosed=3),
                estate.draft(("vrm", "XY34ZZZ"), at=2),
                estate.draft(at=3, kind=record_pb2.KIND_REFUSAL, outcome="RESTRICTED", disclosed=0),
                estate.draft(at=4, operation="metip.other.v1.OtherService/FindOther"),
            ]
        )
        await found.gathered(WRITTEN + 1)
        yield found


async def refused(asking: Any) -> tuple[grpc.StatusCode, str]:
    """The status and the text that a question ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    return caught.value.code(), caught.value.details() or ""


async def last_action(desk: Served) -> tuple[record_pb2.Record, record_pb2.Particulars]:
    """The newest record of an operator's act, opened."""
    size = desk.ledger.store.head.size
    await until(lambda: _actions(desk) and desk.ledger.gathering.states["hub"].lag == 0.0 and _caught_up(desk), within=20)
    assert desk.ledger.store.head.size >= size
    found = await desk.ledger.readers.ask(lambda view: _opened(view))
    return found[-1]


def _caught_up(desk: Served) -> bool:
    db = apsw.Connection(str(desk.files.journals / "hub.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        row: Any = db.execute("SELECT max(position) FROM records").fetchone()
        return bool(desk.ledger.store.reached["hub"].position == row[0])
    finally:
        db.close()


def _actions(desk: Served) -> bool:
    return "hub" in desk.ledger.store.reached and "hub" in desk.ledger.gathering.states


def _opened(view: Any) -> list[tuple[record_pb2.Record, record_pb2.Particulars]]:
    places = [row[0] for row in view.db.execute("SELECT idx FROM facts WHERE kind = 3 ORDER BY idx")]
    shown = [view.records.show(one, unmask=True) for one in places]
    return [(one.line.record, one.particulars) for one in shown]


async def test_a_search_by_subject_finds_its_records_newest_first(desk: Served) -> None:
    reply = await desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE))
    found = [(one.record.disclosed, one.record.call_id, one.sealing) for one in reply.lines]
    assert found == [(3, "", query_pb2.SEALING_SEALED), (1, "call-0", query_pb2.SEALING_SEALED)]
    assert not any(one.record.sealed or one.record.key_id for one in reply.lines)
    assert not reply.next_page_token


async def test_pages_follow_one_another(desk: Served) -> None:
    first = await desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE, page_size=1))
    second = await desk.ask(
        "SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE, page_size=1, page_token=first.next_page_token)
    )
    assert [one.record.disclosed for one in (*first.lines, *second.lines)] == [3, 1]


async def test_a_search_is_recorded_with_purpose_reason_and_whom_it_was_on_but_no_identifier(desk: Served) -> None:
    await desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE))
    record, particulars = await last_action(desk)
    assert (record.operation, record.consumer, record.purpose) == ("ledger/search", "os://desk/alex", options_pb2.PURPOSE_AUDIT)
    assert (particulars.justification, particulars.detail) == ("complaint 17", "subject by vrm")
    assert record.disclosed == 2
    again = await desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE))
    assert "ledger/search" in {one.record.operation for one in again.lines}, "who asked about a vehicle is found by that vehicle"
    assert "AB12CDE" not in str(particulars)


async def test_a_record_is_shown_masked_without_a_token(desk: Served) -> None:
    reply = await desk.ask("GetRecord", api.GetRecordRequest(access=WHY, index=1))
    assert reply.line.record.kind != record_pb2.KIND_UNSPECIFIED
    assert not reply.HasField("particulars")


async def _index_of(desk: Served, call_id: str) -> int:
    reply = await desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=query_pb2.Query(call_id=call_id)))
    return int(reply.lines[0].index)


async def test_an_officer_with_the_role_sees_the_particulars_and_that_is_recorded(desk: Served) -> None:
    index = await _index_of(desk, "call-0")
    reply = await desk.ask("GetRecord", api.GetRecordRequest(access=WHY, index=index, unmask=True), token=desk.token("unmask"))
    assert (reply.particulars.officer, reply.particulars.reference) == ("100001XX", "1234/23NOV26")
    record, particulars = await last_action(desk)
    assert (record.operation, record.unit, particulars.officer) == ("ledger/show", "DPS", "700007XX")
    assert particulars.detail == f"record {index}, unmasked"


UNMASKED = api.GetRecordRequest(access=WHY, index=1, unmask=True)
EXPORTED = api.ExportRecordsRequest(access=WHY, query=OF_VEHICLE)


@pytest.mark.parametrize(
    ("roles", "code", "reason"),
    [
        pytest.param(None, grpc.StatusCode.UNAUTHENTICATED, "OFFICER_NEEDED", id="nobody"),
        pytest.param((), grpc.StatusCode.PERMISSION_DENIED, "RESTRICTED", id="no role"),
        pytest.param(("ledger-keeper",), grpc.StatusCode.PERMISSION_DENIED, "RESTRICTED", id="another role"),
    ],
)
async def test_nobody_else_sees_particulars_and_the_refusal_is_recorded(
    desk: Served, roles: tuple[str, ...] | None, code: grpc.StatusCode, reason: str
) -> None:
    token = "" if roles is None else desk.token(*roles)
    found, text = await refused(desk.ask("GetRecord", UNMASKED, token=token))
    assert (found, text.split(":")[0]) == (code, reason)
    record, _ = await last_action(desk)
    assert (record.operation, record.outcome) == ("ledger/show", reason)


async def test_a_token_of_yesterday_and_a_forged_one_are_refused(desk: Served) -> None:
    yesterday = desk.token("unmask", now=datetime.now(UTC) - timedelta(days=1))
    assert (await refused(desk.ask("GetRecord", UNMASKED, token=yesterday)))[0] is grpc.StatusCode.UNAUTHENTICATED
    head, body, _ = desk.token("unmask").split(".")
    assert (await refused(desk.ask("GetRecord", UNMASKED, token=f"{head}.{body}.AAAA")))[0] is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("access", "operator", "reason"),
    [
        pytest.param(
            AccessContext(purpose=options_pb2.PURPOSE_TRAINING, justification="why not"), "os://d/a", "PURPOSE_NOT_PERMITTED", id="p"
        ),
        pytest.param(AccessContext(purpose=options_pb2.PURPOSE_AUDIT), "os://d/a", "JUSTIFICATION_NEEDED", id="no reason"),
        pytest.param(WHY, "", "CONSUMER_UNKNOWN", id="no operator"),
        pytest.param(WHY, "root", "CONSUMER_UNKNOWN", id="an operator of no machine"),
    ],
)
async def test_nobody_asks_without_a_name_a_purpose_and_a_reason(desk: Served, access: AccessContext, operator: str, reason: str) -> None:
    request = api.SearchRecordsRequest(access=access, query=query_pb2.Query())
    assert (await refused(desk.ask("SearchRecords", request, operator=operator)))[1].startswith(f"{reason}:")


async def test_an_identifier_that_is_none_is_refused_without_repeating_it(desk: Served) -> None:
    query = query_pb2.Query(subjects=[query_pb2.Identifier(kind="vrm", value="PRIVATE-PLATE-1")])
    code, text = await refused(desk.ask("SearchRecords", api.SearchRecordsRequest(access=WHY, query=query)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "PRIVATE" not in text


async def test_a_record_that_there_is_not_is_not_found(desk: Served) -> None:
    assert (await refused(desk.ask("GetRecord", api.GetRecordRequest(access=WHY, index=10**9))))[0] is grpc.StatusCode.NOT_FOUND


async def test_nothing_is_answered_that_could_not_be_recorded(tmp_path: Path) -> None:
    async with served(tmp_path) as found:
        estate = found.estate()
        estate.write([estate.draft(("vrm", "AB12CDE"), at=0)])
        await found.gathered(1)
        found.journal.close()
        for rpc, request in (
            ("SearchRecords", api.SearchRecordsRequest(access=WHY, query=OF_VEHICLE)),
            ("GetRecord", api.GetRecordRequest(access=WHY, index=0)),
            ("SummariseUse", api.SummariseUseRequest(access=WHY)),
            ("ReportAccess", api.ReportAccessRequest(access=WHY, query=OF_VEHICLE)),
        ):
            code, text = await refused(found.ask(rpc, request))
            assert (code, text.split(":")[0]) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL"), rpc


async def test_the_status_names_journals_sizes_and_keys(desk: Served) -> None:
    status = await desk.ask("GetStatus", api.GetStatusRequest())
    assert status.size >= WRITTEN
    assert notes.opened_checkpoint(status.checkpoint, [desk.ledger.signer.verifier])[0].size == status.size
    journals = {one.name: one for one in status.journals}
    assert (journals["example-0"].position, journals["example-0"].gap) == (WRITTEN, "")
    assert (status.unopened, status.erased, list(status.index_keys)) == (0, 0, [1])


async def test_a_report_on_a_subject_tells_who_consulted_what_oldest_first(desk: Served) -> None:
    query = query_pb2.Query(kind=record_pb2.KIND_OPERATION)
    query.MergeFrom(OF_VEHICLE)
    masked = await desk.ask("ReportAccess", api.ReportAccessRequest(access=WHY, query=query))
    assert [one.line.record.disclosed for one in masked.accesses] == [1, 3]
    assert not any(one.HasField("particulars") for one in masked.accesses)
    opened = await desk.ask("ReportAccess", api.ReportAccessRequest(access=WHY, query=query, unmask=True), token=desk.token("unmask"))
    assert [one.particulars.officer for one in opened.accesses] == ["100001XX", "200002YY"]


async def test_a_report_on_nobody_is_refused(desk: Served) -> None:
    request = api.ReportAccessRequest(access=WHY, query=query_pb2.Query(operation=OPERATION))
    assert (await refused(desk.ask("ReportAccess", request)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_inspectorate_reads_counts_by_operation_purpose_consumer_and_outcome(desk: Served) -> None:
    request = api.SummariseUseRequest(access=WHY, interface="metip.example.v1.ExampleService")
    getattr(request, "from").FromDatetime(START)
    request.before.FromDatetime(START + timedelta(seconds=60))
    reply = await desk.ask("SummariseUse", request)
    found = [(one.operation, one.consumer, one.outcome, one.records, one.disclosed) for one in reply.uses]
    assert found == [(OPERATION, CONSUMER, "OK", 3, 5), (OPERATION, CONSUMER, "RESTRICTED", 1, 0)]


async def exported(desk: Served, request: api.ExportRecordsRequest, *roles: str) -> list[Any]:
    """The parts of an export."""
    return [part async for part in desk.stub.ExportRecords(request, metadata=desk.metadata(desk.token(*roles)), timeout=20)]


async def test_an_export_proves_each_leaf_and_is_signed_as_a_whole(desk: Served) -> None:
    query = query_pb2.Query(kind=record_pb2.KIND_OPERATION)
    query.MergeFrom(OF_VEHICLE)
    seal, *leaves, last = await exported(
        desk, api.ExportRecordsRequest(access=WHY, query=query, indexes=[0], unmask=True), "ledger-keeper", "unmask"
    )
    keys = [notes.parsed_key(one) for one in seal.seal.verifier_keys]
    checkpoint, note = notes.opened_checkpoint(seal.seal.checkpoint, keys)
    assert checkpoint.origin == ORIGIN
    for part in leaves:
        one = part.leaf
        tree.verify_inclusion(tree.leaf_hash(one.leaf), one.index, checkpoint.size, one.proof, checkpoint.root)
    assert {entries.read(part.leaf.leaf).journal for part in leaves} >= {"example-0"}
    proved = [ProvedLeaf(one.leaf.index, one.leaf.leaf, tuple(one.leaf.proof), one.leaf.particulars) for one in leaves]
    signature = notes.parsed(last.signature)
    assert signature.text == exporting.signed_text(str(note), proved)
    assert signature.signed_by(keys)
    officers = {json.loads(one.particulars)["officer"] for one in proved if one.particulars and "officer" in one.particulars}
    assert officers >= {"100001XX", "200002YY"}
    assert hashlib.sha256(b"\x00" + proved[0].leaf).digest() == tree.leaf_hash(proved[0].leaf)


@pytest.mark.parametrize("roles", [("unmask",), ("ledger-keeper",), ()], ids=["unmask alone", "keeper alone", "none"])
async def test_an_export_in_clear_needs_both_roles(desk: Served, roles: tuple[str, ...]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await exported(desk, api.ExportRecordsRequest(access=WHY, indexes=[0], unmask=True), *roles)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_an_export_of_everything_is_refused(desk: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await exported(desk, api.ExportRecordsRequest(access=WHY, query=query_pb2.Query()), "ledger-keeper")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("key", "folder"),
    [(api.LEDGER_KEY_INDEX, "index"), (api.LEDGER_KEY_SEALING, "sealing"), (api.LEDGER_KEY_SIGNING, "signing")],
    ids=["index", "sealing", "signing"],
)
async def test_after_a_key_is_rotated_old_and_new_records_are_found_opened_and_checked(tmp_path: Path, key: int, folder: str) -> None:
    async with served(tmp_path) as found:
        estate = found.estate()
        estate.write([estate.draft(("vrm", "AB12CDE"), at=0)])
        await found.gathered(1)
        request = api.RotateKeyRequest(access=WHY, key=key)  # type: ignore[arg-type]
        reply = await found.ask("RotateKey", request, token=found.token("ledger-keeper"))
        assert reply.number == 2
        before = found.ledger.store.head.size
        estate.write([estate.draft(("vrm", "AB12CDE"), at=10)])
        await found.gathered(before + 1)
        await until(lambda: found.ledger.store.reached["example-0"].position == 2, within=20)
    async with served(tmp_path) as found:
        query = query_pb2.Query(kind=record_pb2.KIND_OPERATION)
        query.MergeFrom(OF_VEHICLE)
        report = await found.ask("ReportAccess", api.ReportAccessRequest(access=WHY, query=query, unmask=True), token=found.token("unmask"))
        assert [one.particulars.officer for one in report.accesses] == ["100001XX", "100001XX"]
        status = await found.ask("GetStatus", api.GetStatusRequest())
        assert list(status.index_keys) == ([1, 2] if folder == "index" else [1])
        notes.opened_checkpoint(status.checkpoint, [found.ledger.signer.verifier])
        first = await found.ledger.readers.ask(lambda view: view.tree.checkpoint(1))
        assert first is not None
        trusted = [notes.parsed_key(one) for one in found.ledger.verifier_keys()]
        assert notes.opened_checkpoint(first.note, trusted)[0].size == 1
        assert len(trusted) == (2 if folder == "signing" else 1)


def _at(when: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(when)
    return found
