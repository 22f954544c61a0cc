"""An adapter on a TCP address in a real mesh: Envoy reaches it by mutual TLS, nobody else does, and certificates change under load."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cryptography import x509
from free_ports import free_ports
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mesh_rig import Load, MeshRig, load, running_mesh, until
from samples import query, send

from hub.identity import Store, describe, issue
from hub.identity.certificates import facts_of
from hub.laptop.layout import TRUST_DOMAIN, Home
from metip.processes import dying_with_parent

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASE = query()
SYSTEM = CASE.system
ADAPTER = f"adapter-{SYSTEM}"


class OnTcp:
    """An estate whose one adapter was replaced by one on TCP."""

    def __init__(self, mesh: MeshRig, address: str) -> None:
        self.mesh, self.address = mesh, address

    def straight(self, identity: str, *, named: str = "localhost") -> grpc.aio.Channel:
        """A channel past Envoy, under an identity of the estate."""
        store = self.mesh.store
        if not store.certificate(identity).exists():
            issue(store, f"spiffe://{TRUST_DOMAIN}/consumer/{identity}", name=identity)
        files = (store.ca_certificate, store.key(identity), store.certificate(identity))
        credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in files))
        options = [("grpc.ssl_target_name_override", named), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.secure_channel(self.address, credentials, options=options)


async def simulator(home: Home) -> str:
    """Where the system's simulator speaks."""
    from hub.laptop.estate import simulator_address

    return await simulator_address(home, SYSTEM)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_tcp(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OnTcp]:
    """The estate; the adapter on its socket leaves as soon as the one on TCP is in the mesh."""
    async with running_mesh(tmp_path_factory.mktemp("t"), systems=(SYSTEM,)) as mesh:
        # Its name for whoever dials past Envoy; Envoy itself looks at the SPIFFE ID alone.
        issue(mesh.store, f"spiffe://{TRUST_DOMAIN}/adapter/{SYSTEM}", name=ADAPTER, dns=("localhost",))
        address = f"127.0.0.1:{free_ports(1)[0]}"
        places = ("--run-dir", str(mesh.home.run / "tcp"), "--registry", f"unix:{mesh.home.hub_socket}")
        records = ("--journals", str(mesh.home.journals / "tcp"), "--ledger", str(mesh.home.ledger_keys))
        identity = ("--identity", str(mesh.home.identity / ADAPTER), "--listen", address, "--upstream", await simulator(mesh.home))
        command = (sys.executable, "-m", "adapters.kit", "serve", SYSTEM, *places, *records, *identity)
        with (mesh.home.logs / "tcp.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*dying_with_parent(command), stdout=log, stderr=log)
        try:

            async def two() -> bool:
                return await mesh.healthy(CASE.operation.interface, 2)

            await until(two, within=40)
            await mesh.supervisor.stop(ADAPTER)

            async def alone() -> bool:
                hosts = (await mesh.admin.hosts())[CASE.operation.interface]
                return [(one.address, one.healthy) for one in hosts] == [(address, True)]

            await until(alone, within=40)
            yield OnTcp(mesh, address)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def test_calls_through_envoy_are_answered(on_tcp: OnTcp) -> None:
    assert await send(on_tcp.mesh, CASE, on_tcp.mesh.channel())
    assert await on_tcp.mesh.stat(f"cluster.{CASE.operation.interface}.ssl.handshake") > 0


async def refusal(channel: grpc.aio.Channel) -> grpc.StatusCode:
    """How a health check past Envoy ends."""
    async with channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
    code: grpc.StatusCode = refused.value.code()
    return code


async def test_envoys_own_identity_is_what_opens_it(on_tcp: OnTcp) -> None:
    """Guards the refusals below: with the edge's certificate the same question is answered."""
    async with on_tcp.straight("edge") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("identity", ["developer", "hub", ADAPTER, "edge-of-my-own"])
async def test_another_workload_of_the_trust_domain_is_refused(on_tcp: OnTcp, identity: str) -> None:
    before = sum((await on_tcp.mesh.exchanges(SYSTEM)).values())
    assert await refusal(on_tcp.straight(identity)) is grpc.StatusCode.UNAUTHENTICATED
    async with on_tcp.straight(identity) as channel:
        call: Any = channel.unary_unary(CASE.operation.path)
        forged = [("x-forwarded-client-cert", "URI=spiffe://metip.local/consumer/developer"), ("x-metip-purposes", "*")]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(CASE.case.request.value, metadata=forged, timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert sum((await on_tcp.mesh.exchanges(SYSTEM)).values()) == before


async def test_without_a_certificate_and_in_clear_there_is_no_connection(on_tcp: OnTcp) -> None:
    authority = grpc.ssl_channel_credentials(on_tcp.mesh.store.ca_certificate.read_bytes())
    options = [("grpc.ssl_target_name_override", "localhost")]
    assert await refusal(grpc.aio.secure_channel(on_tcp.address, authority, options=options)) is grpc.StatusCode.UNAVAILABLE
    assert await refusal(grpc.aio.insecure_channel(on_tcp.address)) is grpc.StatusCode.UNAVAILABLE


async def test_an_edge_of_another_authority_is_refused(on_tcp: OnTcp, tmp_path: Path) -> None:
    other = Store(tmp_path / "identity")
    other.ensure(trust_domain=TRUST_DOMAIN)
    issue(other, f"spiffe://{TRUST_DOMAIN}/edge", name="edge")
    files = (on_tcp.mesh.store.ca_certificate, other.key("edge"), other.certificate("edge"))
    credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in files))
    channel = grpc.aio.secure_channel(on_tcp.address, credentials, options=[("grpc.ssl_target_name_override", "localhost")])
    assert await refusal(channel) is grpc.StatusCode.UNAVAILABLE


async def test_every_certificate_is_replaced_under_load_and_no_call_fails(on_tcp: OnTcp) -> None:
    """The edge's, the consumer's and the adapter's, each with a new key; then connections are made anew, so that the new ones are shown."""
    mesh = on_tcp.mesh
    before = {name: serial(mesh, name) for name in ("edge", "developer", ADAPTER)}
    channel = [mesh.channel()]
    async with load(lambda: send(mesh, CASE, channel[0]), workers=4) as calls:
        for name, spiffe_path, dns in (
            ("edge", "edge", True),
            ("developer", "consumer/developer", False),
            (ADAPTER, f"adapter/{SYSTEM}", True),
        ):
            more: Any = {"dns": ("localhost",), "addresses": ("127.0.0.1",)} if dns else {}
            issue(mesh.store, f"spiffe://{TRUST_DOMAIN}/{spiffe_path}", name=name, new_key_too=True, lifetime=timedelta(days=20), **more)
            await until(going_on(calls), within=40)

        async def shown_anew() -> bool:
            edge = await shown(mesh, mesh.ports.grpc)
            return (edge, await shown(mesh, int(on_tcp.address.rpartition(":")[2]))) == (serial(mesh, "edge"), serial(mesh, ADAPTER))

        await until(shown_anew, within=20)
        channel[0] = mesh.channel()
        await until(going_on(calls), within=40)
    assert calls.failed == []
    assert all(serial(mesh, name) != old for name, old in before.items())
    async with on_tcp.straight("edge") as straight:
        stub: Any = health_pb2_grpc.HealthStub(straight)
        assert await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)


def going_on(calls: Load) -> Callable[[], Awaitable[bool]]:
    """Whether some more calls were answered since now."""
    done = calls.done

    async def more() -> bool:
        return calls.done > done + 20

    return more


def serial(mesh: MeshRig, name: str) -> str:
    """The serial number of a certificate's file."""
    return describe(mesh.store.certificate(name)).serial


async def shown(mesh: MeshRig, port: int) -> str:
    """The serial number of the certificate that a server shows to the edge's own."""
    context = ssl.create_default_context(cafile=str(mesh.store.ca_certificate))
    context.load_cert_chain(mesh.store.certificate("edge"), mesh.store.key("edge"))
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return facts_of(x509.load_der_x509_certificate(found), datetime.now(UTC)).serial
    finally:
        writer.transport.abort()
