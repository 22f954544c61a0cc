"""Messages are found by whom they are about without one being opened, and whoever looks is found by it; notes name nobody."""

import base64
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import pytest_asyncio
from ledger_service import WHY, Served, served
from mesh_rig import reason_of
from waiting import until

from hub.api.actions import no_journal
from hub.api.exchange import ExchangeApi
from hub.cli.messages import installed
from hub.contracts.samples import Sample, samples
from hub.exchange.accepting import Accepting
from hub.exchange.calls import Calls
from hub.exchange.clock import SteadyClock
from hub.exchange.life import Event
from hub.exchange.recording import ExchangeRecorder
from hub.exchange.records import Accepted, Arrival, BrokenError
from hub.exchange.sqlite import SqliteEngine
from hub.ledger.finding import Finder
from metip.call import CERTIFICATE_HEADER, OFFICER_HEADER, OPERATOR_HEADER, Call
from metip.common.v1.access_pb2 import AccessContext
from metip.exchange.v1 import exchange_service_pb2, message_pb2, note_pb2
from metip.exchange.v1 import finding_pb2 as api
from metip.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub, add_ExchangeServiceServicer_to_server
from metip.grants import PURPOSES_HEADER
from metip.journal.records import DUPLICATE, Facts
from metip.journal.subjects import subjects
from metip.ledger.v1 import ledger_service_pb2, query_pb2
from metip.logs import Log
from metip.options.v1 import options_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _about_a_vehicle() -> Sample:
    found = (one for one in samples(installed()) if one.operation.delivery is not None)
    return next(one for one in found if "vrm" in {kind for kind, _ in subjects(one.request)})


SAMPLE = _about_a_vehicle()
VRM = next(value for kind, value in subjects(SAMPLE.request) if kind == "vrm")
SUBSCRIPTION = next(one for one in installed().contracts.subscriptions if one.operation == SAMPLE.operation.name)
IN_CASE = AccessContext(purpose=options_pb2.PURPOSE_AUDIT, justification="complaint 17", reference="1234/23NOV26")
GROUP: dict[str, Any] = {"subscription": SUBSCRIPTION.name, "state": message_pb2.STATE_PARKED, "status": "", "reason": "PERSON"}


def from_console(officer: str, *roles: str) -> list[tuple[str, str]]:
    """What Envoy says of a call from the console."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": officer, "roles": roles}).encode()).decode()
    certificate = "By=x;URI=spiffe://metip.local/consumer/console"
    return [
        (CERTIFICATE_HEADER, certificate),
        (OFFICER_HEADER, claims),
        (PURPOSES_HEADER, "*"),
        (OPERATOR_HEADER, f"sso://id.example/{officer}"),
    ]


def _unexpected(error: BrokenError) -> None:
    raise AssertionError("the store of a test broke") from error


@dataclass
class Desk:
    """An exchange with three messages about one vehicle, beside a ledger that has their records."""

    ledger: Served
    engine: SqliteEngine
    stub: Any
    calls: Calls
    ids: list[str]

    async def ask(self, rpc: str, request: Any, *, officer: str = "u-17", roles: tuple[str, ...] = ()) -> Any:
        """The answer to somebody at the console, or, without an officer, to a consumer by itself."""
        metadata = from_console(officer, *roles) if officer else from_console(officer, *roles)[:1]
        return await getattr(self.stub, rpc)(request, metadata=metadata, timeout=10)

    async def find(self, value: str = VRM, **more: Any) -> Any:
        """A page of messages about a vehicle."""
        said = {"access": IN_CASE, "subjects": [query_pb2.Identifier(kind="vrm", value=value)], **more}
        return await self.ask("FindMessages", api.FindMessagesRequest(**said))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Both, served on one socket."""
    folder = tmp_path_factory.mktemp("finding")
    clock, contracts = SteadyClock(), installed().contracts
    async with served(folder) as ledger:
        engine = await SqliteEngine.open(folder / "exchange.sqlite", _unexpected, clock=clock)
        await engine.subscribe([SUBSCRIPTION], lambda _: None)
        calls = Calls(ledger.journal.journal, ledger.ledger.keys)
        accepting = Accepting(contracts, engine, Log(io.StringIO()), clock, calls)
        exchange: Any = SimpleNamespace(engine=engine, contracts=contracts, accepting=accepting, clock=clock, dispatcher=None)
        finder = Finder(ledger.ledger.readers, ledger.ledger.keys)
        server = grpc.aio.server()
        servicer = ExchangeApi(exchange, lambda _: "", no_journal, finder)
        add_ExchangeServiceServicer_to_server(servicer, server)
        server.add_insecure_port(f"unix:{folder / 'e'}")
        await server.start()
        try:
            ids = [await _accepted(engine, f"key-{number}") for number in range(3)]
            recorder = ExchangeRecorder(engine, accepting.acceptors, ledger.journal.journal, ledger.ledger.keys, Log(io.StringIO()))
            await recorder.catch_up()
            await ledger.gathered(1 + len(ids))
            async with grpc.aio.insecure_channel(f"unix:{folder / 'e'}") as channel:
                yield Desk(ledger, engine, ExchangeServiceStub(channel), calls, ids)
        finally:
            await server.stop(None)
            await engine.close()


async def _accepted(engine: SqliteEngine, key: str) -> str:
    arrival = Arrival(
        SAMPLE.operation.name, SAMPLE.request.SerializeToString(), key, "", "spiffe://metip.local/consumer/t", "", f"call-{key}"
    )
    (found,) = await engine.accept([arrival])
    assert isinstance(found, Accepted)
    return found.message_id


async def refused(asking: Any) -> tuple[grpc.StatusCode, str]:
    """The status and reason that a question ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    return caught.value.code(), reason_of(caught.value)


async def test_messages_about_a_vehicle_are_found_newest_first_however_its_number_is_written(desk: Desk) -> None:
    found = await desk.find(f"{VRM[:4]} {VRM[4:].lower()}")
    assert [one.message_id for one in found.messages] == desk.ids[::-1]
    first = found.messages[-1]
    assert (first.operation, first.producer, first.call_id) == (SAMPLE.operation.name, "spiffe://metip.local/consumer/t", "call-key-0")
    assert (await desk.find("AA01AAA")).messages == []


async def test_pages_are_bounded_and_follow_one_another(desk: Desk) -> None:
    first = await desk.find(page_size=2)
    second = await desk.find(page_size=2, page_token=first.next_page_token)
    assert [one.message_id for one in (*first.messages, *second.messages)] == desk.ids[::-1]
    assert second.next_page_token == ""
    assert await refused(desk.find(page_token="none-of-ours")) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_a_repeated_hand_over_is_no_second_acceptance(desk: Desk) -> None:
    before = desk.ledger.ledger.store.head.size
    caller = Call("again", SAMPLE.operation.name, "spiffe://metip.local/consumer/t", None, deadline=0.0)
    repeated = Facts(SAMPLE.operation, caller, SAMPLE.request, DUPLICATE, 0.0, subjects=subjects(SAMPLE.request))
    await desk.calls.record_repeated(repeated, desk.ids[0])
    await desk.ledger.gathered(before + 1)
    assert [one.message_id for one in (await desk.find()).messages] == desk.ids[::-1]


async def test_a_call_leads_to_its_message(desk: Desk) -> None:
    found = await desk.find(subjects=[], call_id="call-key-1")
    assert [one.message_id for one in found.messages] == [desk.ids[1]]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"access": WHY}, "INVALID_REQUEST"),
        ({"access": AccessContext(reference="1234/23NOV26", justification="complaint 17")}, "INVALID_REQUEST"),
        ({"access": AccessContext(purpose=options_pb2.PURPOSE_TRAINING, reference="17", justification="all")}, "PURPOSE_NOT_PERMITTED"),
        ({"subjects": []}, "INVALID_REQUEST"),
        ({"subjects": [query_pb2.Identifier(kind="vrm", value="?-?")]}, "INVALID_REQUEST"),
        ({"subjects": [query_pb2.Identifier(kind="shoe_size", value="9")]}, "INVALID_REQUEST"),
    ],
    ids=["no reference", "no purpose", "a purpose that is not permitted", "nothing named", "no identifier", "no such kind"],
)
async def test_a_search_that_does_not_say_what_for_or_for_what_is_refused(desk: Desk, changed: dict[str, Any], reason: str) -> None:
    assert (await refused(desk.find(**changed)))[1] == reason


async def test_whoever_is_looked_for_finds_who_looked(desk: Desk) -> None:
    await desk.find()
    query = query_pb2.Query(
        subjects=[query_pb2.Identifier(kind="vrm", value=VRM)], operation="metip.exchange.v1.ExchangeService/FindMessages"
    )
    request = ledger_service_pb2.SearchRecordsRequest(access=WHY, query=query)
    lines: list[Any] = []

    async def recorded() -> bool:
        lines[:] = (await desk.ledger.ask("SearchRecords", request)).lines
        return any(one.record.outcome == "OK" and one.record.disclosed == 3 for one in lines)

    await until(recorded, within=20)
    record = next(one.record for one in lines if one.record.disclosed == 3)
    assert (record.consumer, record.purpose, record.verb) == (
        "sso://id.example/u-17",
        options_pb2.PURPOSE_AUDIT,
        options_pb2.VERB_CONSULTATION,
    )


async def test_nobody_looks_for_messages_without_a_person_behind_it(desk: Desk) -> None:
    request = api.FindMessagesRequest(access=IN_CASE, call_id="call-key-1")
    assert await refused(desk.ask("FindMessages", request, officer="")) == (grpc.StatusCode.UNAUTHENTICATED, "OFFICER_NEEDED")


async def test_an_operator_sees_a_message_masked_and_its_key_where_it_is_asked_for(desk: Desk) -> None:
    request = exchange_service_pb2.GetMessageRequest(access=IN_CASE, message_id=desk.ids[0])
    shown = await desk.ask("GetMessage", request)
    assert shown.message.message_id == desk.ids[0]
    assert VRM not in str(shown)
    request.unmask = True
    assert await refused(desk.ask("GetMessage", request)) == (grpc.StatusCode.PERMISSION_DENIED, "RESTRICTED")
    assert (await refused(desk.ask("GetMessage", request, roles=("unmask",))))[1] == "JOURNAL"


async def test_an_operator_follows_a_message_of_any_producer(desk: Desk) -> None:
    found = await desk.ask("Track", exchange_service_pb2.TrackRequest(message_id=desk.ids[1]))
    assert found.message.message_id == desk.ids[1]
    asking = desk.ask("Track", exchange_service_pb2.TrackRequest(message_id=desk.ids[1]), officer="")
    assert await refused(asking) == (grpc.StatusCode.NOT_FOUND, "NO_TRACE")


async def test_a_note_bears_the_name_of_who_signed_in(desk: Desk) -> None:
    await desk.engine.decide([(desk.ids[0], SUBSCRIPTION.name)], Event.PARK, by="200002YY", reason="held back")
    groups = (await desk.ask("GroupWaiting", exchange_service_pb2.GroupWaitingRequest())).groups
    group = {**GROUP, "status": groups[0].status, "reason": groups[0].reason}
    said = note_pb2.NoteGroupRequest(access=IN_CASE, words="The far system is away until noon", **group)
    await desk.ask("NoteGroup", said)
    said.words = "It is back, and change 4711 is done"
    await desk.ask("NoteGroup", said, officer="u-18")
    (found,) = (await desk.ask("GroupWaiting", exchange_service_pb2.GroupWaitingRequest())).groups
    assert [(one.by, one.words) for one in found.notes] == [
        ("u-18", "It is back, and change 4711 is done"),
        ("u-17", "The far system is away until noon"),
    ]


@pytest.mark.parametrize("words", [f"Rang about {VRM}.", "of 2005/9007919R, again", "custody 01ZT/907919/26 waits"])
async def test_a_note_that_names_somebody_is_refused_and_not_repeated(desk: Desk, words: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.ask("NoteGroup", note_pb2.NoteGroupRequest(access=IN_CASE, words=words, **GROUP))
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert VRM not in str(caught.value.details())


async def test_a_hub_without_a_ledger_finds_nothing_by_subject(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "exchange.sqlite", _unexpected)
    contracts = installed().contracts
    exchange: Any = SimpleNamespace(
        engine=engine, contracts=contracts, accepting=Accepting(contracts, engine, Log(io.StringIO()), SteadyClock()), dispatcher=None
    )
    server = grpc.aio.server()
    add_ExchangeServiceServicer_to_server(ExchangeApi(exchange, lambda _: "", no_journal), server)
    server.add_insecure_port(f"unix:{tmp_path / 'e'}")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'e'}") as channel:
            stub: Any = ExchangeServiceStub(channel)
            request = api.FindMessagesRequest(access=IN_CASE, call_id="call-1")
            asking = stub.FindMessages(request, metadata=from_console("u-17"), timeout=5)
            assert await refused(asking) == (grpc.StatusCode.FAILED_PRECONDITION, "PRECONDITION")
    finally:
        await server.stop(None)
        await engine.close()
