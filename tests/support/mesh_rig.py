"""The whole estate for a test: real hub, real Envoy, real adapters and simulators, in a home of its own on ports of its own."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
from free_ports import free_ports
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from metric_pages import pages

from adapters.kit.serving import installed_contracts
from hub.identity import Officer, Store, issue, issue_token
from hub.laptop.estate import Options, running
from hub.laptop.layout import DEVELOPER, TRUST_DOMAIN, Home
from hub.laptop.preparing import Ports
from hub.laptop.supervisor import Supervisor
from hub.mesh.admin import Admin, EnvoyGoneError
from hub.mesh.inputs import cluster_name
from metip.cases.v1.case_pb2 import Fault
from metip.contracts import Operation
from metip.simulator.v1.simulator_service_pb2 import ClearFaultsRequest, GetSimulatorRequest, SetFaultsRequest
from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceStub

POLL = 0.05
OFFICER = Officer("P123456", "01", "ZD", ("officer",))


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = 15.0) -> None:
    """Waits for a condition, with a bound; raises TimeoutError. Asking, a command for instance, takes up half of the time at most."""
    async with asyncio.timeout(within):
        asked = time.monotonic()
        while not await condition():
            await asyncio.sleep(max(POLL, time.monotonic() - asked))
            asked = time.monotonic()


@dataclass
class MeshRig:
    """A running estate and the ways to reach it."""

    home: Home
    ports: Ports
    supervisor: Supervisor
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    @property
    def admin(self) -> Admin:
        """Envoy's admin interface."""
        return Admin(self.home.admin_socket)

    @property
    def store(self) -> Store:
        """The estate's identities."""
        return Store(self.home.identity)

    @property
    def edge(self) -> str:
        """Envoy's address for gRPC."""
        return f"localhost:{self.ports.grpc}"

    def spiffe_id(self, name: str) -> str:
        """The SPIFFE ID of a consumer."""
        return f"spiffe://{TRUST_DOMAIN}/consumer/{name}"

    def channel(self, name: str = DEVELOPER, *, files: tuple[Path, Path] | None = None) -> grpc.aio.Channel:
        """A channel to the edge under an identity, which is made when it is not there yet; `files` are another certificate and key."""
        if files is None and not self.store.certificate(name).exists():
            issue(self.store, self.spiffe_id(name), name=name)
        certificate, key = files or (self.store.certificate(name), self.store.key(name))
        credentials = grpc.ssl_channel_credentials(self.store.ca_certificate.read_bytes(), key.read_bytes(), certificate.read_bytes())
        channel = grpc.aio.secure_channel(
            self.edge, credentials, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        )
        self.channels.append(channel)
        return channel

    def token(
        self, name: str = DEVELOPER, *, lifetime: timedelta = timedelta(hours=1), now: datetime | None = None
    ) -> list[tuple[str, str]]:
        """Metadata with an officer token issued to a consumer."""
        token = issue_token(self.store, OFFICER, authorised_party=self.spiffe_id(name), lifetime=lifetime, now=now or datetime.now(UTC))
        return [("authorization", f"Bearer {token}")]

    @asynccontextmanager
    async def dials(self, faults: Mapping[str, Sequence[Fault]]) -> AsyncIterator[None]:
        """Sets dials of simulators, by system, for the length of the block."""
        for system, wanted in faults.items():
            await self._simulator(system).SetFaults(SetFaultsRequest(faults=wanted))
        try:
            yield
        finally:
            for system in faults:
                await self._simulator(system).ClearFaults(ClearFaultsRequest())

    @asynccontextmanager
    async def served_by(self, system: str, operation: Operation, share: int = 100) -> AsyncIterator[None]:
        """Lets a back end have that share of an operation's calls for the length of the block, by Envoy's runtime alone."""
        others = installed_contracts(date.min).serving(operation.name)
        keys = {f"weight.{cluster_name(operation.interface, one)}": share if one == system else 0 for one in others}
        keys[f"weight.{operation.interface}"] = 100 - share
        if system not in others:
            yield
            return
        await self.admin.post("/runtime_modify?" + urlencode(keys))
        try:
            yield
        finally:
            await self.admin.post("/runtime_modify?" + urlencode(dict.fromkeys(keys, "")))

    def _simulator(self, system: str) -> Any:
        channel = grpc.aio.insecure_channel(f"unix:{self.home.run}/sim-{system}.sock")
        self.channels.append(channel)
        return SimulatorServiceStub(channel)

    async def exchanges(self, system: str) -> dict[str, int]:
        """How often a simulator was asked what."""
        return dict((await self._simulator(system).GetSimulator(GetSimulatorRequest())).exchanges)

    async def stat(self, name: str) -> int:
        """One of Envoy's counters or gauges, by its exact name; 0 when it does not exist yet."""
        page = json.loads(await self.admin.get(f"/stats?format=json&filter=^{name.replace('.', '[.]')}$"))
        return next((int(one["value"]) for one in page["stats"] if one.get("name") == name), 0)

    def pid(self, name: str) -> int:
        """The process id of a supervised process."""
        found = next(one.pid for one in self.supervisor.processes if one.name == name)
        assert found is not None, f"{name} does not run"
        return found

    def workers(self, name: str) -> list[int]:
        """Process ids of the workers of a supervised adapter that has several."""
        children = Path(f"/proc/{self.pid(name)}/task/{self.pid(name)}/children").read_text()
        return [int(one) for one in children.split()]

    async def kill(self, name: str) -> None:
        """kill -9, and waits until the supervisor noticed."""
        process = next(one for one in self.supervisor.processes if one.name == name)
        before = process.restarts
        os.kill(self.pid(name), signal.SIGKILL)

        async def noticed() -> bool:
            return process.restarts > before

        await until(noticed)

    async def healthy(self, interface: str, hosts: int = 1) -> bool:
        """Whether Envoy has that many healthy hosts for an interface."""
        return sum(one.healthy for one in (await self.admin.hosts()).get(interface, ())) >= hosts


@asynccontextmanager
async def running_mesh(
    directory: Path,
    *,
    workers: int = 1,
    systems: tuple[str, ...] = (),
    xds: str = "delta",
    facades: bool = False,
    console: bool = False,
    traces: str = "",
) -> AsyncIterator[MeshRig]:
    """An estate for the length of the block, with a console and façades where they are asked for; `traces` is a collector's address."""
    grpc_port, json_port, deliveries, door, soap = free_ports(5)
    home, ports = Home.at(directory / "home"), Ports(grpc_port, json_port, deliveries, door if console else 0, soap if facades else 0)
    async with running(home, Options(ports=ports, workers=workers, only=systems, xds=xds, traces=traces)) as supervisor:
        rig = MeshRig(home, ports, supervisor)
        try:
            yield rig
        finally:
            for channel in rig.channels:
                await channel.close()
            with suppress(EnvoyGoneError):  # what Envoy counted, under which names; the session's end looks for personal data in it
                (home.logs / "envoy.stats").write_text(await rig.admin.get("/stats"))
            for process, text in (await pages(home.metrics)).items():  # and what every process counted
                (home.logs / f"{process}.metrics").write_text(text)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in an error's ErrorInfo; empty when it has none (Envoy's own refusals)."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # its stub knows the synchronous call only; the aio error works
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


@dataclass
class Load:
    """Calls that run in the background; what failed is kept."""

    done: int = 0
    failed: list[str] = field(default_factory=list)


@asynccontextmanager
async def load(call: Callable[[], Awaitable[object]], *, workers: int = 8, pause: float = 0.01) -> AsyncIterator[Load]:
    """Repeats a call from several workers for the length of the block; each pauses so many seconds after a call, so that what is tested
    has some of the machine. Without a pause there is always a call of each worker under way.
    """
    found = Load()
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            try:
                await call()
                found.done += 1
            except grpc.aio.AioRpcError as error:
                found.failed.append(f"{error.code().name}: {error.details()}")
            await asyncio.sleep(pause)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        yield found
    finally:
        over.set()
        await asyncio.gather(*tasks)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds since the block began."""
    started = time.monotonic()
    yield lambda: time.monotonic() - started
