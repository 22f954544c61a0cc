"""The adapter with its simulator and a stand-in for the message exchange, all on real sockets: what it hands out, and what it is told."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import protovalidate
from adapter_rig import SEED, TODAY, Remembering, from_envoy
from cases import error_info

from adapters.command_control.simulator import DIALS, Simulator
from adapters.kit import discovery
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.population import Population
from adapters.kit.serving import add_to_server, handlers, installed_contracts
from adapters.kit.simulation import Dials
from adapters.kit.site import Mesh, Site
from adapters.kit.tls import Credentials
from metip.cad.v1.incident_event_service_pb2_grpc import IncidentEventServiceStub
from metip.command_control.v1.handover_service_pb2 import PublishHandoverRequest
from metip.command_control.v1.handover_service_pb2_grpc import (
    HandoverServiceServicer,
    HandoverServiceStub,
    add_HandoverServiceServicer_to_server,
)
from metip.command_control.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.exchange.v1.subscriber_service_pb2 import OUTCOME_PROCESSED, ReportOutcomeRequest, ReportOutcomeResponse
from metip.exchange.v1.subscriber_service_pb2_grpc import SubscriberServiceServicer, add_SubscriberServiceServicer_to_server
from metip.logs import Log
from metip.settings import read_settings

SYSTEM = "command_control"
SOON = 10.0


class Exchange(HandoverServiceServicer, SubscriberServiceServicer):
    """Takes messages as the exchange does, once for each idempotency key and by the contract's rules, and outcomes."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str], tuple[str, PublishHandoverRequest]] = {}
        self.handed_over = 0
        self.outcomes: dict[str, tuple[bool, str]] = {}
        self.refusing: grpc.StatusCode | None = None

    async def PublishHandover(self, request: PublishHandoverRequest, context: Any) -> Receipt:
        self.handed_over += 1
        if self.refusing:
            await context.abort(self.refusing, "as the test wants it")
        try:
            protovalidate.validate(request)
        except protovalidate.ValidationError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "breaks the contract")
        key = request.from_agency, request.message_id
        if key in self.taken:
            return Receipt(message_id=self.taken[key][0], duplicate_of=self.taken[key][0])
        self.taken[key] = str(uuid.uuid4()), request
        return Receipt(message_id=self.taken[key][0])

    async def ReportOutcome(self, request: ReportOutcomeRequest, context: Any) -> ReportOutcomeResponse:
        self.outcomes[request.message_id] = request.outcome == OUTCOME_PROCESSED, request.code
        return ReportOutcomeResponse()

    @property
    def messages(self) -> list[PublishHandoverRequest]:
        """Messages in the order in which they were accepted."""
        return [request for _, request in self.taken.values()]


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
class RoomsRig:
    """Everything that a test turns and looks at."""

    channel: grpc.aio.Channel
    dials: Dials
    simulator: Simulator
    exchange: Exchange
    log: Path

    @property
    def incidents(self) -> Any:
        """The service of commands and enquiries."""
        return IncidentServiceStub(self.channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def deliver(self, request: PublishHandoverRequest, message_id: str = "") -> Receipt:
        """Hands a message over as the exchange does."""
        stub: Any = HandoverServiceStub(self.channel)
        return cast("Receipt", await stub.PublishHandover(request, timeout=SOON, metadata=from_exchange(message_id)))

    async def deliver_line(self, request: Any) -> Receipt:
        """Hands a line of the legacy system's log over."""
        stub: Any = IncidentEventServiceStub(self.channel)
        return cast("Receipt", await stub.PublishIncidentEvent(request, timeout=SOON, metadata=from_exchange()))

    def logged(self, event: str) -> int:
        """How often the adapter wrote a line of that event."""
        return self.log.read_text().count(f'"event":"{event}"')


def from_exchange(message_id: str = "") -> list[tuple[str, str]]:
    """The metadata of a message that the exchange hands over."""
    handover = [("x-metip-message-id", message_id or str(uuid.uuid4())), ("x-metip-attempt", "1"), ("x-metip-accepted", "1795600000.5")]
    return [*from_envoy(officer=None), *handover, ("x-metip-producer", "spiffe://metip.local/adapter/producer")]


def reason_of(error: grpc.aio.AioRpcError) -> tuple[str, str, str]:
    """Status, reason and the far side's code of a call that failed."""
    info = error_info(error)
    return error.code().name, info.reason, info.metadata.get("code", "")


@asynccontextmanager
async def rooms_rig(
    directory: Path, *, mesh: bool = True, hub: bool = True, credentials: Credentials | None = None, **changed: Any
) -> AsyncIterator[RoomsRig]:
    """Runs all of it. `credentials` are the simulator's, `changed` overrides fields of the settings."""
    settings: Any = read_settings(discovery.FOLDER / SYSTEM / "settings.yaml", discovery.settings_type(SYSTEM))
    settings.MergeFrom(type(settings)(**changed))
    dials, exchange = Dials(DIALS, seed=SEED), Exchange()
    simulator = Simulator(Population(SEED), dials, credentials)
    async with AsyncExitStack() as stack:
        log = Log(stack.enter_context((directory / "log").open("a", buffering=1)), system=SYSTEM)
        settings.upstream.address = await stack.enter_async_context(simulator.transport.listening("127.0.0.1", 0, dials))
        hub_server = grpc.aio.server()
        add_HandoverServiceServicer_to_server(exchange, hub_server)
        add_SubscriberServiceServicer_to_server(exchange, hub_server)
        hub_server.add_insecure_port(f"unix:{directory}/hub.sock")
        await hub_server.start()
        stack.push_async_callback(hub_server.stop, None)
        through = StandInMesh(f"unix:{directory}/hub.sock")
        site = Site(log, cast("Mesh", through) if mesh else None, hub=through.address if hub else "")
        servicers = await stack.enter_async_context(discovery.adapter(SYSTEM).serve(settings, site))
        server = grpc.aio.server()
        add_to_server(
            server,
            handlers(Pipeline(SYSTEM, Remembering([]), log, Gate(200), protovalidate.Validator()), servicers, installed_contracts(TODAY)),
        )
        server.add_insecure_port(f"unix:{directory}/adapter.sock")
        await server.start()
        stack.push_async_callback(server.stop, None)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{directory}/adapter.sock"))
        yield RoomsRig(channel, dials, simulator, exchange, directory / "log")
        for one in through.opened:
            await one.close()
