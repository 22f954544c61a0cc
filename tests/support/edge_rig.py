"""The edge alone: the real Envoy with what the compiler makes of the real contracts, and one far side that counts what reaches it.

Quick to start, and any limit can be set low, so that a test sees it bite. What an adapter would refuse is not refused here.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import grpc
from ads_rig import CAUSE, now
from envoy_process import RunningEnvoy, running_envoy, short_directory
from free_ports import free_ports
from grpc_health.v1 import health_pb2
from ruamel.yaml import YAML

from hub.console.serving import serving
from hub.contracts import load
from hub.identity import Officer, Store, issue, issue_token
from hub.identity.tokens import AUDIENCE, issuer_of
from hub.laptop.layout import Home
from hub.laptop.preparing import bootstrap
from hub.mesh.ads import SERVER_OPTIONS, AdsService
from hub.mesh.compile import compile_mesh
from hub.mesh.history import Change
from hub.mesh.inputs import AS_OWNED, Console, Edge, Grant, Instance, Limit, Policy, Tokens, Traffic
from hub.mesh.limits import Limits
from hub.mesh.publisher import Publisher
from metip.contracts import DeliveryClass, Operation

TRUST_DOMAIN = "metip.local"
CONSUMER = "developer"
OTHER = "another"
HEALTH = "/grpc.health.v1.Health/Check"
OFFICER = Officer("P123456", "01", "ZD", ("officer",))
Json = dict[str, Any]


def spiffe_id(name: str) -> str:
    """The SPIFFE ID of a consumer."""
    return f"spiffe://{TRUST_DOMAIN}/consumer/{name}"


@dataclass
class FarSide:
    """Answers every operation with the same message, an empty one at first, and keeps what it was called with."""

    calls: Counter[str] = field(default_factory=Counter)
    metadata: list[Mapping[str, str]] = field(default_factory=list)
    remaining: list[float] = field(default_factory=list)
    """Seconds that each call had left."""
    before: Callable[[], Any] | None = None
    """Awaited before each answer, to be slow."""
    reply: bytes = b""
    unavailable: bool = False
    """Whether every call is answered with UNAVAILABLE."""

    async def answer(self, _: bytes, context: Any) -> bytes:
        """Any unary operation."""
        self.metadata.append({key: value for key, value in context.invocation_metadata() if isinstance(value, str)})
        self.remaining.append(context.time_remaining() or 0.0)
        if self.unavailable:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "as the test wants it")
        if self.before is not None:
            await self.before()
        return self.reply


class _Anything(grpc.GenericRpcHandler):
    def __init__(self, far: FarSide) -> None:
        self.far = far

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        path = handler_call_details.method
        if path == HEALTH:
            return grpc.unary_unary_rpc_method_handler(_healthy)
        self.far.calls[path] += 1
        return grpc.unary_unary_rpc_method_handler(self.far.answer)


async def _healthy(_: bytes, __: Any) -> bytes:
    return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING).SerializeToString()


@dataclass
class EdgeRig:
    """A running edge and the ways to it."""

    envoy: RunningEnvoy
    store: Store
    far: FarSide
    port: int
    json_port: int
    operation: Operation
    """A query that needs an officer."""
    log: Path
    put: Callable[[Traffic], Awaitable[Change]]
    """Puts traffic settings in force."""
    console: Console | None = None
    channels: list[grpc.aio.Channel] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def files(self, name: str = CONSUMER) -> tuple[Path, Path]:
        """Certificate and key of a consumer, made when they are not there yet."""
        if not self.store.certificate(name).exists():
            issue(self.store, spiffe_id(name), name=name)
        return self.store.certificate(name), self.store.key(name)

    def channel(self, name: str = CONSUMER, *options: tuple[str, int]) -> grpc.aio.Channel:
        """A connection of its own to the edge."""
        certificate, key = self.files(name)
        credentials = grpc.ssl_channel_credentials(self.store.ca_certificate.read_bytes(), key.read_bytes(), certificate.read_bytes())
        settings = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0), *options]
        channel = grpc.aio.secure_channel(f"localhost:{self.port}", credentials, options=settings)
        self.channels.append(channel)
        return channel

    def tls(self, *protocols: str, name: str = CONSUMER) -> ssl.SSLContext:
        """What a client shows and trusts, for connections by hand; a new one each time."""
        context = ssl.create_default_context(cafile=str(self.store.ca_certificate))
        context.load_cert_chain(*self.files(name))
        context.set_alpn_protocols(list(protocols or ("h2",)))
        return context

    def token(self, name: str = CONSUMER) -> list[tuple[str, str]]:
        """Metadata with an officer token issued to a consumer; the same each time."""
        if name not in self.tokens:
            self.tokens[name] = issue_token(self.store, OFFICER, authorised_party=spiffe_id(name), now=datetime.now(UTC))
        return [("authorization", f"Bearer {self.tokens[name]}")]

    async def call(self, channel: grpc.aio.Channel, *metadata: tuple[str, str], name: str = CONSUMER, within: float = 5.0) -> bytes:
        """Calls the operation with an officer's token and an empty message. Raises `grpc.aio.AioRpcError`."""
        ask: Any = channel.unary_unary(self.operation.path)
        reply: bytes = await ask(b"", timeout=within, metadata=[*self.token(name), *metadata])
        return reply

    async def status(self, channel: grpc.aio.Channel, *metadata: tuple[str, str], name: str = CONSUMER, within: float = 5.0) -> str:
        """How such a call ends: OK, or the status by name."""
        try:
            await self.call(channel, *metadata, name=name, within=within)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    async def lines(self) -> list[str]:
        """The access log so far, once Envoy has written it down."""
        await self.envoy.post("/reopen_logs")
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@asynccontextmanager
async def running_edge(
    limits: Limits | None = None,
    *,
    own: Sequence[Limit] = (),
    bootstrapped: Callable[[Json], None] = lambda _: None,
    hosts: int = 1,
    console: Callable[[Path, Store], Console] | None = None,
    beside: Callable[[Store], Awaitable[None]] | None = None,
) -> AsyncIterator[EdgeRig]:
    """An edge for the length of the block. `bootstrapped` may change Envoy's bootstrap, which is that of production otherwise; `own`
    are rates of single consumers; `hosts` is how many endpoints the operation has, of which only the first listens; `console` makes the
    console's settings, with the far side in the hub's place, its files in `console.sock` of that folder, and a port of its own;
    `beside` starts what Envoy needs to be there first."""
    known = load(date.min)
    with short_directory() as directory:
        store = Store(directory / "identity")
        store.ensure(trust_domain=TRUST_DOMAIN)
        issue(store, f"spiffe://{TRUST_DOMAIN}/edge", name="edge", dns=("localhost",), addresses=("127.0.0.1",), now=datetime.now(UTC))
        port, json_port = free_ports(2)
        edge = Edge(
            trust_domain=TRUST_DOMAIN,
            address="127.0.0.1",
            port=port,
            json_port=json_port,
            certificate=store.certificate("edge").read_text(),
            key=store.key("edge").read_text(),
            authority=store.ca_certificate.read_text(),
            tokens=Tokens(issuer_of(TRUST_DOMAIN), AUDIENCE, store.jwks.read_text()),
            access_log=str(directory / "access.log"),
            limits=limits or Limits(),
            console=console(directory, store) if console else None,
        )
        operation = next(
            one
            for one in known.operations.values()
            if one.delivery_class is DeliveryClass.READ and one.officer_required and not one.server_streams and not known.serving(one.name)
        )
        policy = Policy(tuple(Grant(spiffe_id(name), ("*",)) for name in (CONSUMER, OTHER)), tuple(own))
        system = known.interface(operation.interface).system
        instances = tuple(
            Instance(f"far-{place}", system, (operation.interface,), f"unix:{directory}/far-{place}.sock") for place in range(hosts)
        )
        far = FarSide()
        async with AsyncExitStack() as stack:
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((_Anything(far),))
            server.add_insecure_port(instances[0].address)
            await server.start()
            if edge.console is not None:
                await stack.enter_async_context(serving(Path(edge.console.files)))
            stack.push_async_callback(server.stop, None)
            if beside is not None:
                await beside(store)
            publisher = Publisher(now)
            ads = AdsService(publisher, now)
            control = grpc.aio.server(options=SERVER_OPTIONS)
            control.add_generic_rpc_handlers(ads.handlers())
            control.add_insecure_port(f"unix:{directory / 'hub.sock'}")
            await control.start()
            stack.push_async_callback(control.stop, None)
            stack.callback(ads.close)

            async def put(traffic: Traffic) -> Change:
                return await publisher.publish(compile_mesh(known, instances, policy, edge, traffic), CAUSE)

            publishing = await put(AS_OWNED)
            assert publishing.outcome is not None
            said: Json = YAML(typ="safe", pure=True).load(bootstrap(Home.at(directory), xds="delta"))
            said["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = {
                "pipe": {"path": str(directory / "hub.sock")}
            }
            bootstrapped(said)
            envoy = await stack.enter_async_context(running_envoy(said, directory))
            rig = EdgeRig(envoy, store, far, port, json_port, operation, directory / "access.log", put, edge.console)
            await _until_served(rig)
            far.calls.clear()
            far.metadata.clear()
            try:
                yield rig
            finally:
                await asyncio.gather(*(one.close() for one in rig.channels))


async def _until_served(rig: EdgeRig) -> None:
    async with asyncio.timeout(15):
        while f"{rig.operation.interface}::" not in await rig.envoy.get("/clusters") or not await _healthy_host(rig):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _healthy_host(rig: EdgeRig) -> bool:
    page = await rig.envoy.json("/clusters?format=json")
    hosts = next((one.get("host_statuses", ()) for one in page["cluster_statuses"] if one["name"] == rig.operation.interface), ())
    listening = len((await rig.envoy.json("/listeners?format=json")).get("listener_statuses", ()))
    return listening >= (3 if rig.console else 2) and any(not one["health_status"].get("failed_active_health_check") for one in hosts)
