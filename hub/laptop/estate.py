"""The processes of the whole estate, and the order in which they can come up and go down."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from hub.contracts import load
from hub.contracts.folders import adapters_folder
from hub.laptop.claiming import check_ports, claimed
from hub.laptop.facades import PREFIX as FACADE
from hub.laptop.facades import Door, doors, until_serving
from hub.laptop.layout import Home
from hub.laptop.preparing import FREE, Ports, has_simulator, prepare, systems
from hub.laptop.sharing import loads, processes_for, shared_out
from hub.laptop.supervisor import Process, Supervisor
from hub.mesh.admin import Admin, EnvoyGoneError
from hub.mesh.inputs import HUB_SYSTEM, cluster_name
from metip.hub.v1.mesh_service_pb2 import GetMeshRequest
from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceStub
from metip.hub.v1.registry_service_pb2 import Instance
from metip.simulator.v1.simulator_service_pb2 import GetSimulatorRequest
from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceStub

if TYPE_CHECKING:  # the generated modules have these for the type checker only
    from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceAsyncStub
    from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceAsyncStub

POLL = 0.05
READY_WITHIN = 60.0
LONGEST_TURN = 5.0
# What Envoy refused is recorded from its log, which it keeps back for ten seconds unless it is told otherwise.
LOG_SOON = ("--file-flush-interval-msec", "500")
HUB, ENVOY, SIMULATORS, WITNESS = "hub", "envoy", "simulators", "witness"


class NotReadyError(Exception):
    """Something did not come up in time; the text names it and its log."""


@dataclass(frozen=True)
class Options:
    """What `metip up` was asked for."""

    ports: Ports = field(default_factory=Ports)
    workers: int = 1
    seed: int = 2026
    xds: str = "delta"
    traces: str = ""
    """`host:port` of a collector of traces (OTLP over gRPC); empty for none."""
    only: tuple[str, ...] = ()
    """Systems to run; empty for all there are."""

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems that run."""
        return self.only or systems()


def envoy_binary() -> str:
    """The Envoy that is installed with the project, or the machine's own. Raises `FileNotFoundError`."""
    spec = find_spec("envoy")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder) / "_bin" / "envoy"
        if binary.exists():
            return str(binary)
    found = shutil.which("envoy")
    if found is None:
        raise FileNotFoundError("there is no Envoy: install the project with its `envoy` extra, or put envoy on PATH")
    return found


@asynccontextmanager
async def running(home: Home, options: Options, told: Callable[[str], None] = lambda _: None) -> AsyncIterator[Supervisor]:
    """The estate for the length of the block, ready to be called. Raises `NotReadyError`, and `TakenError` before anything is touched."""
    with claimed(home):
        check_ports(options.ports.grpc, options.ports.json, *(one.port for one in _doors(home, options)))
        if options.ports.console:
            check_ports(options.ports.console, choice="--console-port {}")
        async with _running(home, options, told) as supervisor:
            yield supervisor


@asynccontextmanager
async def _running(home: Home, options: Options, told: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    prepare(home, options.ports, xds=options.xds, traces=options.traces)
    for old in (*home.run.glob("*.sock"), *home.metrics.glob("*.json")):
        old.unlink()
    supervisor = Supervisor(home.processes, lambda process, words: told(f"{process.name} {words}"))
    try:
        told("starting hub, Envoy and simulators")
        supervisor.start(_process(home, WITNESS, sys.executable, "-m", "hub.ledger.witness", "--settings", str(home.witness_settings)))
        supervisor.start(_process(home, HUB, sys.executable, "-m", "hub", "--settings", str(home.hub_settings)))
        supervisor.start(_process(home, ENVOY, envoy_binary(), *_envoy_arguments(home)))
        simulated = [system for system in options.systems if has_simulator(system)]
        for number, share in enumerate(_shares(simulated), 1):
            arguments = ("--run-dir", str(home.run), "--seed", str(options.seed))
            supervisor.start(_process(home, f"{SIMULATORS}-{number}", *_kit("simulate", *share), *arguments))
        try:
            async with asyncio.timeout(READY_WITHIN):
                turn = asyncio.Semaphore(_at_once())
                starts = {system: partial(_start_adapter, home, options, system, supervisor, told) for system in options.systems}
                await asyncio.gather(*(_in_turn(turn, start, home, system) for system, start in starts.items()))
                await _until_served(home, options, told)
                await _start_facades(home, options, supervisor, told)
        except TimeoutError:
            raise NotReadyError(f"not ready within {READY_WITHIN:.0f} s: {await _late(home, options, supervisor)}") from None
        yield supervisor
    finally:
        await supervisor.stop_all(
            lambda name: name.startswith(FACADE), lambda name: name == ENVOY or name.startswith("adapter-"), lambda name: name == HUB
        )


def _shares(simulated: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    processes = processes_for(len(simulated))
    today = date.today()  # noqa: DTZ011 - an assessment is due by the local calendar
    return shared_out(simulated, processes, loads(load(today)) if processes > 1 else {})


def _at_once() -> int:
    """How many adapters start at a time: enough to keep every core at it, few enough that whatever else runs here goes on."""
    return 2 * len(os.sched_getaffinity(0))


async def _in_turn(turn: asyncio.Semaphore, start: Callable[[], Awaitable[None]], home: Home, system: str) -> None:
    """Starts one, and lets the next begin when it listens; one that does not come up holds nobody up for long."""
    socket = home.run / f"{system}-0.sock"
    async with turn:
        await start()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_TURN):
                while not socket.exists():  # noqa: ASYNC110 - another process makes it, and can set no event here
                    await asyncio.sleep(POLL)


async def _start_adapter(home: Home, options: Options, system: str, supervisor: Supervisor, told: Callable[[str], None]) -> None:
    arguments = [*_kit("serve", system), *_serving(home, options, system)]
    if has_simulator(system):
        address = await simulator_address(home, system)
        told(f"the simulator of {system} speaks at {address}; starting its adapter")
        arguments += ["--upstream", address, "--replica"]
    supervisor.start(_process(home, f"adapter-{system}", *arguments))


async def _start_facades(home: Home, options: Options, supervisor: Supervisor, told: Callable[[str], None]) -> None:
    facades = _doors(home, options)
    for one in facades:
        supervisor.start(_process(home, one.name, *one.command))
    for one in facades:
        await until_serving(home, one.name)
        told(f"the façade of {one.system} listens on 127.0.0.1:{one.port}")


def _doors(home: Home, options: Options) -> tuple[Door, ...]:
    return tuple(doors(home, options.ports.soap, adapters_folder()))


def _serving(home: Home, options: Options, system: str) -> tuple[str, ...]:
    places = ("--run-dir", str(home.run), "--registry", f"unix:{home.hub_socket}", "--identity", str(home.identity / f"adapter-{system}"))
    records = ("--journals", str(home.journals), "--ledger", str(home.ledger_keys))
    told = ["--metrics", FREE, "--metrics-targets", str(home.metrics), *(("--traces", options.traces) if options.traces else ())]
    return (*places, *records, *told, "--mesh", f"127.0.0.1:{options.ports.grpc}", "--workers", str(options.workers))


def _kit(verb: str, *systems: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "adapters.kit", verb, *systems)


def _envoy_arguments(home: Home) -> tuple[str, ...]:
    # `--drain-time-s` is what `drain_listeners?graceful` takes; Envoy's own 600 s is for a fleet, not for a laptop.
    alone = ("--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", "1")
    return ("-c", str(home.bootstrap), *alone, "--drain-time-s", "5", *LOG_SOON)


def _process(home: Home, name: str, *command: str) -> Process:
    log = home.log(name)
    log.unlink(missing_ok=True)
    return Process(name, command, log)


async def simulator_address(home: Home, system: str) -> str:
    """Where a simulator speaks its system's protocol, as soon as it does."""
    socket = home.run / f"sim-{system}.sock"
    while True:
        if socket.exists():
            async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
                stub: SimulatorServiceAsyncStub = SimulatorServiceStub(channel)
                try:
                    return (await stub.GetSimulator(GetSimulatorRequest(), timeout=1)).address
                except grpc.aio.AioRpcError:
                    pass
        await asyncio.sleep(POLL)


async def _until_served(home: Home, options: Options, told: Callable[[str], None]) -> None:
    """Until every adapter registered at the hub, Envoy has a healthy host for each of their interfaces and of the hub's own, and its doors
    are open; tells of each system once."""
    admin, ports = Admin(home.admin_socket), options.ports
    taken = {ports.grpc, ports.json, ports.console} - {0}
    served: set[str] = set()
    while True:
        instances = await _instances(home)
        for system in sorted({one.system for one in instances} - served):
            if await admin.healthy(await _clusters(admin, system, instances)):
                told(f"{system} is served")
                served.add(system)
        if served >= {HUB_SYSTEM, *options.systems} and await admin.listens(taken):
            return
        await asyncio.sleep(POLL)


async def _clusters(admin: Admin, system: str, instances: tuple[Instance, ...]) -> set[str]:
    """Envoy's clusters of a system: its own interfaces, and those of others that it serves or subscribes to. Of the hub's own, those that
    Envoy knows, for some are no consumer's business; while it knows none, all. A system that only asks others has none."""
    served = {interface for one in instances if one.system == system for interface in one.interfaces}
    try:
        known = await admin.hosts()
    except EnvoyGoneError:
        return served
    if system == HUB_SYSTEM:
        return served & known.keys() or served
    return {shared if (shared := cluster_name(interface, system)) in known else interface for interface in served}


async def _late(home: Home, options: Options, supervisor: Supervisor) -> str:
    """Who kept everybody waiting, each with its log: what keeps ending, and adapters that never registered; Envoy when it is neither."""
    known = {one.system for one in await _instances(home)}
    silent = {f"adapter-{system}" for system in options.systems if system not in known}
    late = [one for one in supervisor.processes if one.restarts or one.state != "running" or one.name in silent]
    late = late or [one for one in supervisor.processes if one.name == ENVOY]
    return ", ".join(f"{one.name} ({one.state}, restarted {one.restarts} times, see {one.log})" for one in late)


async def _instances(home: Home) -> tuple[Instance, ...]:
    async with grpc.aio.insecure_channel(f"unix:{home.hub_socket}") as channel:
        stub: MeshServiceAsyncStub = MeshServiceStub(channel)
        try:
            mesh = await stub.GetMesh(GetMeshRequest(), timeout=1)
        except grpc.aio.AioRpcError:
            return ()
    return tuple(mesh.instances)
