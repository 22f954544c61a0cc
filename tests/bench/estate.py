"""Starts what is measured, in a home of its own on free ports: bare server, plain Envoy, hub with edge and adapter, consumer's sidecar."""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from hub.identity import Officer, Store, issue_token
from hub.laptop.claiming import free_ports
from hub.laptop.estate import envoy_binary
from hub.laptop.layout import DEVELOPER, EDGE, TRUST_DOMAIN, Home
from hub.laptop.preparing import Ports, prepare
from hub.laptop.supervisor import Process, Supervisor
from hub.mesh.admin import Admin
from hub.mesh.inputs import cluster_name
from tests.bench import envoys
from tests.bench.bare import COUNTER
from tests.bench.cores import aside
from tests.bench.exchange import Exchange, another, compared_contracts, from_the_edge, the_exchange

POLL = 0.05
READY_WITHIN = 30.0
LAST_LINES = 3
BARE, PLAIN, FULL, ALONE = "bare server", "Envoy + bare server", "full path", "the adapter by itself"


class NotReadyError(Exception):
    """Something did not come up in time."""


@dataclass(frozen=True)
class Target:
    """One path, as the generators and the counters see it."""

    name: str
    port: int
    """Where the sidecar takes calls in clear for it; 0 where the generator itself asks at `address`, over one connection, as an Envoy of
    one thread does."""
    address: str
    """Where a gRPC client with a certificate reaches it without the sidecar."""
    secured: bool
    processes: dict[str, int]
    """Process ids by role; the load generator is not among them."""
    answered: Callable[[], Awaitable[int]] | None
    """How many calls ended with grpc-status 0, ever; None where only the bytes of the replies tell."""
    headers: tuple[tuple[str, str], ...] = ()
    """What a call bears."""


@dataclass(frozen=True)
class Estate:
    """Everything that runs."""

    exchange: Exchange
    targets: tuple[Target, ...]
    steps: tuple[Target, ...]
    """The edge with one thing less each time (`envoys.STEPS`), before the bare server; empty when they were not asked for."""
    alone: Target
    """The adapter of the full path, without anything in front of it."""
    identity: envoys.Identity
    token: str
    envoy: str
    """Envoy's version."""
    hub: Path = Path()
    """The hub's socket."""


@asynccontextmanager
async def running(told: Callable[[str], None], *, ablation: bool, mirrored: bool = False) -> AsyncIterator[Estate]:
    """The estate for the length of the block; `mirrored` with another system behind the operation, which may be compared. Raises
    `NotReadyError` with the last words of each process."""
    with tempfile.TemporaryDirectory(prefix="metip-bench-") as folder:
        home = Home.at(Path(folder))
        ports = free_ports(4 + 2 * len(envoys.STEPS) + 3)
        prepare(home, Ports(ports[0], ports[1]))
        supervisor = Supervisor(home.processes, lambda process, words: told(f"{process.name} {words}"))
        try:
            try:
                async with asyncio.timeout(READY_WITHIN):
                    estate = await _start(home, ports, supervisor, ablation, mirrored)
            except TimeoutError:
                raise NotReadyError("\n".join(_last_words(one) for one in supervisor.processes)) from None
            yield estate
        finally:
            await supervisor.stop_all(lambda name: name in ("sidecar", "full"))


async def _start(home: Home, ports: tuple[int, ...], supervisor: Supervisor, ablation: bool, mirrored: bool) -> Estate:
    exchange = the_exchange(shared=mirrored)
    path = exchange.operation.path
    store = Store(home.identity)
    developer = envoys.Identity(store.certificate(DEVELOPER), store.key(DEVELOPER), store.ca_certificate)
    edge = envoys.Identity(store.certificate(EDGE), store.key(EDGE), store.ca_certificate)
    run = _Runner(home, supervisor)
    bare = f"unix:{home.run}/bare.sock"
    run.python("bare", "tests.bench.bare", str(home.run / "bare.sock"))
    served = (str(home.run), f"unix:{home.hub_socket}", str(home.journals), str(home.ledger_keys))
    run.python("hub", "hub", "--settings", str(home.hub_settings), *(_compared(home, exchange) if mirrored else ()), apart=mirrored)
    run.python("full", "tests.bench.adapter", *served, *(("primary",) if mirrored else ()))
    if mirrored:
        run.python("shadow", "tests.bench.adapter", *served, "shadow", apart=True)
    run.envoy("edge", home.bootstrap)
    plain_port, pipe_ports = ports[2], ports[4 : 4 + 3]
    run.envoy("plain", envoys.plain(plain_port, bare, path, home.run / "plain.sock"))
    admin = Admin(home.admin_socket)
    shadows = {cluster_name(exchange.operation.interface, another(exchange))} if mirrored else set()
    while not await admin.healthy({exchange.operation.interface, *shadows}):  # noqa: ASYNC110 - another process is asked, which can set no event here
        await asyncio.sleep(POLL)
    own, step_ports = f"127.0.0.1:{ports[0]}", ports[7 : 7 + len(envoys.STEPS)]
    pipes = [
        envoys.Pipe("bare", pipe_ports[0], bare, secured=False),
        envoys.Pipe("plain", pipe_ports[1], f"127.0.0.1:{plain_port}", secured=False),
        envoys.Pipe("full", pipe_ports[2], own, secured=True),
    ]
    if ablation:
        run.envoy("steps", envoys.ablated(await _settled(admin), path, bare, step_ports, edge, home.run / "steps.sock"))
        last = len(envoys.STEPS) - 1
        into = ports[7 + len(envoys.STEPS) :]
        pipes += [
            envoys.Pipe(f"step-{number}", into[number], f"127.0.0.1:{port}", secured=number < last)
            for number, port in enumerate(step_ports)
        ]
    run.envoy("sidecar", envoys.sidecar(pipes, developer, home.run / "sidecar.sock"))
    for name in ("plain", "sidecar", *(("steps",) if ablation else ())):
        while not await Admin(home.run / f"{name}.sock").live():  # noqa: ASYNC110 - as above
            await asyncio.sleep(POLL)

    async def answered_by_bare() -> int:
        async with grpc.aio.insecure_channel(bare) as channel:
            call: Any = channel.unary_unary(f"/{COUNTER}/Answered")
            return int(await call(b"", wait_for_ready=True))

    async def answered_by_full() -> int:
        return await _answered(admin, exchange)

    await answered_by_bare()
    token = _token(store)
    bearer = (("authorization", f"Bearer {token}"),)
    at_bare = partial(Target, answered=answered_by_bare, headers=bearer)
    targets = (
        at_bare(BARE, pipe_ports[0], bare, False, run.pids(sidecar="sidecar", python="bare")),
        at_bare(PLAIN, pipe_ports[1], f"127.0.0.1:{plain_port}", False, run.pids(sidecar="sidecar", envoy="plain", python="bare")),
        Target(
            FULL,
            pipe_ports[2],
            f"localhost:{ports[0]}",
            True,
            run.pids(sidecar="sidecar", envoy="edge", python="full"),
            answered_by_full,
            bearer,
        ),
    )
    steps = tuple(at_bare(pipe.name, pipe.port, pipe.to, pipe.secured, run.pids(envoy="steps", python="bare")) for pipe in pipes[3:])
    socket = f"unix:{home.run}/adapter-{exchange.system}.sock"
    alone = Target(ALONE, 0, socket, False, run.pids(python="full"), None, from_the_edge(token))
    return Estate(exchange, targets, steps, alone, developer, token, await admin.version(), home.hub_socket)


def _compared(home: Home, exchange: Exchange) -> tuple[str, str]:
    """The hub's contracts, in which the operation may be compared."""
    path = home.root / "contracts.binpb"
    path.write_bytes(compared_contracts(exchange))
    return "--contracts", str(path)


class _Runner:
    """Starts processes in a home."""

    def __init__(self, home: Home, supervisor: Supervisor) -> None:
        self._home, self._supervisor = home, supervisor

    def python(self, name: str, module: str, *arguments: str, apart: bool = False) -> None:
        """A module of this interpreter; `apart` as if it were on a machine of its own."""
        command = (sys.executable, "-m", module, *arguments)
        self._start(name, *(aside(command) if apart else command))

    def envoy(self, name: str, config: Path | envoys.Json) -> None:
        """An Envoy of one thread."""
        if isinstance(config, Path):
            path = config
        else:
            path = self._home.root / f"{name}.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(config), encoding="utf-8")
        self._start(name, envoy_binary(), "-c", str(path), "--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", "1")

    def pids(self, **roles: str) -> dict[str, int]:
        """Process ids by role."""
        known = {one.name: one.pid for one in self._supervisor.processes}
        return {role: pid for role, name in roles.items() if (pid := known[name]) is not None}

    def _start(self, name: str, *command: str) -> None:
        self._supervisor.start(Process(name, command, self._home.log(name)))


def _last_words(process: Process) -> str:
    lines = process.log.read_text(encoding="utf-8", errors="replace").splitlines() if process.log.exists() else []
    return "\n  ".join((f"{process.name} ({process.state}, restarted {process.restarts} times)", *lines[-LAST_LINES:]))


async def _settled(admin: Admin) -> envoys.Json:
    """The edge's whole configuration, once no listener is warming any more."""
    while True:
        dump: envoys.Json = await admin.json("/config_dump")
        found = next((one for one in dump["configs"] if "dynamic_listeners" in one), None)
        if found and all("active_state" in one for one in found["dynamic_listeners"]):
            return dump
        await asyncio.sleep(POLL)


async def _answered(admin: Admin, exchange: Exchange) -> int:
    """Calls of the operation that ended with grpc-status 0, as the edge counts them."""
    name = f"cluster.{exchange.operation.interface}.grpc.{exchange.operation.name.replace('/', '.')}.0"
    page = json.loads(await admin.get(f"/stats?format=json&filter=^{re.escape(name)}$"))
    return next((int(one["value"]) for one in page["stats"] if one.get("name") == name), 0)


def _token(store: Store) -> str:
    officer = Officer("P123456", "01", "ZD", ("officer",))
    consumer = f"spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}"
    return issue_token(store, officer, authorised_party=consumer, lifetime=timedelta(hours=1), now=datetime.now(UTC))
