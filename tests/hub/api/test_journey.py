"""The journeys' service on a socket: over a real ledger, a real exchange, and logs as Envoy and adapters write them."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from gathered import CONSUMER, OPERATION, START
from journeys import call_id
from ledger_service import ASSESSED, OPERATOR, Served, served
from mesh_rig import until

import hub.contracts
from hub.api.journey import SERVICE, JourneyApi, Personal
from hub.api.ledger_asking import Asking
from hub.api.ledger_people import identify
from hub.exchange.records import Accepted, Arrival
from hub.exchange.sqlite import SqliteEngine
from hub.journey.evidence import Work
from hub.journey.reading import AdapterLogs, EnvoyLog
from hub.journey.sources import ExchangeSource, HubSources, LedgerSource
from hub.ledger.actions import Action
from hub.mesh.edge_causes import reason_of
from metip.common.v1.access_pb2 import AccessContext
from metip.journey.v1 import journey_pb2 as words
from metip.journey.v1 import journey_service_pb2 as api
from metip.journey.v1.journey_service_pb2_grpc import JourneyServiceStub, add_JourneyServiceServicer_to_server
from metip.ledger.v1 import record_pb2
from metip.options.v1.options_pb2 import PURPOSE_AUDIT, PURPOSE_ROAD_TRAFFIC
from metip.tracing import trace_id_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
HUB = "spiffe://metip.local/hub"
MESSAGE = "metip.example.v1.ExampleMessageService/PublishExample"
WORKS = {OPERATION: Work(personal=True), MESSAGE: Work(personal=True, message=True, far=False)}
ASKED, PART, OTHER = call_id(1), call_id(2), call_id(3)
KEY, LIKE_AN_ID = "01ZD1234526", call_id(50)
WHY = AccessContext(purpose=PURPOSE_AUDIT, reference="1234/23NOV26", justification="where is it")


class Desk:
    """The service, and what lies behind it."""

    def __init__(self, ledger: Served, stub: Any, message_id: str, written: list[Action]) -> None:
        self.ledger, self._stub, self.message_id, self._written = ledger, stub, message_id, written

    async def ask(self, any_id: str, *, operator: str = OPERATOR, **more: Any) -> api.GetJourneyResponse:
        """A journey."""
        metadata = [("x-metip-operator", operator)] if operator else []
        found: api.GetJourneyResponse = await self._stub.GetJourney(api.GetJourneyRequest(id=any_id, **more), metadata=metadata, timeout=20)
        return found

    async def refused(self, any_id: str, **more: Any) -> tuple[grpc.StatusCode, str]:
        """The status and the text that a question ends with."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(any_id, **more)
        return caught.value.code(), caught.value.details() or ""

    async def recorded(self) -> record_pb2.Record:
        """The record of the latest question by a business key, once the hub has gathered it."""

        def work(view: Any) -> list[record_pb2.Record]:
            places = [row[0] for row in view.db.execute("SELECT idx FROM facts WHERE kind = 3 ORDER BY idx")]
            return [view.records.show(one).line.record for one in places]

        async def there() -> bool:
            return len(await self.ledger.ledger.readers.ask(work)) == len(self._written)

        await until(there, within=20)
        return (await self.ledger.ledger.readers.ask(work))[-1]


def moment(after: float) -> str:
    return (START + timedelta(seconds=after)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_logs(folder: Path) -> None:
    """Envoy's log, whose beginning was rotated away, and an adapter's."""
    folder.mkdir()
    line = {"kind": "call", "details": "via_upstream", "grpc_status": 0, "http_status": 200, "consumer": CONSUMER, "path": f"/{OPERATION}",
            "cluster": "metip.example.v1.ExampleService", "upstream": "/run/example-0.sock", "upstream_sent": 9}  # fmt: skip
    lines = [
        line | {"at": moment(0), "call_id": ASKED, "ms": 900},
        line
        | {"at": moment(0.2), "call_id": PART, "ms": 300, "traceparent": f"00-{trace_id_of(ASKED)}-00f067aa0ba902b7-00", "parent": ASKED},
    ]
    (folder / "access.log.1").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (folder / "access.log").write_text(json.dumps(line | {"at": moment(30), "call_id": OTHER, "ms": 1}) + "\nnot JSON\n")
    said = {"at": moment(0.5), "event": "operation", "system": "example", "worker": 0, "operation": OPERATION, "outcome": "OK", "ms": 290.0,
            "call_id": PART, "consumer": CONSUMER, "far_ms": 250.5}  # fmt: skip
    (folder / "example.log").write_text(json.dumps(said) + "\n")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A call that made another one, another call on the same vehicle, and a message."""
    folder = tmp_path_factory.mktemp("desk")
    write_logs(folder / "logs")
    engine = await SqliteEngine.open(folder / "exchange.sqlite", lambda _: None)
    (kept,) = await engine.accept([Arrival(MESSAGE, b"\x01", KEY, "line", CONSUMER, "", call_id(4))])
    assert isinstance(kept, Accepted)
    await engine.accept([Arrival(MESSAGE, b"\x02", LIKE_AN_ID, "", CONSUMER, "", call_id(5))])
    async with served(folder) as ledger:
        estate = ledger.estate()
        first, part, other = (
            estate.draft(("vrm", "AB12CDE"), at=at, call_id=one) for at, one in ((0.9, ASKED), (0.5, PART), (30.0, OTHER))
        )
        first.record.trace_id = part.record.trace_id = trace_id_of(ASKED)
        part.record.parent_call_id = ASKED
        estate.write([first, part, other])
        await ledger.gathered(4)
        sources = HubSources(
            LedgerSource(ledger.ledger, HUB),
            ExchangeSource(engine),
            EnvoyLog(folder / "logs" / "access.log", HUB, WORKS, reason_of),
            AdapterLogs(folder / "logs", HUB, ["access.log"]),
        )
        written = list[Action]()

        async def record(action: Action) -> None:
            await ledger.journal.record(action)
            written.append(action)

        asking = Asking(hub.contracts.load(ASSESSED), record, identify(folder / "identity", "metip"), SERVICE)
        server = grpc.aio.server()
        add_JourneyServiceServicer_to_server(JourneyApi(sources, WORKS, Personal(asking, ledger.ledger.keys)), server)
        server.add_insecure_port(f"unix:{folder / 'j'}")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{folder / 'j'}") as channel:
                yield Desk(ledger, JourneyServiceStub(channel), kept.message_id, written)
        finally:
            await server.stop(1)
            await engine.close()


async def test_a_call_is_told_alike_by_any_of_its_ids_and_needs_no_operator_s_reason(desk: Desk) -> None:
    found = await desk.ask(ASKED)
    assert found.kind == api.ID_KIND_CALL
    assert found.journey.journey_id == trace_id_of(ASKED)
    (far,) = [one for one in found.journey.steps if one.kind == words.STEP_KIND_FAR_SYSTEM and one.milliseconds]
    assert (far.call_id, far.milliseconds, far.line) == (PART, 250.5, "example answered in 250 ms.")
    records = [one.record for one in found.journey.steps if one.HasField("record")]
    for any_id in (PART, trace_id_of(ASKED), f"00-{trace_id_of(ASKED)}-00f067aa0ba902b7-01", *map(str, records), ASKED.upper()):
        assert (await desk.ask(any_id, operator="")).journey == found.journey, any_id
    assert (await desk.ask(str(records[0]))).kind == api.ID_KIND_RECORD


async def test_the_sources_say_what_they_gave_and_how_far_they_reach(desk: Desk) -> None:
    found = {one.source: one for one in (await desk.ask(ASKED)).journey.sources}
    assert {source: one.found for source, one in found.items()} == {
        words.SOURCE_LEDGER: 2, words.SOURCE_EXCHANGE: 0, words.SOURCE_ENVOY: 2, words.SOURCE_ADAPTER_LOG: 1
    }  # fmt: skip
    assert found[words.SOURCE_ENVOY].reaches_back_to.ToDatetime(tzinfo=UTC) == START + timedelta(seconds=0.9)


async def test_a_message_is_told_by_its_id_and_by_its_key(desk: Desk) -> None:
    by_id = await desk.ask(desk.message_id)
    assert by_id.kind == api.ID_KIND_MESSAGE
    assert [one.message_id for one in by_id.journey.steps if one.kind == words.STEP_KIND_ACCEPTED] == [desk.message_id]
    by_key = await desk.ask(KEY, access=WHY)
    assert (by_key.kind, by_key.journey) == (api.ID_KIND_BUSINESS_KEY, by_id.journey)


async def test_a_key_that_looks_like_an_id_is_found_by_whoever_says_why(desk: Desk) -> None:
    status, text = await desk.refused(LIKE_AN_ID)
    assert (status, "if it is a business key" in text) == (grpc.StatusCode.NOT_FOUND, True)
    found = await desk.ask(LIKE_AN_ID, access=WHY)
    assert found.kind == api.ID_KIND_BUSINESS_KEY
    assert found.journey.steps[0].call_id == call_id(5)


async def test_a_vehicle_has_the_latest_journey_and_others_and_whoever_asks_is_recorded(desk: Desk) -> None:
    found = await desk.ask("AB12 CDE", identifier="vrm", access=WHY)
    assert (found.kind, list(found.identifiers)) == (api.ID_KIND_BUSINESS_KEY, ["vrm"])
    assert found.journey.steps[0].call_id == OTHER
    assert [(one.operation, one.at.ToDatetime(tzinfo=UTC)) for one in found.others] == [(OPERATION, START + timedelta(seconds=0.9))]
    record = await desk.recorded()
    assert (record.operation, record.consumer, record.outcome, record.disclosed) == ("journey/find", OPERATOR, "OK", 2)
    assert record.purpose == PURPOSE_AUDIT
    request = api.GetJourneyRequest(id="AB12CDE", access=WHY)
    request.before.FromDatetime(START + timedelta(seconds=20))
    assert (await desk.ask("AB12CDE", access=WHY, before=request.before)).journey.steps[0].call_id == ASKED


REFUSED: dict[str, tuple[dict[str, Any], grpc.StatusCode, str]] = {
    "no reason at all": ({}, grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_PERMITTED"),
    "another purpose": (
        {"access": AccessContext(purpose=PURPOSE_ROAD_TRAFFIC, reference="1")},
        grpc.StatusCode.PERMISSION_DENIED,
        "PURPOSE",
    ),
    "no reference": ({"access": AccessContext(purpose=PURPOSE_AUDIT)}, grpc.StatusCode.INVALID_ARGUMENT, "names the case"),
    "nobody": ({"access": WHY, "operator": ""}, grpc.StatusCode.UNAUTHENTICATED, "CONSUMER_UNKNOWN"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_whoever_asks_by_a_business_key_without_saying_why_is_refused_and_that_is_recorded(desk: Desk, name: str) -> None:
    more, status, text = REFUSED[name]
    code, said = await desk.refused("AB12CDE", **more)
    assert code is status
    assert text in said
    assert "AB12" not in said
    assert (await desk.recorded()).outcome in said or status is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("any_id", [call_id(99), "4bf92f3577b34da6a3ce929d0e0e4736", "123456", "0"])
async def test_what_no_source_knows_is_not_found(desk: Desk, any_id: str) -> None:
    assert (await desk.refused(any_id))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_business_key_that_nobody_has_is_not_found_and_was_asked_for_all_the_same(desk: Desk) -> None:
    assert (await desk.refused("ZZ99ZZZ", access=WHY))[0] is grpc.StatusCode.NOT_FOUND
    assert (await desk.recorded()).outcome == "NO_TRACE"


async def test_a_hub_without_a_ledger_tells_what_it_can_and_nothing_by_a_business_key(tmp_path: Path) -> None:
    server = grpc.aio.server()
    sources = HubSources(LedgerSource(None, HUB), ExchangeSource(None), EnvoyLog(None, HUB, WORKS, reason_of), AdapterLogs(None, HUB))
    add_JourneyServiceServicer_to_server(JourneyApi(sources, WORKS, None), server)
    server.add_insecure_port(f"unix:{tmp_path / 'j'}")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'j'}") as channel:
        for any_id, status in (
            ("AB12CDE", grpc.StatusCode.UNAVAILABLE),
            (ASKED, grpc.StatusCode.NOT_FOUND),
            ("7", grpc.StatusCode.NOT_FOUND),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await JourneyServiceStub(channel).GetJourney(api.GetJourneyRequest(id=any_id, access=WHY), timeout=10)
            assert caught.value.code() is status
    await server.stop(0)
