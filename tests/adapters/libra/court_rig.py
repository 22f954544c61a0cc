"""The adapter with its simulator and a stand-in for the message exchange, all on real sockets: what it hands out, and what it is told."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import grpc
import protovalidate
from adapter_rig import SEED, TODAY, Remembering, from_envoy

from adapters.kit import discovery
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.population import Population
from adapters.kit.serving import add_to_server, handlers, installed_contracts
from adapters.kit.simulation import Dials
from adapters.kit.site import Mesh, Site
from adapters.libra.simulator import DIALS, Simulator
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.exchange.v1.subscriber_service_pb2 import OUTCOME_PROCESSED, ReportOutcomeRequest, ReportOutcomeResponse
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceServicer, add_SubscriberServiceServicer_to_server
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.case_service_pb2_grpc import CaseServiceStub
from metip.libra.v1.result_service_pb2 import PublishResultRequest
from metip.libra.v1.result_service_pb2_grpc import ResultServiceServicer, add_ResultServiceServicer_to_server
from metip.logs import Log
from metip.settings import read_settings

SOON = 10.0


class StandIn(ResultServiceServicer, SubscriberServiceServicer):
    """Takes messages as the exchange does, once for each idempotency key, and outcomes."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, int, str], PublishResultRequest] = {}
        self.handed_over = 0
        self.outcomes: dict[str, tuple[bool, str]] = {}
        self.refusing: grpc.StatusCode | None = None
        self.refusals = 0
        self.knows_deliveries = True
        self._news = asyncio.Condition()

    async def PublishResult(self, request: PublishResultRequest, context: Any) -> Receipt:
        if self.refusing:
            self.refusals += 1
            await self._tell()
            await context.abort(self.refusing, "as the test wants it")
        key = request.delivery_id, request.case_number, request.content_digest
        self.handed_over += 1
        self.results.setdefault(key, request)
        await self._tell()
        return Receipt(message_id=str(uuid.uuid4()))

    async def ReportOutcome(self, request: ReportOutcomeRequest, context: Any) -> ReportOutcomeResponse:
        if not self.knows_deliveries:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such delivery")
        self.outcomes[request.message_id] = (request.outcome == OUTCOME_PROCESSED, request.code)
        await self._tell()
        return ReportOutcomeResponse()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something is true of what was taken."""
        async with asyncio.timeout(SOON), self._news:
            await self._news.wait_for(holds)


@dataclass
class StandInMesh:
    """The way to the stand-in, in the place of Envoy."""

    address: str
    opened: list[grpc.aio.Channel] = field(default_factory=list)

    def channel(self) -> grpc.aio.Channel:
        if not self.opened:
            self.opened.append(grpc.aio.insecure_channel(self.address))
        return self.opened[0]


@dataclass
class CourtRig:
    """Everything that a test turns and looks at."""

    stub: Any
    dials: Dials
    simulator: Simulator
    exchange: StandIn
    log: Path

    async def submit(self, request: SubmitCaseRequest, message_id: str = "", attempt: int = 1) -> Receipt:
        """Hands a case over as the exchange does."""
        metadata = [
            *from_envoy(officer=None),
            ("x-metip-message-id", message_id or str(uuid.uuid4())),
            ("x-metip-attempt", str(attempt)),
            ("x-metip-producer", "spiffe://metip.local/adapter/producer"),
            ("x-metip-accepted", "1797242400.0"),
        ]
        return cast("Receipt", await self.stub.SubmitCase(request, timeout=SOON, metadata=metadata))

    async def push(self, body: bytes, tls: ssl.SSLContext | bool = True) -> tuple[int, bytes]:
        """Delivers a document to the adapter's door."""
        address = self.simulator.courier.address
        async with aiohttp.ClientSession() as http, http.post(address, data=body, ssl=tls) as response:
            return response.status, await response.read()


@asynccontextmanager
async def court_rig(
    directory: Path, *, hub: bool = True, mesh: bool = True, first: bool = True, shown: ssl.SSLContext | None = None, **changed: Any
) -> AsyncIterator[CourtRig]:
    """Runs all of it. `shown` is what the CJS Exchange shows when it delivers; `changed` overrides fields of the settings."""
    settings: Any = read_settings(discovery.FOLDER / "libra" / "settings.yaml", discovery.settings_type("libra"))
    if "retrieve_every" in changed:
        settings.ClearField("retrieve_every")  # durations would add up otherwise, part by part
    settings.MergeFrom(type(settings)(**changed))
    dials = Dials(DIALS, seed=SEED)
    simulator = Simulator(Population(SEED), dials)
    simulator.courier.tls = shown
    exchange = StandIn()
    async with AsyncExitStack() as stack:
        log = Log(stack.enter_context((directory / "log").open("a", buffering=1)), system="libra")
        settings.upstream.address = await stack.enter_async_context(simulator.transport.listening("127.0.0.1", 0, dials))
        hub_server = grpc.aio.server()
        add_ResultServiceServicer_to_server(exchange, hub_server)
        add_SubscriberServiceServicer_to_server(exchange, hub_server)
        hub_server.add_insecure_port(f"unix:{directory}/hub.sock")
        await hub_server.start()
        stack.push_async_callback(hub_server.stop, None)
        through = StandInMesh(f"unix:{directory}/hub.sock")
        site = Site(log, cast("Mesh", through) if mesh else None, hub=through.address if hub else "", first=first)
        servicers = await stack.enter_async_context(discovery.adapter("libra").serve(settings, site))
        server = grpc.aio.server()
        pipeline = Pipeline("libra", Remembering([]), log, Gate(200), protovalidate.Validator())
        add_to_server(server, handlers(pipeline, servicers, installed_contracts(TODAY)))
        server.add_insecure_port(f"unix:{directory}/libra.sock")
        await server.start()
        stack.push_async_callback(server.stop, None)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{directory}/libra.sock"))
        yield CourtRig(CaseServiceStub(channel), dials, simulator, exchange, directory / "log")
        for one in through.opened:
            await one.close()
