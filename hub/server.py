"""The composition root: the only place that wires the hub's packages together."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from time import monotonic

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import hub.contracts
from hub import settings as settings_files
from hub import sources
from hub.api import bulk, reflection
from hub.api.actions import ActionApi, no_journal
from hub.api.actions import Recorder as ActionRecorder
from hub.api.catalogue import CatalogueApi
from hub.api.exchange import ExchangeApi
from hub.api.mesh import MeshApi
from hub.api.parity import ParityApi
from hub.api.registry import RegistryApi
from hub.api.subscriber import SubscriberApi
from hub.api.traffic import TrafficApi
from hub.bookkeeping import Books
from hub.configuring import Configuring
from hub.console.serving import serving
from hub.consoling import open_trying
from hub.exchange.owning import Owners
from hub.exchange.recording import ExchangeRecorder
from hub.exchange.records import Fence
from hub.exchange.running import Exchange, Files, Kept, claimed, opened, pause_in
from hub.mesh.ads import SERVER_OPTIONS, AdsService
from hub.mesh.clusters import addresses_of
from hub.mesh.control import Control, Inputs
from hub.mesh.grants import rights_of, text_of
from hub.mesh.inputs import HUB_SYSTEM, Instance
from hub.mesh.publisher import Publisher
from hub.mesh.registry import Registry, Store
from hub.migrating import Migrating
from hub.pairing import opened_pairs
from hub.parity import Comparator, ParityStoreError
from hub.parity.running import Pairs
from hub.recording import Recorder, unrecorded
from hub.surveying import open_estate
from hub.telemetry.serving import Parts, telemetry
from hub.telling import serve_journeys
from hub.traffic.running import TrafficControl
from hub.watch import changes
from metip import heap
from metip.call import Call
from metip.exchange.v1.exchange_service_pb2_grpc import add_ExchangeServiceServicer_to_server
from metip.exchange.v1.subscriber_service_pb2_grpc import add_SubscriberServiceServicer_to_server
from metip.faults import Fault
from metip.hub.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from metip.hub.v1.mesh_service_pb2_grpc import add_MeshServiceServicer_to_server
from metip.hub.v1.registry_service_pb2_grpc import add_RegistryServiceServicer_to_server
from metip.ledger.v1.action_service_pb2_grpc import add_ActionServiceServicer_to_server
from metip.logs import Log
from metip.parity.v1.parity_service_pb2_grpc import add_ParityServiceServicer_to_server
from metip.threads import loop_first
from metip.traffic.v1.traffic_service_pb2_grpc import add_TrafficServiceServicer_to_server

EXCHANGE = "exchange"
"""The package of the exchange's own interfaces."""
EXPIRY_INTERVAL = 1.0
RECORDED_AGAIN = 2.0
"""Seconds between attempts to record a change, which is not in force before."""
NEW_DAY_INTERVAL = 600.0
"""Seconds between two looks at the calendar."""
LINES_TOGETHER = 0.02
"""Seconds that lines of accepted messages wait for others."""
MAX_MESSAGE = 16 * 1024 * 1024
GRACE = 2.0
WARNED_AGAIN = 24 * 3600.0
"""Seconds between warnings of a certificate that ends soon."""


class Hub:
    """One running hub."""

    def __init__(
        self,
        settings: settings_files.Settings,
        log: Log,
        *,
        descriptor_set: bytes | None = None,
        today: Callable[[], date] = date.today,  # assessments are due by the local calendar
        recorder: Recorder = unrecorded,
        record_action: ActionRecorder = no_journal,
    ) -> None:
        """Reads everything that the settings name. Where the hub has no journal of its own, `recorder` hears of each change of policy and
        traffic, and `record_action` of what else operators do. Raises `SettingsError`."""
        contracts = hub.contracts.load(today(), descriptor_set=descriptor_set)
        self._today, self._warned_on = today, date.min
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings = settings
        self._log = log
        self._store = Store(settings.state / "registry.sqlite")
        self._registry = Registry(self._store)
        self._judged = monotonic()
        self._itself = _itself(contracts, settings)
        self._registry.register(self._itself)
        self._publisher = Publisher(lambda: datetime.now(UTC))
        self._ads = AdsService(self._publisher, lambda: datetime.now(UTC))
        self._changes = changes(sources.watched(settings))
        self._books = Books(settings, log, recorder, record_action)
        file = sources.read_traffic(settings, contracts)
        self._traffic = TrafficControl.opened(settings.state, file, log, self._books.record_change)
        self._configuring = Configuring(settings, contracts, log, self._books.record_change, self._traffic.layers)
        inputs = Inputs(
            contracts,
            self._configuring.standing.policy,
            sources.read_edge(settings),
            self._registry.instances,
            self._traffic.layers.traffic,
        )
        self._migrating = Migrating(settings, contracts, log, self._books.record_change)
        self._control = Control(self._publisher, inputs, on_change=self._tell_health)
        self._traffic.direct(self._control, settings.envoy_admin)
        self._health = health.aio.HealthServicer()
        self._owners: Owners | None = None
        self._proposals: asyncio.Queue[tuple[str, str, asyncio.Event]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pairs: Pairs | None = None
        """None where the hub has no way to other systems, or is not running: then nothing is sampled."""
        for fault in contracts.faults:
            log.line("contract_refused", element=fault.element, problem=fault.problem, fix=fault.fix)

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop`."""
        started = datetime.now(UTC)
        self._log.gather(partial(asyncio.get_running_loop().call_later, LINES_TOGETHER))
        async with AsyncExitStack() as stack:
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_MESSAGE), *SERVER_OPTIONS])
            self._add_services(server, started)
            stack.enter_context(claimed(self._settings.state))
            comparator = self._open_comparator(server, stack)
            books = stack.enter_context(ExitStack())
            kept = self._books.open(self._control.inputs.contracts, self._control.inputs.edge.access_log, server, books)
            await self._traffic.director.recover()
            exchange = await self._open_exchange(server, stack, kept)
            contracts, act = self._control.inputs.contracts, self._books.record_action
            engine, edge_log = exchange.engine if exchange is not None else None, self._control.inputs.edge.access_log
            serve_journeys(self._settings, contracts, self._books, engine, edge_log, server)
            self._pairs = opened_pairs(self._settings, contracts, self._registry, act, comparator.take, server, stack)
            sampler = self._pairs.sampler if self._pairs is not None else None
            self._migrating.open(self._traffic, self._control, comparator, sampler, lambda: self._owners, self._registry, server, books)
            standings, director = self._migrating.standings, self._traffic.director
            open_estate(self._settings, self._control, director, exchange, sampler, standings, server, stack)
            open_trying(self._settings, contracts, act, server, stack)
            parts = Parts(
                self._control,
                lambda: len(self._ads.envoys()),
                self._configuring,
                self._today,
                self._books,
                exchange,
                lambda: self._migrating.migration,
                comparator,
                self._pairs,
            )
            await stack.enter_async_context(telemetry(self._settings, parts, self._log))
            _listen(server, self._settings.socket)
            await server.start()
            loop_first()
            self._settings.socket.chmod(0o600)
            if self._settings.console is not None:
                await stack.enter_async_context(serving(self._settings.folder / self._settings.console.socket))
            stack.push_async_callback(server.stop, GRACE)
            stack.callback(self._ads.close)
            await self._configuring.begin()
            await self._control.propose("the hub started", "hub", instances=self._registry.instances)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            always = (self._publish_proposals, self._expire_leases, self._watch_files, self._warn, self._warn_of_reviews)
            sampling = (self._pairs.run,) if self._pairs is not None else ()
            work = (*always, *self._books.work, *self._traffic.work, comparator.run, self._migrating.run, *sampling)
            tasks = [group.create_task(_forever(one)) for one in work]
            if exchange is not None:
                group.create_task(exchange.run(stop))
            heap.settle()
            self._log.line("started", socket=str(self._settings.socket), interfaces=len(self._control.inputs.contracts.interfaces))
            await stop.wait()
            for task in tasks:
                task.cancel()
        self._store.close()
        self._traffic.store.close()
        self._log.line("stopped")

    def _add_services(self, server: grpc.aio.Server, started: datetime) -> None:
        server.add_generic_rpc_handlers((*self._ads.handlers(), *reflection.handlers(self._control.inputs.contracts)))
        registered = RegistryApi(self._registry, self._control, self._propose, self._fences, self._sampled, self._traffic.layers.fences)
        add_RegistryServiceServicer_to_server(registered, server)
        add_CatalogueServiceServicer_to_server(CatalogueApi(self._control), server)
        add_MeshServiceServicer_to_server(MeshApi(self._control, self._ads, self._configuring, started, self._today), server)
        add_TrafficServiceServicer_to_server(TrafficApi(self._traffic), server)
        add_ActionServiceServicer_to_server(ActionApi(self._books.record_action), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)

    async def _open_exchange(self, server: grpc.aio.Server, stack: AsyncExitStack, kept: Kept | None) -> Exchange | None:
        said, folder = self._settings.exchange, self._settings.folder
        if said is None:
            return None
        files = Files(folder, self._settings.state, folder / said.certificate, folder / said.key, folder / self._settings.edge.authority)
        exchange = await stack.enter_async_context(opened(said, files, self._control.inputs.contracts, self._log, kept))
        exchange.owners = self._owners = Owners(
            exchange.engine, exchange.contracts, self._registry.unfenced, self._books.record_action, self._log
        )
        server.add_generic_rpc_handlers(tuple(exchange.accepting.handlers()))
        if exchange.recorder is not None:
            stack.push_async_callback(self._record_the_rest, exchange.recorder)
        server.add_generic_rpc_handlers((bulk.handler(exchange, self._grants),))  # before the rest of its interface, which has it too
        add_ExchangeServiceServicer_to_server(ExchangeApi(exchange, self._grants, self._books.record_action, self._books.finder), server)
        add_SubscriberServiceServicer_to_server(SubscriberApi(exchange.engine), server)
        await self._traffic.hand_over(partial(pause_in, exchange.engine))
        return exchange

    def _open_comparator(self, server: grpc.aio.Server, stack: AsyncExitStack) -> Comparator:
        """The comparator; figures that can't be opened are left alone and counted anew in memory, since nothing else depends on them."""
        contracts = self._control.inputs.contracts
        try:
            comparator = Comparator(contracts, self._settings.state / "parity.sqlite")
        except ParityStoreError as error:
            self._log.line("parity_unreadable", problem=str(error))
            comparator = Comparator(contracts)
        stack.callback(comparator.close)
        add_ParityServiceServicer_to_server(ParityApi(comparator, self._books.record_action), server)
        return comparator

    def _sampled(self, system: str) -> Mapping[str, int]:
        return self._pairs.rates(system) if self._pairs is not None else {}

    async def _record_the_rest(self, recorder: ExchangeRecorder) -> None:
        """What was accepted until the end; what can't be recorded now is when the hub starts again."""
        with suppress(Fault):
            await recorder.catch_up()

    async def _fences(self, system: str, held: int) -> Sequence[Fence]:
        """What a system must not execute any more; nothing where there is no exchange."""
        return await self._owners.fences(system, held) if self._owners is not None else ()

    def _grants(self, call: Call) -> str:
        """What is granted of the call's operation; nothing where this consumer, in the officer's roles, has no right to it."""
        inputs = self._control.inputs
        rights = rights_of(inputs.contracts, inputs.policy, inputs.edge.trust_domain).get(call.operation, ())
        roles = call.officer.roles if call.officer is not None else ()
        return text_of(rights) if any(one.consumer == call.consumer and one.open_to(roles) for one in rights) else ""

    def _propose(self, what: str, author: str) -> asyncio.Event:
        """Has the instances published as they are by then; set once Envoy has answered or was silent for too long, or the hub stops."""
        done = asyncio.Event()
        self._proposals.put_nowait((what, author, done))
        return done

    async def _publish_proposals(self) -> None:
        done = asyncio.Event()
        try:
            while True:
                what, author, done = await self._proposals.get()
                self._configuring.report(await self._control.propose(what, author, instances=self._registry.instances))
                done.set()
        finally:
            done.set()
            while not self._proposals.empty():
                self._proposals.get_nowait()[2].set()

    async def _expire_leases(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_INTERVAL)
            late, self._judged = monotonic() - self._judged - EXPIRY_INTERVAL, monotonic()
            if late > EXPIRY_INTERVAL:
                # The hub was starting, or the machine was asleep: nobody could renew, so nobody is gone.
                self._registry.extend(late)
            if self._registry.register(self._itself):
                self._propose("the hub is back among its instances", "registry")
            gone = self._registry.expire()
            if gone:
                self._propose(f"the lease of {', '.join(gone)} ended", "registry")

    async def _warn_of_reviews(self) -> None:
        """A line at the start and on each further day for every assessment that is to be reviewed soon."""
        while True:
            if self._warned_on != self._today():
                self._warned_on = self._today()
                for one in hub.contracts.reviews_due(self._control.inputs.contracts, self._warned_on):
                    self._log.line(
                        "assessment_due", element=one.element, reference=one.reference, review_by=one.review_by.isoformat(), days=one.days
                    )
            await asyncio.sleep(NEW_DAY_INTERVAL)

    async def _watch_files(self) -> None:
        async for changed in self._changes:
            names = ", ".join(path.name for path in changed)
            while not await self._configuring.reread(names, self._control):  # noqa: ASYNC110 - the journal sets no event
                await asyncio.sleep(RECORDED_AGAIN)

    async def _warn(self) -> None:
        while True:
            self._configuring.warn(self._control.inputs.edge)
            await asyncio.sleep(WARNED_AGAIN)

    def _tell_health(self, inputs: Inputs) -> None:
        """Health of an interface at the hub says whether anybody serves it."""
        task = asyncio.ensure_future(self._set_health(inputs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_health(self, inputs: Inputs) -> None:
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        for interface in inputs.contracts.interfaces:
            served = any(addresses_of(interface, inputs.instances).values())
            state = health_pb2.HealthCheckResponse.SERVING if served else health_pb2.HealthCheckResponse.NOT_SERVING
            await self._health.set(interface.name, state)


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _itself(contracts: hub.contracts.Contracts, settings: settings_files.Settings) -> Instance:
    """The hub serves its own interfaces and, where it has an exchange, those of messages; Envoy reaches them as it reaches any other."""
    served = tuple(
        interface.name
        for interface in contracts.interfaces
        if interface.system == HUB_SYSTEM or (settings.exchange is not None and (interface.of_messages or interface.system == EXCHANGE))
    )
    return Instance(HUB_SYSTEM, HUB_SYSTEM, served, f"unix:{settings.socket}")


def _listen(server: grpc.aio.Server, socket: Path) -> None:
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    old = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{socket}")
    finally:
        os.umask(old)


async def serve(path: Path, stop: asyncio.Event, *, descriptor_set: bytes | None = None) -> None:
    """Runs a hub from a settings file until `stop`. Raises `SettingsError`."""
    logging.getLogger("hub").setLevel(logging.ERROR)  # changes are reported once, below as canonical lines
    await Hub(settings_files.read(path), Log(process="hub"), descriptor_set=descriptor_set).run(stop)
