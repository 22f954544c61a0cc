"""A real Envoy takes its configuration from the publisher over ADS, in both protocols, and loses no call on the way."""

import asyncio
import itertools
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from ads_rig import CAUSE, now
from envoy_process import RunningEnvoy, ads_bootstrap, running_envoy, short_directory
from mesh_samples import cluster, endpoint, listener, route, secret, self_signed
from waiting import until

from hub.mesh.ads import SERVER_OPTIONS, AdsService
from hub.mesh.history import Change, Outcome
from hub.mesh.publisher import Publisher
from hub.mesh.resources import ResourceType, Snapshot

IN_BOTH = pytest.mark.parametrize("delta", [pytest.param(False, id="sotw"), pytest.param(True, id="delta")])
WORKERS = 8


class ControlPlane:
    """A publisher and its ADS server on a unix socket, which can be stopped and started anew with nothing in mind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def start(self) -> None:
        self.publisher = Publisher(now)
        self.ads = AdsService(self.publisher, now)
        self.server = grpc.aio.server(options=SERVER_OPTIONS)
        self.server.add_generic_rpc_handlers(self.ads.handlers())
        self.server.add_insecure_port(f"unix:{self.path}")
        await self.server.start()

    async def stop(self) -> None:
        self.ads.close()
        await self.server.stop(1)


@dataclass
class Client:
    """Calls through Envoy, one at a time or as a load; `answers` counts what came back, by backend or status."""

    channel: grpc.aio.Channel
    answers: Counter[str] = field(default_factory=Counter)

    async def say(self) -> str:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary("/test.v1.Echo/Say")
        return (await call(b"", timeout=5)).decode()

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Calls without pause for as long as the block lasts."""
        stop = asyncio.Event()

        async def work() -> None:
            while not stop.is_set():
                try:
                    self.answers[await self.say()] += 1
                except grpc.aio.AioRpcError as error:
                    self.answers[f"{error.code().name} {error.details()}"] += 1

        workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*workers)

    def failures(self) -> dict[str, int]:
        return {answer: count for answer, count in self.answers.items() if answer not in {"a", "b"}}


@dataclass
class Mesh:
    """A control plane, two backends `a` and `b` that answer with their name, and what it takes to call them."""

    directory: Path
    plane: ControlPlane

    def socket(self, name: str) -> Path:
        return self.directory / f"{name}.sock"

    def snapshot(self, name: str, backend: str = "a", *, regex: str | None = None, timeout: float = 1.0) -> Snapshot:
        """Everything to the cluster of this name, which is on one of the backends."""
        return Snapshot.of(
            [
                listener("edge", self.socket("edge"), "edge"),
                route("edge", name, regex=regex),
                cluster(name, connect_timeout=timeout),
                endpoint(name, self.socket(backend)),
            ]
        )

    async def publish(self, snapshot: Snapshot) -> Change:
        return await self.plane.publisher.publish(snapshot, CAUSE)

    async def accepted(self, snapshot: Snapshot) -> Change:
        """Publish what has to be accepted."""
        change = await self.publish(snapshot)
        assert change.outcome is Outcome.ACCEPTED, str(change)
        return change

    @asynccontextmanager
    async def behind_envoy(self, *, delta: bool) -> AsyncIterator[tuple[RunningEnvoy, Client]]:
        async with (
            running_envoy(ads_bootstrap(self.plane.path, delta=delta), self.directory) as envoy,
            grpc.aio.insecure_channel(f"unix:{self.socket('edge')}") as channel,
        ):
            yield envoy, Client(channel)


async def backend(path: Path, name: str) -> grpc.aio.Server:
    async def say(_request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return name.encode()

    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.v1.Echo", handlers)])
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    return server


@asynccontextmanager
async def mesh() -> AsyncIterator[Mesh]:
    with short_directory() as directory:
        made = Mesh(directory, ControlPlane(directory / "ads.sock"))
        backends = [await backend(made.socket(name), name) for name in ("a", "b")]
        await made.plane.start()
        try:
            yield made
        finally:
            await made.plane.stop()
            for server in backends:
                await server.stop(0)


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_traffic_flows_through_an_envoy_that_knows_nothing_but_its_control_plane(delta: bool) -> None:
    async with mesh() as made:
        await made.publish(made.snapshot("echo"))
        async with made.behind_envoy(delta=delta) as (_, client):
            assert await client.say() == "a"
            (connected,) = made.plane.ads.envoys()
            assert (connected.node_id, connected.cluster) == ("edge-1", "edge")
            assert connected.protocol == ("delta" if delta else "sotw")
            current = made.plane.publisher.current()
            asked = set(ResourceType) - {ResourceType.SECRET}
            assert connected.acked == {kind: current.version(kind) for kind in asked}
        await until(lambda: not made.plane.ads.envoys())


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_refused_change_is_taken_back_and_traffic_goes_on(delta: bool) -> None:
    async with mesh() as made:
        await made.publish(made.snapshot("echo"))
        good = made.plane.publisher.current()
        async with made.behind_envoy(delta=delta) as (envoy, client):
            async with client.load():
                change = await made.publish(made.snapshot("other", "b", regex="("))
            assert change.outcome is Outcome.REJECTED, str(change)
            (rejection,) = change.rejections
            assert (rejection.node_id, rejection.type) == ("edge-1", ResourceType.ROUTE)
            assert "missing )" in rejection.message
            assert made.plane.publisher.current() == good
            assert client.failures() == {}
            assert await client.say() == "a"
            (connected,) = made.plane.ads.envoys()
            assert connected.last_nack is not None
            assert connected.last_nack.message == rejection.message
            assert await envoy.stat("http.edge.rds.edge.update_rejected") == 1

            await made.accepted(made.snapshot("other", "b"))
            assert await client.say() == "b"


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_fifty_moves_to_a_new_cluster_lose_no_call(delta: bool) -> None:
    async with mesh() as made:
        await made.publish(made.snapshot("echo-0"))
        async with made.behind_envoy(delta=delta) as (envoy, client):
            async with client.load():
                for number, to in zip(range(1, 51), itertools.cycle("ba"), strict=False):
                    change = await made.accepted(made.snapshot(f"echo-{number}", to))
                    assert [stage.name for stage in change.stages] == ["prepare", "switch", "drop"]
            assert client.failures() == {}
            assert min(client.answers["a"], client.answers["b"]) > 10
            assert await envoy.stat("cluster_manager.active_clusters") == 2, "the control plane's and the last one"


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_cluster_changed_in_place_is_warm_before_the_next_change(delta: bool) -> None:
    """Envoy warms a changed cluster only when its endpoints come again, though they are the same."""
    async with mesh() as made:
        await made.publish(made.snapshot("echo"))
        async with made.behind_envoy(delta=delta) as (envoy, client):
            async with client.load():
                for number in range(1, 6):
                    await made.accepted(made.snapshot("echo", timeout=1 + number))
                    assert await envoy.stat("cluster_manager.warming_clusters") == 0
            assert client.failures() == {}
            (dump,) = (await envoy.json("/config_dump?resource=dynamic_active_clusters"))["configs"]
            assert dump["cluster"]["connect_timeout"] == "6s"


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_listener_changed_with_its_route_loses_no_call_on_open_connections(delta: bool) -> None:
    async with mesh() as made:
        await made.publish(made.snapshot("echo-0"))
        async with made.behind_envoy(delta=delta) as (_, client):
            async with client.load():
                for number in range(1, 4):
                    kept = (r for r in made.snapshot(f"echo-{number}", "b").all() if r.type is not ResourceType.LISTENER)
                    changed = listener("edge", made.socket("edge"), "edge", stat_prefix=f"edge-{number}")
                    await made.accepted(Snapshot.of([changed, *kept]))
            assert client.failures() == {}
            assert await client.say() == "b"


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_a_new_certificate_is_served_as_soon_as_its_change_is_accepted(delta: bool) -> None:
    async with mesh() as made:
        edge = listener("edge", made.socket("edge"), "edge", certificate="edge-cert")
        others = [edge, *(r for r in made.snapshot("echo").all() if r.type is not ResourceType.LISTENER)]

        async def serve(certificate: bytes, key: bytes) -> Change:
            return await made.accepted(Snapshot.of([*others, secret("edge-cert", certificate, key)]))

        async def served(certificate: bytes) -> str:
            trust = ssl.create_default_context(cadata=certificate.decode())
            reader, writer = await asyncio.open_unix_connection(made.socket("edge"), ssl=trust, server_hostname="edge")
            serial: str = writer.get_extra_info("peercert")["serialNumber"]
            writer.close()
            await reader.read()
            return serial.lstrip("0")

        before, after = self_signed("edge"), self_signed("edge")
        await serve(before[0], before[1])
        async with made.behind_envoy(delta=delta):
            assert await served(before[0]) == before[2]
            change = await serve(after[0], after[1])
            assert [(answer.node_id, answer.type) for answer in change.stages[0].acknowledgements] == [("edge-1", ResourceType.SECRET)]
            assert await served(after[0]) == after[2]


@IN_BOTH
@pytest.mark.asyncio(loop_scope="module")
async def test_calls_go_on_while_the_control_plane_is_away_and_envoy_comes_back_to_it(delta: bool) -> None:
    async with mesh() as made:
        await made.publish(made.snapshot("echo"))
        async with made.behind_envoy(delta=delta) as (envoy, client):
            async with client.load():
                await made.plane.stop()

                async def alone() -> bool:
                    return await envoy.stat("control_plane.connected_state") == 0

                await until(alone)
                await made.plane.start()
                # Envoy is back before anything is published: it keeps what it has.
                await until(lambda: made.plane.ads.envoys(), within=10)
                assert await client.say() == "a"
                await made.accepted(made.snapshot("echo"))
                await made.accepted(made.snapshot("other", "b"))
            assert client.failures() == {}
            assert await client.say() == "b"


@pytest.mark.asyncio(loop_scope="module")
async def test_two_envoys_of_either_protocol_move_together_and_lose_no_call() -> None:
    def snapshot(made: Mesh, name: str, to: str) -> Snapshot:
        """Each Envoy opens both listeners' sockets in its own folder, so that one snapshot does for both."""
        edge = listener("edge", Path("edge.sock"), "edge")
        return Snapshot.of([edge, *(r for r in made.snapshot(name, to).all() if r.type is not ResourceType.LISTENER)])

    async with mesh() as made:
        await made.publish(snapshot(made, "echo-0", "a"))
        folders = [made.directory / name for name in ("sotw", "delta")]
        for folder in folders:
            folder.mkdir()
        boots = [ads_bootstrap(made.plane.path, node_id=folder.name, delta=folder.name == "delta") for folder in folders]
        async with (
            running_envoy(boots[0], folders[0], concurrency=2),
            running_envoy(boots[1], folders[1]),
            grpc.aio.insecure_channel(f"unix:{folders[0] / 'edge.sock'}") as first,
            grpc.aio.insecure_channel(f"unix:{folders[1] / 'edge.sock'}") as second,
        ):
            clients = [Client(first), Client(second)]
            async with clients[0].load(), clients[1].load():
                for number, to in zip(range(1, 11), itertools.cycle("ba"), strict=False):
                    change = await made.accepted(snapshot(made, f"echo-{number}", to))
                    for stage in change.stages:
                        assert {answer.node_id for answer in stage.acknowledgements} == {"sotw", "delta"}
            assert [client.failures() for client in clients] == [{}, {}]
            assert [await client.say() for client in clients] == ["a", "a"]
