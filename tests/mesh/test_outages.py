"""What callers notice when parts of the estate die, sicken or change: for a query, nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import RecordedCase
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from mesh_rig import Load, MeshRig, load, running_mesh, until
from samples import query, send, write_once

from metip.hub.v1.mesh_service_pb2 import GetMeshRequest
from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceStub
from metip.hub.v1.registry_service_pb2 import DeregisterRequest, Instance, RegisterRequest
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceStub

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
CASE = query(write_once().system)
INTERFACE = CASE.operation.interface
ADAPTER = f"adapter-{CASE.system}"
KILLS = 4
CHANGES = 50
KINDS = 5
"""Types of resources that Envoy takes from the hub: secrets, clusters, endpoints, listeners, routes."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """One system with two workers, in an estate that may be broken."""
    async with running_mesh(tmp_path_factory.mktemp("outages"), workers=2, systems=(CASE.system,)) as rig:
        await until(lambda: rig.healthy(INTERFACE, 2))
        yield rig


class Standing:
    """An instance of the test's own: answers each call of the interface the same way, and is registered like any other."""

    def __init__(self, rig: MeshRig, name: str, answer: grpc.StatusCode | bytes, case: RecordedCase = CASE) -> None:
        self.socket = rig.home.run / f"{name}.sock"
        self.asked = 0
        self._rig, self._name, self._answer = rig, name, answer
        self._operation = case.operation
        self._server = grpc.aio.server()

    async def __aenter__(self) -> "Standing":
        async def handle(_request: bytes, context: Any) -> bytes:
            self.asked += 1
            if isinstance(self._answer, bytes):
                return self._answer
            await context.abort(self._answer, "sick")
            raise AssertionError("unreachable: abort always raises")

        methods: Any = {self._operation.method: grpc.unary_unary_rpc_method_handler(handle)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(self._operation.interface, methods),))
        state = health.aio.HealthServicer()
        await state.set(self._operation.interface, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(state, self._server)
        self._server.add_insecure_port(f"unix:{self.socket}")
        await self._server.start()
        await self.register()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.deregister()
        await self._server.stop(0.5)

    async def register(self) -> None:
        instance = Instance(id=self._name, system=CASE.system, interfaces=[self._operation.interface], address=f"unix:{self.socket}")
        async with grpc.aio.insecure_channel(f"unix:{self._rig.home.hub_socket}") as channel:
            stub: Any = RegistryServiceStub(channel)
            await stub.Register(RegisterRequest(instance=instance))

    async def deregister(self) -> None:
        async with grpc.aio.insecure_channel(f"unix:{self._rig.home.hub_socket}") as channel:
            stub: Any = RegistryServiceStub(channel)
            await stub.Deregister(DeregisterRequest(instance_id=self._name))

    async def known(self, *, wanted: bool) -> bool:
        hosts = (await self._rig.admin.hosts()).get(self._operation.interface, ())
        return any(host.address == str(self.socket) and host.healthy for host in hosts) is wanted


async def test_a_killed_hub_is_not_noticed_by_callers(estate: MeshRig) -> None:
    channel, token = estate.channel(), estate.token()
    async with load(lambda: send(estate, CASE, channel, metadata=token)) as calls:
        for _ in range(2):
            await estate.kill("hub")
            await _more(calls, 100)
            await until(lambda: _hub_is_followed(estate), within=60)
            await _more(calls, 100)  # what the new hub told Envoy must be good, too
    assert calls.failed == []


async def _more(calls: Load, number: int) -> None:
    before = calls.done

    async def went_on() -> bool:
        return calls.done >= before + number or bool(calls.failed)

    await until(went_on)


async def _hub_is_followed(rig: MeshRig) -> bool:
    """Whether Envoy has taken everything that the hub has to say since it started."""
    async with grpc.aio.insecure_channel(f"unix:{rig.home.hub_socket}") as channel:
        stub: Any = MeshServiceStub(channel)
        try:
            mesh = await stub.GetMesh(GetMeshRequest(), timeout=1)
        except grpc.aio.AioRpcError:
            return False
    return any(len([version for version in envoy.accepted.values() if version]) == KINDS for envoy in mesh.envoys)


async def test_killed_workers_are_not_noticed_by_queries(estate: MeshRig) -> None:
    channel, token = estate.channel(), estate.token()
    async with load(lambda: send(estate, CASE, channel, metadata=token), pause=0) as calls:
        for _ in range(KILLS):
            await _more(calls, 20)
            victim = estate.workers(ADAPTER)[0]
            os.kill(victim, signal.SIGKILL)

            async def replaced(victim: int = victim) -> bool:
                now = estate.workers(ADAPTER)
                return len(now) == 2 and victim not in now

            await until(replaced)
            await until(lambda: estate.healthy(INTERFACE, 2))
    assert calls.failed == []
    assert calls.done > 500


async def test_a_sick_instance_is_ejected_and_its_calls_go_elsewhere(estate: MeshRig) -> None:
    channel, token = estate.channel(), estate.token()
    async with Standing(estate, "sick", grpc.StatusCode.UNAVAILABLE) as sick:
        await until(lambda: sick.known(wanted=True))
        async with load(lambda: send(estate, CASE, channel, metadata=token), pause=0) as calls:
            await until(lambda: _ejected(estate, sick.socket))
            asked = sick.asked
            await asyncio.gather(*(send(estate, CASE, channel, metadata=token) for _ in range(50)))
        assert calls.failed == []
        assert sick.asked <= asked + 5, "an ejected instance gets no calls, but for those that were on their way"


async def _ejected(rig: MeshRig, socket: Path) -> bool:
    hosts = (await rig.admin.hosts()).get(INTERFACE, ())
    return any(host.address == str(socket) and host.ejected for host in hosts)


async def test_a_command_that_met_a_sick_instance_is_not_sent_to_a_healthy_one(estate: MeshRig) -> None:
    case = write_once()
    assert case.system == CASE.system, "the estate of this module runs one system"
    channel, token = estate.channel(), estate.token()
    refused = 0
    async with Standing(estate, "refusing", grpc.StatusCode.UNAVAILABLE, case) as sick:
        await until(lambda: sick.known(wanted=True))
        for _ in range(60):
            try:
                await send(estate, case, channel, metadata=token)
            except grpc.aio.AioRpcError as error:
                refused += error.code() is grpc.StatusCode.UNAVAILABLE
        assert sick.asked > 0
        assert refused == sick.asked, "each call that met the sick instance must have failed, for it was sent nowhere else"


async def test_fifty_changes_under_load_fail_no_call(estate: MeshRig) -> None:
    channel, token = estate.channel(), estate.token()
    good = await send(estate, CASE, channel, metadata=token)
    async with Standing(estate, "coming-and-going", good) as standing:
        async with load(lambda: send(estate, CASE, channel, metadata=token), pause=0) as calls:
            for change in range(CHANGES):
                if change % 2:
                    await standing.register()
                    await until(lambda: standing.known(wanted=True))
                else:
                    await standing.deregister()
                    assert await standing.known(wanted=False), "who left may stop at once"
        assert calls.failed == []
        assert calls.done > CHANGES
        assert standing.asked > 0


async def test_a_planned_stop_of_a_worker_fails_no_call_not_even_one_that_is_never_repeated(estate: MeshRig) -> None:
    case = write_once()
    channel, token = estate.channel(), estate.token()
    async with load(lambda: send(estate, case, channel, metadata=token), pause=0) as calls:
        await _more(calls, 20)
        victim = estate.workers(ADAPTER)[0]
        os.kill(victim, signal.SIGTERM)

        async def replaced() -> bool:
            now = estate.workers(ADAPTER)
            return len(now) == 2 and victim not in now

        await until(replaced)
        await until(lambda: estate.healthy(INTERFACE, 2))
    assert calls.failed == []
    assert calls.done > 50


async def test_a_policy_change_takes_effect_and_a_broken_one_changes_nothing(estate: MeshRig) -> None:
    stranger, token = estate.channel("newcomer"), estate.token("newcomer")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(estate, CASE, stranger, metadata=token)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    policy = estate.home.access.read_text()
    estate.home.access.write_text(f"{policy}  - consumer: {estate.spiffe_id('newcomer')}\n    operations: [{CASE.operation.name}]\n")

    async def let_in() -> bool:
        try:
            return bool(await send(estate, CASE, stranger, metadata=token))
        except grpc.aio.AioRpcError:
            return False

    await until(let_in)
    estate.home.access.write_text("grants:\n  - consumre: oops\n")

    async def told() -> bool:
        return "file_refused" in estate.home.log("hub").read_text()

    await until(told)
    assert await let_in()
    estate.home.access.write_text(policy)


async def test_a_new_edge_certificate_is_shown_without_a_failed_call(estate: MeshRig) -> None:
    from hub.identity import describe, renew

    channel, token = estate.channel(), estate.token()
    before = describe(estate.store.certificate("edge")).serial
    async with load(lambda: send(estate, CASE, channel, metadata=token), pause=0) as calls:
        after = renew(estate.store, "edge").serial

        async def shown() -> bool:
            page = await estate.admin.json("/certs")
            serials = [one["serial_number"] for entry in page["certificates"] for one in entry["cert_chain"]]
            return any(int(serial, 16) == int(after, 16) for serial in serials)

        await until(shown)
        assert await send(estate, CASE, estate.channel(), metadata=token)
    assert before != after
    assert calls.failed == []
