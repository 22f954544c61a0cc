"""The subscriber against the Home Office's simulator, on real sockets: every notice once, every outcome told, whatever breaks."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import pytest_asyncio
from cases import case_files, read_case
from waiting import until

from adapters.kit import Call, Fault, Log, Reason, Site, discovery
from adapters.kit.outcomes import DELIVERED
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import Dial
from adapters.traffic_offences.adapter import Offences, serve
from adapters.traffic_offences.records import Acknowledgement, Result, Verdict
from adapters.traffic_offences.simulator import DIALS, Simulator
from adapters.traffic_offences.wire import encode_acknowledgement
from metip.call import Handover
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.exchange.v1.subscriber_service_pb2 import OUTCOME_PROCESSED, OUTCOME_REFUSED, ReportOutcomeRequest, ReportOutcomeResponse
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceServicer, add_SubscriberServiceServicer_to_server
from metip.settings import read_settings
from metip.traffic_offences.v1 import offence_pb2 as message
from metip.traffic_offences.v1.offence_service_pb2 import SubmitOffenceRequest

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPULATION = Population()
SYSTEM = "traffic_offences"


@dataclass
class Exchange(SubscriberServiceServicer):
    """Hears outcomes."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    unknown: bool = False
    gone: int = 0

    async def ReportOutcome(self, request: ReportOutcomeRequest, context: Any) -> ReportOutcomeResponse:
        if self.gone:
            self.gone -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if self.unknown:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such delivery")
        assert request.system == SYSTEM
        assert request.outcome in (OUTCOME_PROCESSED, OUTCOME_REFUSED)
        self.heard.append((request.message_id, request.code if request.outcome == OUTCOME_REFUSED else "processed"))
        return ReportOutcomeResponse()

    @property
    def outcomes(self) -> dict[str, str]:
        return dict(self.heard)


@dataclass
class UnderTest:
    """The adapter under test, its far side, and the exchange."""

    offences: Offences
    simulator: Simulator
    dials: Dials
    exchange: Exchange
    lines: io.StringIO
    settings: Any
    hub: str

    async def deliver(self, number: int, message_id: str = "", **changed: Any) -> str:
        """Hands over the notice of a number, as the exchange does, and gives the message's id."""
        message_id = message_id or str(uuid4())
        receipt = await self.offences.SubmitOffence(request(number, **changed), call(message_id))
        assert receipt == DELIVERED
        return message_id

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]

    def files(self, folder: str) -> list[Path]:
        return sorted((self.simulator.folder / folder).glob("*"))


def request(number: int, **changed: Any) -> SubmitOffenceRequest:
    made = SubmitOffenceRequest()
    read_case(next(path for path in case_files() if path.stem == "submit_offence_of_speed")).case.request.Unpack(made)
    made.notice_number = f"{number:016d}"
    for name, value in changed.items():
        setattr(made.offence, name, value)
    return made


def call(message_id: str, seconds: float = 15) -> Call:
    handover = Handover(message_id, attempt=1, redelivery=False, accepted=time.time())
    return Call(id="1", operation="test", consumer="", officer=None, deadline=time.monotonic() + seconds, handover=handover)


@asynccontextmanager
async def serving(system: UnderTest) -> AsyncIterator[UnderTest]:
    """The adapter, started once more against the same far side."""
    async with serve(system.settings, Site(Log(system.lines), hub=system.hub)) as servicers:
        assert isinstance(servicers[0], Offences)
        system.offences = servicers[0]
        yield system


@asynccontextmanager
async def surroundings(directory: Path) -> AsyncIterator[UnderTest]:
    dials = Dials(DIALS, seed=1)
    simulator, exchange = Simulator(POPULATION, dials), Exchange()
    server = grpc.aio.server()
    add_SubscriberServiceServicer_to_server(exchange, server)
    server.add_insecure_port(f"unix:{directory}/hub.sock")
    await server.start()
    settings: Any = read_settings(discovery.FOLDER / SYSTEM / "settings.yaml", discovery.settings_type(SYSTEM))
    async with simulator.transport.listening("127.0.0.1", 0, dials) as settings.upstream.address:
        settings.upstream.timeout.FromMilliseconds(2000)
        settings.upstream.failures_to_open = 1000
        settings.gather_for.FromMilliseconds(20)
        settings.poll_every.FromMilliseconds(50)
        yield UnderTest(None, simulator, dials, exchange, io.StringIO(), settings, f"unix:{directory}/hub.sock")  # type: ignore[arg-type]
    await server.stop(None)


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[UnderTest]:
    async with surroundings(tmp_path) as around, serving(around) as one:
        yield one


async def test_notices_that_come_together_go_in_one_batch_and_are_told_to_be_done(system: UnderTest) -> None:
    ids = await asyncio.gather(*(system.deliver(number) for number in range(1, 21)))
    await until(lambda: len(system.exchange.heard) == 20)
    assert system.exchange.outcomes == dict.fromkeys(ids, "processed")
    assert system.dials.exchanges["batch"] == 1
    assert set(system.simulator.notices) == {f"{number:016d}" for number in range(1, 21)}
    await until(lambda: system.files("done"))
    assert system.files("out") == system.files("in") == []


async def test_a_notice_that_the_far_side_refuses_is_told_with_its_code(system: UnderTest) -> None:
    refused = await system.deliver(1, notice_type=message.NOTICE_TYPE_FIXED_PENALTY_NON_ENDORSABLE)
    accepted = await system.deliver(2)
    await until(lambda: len(system.exchange.heard) == 2)
    assert system.exchange.outcomes == {refused: "N03", accepted: "processed"}


async def test_the_dial_refuses_with_its_code(system: UnderTest) -> None:
    system.dials.set([Dial("reject", "N07", times=1)])
    first = await system.deliver(1)
    await until(lambda: system.exchange.heard)
    second = await system.deliver(1)
    await until(lambda: len(system.exchange.heard) == 2)
    assert system.exchange.heard == [(first, "N07"), (second, "processed")]


async def test_the_same_notice_twice_has_one_effect(system: UnderTest) -> None:
    message_id = await system.deliver(1)
    await system.deliver(1, message_id)
    await until(lambda: len(system.exchange.heard) == 2)
    assert system.exchange.outcomes == {message_id: "processed"}
    assert system.dials.exchanges["notice"] == 2
    assert len(system.simulator.notices) == 1


async def test_a_batch_that_is_never_acknowledged_stays_delivered(system: UnderTest) -> None:
    system.dials.set([Dial("no_ack", times=1)])
    await system.deliver(1)
    await until(lambda: system.simulator.notices)
    other = await system.deliver(2)
    await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {other: "processed"}


async def test_a_late_acknowledgement_is_told_when_it_comes(system: UnderTest) -> None:
    system.dials.set([Dial("late_ack", "1s", times=1)])
    began = time.monotonic()
    message_id = await system.deliver(1)
    await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {message_id: "processed"}
    assert time.monotonic() - began > 0.8


async def test_each_notice_of_a_batch_that_was_refused_whole_is_told_so(system: UnderTest) -> None:
    system.dials.set([Dial("wrong_trailer", times=1)])
    ids = await asyncio.gather(*(system.deliver(number) for number in range(1, 4)))
    await until(lambda: len(system.exchange.heard) == 3)
    assert system.exchange.outcomes == dict.fromkeys(ids, "BATCH_B01")
    assert system.simulator.notices == {}
    assert "batch_refused" in system.events()


async def test_the_far_side_refuses_a_batch_whose_trailer_does_not_fit_and_reads_none_that_is_still_put(system: UnderTest) -> None:
    (system.simulator.folder / "in" / ".half.xml.part").write_bytes(b"<half")
    (system.simulator.folder / "in" / "half.xml").write_bytes(b"<half")
    await until(lambda: "batch_refused" in system.events())
    assert [path.name for path in system.files("in")] == [".half.xml.part"]
    assert system.exchange.heard == []


@pytest.mark.parametrize("dial", ["hang", "half_open", "drop", "truncate", "garbage"])
async def test_a_batch_that_can_not_be_put_is_unavailable_to_all_and_goes_through_later(system: UnderTest, dial: str) -> None:
    system.dials.set([Dial(dial)])
    ended = await asyncio.gather(*(system.deliver(number) for number in range(1, 4)), return_exceptions=True)
    assert [one.reason for one in ended if isinstance(one, Fault)] == [Reason.UPSTREAM_UNAVAILABLE] * 3
    system.dials.clear()
    ids = await asyncio.gather(*(system.deliver(number) for number in range(1, 4)))
    await until(lambda: set(ids) <= set(system.exchange.outcomes))
    assert len(system.simulator.notices) == 3, "what was put before its answer was lost has no second effect"


async def test_delay_delays_and_nothing_else(system: UnderTest) -> None:
    system.dials.set([Dial("delay", "50ms")])
    message_id = await system.deliver(1)
    await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {message_id: "processed"}


async def test_a_text_that_the_far_side_can_not_be_sent_is_refused_alone(system: UnderTest) -> None:
    with pytest.raises(Fault) as raised:
        await system.deliver(1, place="A23\x0bNORTH")
    assert raised.value.reason is Reason.INVALID_REQUEST
    await system.deliver(2)


async def test_a_call_that_is_no_handover_is_refused(system: UnderTest) -> None:
    with pytest.raises(Fault) as raised:
        await system.offences.SubmitOffence(
            request(1), Call(id="1", operation="t", consumer="", officer=None, deadline=time.monotonic() + 1)
        )
    assert raised.value.reason is Reason.MALFORMED


async def test_an_adapter_that_starts_again_tells_what_the_last_one_did_not(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as system:
        async with serving(system):
            system.dials.set([Dial("late_ack", "500ms", times=1)])
            message_id = await system.deliver(1)
        assert system.exchange.heard == []
        await until(lambda: system.files("out"))
        async with serving(system):
            await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {message_id: "processed"}


async def test_an_exchange_that_is_away_is_told_when_it_is_back(system: UnderTest) -> None:
    system.exchange.gone = 1
    message_id = await system.deliver(1)
    await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {message_id: "processed"}


async def test_an_outcome_that_belongs_to_no_message_stops_nothing(system: UnderTest) -> None:
    known = str(UUID(int=7))
    results = (
        Result(reference="not an id", outcome="A"),
        Result(reference=known, outcome="R", code="JOHN SMITH HAS MOVED"),
    )
    put(system, "ACK_90000001.xml", encode_acknowledgement(Acknowledgement(verdict=Verdict(batch="x", outcome="A"), results=results)))
    await until(lambda: system.files("done"))
    assert system.exchange.heard == [(known, "NONE")], "what may be words is no code"
    system.exchange.unknown = True
    put(system, "ACK_90000002.xml", encode_acknowledgement(Acknowledgement(verdict=Verdict(batch="x", outcome="A"), results=results)))
    await until(lambda: len(system.files("done")) == 2)
    assert system.events().count("outcomes_unknown") == 2
    assert "SMITH" not in system.lines.getvalue()


async def test_an_acknowledgement_without_its_end_is_waited_for(system: UnderTest) -> None:
    known = str(UUID(int=7))
    result = Result(reference=known, outcome="A")
    whole = encode_acknowledgement(Acknowledgement(verdict=Verdict(batch="x", outcome="A"), results=(result,)))
    put(system, "ACK_90000001.xml", whole[:150])
    await until(lambda: "acknowledgement_incomplete" in system.events())
    assert system.exchange.heard == []
    put(system, "ACK_90000001.xml", whole)
    await until(lambda: system.exchange.heard == [(known, "processed")])
    assert system.events().count("acknowledgement_incomplete") == 1


async def test_an_acknowledgement_that_can_not_be_read_is_put_aside_and_holds_up_nothing(system: UnderTest) -> None:
    whole = encode_acknowledgement(Acknowledgement(verdict=Verdict(batch="x", outcome="A")))
    put(system, "ACK_00000000.xml", whole.replace(b'Batch="x"', b'Batch="y"'))
    message_id = await system.deliver(1)
    await until(lambda: system.exchange.heard)
    assert system.exchange.outcomes == {message_id: "processed"}
    assert [path.name for path in system.files("unreadable")] == ["ACK_00000000.xml"]


async def test_another_worker_and_one_without_a_hub_report_nothing(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as system:
        for site in (Site(Log(system.lines), hub=system.hub, first=False), Site(Log(system.lines))):
            async with serve(system.settings, site) as servicers:
                receipt = await servicers[0].SubmitOffence(request(1), call(str(uuid4())))  # type: ignore[attr-defined]
                assert receipt == DELIVERED
                assert isinstance(receipt, Receipt)
        await until(lambda: len(system.files("out")) == 2)
        assert system.dials.exchanges["list"] == 0
        assert system.exchange.heard == []


async def test_no_line_of_the_log_and_no_name_of_a_file_tells_of_anybody(system: UnderTest) -> None:
    system.dials.set([Dial("wrong_trailer", times=1)])
    await system.deliver(1)
    await until(lambda: system.exchange.heard)
    told = system.lines.getvalue() + " ".join(str(path) for path in system.simulator.folder.rglob("*"))
    for secret in (f"{1:016d}", "Dalquimsby", "KE01CVV", "PURLEY"):
        assert secret not in told


def put(system: UnderTest, name: str, data: bytes) -> None:
    """Puts an acknowledgement as the far side does."""
    temporary = system.simulator.folder / "out" / f".{name}"
    temporary.write_bytes(data)
    temporary.rename(system.simulator.folder / "out" / name)
