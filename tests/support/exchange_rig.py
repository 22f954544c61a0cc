"""A whole exchange on one machine for fault runs and measurements: hub, Envoy and subscribers of the test's own, over their own contract.

The subscriber keeps a ledger of effects, one line for each, outside everything that is killed: `<message id> <probe id> <line> <place>
<attempt> <redelivery>`. It is idempotent by probe id, as an idempotent far system is, and writes a line for every delivery that it was
given, so that a checker can tell effects from repetitions.
"""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from free_ports import free_ports
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from nats_server import NatsServer

import hatch_build
from hub.contracts import Contracts, load
from hub.identity import Officer, Store, issue_token
from hub.laptop.estate import LOG_SOON, envoy_binary
from hub.laptop.layout import DEVELOPER, TRUST_DOMAIN, Home
from hub.laptop.preparing import Ports, prepare
from hub.laptop.supervisor import Process, Supervisor
from hub.mesh.admin import Admin

ROOT = Path(hatch_build.__file__).parent
PROTOS = ROOT / "tests" / "faults" / "protos"
INTERFACE = "metip.probe.v1.ProbeService"
PROBE, ONCE = f"{INTERFACE}/PublishProbe", f"{INTERFACE}/PublishOnce"
SYSTEM, OLD = "probe", "probe_old"
"""Two platforms of one far system; the second one runs only where a test asks for it."""
SQLITE, JETSTREAM = "sqlite", "jetstream"
LOG = "nats-server"
OLD_TOO = "METIP_TEST_TWO_PLATFORMS"
"""Set where the contracts of a test have the second platform."""
POLL = 0.02
READY_WITHIN = 40.0
OPTIONS = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.max_reconnect_backoff_ms", 500)]


@cache
def descriptors() -> bytes:
    """The platform's contracts and the probe's, as one descriptor set."""
    import grpc_tools

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    own = [str(path.relative_to(ROOT / "protos")) for path in sorted((ROOT / "protos" / "metip").rglob("*.proto"))]
    platform = [path for path in own if path.split("/")[1] in ("common", "exchange", "hub", "options")]
    target = ROOT / ".metip" / ("platforms.binpb" if OLD_TOO in os.environ else "probe.binpb")
    target.parent.mkdir(exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"-I{ROOT / 'protos'}", f"-I{well_known}"]
    rules = f"--descriptor_set_in={ROOT / 'protos' / 'buf' / 'validate.binpb'}"
    flags = ["--include_imports", "--include_source_info", f"--descriptor_set_out={fresh}"]
    probes = ["metip/probe/v1/probe_service.proto", *(["metip/probe_old/v1/settings.proto"] if OLD_TOO in os.environ else [])]
    subprocess.run([*command, rules, *flags, *platform, *probes], check=True)
    data = fresh.read_bytes()
    fresh.unlink()
    return data


@cache
def contracts() -> Contracts:
    """The same, read."""
    return load(date.min, descriptor_set=descriptors())


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors()).file:
        pool.Add(file)
    return pool


def _read_again() -> None:
    """Which contracts there are the environment says, and it has changed."""
    for read in (descriptors, contracts, _pool):
        read.cache_clear()


def kind(name: str) -> type[Message]:
    """A message class of these contracts."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


def probe(probe_id: str, line: str = "", place: int = 0, *, filler: int = 0, not_before: float = 0.0, operation: str = PROBE) -> bytes:
    """A request of one of the two operations."""
    request: Any = kind(contracts().operations[operation].request)(id=probe_id, line=line, place=place)
    if not_before:
        request.not_before.FromNanoseconds(int(not_before * 1e9))
    if filler:
        request.filler = b"x" * filler
    return bytes(request.SerializeToString())


@dataclass
class ExchangeRig:
    """What runs."""

    home: Home
    ports: Ports
    supervisor: Supervisor
    ledger: Path
    subscribers: int
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    @property
    def admin(self) -> Admin:
        """Envoy's admin interface."""
        return Admin(self.home.admin_socket)

    def channel(self) -> grpc.aio.Channel:
        """A channel to the edge as the developer."""
        store = Store(self.home.identity)
        files = (store.ca_certificate, store.key(DEVELOPER), store.certificate(DEVELOPER))
        credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in files))
        channel = grpc.aio.secure_channel(f"localhost:{self.ports.grpc}", credentials, options=OPTIONS)
        self.channels.append(channel)
        return channel

    def tls(self) -> ssl.SSLContext:
        """What the developer shows and trusts, for HTTP/2 by hand."""
        store = Store(self.home.identity)
        context = ssl.create_default_context(cafile=str(store.ca_certificate))
        context.load_cert_chain(store.certificate(DEVELOPER), store.key(DEVELOPER))
        context.set_alpn_protocols(["h2"])
        return context

    def hub(self) -> grpc.aio.Channel:
        """A channel to the hub's own socket."""
        channel = grpc.aio.insecure_channel(f"unix:{self.home.hub_socket}", options=OPTIONS)
        self.channels.append(channel)
        return channel

    def token(self, warrant_number: str = "P123456") -> list[tuple[str, str]]:
        """Metadata with an officer's token, in the developer's hands."""
        officer = Officer(warrant_number, "01", "ZD", ("operations",))
        consumer = f"spiffe://{TRUST_DOMAIN}/consumer/{DEVELOPER}"
        return [
            ("authorization", f"Bearer {issue_token(Store(self.home.identity), officer, authorised_party=consumer, now=datetime.now(UTC))}")
        ]

    def effects(self) -> list[tuple[str, ...]]:
        """The subscribers' ledger, in the order in which they wrote; a last line without its end is none."""
        text = self.ledger.read_text(encoding="ascii") if self.ledger.exists() else ""
        return [tuple(line.removesuffix("\n").split("\t")) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def pid(self, name: str) -> int | None:
        """The process id of a supervised process, while it runs."""
        return next((one.pid for one in self.supervisor.processes if one.name == name), None)

    def kill(self, name: str, number: int = signal.SIGKILL) -> bool:
        """Sends a signal; whether there was somebody to get it."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    async def ready(self) -> None:
        """Until the edge serves the exchange and every subscriber is healthy in Envoy."""
        async with asyncio.timeout(READY_WITHIN):
            while not await self._served():  # noqa: ASYNC110 - other processes are asked, which can set no event here
                await asyncio.sleep(POLL)

    async def _served(self) -> bool:
        if not await self.admin.healthy({INTERFACE}):
            return False
        hosts = (await self.admin.hosts()).get(f"{SYSTEM}/{INTERFACE}", ())
        return sum(one.healthy for one in hosts) >= self.subscribers and await self._open()

    async def _open(self) -> bool:
        """Whether the edge listens: Envoy has its clusters before its listeners."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.ports.grpc)
        except ConnectionError:
            return False
        writer.close()
        return True

    def start_subscriber(self, number: int) -> None:
        """Starts one of the subscribers."""
        socket = self.home.run / f"{SYSTEM}-{number}.sock"
        arguments = (str(socket), f"unix:{self.home.hub_socket}", str(self.ledger), str(self.home.state / "mode"))
        command = (sys.executable, "-m", "tests.faults.subscriber", *arguments)
        self.supervisor.start(Process(f"subscriber-{number}", command, self.home.log(f"subscriber-{number}")))

    def start_platform(self, system: str, number: int = 0) -> None:
        """Starts a worker of one of two platforms; see `tests.faults.platform`."""
        socket, executions = self.home.run / f"{system}-{number}.sock", self.home.state / "executions" / f"{system}.sqlite"
        arguments = (system, str(number), str(socket), f"unix:{self.home.hub_socket}", str(self.ledger), str(executions))
        command = (sys.executable, "-m", "tests.faults.platform", *arguments)
        self.supervisor.start(Process(f"subscriber-{system}-{number}", command, self.home.log(f"{system}-{number}")))

    def mode(self, text: str) -> None:
        """What subscribers do from now on, in pairs of words; empty for their work.

        `poison <prefix>` refuses probes whose id begins so; `slow <seconds>` takes up to so long before the effect, and again after it.
        """
        fresh = self.home.state / "mode.new"
        fresh.write_text(text, encoding="ascii")
        fresh.replace(self.home.state / "mode")


@asynccontextmanager
async def running_exchange(
    directory: Path, *, subscribers: int = 1, engine: str = SQLITE, environment: dict[str, str] | None = None, hub_module: str = "hub"
) -> AsyncIterator[ExchangeRig]:
    """The rig for the length of the block, ready. `environment` is set for its processes; `python -m hub_module` is the hub."""
    home = Home.at(directory / "home")
    ports = Ports(*free_ports(3))
    prepare(home, ports)
    for old in home.run.glob("*.sock"):
        old.unlink()
    set_file = home.root / "contracts.binpb"
    set_file.write_bytes(descriptors())
    supervisor = Supervisor(home.processes)
    rig = ExchangeRig(home, ports, supervisor, home.root / "effects", subscribers)
    hub = (sys.executable, "-m", hub_module, "--settings", str(home.hub_settings), "--contracts", str(set_file))
    told = {"PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "support"), str(ROOT), str(ROOT / "protos"))), **(environment or {})}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    _read_again()
    set_file.write_bytes(descriptors())
    try:
        if engine == JETSTREAM:
            _start_log(home, supervisor)
        supervisor.start(Process("hub", hub, home.log("hub")))
        envoy = ("-c", str(home.bootstrap), "--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", "1", *LOG_SOON)
        supervisor.start(Process("envoy", (envoy_binary(), *envoy), home.log("envoy")))
        if OLD_TOO in told:
            rig.start_platform(SYSTEM)
            rig.start_platform(OLD)
        else:
            for number in range(subscribers):
                rig.start_subscriber(number)
        await rig.ready()
        yield rig
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        _read_again()
        for channel in rig.channels:
            await channel.close()
        await supervisor.stop_all(
            lambda name: name == "envoy" or name.startswith("subscriber"), lambda name: name == "hub", lambda name: name == LOG
        )


def _start_log(home: Home, supervisor: Supervisor) -> None:
    """A NATS server, and the hub's settings as they choose it."""
    folder = home.root / "nats"
    folder.mkdir()
    server = NatsServer(folder)
    text = home.hub_settings.read_text(encoding="utf-8")
    chosen = f"  jetstream:\n    servers: [{server.address}]\n    monitor: {server.monitor}\n    stream: probe\n    hub: one\n"
    home.hub_settings.write_text(text.replace("  sqlite: {}\n", chosen), encoding="utf-8")
    supervisor.start(Process(LOG, server.command, home.log(LOG)))
