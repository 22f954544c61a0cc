"""How long a call may take, and what the platform repeats: queries on UNAVAILABLE, commands never."""

from typing import Any

import grpc
import pytest
from mesh_rig import MeshRig, reason_of, stopwatch
from samples import federated, query, send, write_once

from metip.cases.v1.case_pb2 import Fault

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _count(mesh: MeshRig, system: str) -> int:
    return sum((await mesh.exchanges(system)).values())


async def test_the_callers_deadline_holds_end_to_end(mesh: MeshRig) -> None:
    case = query()
    async with mesh.dials({case.system: [Fault(dial="delay", setting="8s", times=1)]}):
        with stopwatch() as elapsed, pytest.raises(grpc.aio.AioRpcError) as late:
            await send(mesh, case, mesh.channel(), within=0.6)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert elapsed() < 1.5


async def test_a_silent_far_system_is_told_apart_before_the_deadline(mesh: MeshRig) -> None:
    case = query()
    async with mesh.dials({case.system: [Fault(dial="hang", times=1)]}):
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await send(mesh, case, mesh.channel(), within=1.5)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(late.value) == "TIMED_OUT", "the adapter itself must have said so, in time"


async def test_a_caller_without_a_deadline_is_bounded_by_the_contract(mesh: MeshRig) -> None:
    routes = await mesh.admin.get("/config_dump?resource=dynamic_route_configs")
    assert '"max_stream_duration": "10s"' in routes
    assert '"timeout": "0s"' in routes


async def test_a_query_is_repeated_when_the_far_system_drops_it(mesh: MeshRig) -> None:
    case = query()
    before = await _count(mesh, case.system)
    async with mesh.dials({case.system: [Fault(dial="drop", times=1)]}):
        assert await send(mesh, case, mesh.channel())
    assert await _count(mesh, case.system) == before + 2


async def test_a_query_is_not_repeated_for_ever(mesh: MeshRig) -> None:
    case = query()
    before = await _count(mesh, case.system)
    async with mesh.dials({case.system: [Fault(dial="drop", times=3)]}):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(mesh, case, mesh.channel())
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await _count(mesh, case.system) == before + 3
    assert await send(mesh, case, mesh.channel())


@pytest.mark.parametrize("dial", ["drop", "truncate", "garbage"])
async def test_a_write_once_command_is_never_sent_twice(dial: str, mesh: MeshRig) -> None:
    case = write_once()
    before, retried = await _count(mesh, case.system), await mesh.stat(f"cluster.{case.operation.interface}.upstream_rq_retry")
    async with mesh.dials({case.system: [Fault(dial=dial, times=1)]}):
        with pytest.raises(grpc.aio.AioRpcError) as lost:
            await send(mesh, case, mesh.channel())
    assert (lost.value.code(), reason_of(lost.value)) == (grpc.StatusCode.FAILED_PRECONDITION, "IN_DOUBT")
    assert await _count(mesh, case.system) == before + 1
    assert await mesh.stat(f"cluster.{case.operation.interface}.upstream_rq_retry") == retried


async def test_a_wrong_answer_is_no_reason_to_repeat_even_a_query(mesh: MeshRig) -> None:
    case = query()
    before = await _count(mesh, case.system)
    async with mesh.dials({case.system: [Fault(dial="garbage", times=1)]}):
        with pytest.raises(grpc.aio.AioRpcError) as wrong:
            await send(mesh, case, mesh.channel())
    assert wrong.value.code() is grpc.StatusCode.INTERNAL
    assert await _count(mesh, case.system) == before + 1


async def test_one_silent_source_costs_a_federated_search_nothing_but_its_own_answer(mesh: MeshRig) -> None:
    case = federated()
    silent = case.operation.consults[0].split(".")[1]
    call: Any = mesh.channel().unary_stream(case.operation.path)
    async with mesh.dials({silent: [Fault(dial="hang")]}):
        with stopwatch() as elapsed:
            replies = [reply async for reply in call(case.case.request.value, timeout=2, metadata=mesh.token())]
        assert elapsed() < 2
    late = [reply for reply in replies if b"DEADLINE_EXCEEDED" in reply or b"no answer in time" in reply]
    assert len(late) == 1, "one source was late, and it says so itself or the search says it for it"
    assert len(replies) > len(case.operation.consults)
