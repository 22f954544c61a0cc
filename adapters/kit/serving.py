"""Serves one worker of an adapter: its servicers behind the pipeline, health per interface, graceful stop.

An adapter listens on a unix socket that only its own user can open, or on TCP with mutual TLS, so that nothing reaches it but Envoy. One
worker has one socket or port: several processes that share one steal calls from one another.
"""

import asyncio
import importlib.resources
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import grpc
import protovalidate
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import metip.contracts as contracts
from adapters.kit import discovery
from adapters.kit.journal import Journal, NoJournal
from adapters.kit.mutual import OnlyFrom, credentials, edge_of
from adapters.kit.owned import Owned, owned
from adapters.kit.pipeline import Gate, Pipeline
from adapters.kit.registration import Registration
from adapters.kit.site import Identity, Mesh, Site
from adapters.kit.tap import Tap, ended
from adapters.kit.writes import Writes
from metip import heap
from metip.adapter.v1.settings_pb2 import Serving
from metip.logs import Log
from metip.telemetry.spread import Counted
from metip.threads import loop_first

if TYPE_CHECKING:  # generic in the type checker's eyes only
    Compiled = Mapping[str, Mapping[str, grpc.RpcMethodHandler[Any, Any]]]

DRAIN = 10.0
MAX_IN_FLIGHT = 200
# Envoy asks for health each second; a worker that stops waits this long so that Envoy has seen it and sends nothing more.
SEEN_STOPPING = 1.5
# Lines of calls wait this long for others, so that a busy worker writes fifty times a second and not with each call.
LINES_TOGETHER = 0.02
# The pipeline refuses by each contract's own limit with a precise reason; this only keeps memory bounded before it.
MAX_MESSAGE = 16 * 1024 * 1024
OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    # It measures the distance to the peer with pings, and the peer is Envoy on the same machine.
    ("grpc.http2.bdp_probe", 0),
)


@dataclass(frozen=True)
class Worker:
    """One process of an adapter."""

    system: str
    number: int
    socket: Path
    registry: str
    """Address of the hub's registry, or empty to serve unregistered."""
    listen: str = ""
    """IPv4 `address:port` to serve on instead of the socket, by mutual TLS under `identity`."""
    identity: Identity | None = None

    @property
    def instance(self) -> str:
        """Its name in the registry, unique for the life of the process."""
        return f"{self.system}-{self.number}-{os.getpid()}"

    @property
    def address(self) -> str:
        """Where Envoy reaches it."""
        return self.listen or f"unix:{self.socket}"


def installed_contracts(today: date) -> contracts.Contracts:
    """Reads the contracts that this installation was built with."""
    data = importlib.resources.files("metip.contracts").joinpath(contracts.DESCRIPTORS).read_bytes()
    return contracts.read(data, today=today)


def handlers(
    pipeline: Pipeline, servicers: Sequence[object], known: contracts.Contracts, stage: Owned | None = None, writes: Writes | None = None
) -> "Compiled":
    """Compiled handlers by interface and method.

    A servicer names its interface in `interface` and has a method for each operation, or for those that its system's own contract says that
    it serves of another system's interface. `stage` comes before messages that another platform might execute, `writes` before calls that
    write where another system could; without them they are taken as they come. Raises `TypeError` that lists every operation without a
    method, or with one that takes another message than the contract says or does not stream where the contract does.
    """
    found: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
    problems: list[str] = []
    for servicer in servicers:
        name: str = getattr(servicer, "interface", "")
        try:
            interface = known.interface(name)
        except KeyError:
            problems.append(f"{type(servicer).__name__}.interface is {name!r}, which is no interface that loads")
            continue
        methods = {}
        for operation in known.served_by(pipeline.system, interface):
            request = _message(operation.request)
            handler = getattr(servicer, operation.method, None)
            problem = _problem(operation, request, handler)
            if handler is None or problem:
                problems.append(f"{type(servicer).__name__} {problem}")
            else:
                post = known.post(pipeline.system, operation.name) if stage is not None else ""
                guarded = stage.guarded(operation, post, handler) if stage is not None and post else handler
                if writes is not None and known.contended(operation):
                    guarded = writes.guarded(operation, guarded)
                methods[operation.method] = pipeline.compile(operation, request, guarded)
        found[name] = methods
    if problems:
        raise TypeError("; ".join(problems))
    return found


def _check_marked(system: str, compiled: "Compiled", known: contracts.Contracts) -> None:
    """Raises `TypeError` that names the operations whose messages another platform might execute."""
    shared = sorted(
        f"{name}/{method}" for name, methods in compiled.items() for method in methods if known.post(system, f"{name}/{method}")
    )
    if shared:
        raise TypeError(f"{', '.join(shared)} can't be served without a place to mark what was executed: start the adapter with --journals")


def _check_harmless(system: str, compiled: "Compiled", known: contracts.Contracts) -> None:
    """Raises `TypeError` that names the interfaces with operations on personal data."""
    personal = sorted(name for name in compiled if any(one.personal for one in known.served_by(system, known.interface(name))))
    if personal:
        raise TypeError(f"{', '.join(personal)} can't be served without a journal: start the adapter with --journals and --ledger")


def _problem(operation: contracts.Operation, request: type[Message], handler: Any) -> str:
    """Why this method can't serve the operation; empty when it can."""
    if operation.client_streams:
        return f"can't serve {operation.method}, since adapters take no streams of requests"
    if handler is None:
        return f"has no {operation.method}"
    try:
        taken = get_type_hints(handler).get("request")
    except NameError as error:
        return f"has a {operation.method} with an annotation that can't be read: {error}"
    if taken is not request:
        return f"has a {operation.method} that must take request: {request.__name__}"
    if iscoroutinefunction(handler) == operation.server_streams:
        return f"has a {operation.method} that must {'yield its replies' if operation.server_streams else 'return one reply'}"
    return ""


def add_to_server(server: grpc.aio.Server, compiled: "Compiled") -> None:
    """Adds compiled handlers to a server."""
    for interface, methods in compiled.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(interface, dict(methods)),))


async def serve_worker(
    worker: Worker,
    settings: Message,
    serving: Serving,
    *,
    mesh: Mesh | None,
    stop: asyncio.Event,
    journal: Journal,
    executions: Path | None = None,
    journals: Path | None = None,
) -> None:
    """Serves until `stop` is set, then drains: unhealthy first, then no new calls, then the end of those in progress.

    In the file `executions` it is marked what was executed of messages that another platform might execute; `journals` is the folder of
    the journal, whose disk is watched. Raises `TypeError` when a
    servicer does not fit its contract, or serves operations on personal data without a journal, or such messages without that file.
    """
    log = Log(system=worker.system, worker=worker.number)
    log.gather(partial(asyncio.get_running_loop().call_later, LINES_TOGETHER))
    gate = Gate(serving.max_in_flight or MAX_IN_FLIGHT, serving.max_in_flight_of_one_consumer)
    tap = Tap(worker.system, worker.registry, log)
    calls: dict[str, Counted] = {}
    pipeline = Pipeline(worker.system, journal, log, gate, protovalidate.Validator(), tap, calls)
    known = installed_contracts(date.today())  # noqa: DTZ011 - an assessment is due by the local calendar
    site = Site(log, mesh, hub=worker.registry, first=worker.number == 0)
    async with AsyncExitStack() as stack:
        if serving.telemetry.metrics or serving.telemetry.HasField("traces"):
            from adapters.kit.telemetry.serving import Told, telemetry  # what it stands on takes time to import

            certificate = worker.identity.certificate if worker.identity is not None else None
            told = Told(worker.system, worker.number, settings, known, calls, gate, journal, certificate, journals)
            await stack.enter_async_context(telemetry(serving.telemetry, told, log))
        servicers = await stack.enter_async_context(discovery.adapter(worker.system).serve(settings, site))
        marked = await stack.enter_async_context(owned(executions, worker.system, worker.number, log)) if executions is not None else None
        names = tuple(getattr(one, "interface", "") for one in servicers)
        writes = await Writes.opened(worker.system, marked, names) if marked is not None else None
        compiled = handlers(pipeline, servicers, known, marked, writes)
        if marked is None:
            _check_marked(worker.system, compiled, known)
        if isinstance(journal, NoJournal):
            _check_harmless(worker.system, compiled, known)
        server = grpc.aio.server(options=OPTIONS, interceptors=_guards(worker))
        add_to_server(server, compiled)
        state = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(state, server)
        _listen(server, worker)
        await server.start()
        loop_first()
        if not worker.listen:
            worker.socket.chmod(0o600)
        for interface in ("", *compiled):
            await state.set(interface, health_pb2.HealthCheckResponse.SERVING)
        heap.settle()
        log.line("started", interfaces=len(compiled), address=worker.address)
        about = (worker.registry, worker.instance, worker.system, tuple(compiled), worker.address, log, marked, writes)
        registration = Registration(*about, replica=is_replica(settings, serving), sampled=tap.follow)
        keeping = asyncio.create_task(registration.keep()) if worker.registry else None
        tapping = asyncio.create_task(tap.run())
        try:
            await stop.wait()
        finally:
            await _drain(server, state, pipeline.gate, registration if keeping else None, keeping, serving)
            await ended(tapping)
            log.line("stopped")


def is_replica(settings: Message, serving: Serving) -> bool:
    """Whether the settings declare the far system at the address that they name a copy or a simulator."""
    address = getattr(getattr(settings, "upstream", None), "address", "")
    return bool(serving.replica) and serving.replica == address


async def _drain(
    server: grpc.aio.Server,
    state: health.aio.HealthServicer,
    gate: Gate,
    registration: Registration | None,
    keeping: "asyncio.Task[None] | None",
    serving: Serving,
) -> None:
    await state.enter_graceful_shutdown()
    if registration and keeping:
        keeping.cancel()
        await asyncio.wait((keeping,))
        await registration.end()
        await asyncio.sleep(SEEN_STOPPING)
    gate.stopping = True
    await server.stop(serving.drain.ToTimedelta().total_seconds() if serving.HasField("drain") else DRAIN)


def _guards(worker: Worker) -> list[grpc.aio.ServerInterceptor]:
    """Who is asked for at each call: nobody on a unix socket, which has answered that by its mode; a call there pays for nothing."""
    return [OnlyFrom(edge_of(worker.identity))] if worker.listen and worker.identity else []


def _listen(server: grpc.aio.Server, worker: Worker) -> None:
    if worker.listen:
        if worker.identity is None:
            raise ValueError("an adapter on TCP needs an identity: --identity names its folder")
        server.add_secure_port(worker.listen, credentials(worker.identity))
        return
    socket = worker.socket
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    old = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{socket}")
    finally:
        os.umask(old)


def _message(name: str) -> type[Message]:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
