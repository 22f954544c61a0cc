"""The lines of logs, published over gRPC as the switch streams them: each once, in order, acknowledged after the exchange has it."""

import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest
from adapter_rig import TODAY, from_envoy
from consulted import PlainMesh
from exchange_in_process import accepting_exchange
from waiting import until

from adapters.cad import adapter
from adapters.cad.simulator import DIALS, PAPER_LOGS, PAPER_MINUTES, Simulator
from adapters.cad.upstream import EVENTS, Host
from adapters.kit import Log, Site, discovery, relaying
from adapters.kit.errands import meanwhile
from adapters.kit.population import Population
from adapters.kit.serving import installed_contracts
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from metip.cad.v1.incident_event_service_pb2 import PublishIncidentEventRequest
from metip.cad.v1.incident_event_service_pb2_grpc import (
    IncidentEventServiceServicer,
    IncidentEventServiceStub,
    add_IncidentEventServiceServicer_to_server,
)
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.settings import read_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPULATION = Population()
TERMINAL = "METIP"


@dataclass
class Exchange(IncidentEventServiceServicer):
    """An exchange that may not be there, or refuse, and keeps each key once."""

    unavailable: int = 0
    refusing: dict[tuple[str, int], grpc.StatusCode] = field(default_factory=dict)
    kept: dict[tuple[str, int], PublishIncidentEventRequest] = field(default_factory=dict)
    handed_over: int = 0
    acknowledged: Callable[[], int] = lambda: 0
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    too_early: list[tuple[str, int]] = field(default_factory=list)

    async def PublishIncidentEvent(self, request: PublishIncidentEventRequest, context: Any) -> Receipt:
        key = (request.cad_number.value, request.line_number)
        self.handed_over += 1
        if self.unavailable:
            self.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        if key in self.refusing:
            await context.abort(self.refusing[key], "no")
        if key in self.numbers and self.acknowledged() >= self.numbers[key] and key not in self.kept:
            self.too_early.append(key)
        self.kept.setdefault(key, request)
        return Receipt(message_id="1")

    def lines(self, number: str) -> list[int]:
        """Numbers of the lines that came of one log, in the order in which they came."""
        return [line for cad_number, line in self.kept if cad_number == number]


@dataclass
class Place:
    """A host and its switch, an exchange, and the adapter's settings and log."""

    simulator: Simulator
    dials: Dials
    settings: Any
    exchange: Exchange
    mesh: PlainMesh
    lines: io.StringIO = field(default_factory=io.StringIO)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The adapter, for the length of the block."""
        async with adapter.serve(self.settings, Site(Log(self.lines), self.mesh)):
            yield

    @property
    def all_acknowledged(self) -> bool:
        """Whether the switch has nothing left to send."""
        return self.simulator.stream.acknowledged[TERMINAL] == len(self.simulator.stream.events)

    def told(self) -> list[tuple[str, int]]:
        """What the host ever had to tell."""
        return [(incident.cad_number, line.number) for incident, line in self.simulator.stream.events]

    def logged(self) -> list[str]:
        """Events of the adapter's log."""
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]


@asynccontextmanager
async def placed(directory: Path, unavailable: int = 0) -> AsyncIterator[Place]:
    dials = Dials(DIALS, seed=1)
    simulator, server, exchange = Simulator(POPULATION, dials), grpc.aio.server(), Exchange(unavailable)
    exchange.acknowledged = lambda: simulator.stream.acknowledged[TERMINAL]
    add_IncidentEventServiceServicer_to_server(exchange, server)
    server.add_insecure_port(f"unix:{directory}/exchange.sock")
    await server.start()
    settings: Any = read_settings(discovery.FOLDER / "cad" / "settings.yaml", discovery.settings_type("cad"))
    settings.gap_wait.FromMilliseconds(500)
    mesh = PlainMesh(f"unix:{directory}/exchange.sock")
    try:
        async with simulator.transport.listening("127.0.0.1", 0, dials) as settings.upstream.address:
            yield Place(simulator, dials, settings, exchange, mesh)
    finally:
        await mesh.close()
        await server.stop(None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "PAUSES", (0.05,))


async def test_every_line_is_published_and_then_acknowledged(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        place.exchange.numbers = {key: number for number, key in enumerate(place.told(), start=1)}
        async with place.serving():
            await until(lambda: place.all_acknowledged)
    assert set(place.exchange.kept) == set(place.told())
    assert place.exchange.too_early == []
    for number in {number for number, _ in place.told()}:
        assert place.exchange.lines(number) == sorted(place.exchange.lines(number))


async def test_a_command_of_today_becomes_an_event(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.all_acknowledged)
        number = place.simulator.host.happen()
        await until(lambda: place.all_acknowledged)
        count = len(place.simulator.host.logs[number].lines)
        assert place.exchange.lines(number) == list(range(1, count + 1))
        last = place.exchange.kept[number, count]
        assert last.line.HasField("closure")
        assert last.headline.cad_number.value == number


async def test_an_exchange_that_is_away_is_waited_for_and_the_session_is_kept(tmp_path: Path) -> None:
    async with placed(tmp_path, unavailable=12) as place, place.serving():
        await until(lambda: place.all_acknowledged, within=20)
        assert place.dials.exchanges["logon"] == 1
        assert place.logged()[:2] == ["exchange_lost", "exchange_lost"]


async def test_an_adapter_that_starts_again_goes_on_after_the_last_acknowledgement(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        for _ in range(3):
            handed_over = place.exchange.handed_over
            async with place.serving():
                await until(lambda: place.exchange.handed_over > handed_over)  # noqa: B023 - it is awaited in this round
        place.simulator.host.happen()
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        assert set(place.exchange.kept) == set(place.told())
        place.dials.exchanges.clear()
        async with place.serving():
            await until(lambda: place.dials.exchanges["HBT"])
        assert place.dials.exchanges["event"] == 0, "what was acknowledged is not sent again"


async def test_acknowledgements_that_the_switch_forgot_make_repetitions_that_the_exchange_knows(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        handed_over, kept = place.exchange.handed_over, dict(place.exchange.kept)
        place.dials.set([Dial("forgets", "10", times=1)])
        async with place.serving():
            await until(lambda: place.exchange.handed_over == handed_over + 10)
            await until(lambda: place.all_acknowledged)
        assert place.exchange.kept == kept


@pytest.mark.parametrize("dial", ["drop", "truncate", "garbage"])
async def test_a_session_that_breaks_in_the_middle_loses_nothing(tmp_path: Path, dial: str) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.all_acknowledged)
        place.dials.set([Dial(dial, times=2)])
        for _ in range(30):
            place.simulator.host.happen()
        await until(lambda: place.all_acknowledged and place.dials.exchanges["logon"] > 1, within=20)
        assert set(place.exchange.kept) == set(place.told())
        assert place.logged()[0] == "events_lost"


async def test_a_session_on_which_nothing_comes_any_more_is_given_up(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        place.settings.silence.FromMilliseconds(1_500)
        async with place.serving():
            await until(lambda: place.all_acknowledged)
            place.dials.set([Dial("half_open", times=1)])
            place.simulator.host.happen()
            await until(lambda: place.dials.exchanges["logon"] == 2, within=10)
            await until(lambda: place.all_acknowledged)
        assert set(place.exchange.kept) == set(place.told())


async def test_a_line_7_before_line_6_is_published_after_it(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.all_acknowledged)
        host = place.simulator.host
        host.happen()
        await until(lambda: place.all_acknowledged)
        place.dials.set([Dial("swapped", share=0.2)])
        numbers = [host.happen() for _ in range(40)]
        place.dials.clear()
        numbers.append(host.happen())
        came = [(number, line) for number, line in place.told() if number in numbers]
        assert any(one[0] == other[0] and one[1] > other[1] for one, other in pairwise(came)), "some came wrong"
        await until(lambda: place.all_acknowledged, within=20)
        for number in numbers:
            assert place.exchange.lines(number) == sorted(place.exchange.lines(number)), number
        assert set(place.exchange.kept) == set(place.told())


async def test_after_an_outage_300_logs_come_from_paper_with_their_old_times(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.all_acknowledged)
        before = set(place.exchange.kept)
        place.dials.set([Dial("outage", "200ms", times=1)])
        await until(lambda: place.simulator.down)
        await until(lambda: not place.simulator.down and len(place.told()) > len(before) and place.all_acknowledged, within=60)
        entered = [message for key, message in place.exchange.kept.items() if key not in before]
        assert len({message.cad_number.value for message in entered}) == PAPER_LOGS
        assert set(place.exchange.kept) == set(place.told())
        assert all(message.line.back_entered for message in entered)
        late = [message.line.entered_at.ToDatetime(UTC) - message.line.happened_at.ToDatetime(UTC) for message in entered]
        assert {int(one.total_seconds()) // 60 for one in late} >= set(range(1, PAPER_MINUTES + 1)), "times of all 40 minutes"
        assert place.dials.exchanges["logon"] == 1, "the switch was there all the time"


async def test_a_number_that_is_used_again_the_next_day_is_another_incident(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        first = place.simulator.host.happen()
        place.dials.set([Dial("midnight", times=1)])
        await until(lambda: place.simulator.host.midnights)
        second = place.simulator.host.happen()
        await until(lambda: place.all_acknowledged)
        assert first.partition("/")[0] == second.partition("/")[0]
        assert place.exchange.lines(first)
        assert place.exchange.lines(second)


async def test_an_event_that_the_exchange_refuses_is_given_back_and_holds_back_nothing(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        refused = place.told()[3]
        place.exchange.refusing = {refused: grpc.StatusCode.INVALID_ARGUMENT}
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        assert set(place.exchange.kept) == set(place.told()) - {refused}
        assert place.simulator.stream.given_back == {4: "INVALID_ARGUMENT"}
        assert place.logged() == ["event_refused"]


async def test_an_event_that_can_not_be_read_is_given_back(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        place.dials.set([Dial("unreadable", times=1)])
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        assert place.simulator.stream.given_back == {1: "UNREADABLE"}
        assert len(place.exchange.kept) == len(place.told()) - 1


async def test_an_adapter_that_may_not_publish_acknowledges_nothing(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        place.exchange.refusing = dict.fromkeys(place.told(), grpc.StatusCode.PERMISSION_DENIED)
        async with place.serving():
            await until(lambda: place.dials.exchanges["logon"] >= 3)
            assert place.simulator.stream.acknowledged[TERMINAL] == 0
            place.exchange.refusing = {}
            await until(lambda: place.all_acknowledged)
        assert set(place.exchange.kept) == set(place.told())


@pytest.mark.parametrize("dial", ["hang", "drop", "garbage", "truncate"])
async def test_a_logon_that_fails_is_tried_again(tmp_path: Path, dial: str) -> None:
    async with placed(tmp_path) as place:
        place.settings.upstream.timeout.FromMilliseconds(400)
        place.dials.set([Dial(dial, times=1)])
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        assert place.logged() == ["events_lost", "events_back"]
        assert set(place.exchange.kept) == set(place.told())


async def test_heartbeats_are_answered(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.dials.exchanges["HBT"] >= 2)


@pytest.mark.parametrize("first", [True, False], ids=["no way to the exchange", "not the first worker"])
async def test_nothing_is_read_without_a_way_to_the_exchange_or_in_another_worker(tmp_path: Path, first: bool) -> None:
    async with placed(tmp_path) as place:
        async with adapter.serve(place.settings, Site(Log(place.lines), None if first else place.mesh, first=first)):
            pass
        assert place.dials.exchanges["logon"] == 0
        assert place.logged() == (["not_publishing"] if first else [])


async def test_the_real_exchange_takes_every_event_and_knows_repetitions(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, accepting_exchange(tmp_path, installed_contracts(TODAY)) as channel:
        stub, receipts = IncidentEventServiceStub(channel), list[Receipt]()

        async def publish(request: PublishIncidentEventRequest) -> None:
            receipts.append(await stub.PublishIncidentEvent(request, metadata=from_envoy(officer=None)))

        for _ in range(50):
            place.simulator.host.happen()
        for forgotten in ("0", "20"):
            place.dials.set([Dial("forgets", forgotten, times=1)])
            before = len(receipts)
            async with aclosing(Host(place.settings, Log(place.lines))) as host:
                relay = relaying.Relay(partial(host.session, EVENTS), publish, Log(place.lines), 0.1)
                async with meanwhile(relay.run()):
                    await until(lambda: len(receipts) > before and place.all_acknowledged, within=20)  # noqa: B023 - awaited in this round
        assert place.simulator.stream.given_back == {}
        assert len(receipts) == len(place.told()) + 20
        assert sum(bool(receipt.duplicate_of) for receipt in receipts) == 20


async def test_nobody_is_named_in_the_log(tmp_path: Path) -> None:
    async with placed(tmp_path) as place:
        place.exchange.refusing = dict.fromkeys(place.told(), grpc.StatusCode.INVALID_ARGUMENT)
        async with place.serving():
            await until(lambda: place.all_acknowledged)
        written = place.lines.getvalue()
        assert "event_refused" in written
        for incident, line in place.simulator.stream.events:
            assert incident.cad_number not in written
            for text in (incident.text, incident.name, incident.telephone, line.text):
                assert not text or text not in written


async def test_a_burst_is_counted_in_lines(tmp_path: Path) -> None:
    async with placed(tmp_path) as place, place.serving():
        await until(lambda: place.all_acknowledged)
        before = len(place.told())
        for _ in range(3):
            place.dials.set([Dial("burst", "20", times=1)])
            await until(lambda: not place.dials.current)
        await until(lambda: len(place.told()) >= before + 60)
        await until(lambda: place.all_acknowledged)
        assert len(place.told()) < before + 60 + 9, "what one incident has too many is owed less by the next"
