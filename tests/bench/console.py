"""What it costs the hub that one operator looks: the map and the table of a wide estate under load, against the same hub unwatched."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import grpc

from hub.laptop.claiming import free_ports
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare
from hub.laptop.supervisor import Process, Supervisor
from hub.mesh.admin import Admin, EnvoyGoneError
from metip.estate.v1 import estate_pb2
from metip.estate.v1 import estate_service_pb2 as api
from metip.estate.v1.estate_service_pb2_grpc import EstateServiceStub
from metip.hub.v1.registry_service_pb2 import Instance, RegisterRequest
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceStub
from tests.bench.estate import POLL, NotReadyError
from tests.bench.sample import cpu_seconds
from tests.bench.wide import A_SYSTEM, interface_of, system_of, wide_contracts

BUDGET: Final = 0.1
"""Of a core, that one watcher may cost."""
RATE, INTERFACES = 1000.0, 200
SETTLES: Final = 12.0
"""Seconds until the window is full and the first answers are behind."""
AT_REST: Final = 7.0
"""Seconds after which nothing is asked any more when the last watcher has left."""
RENEWED: Final = 3.0
READY_WITHIN: Final = 90.0
"""Seconds; so wide a mesh is compiled in one go."""


@dataclass(frozen=True)
class Console:
    """What one watcher costs."""

    rate: float
    """Calls in a second that Envoy's log tells of."""
    interfaces: int
    edges: int
    """On the map."""
    unwatched: float
    """Share of a core that the hub takes while nobody looks: the ledger reads the same log."""
    watched: float
    """Share of a core that it takes while one does."""
    answers: int
    bytes_an_answer: float
    """The median, of those that tell what changed."""
    grown: float
    """Megabytes of memory by which the hub grew."""
    asked_at_rest: int | None
    """Pages that were asked for when nobody looked any more; None where nobody waited to see."""

    @property
    def cost(self) -> float:
        """Share of a core that looking costs."""
        return self.watched - self.unwatched

    @property
    def kept(self) -> bool:
        """Whether it keeps its budget."""
        return self.cost < BUDGET


async def measure_console(
    seconds: float,
    told: Callable[[str], None],
    *,
    interfaces: int = INTERFACES,
    settles: float = SETTLES,
    at_rest: float | None = AT_REST,
) -> Console:
    """Measures, for so many seconds each way. Raises `NotReadyError`."""
    told(f"starting a hub with {interfaces} interfaces more")
    async with _hub(interfaces, told) as (home, pid):
        admin = Admin(home.admin_socket)
        await asyncio.sleep(settles / 2)
        memory = _megabytes(pid)
        unwatched = await _share(pid, seconds)
        told(f"nobody looks: {unwatched:.1%} of a core")
        async with grpc.aio.insecure_channel(f"unix:{home.hub_socket}") as channel:
            stub: Any = EstateServiceStub(channel)
            seen = _Seen()
            watcher = asyncio.create_task(seen.watch(stub))
            await asyncio.sleep(settles)
            before = len(seen.sizes)
            watched = await _share(pid, seconds)
            watcher.cancel()
            await asyncio.wait((watcher,))
        told(f"one looks: {watched:.1%} of a core, {len(seen.sizes) - before} answers")
        grown, asked = _megabytes(pid) - memory, None
        if at_rest is not None:
            await asyncio.sleep(at_rest)
            before_rest = await _asked(admin)
            await asyncio.sleep(RENEWED)
            asked = await _asked(admin) - before_rest
        sizes = seen.sizes[before:]
        told_each = median(sizes) if sizes else 0.0
        return Console(RATE, interfaces, len(seen.edges), unwatched, watched, len(sizes), told_each, grown, asked)


class _Seen:
    """What a watcher was told: the map and a table, as the console asks for them."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.edges: dict[str, estate_pb2.Edge] = {}

    async def watch(self, stub: Any) -> None:
        request = api.WatchEstateRequest(rows=[estate_pb2.GROUPING_INTERFACE])
        async for answer in stub.WatchEstate(request):
            self.edges |= {edge.id: edge for edge in answer.estate.edges}
            self.sizes.append(answer.ByteSize())


@asynccontextmanager
async def _hub(interfaces: int, told: Callable[[str], None]) -> AsyncIterator[tuple[Home, int]]:
    """A hub with wide contracts, its process id, and what stands in for Envoy."""
    with tempfile.TemporaryDirectory(prefix="metip-bench-") as folder:
        home = Home.at(Path(folder))
        grpc_port, json_port, deliveries = free_ports(3)
        prepare(home, Ports(grpc_port, json_port, deliveries))
        (home.root / "contracts.binpb").write_bytes(wide_contracts(interfaces))
        supervisor = Supervisor(home.processes, lambda process, words: told(f"{process.name} {words}"))
        renewing: asyncio.Task[None] | None = None
        try:
            wide = (str(home.access_log), str(home.admin_socket), str(RATE), str(interfaces))
            supervisor.start(Process("envoy", (sys.executable, "-m", "tests.bench.wide", *wide), home.log("envoy")))
            hub = (sys.executable, "-m", "hub", "--settings", str(home.hub_settings), "--contracts", str(home.root / "contracts.binpb"))
            supervisor.start(Process("hub", hub, home.log("hub")))
            try:
                async with asyncio.timeout(READY_WITHIN):
                    await _ready(home)
            except TimeoutError:
                raise NotReadyError(home.log("hub").read_text(encoding="utf-8")[-2000:]) from None
            renewing = asyncio.create_task(_register(home, interfaces))
            pid = next(one.pid for one in supervisor.processes if one.name == "hub")
            assert pid is not None, "it is ready"
            yield home, pid
        finally:
            if renewing is not None:
                renewing.cancel()
                await asyncio.wait((renewing,))
            await supervisor.stop_all(lambda _: False)


async def _ready(home: Home) -> None:
    while True:
        try:
            await _asked(Admin(home.admin_socket))
            async with grpc.aio.insecure_channel(f"unix:{home.hub_socket}") as channel:
                stub: Any = EstateServiceStub(channel)
                await stub.GetEstate(api.GetEstateRequest(without_map=True), timeout=5)
                return
        except (EnvoyGoneError, grpc.aio.AioRpcError):
            await asyncio.sleep(POLL)


async def _register(home: Home, number_of: int) -> None:
    """An instance of each system, for as long as it is not cancelled."""
    async with grpc.aio.insecure_channel(f"unix:{home.hub_socket}") as channel:
        stub: Any = RegistryServiceStub(channel)
        while True:
            for first in range(0, number_of, A_SYSTEM):
                system = system_of(first)
                interfaces = [interface_of(number) for number in range(first, min(first + A_SYSTEM, number_of))]
                one = Instance(id=f"{system}-0", system=system, interfaces=interfaces, address=f"unix:/run/{system}.sock")
                await stub.Register(RegisterRequest(instance=one), timeout=5)
            await asyncio.sleep(RENEWED)


async def _asked(admin: Admin) -> int:
    """Pages that only the estate asks for, so far."""
    asked = await admin.json("/asked")
    return sum(asked.get(path, 0) for path in ("/stats", "/clusters"))


async def _share(pid: int, seconds: float) -> float:
    before, began = cpu_seconds({"hub": pid})["hub"], time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds({"hub": pid})["hub"] - before) / (time.monotonic() - began)


def _megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    found = asyncio.run(measure_console(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, lambda words: print(words, file=sys.stderr)))  # noqa: T201
    print(json.dumps(found.__dict__ | {"cost": found.cost, "kept": found.kept}, indent=1))  # noqa: T201
