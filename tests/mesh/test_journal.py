"""No answer without its record, through real Envoy: under load, with workers killed at random; refusals and consulted sources too."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import RecordedCase
from journals_of_mesh import first_break, journals, records, rows, traced
from mesh_rig import MeshRig, reason_of, running_mesh, until
from samples import federated, query, write_once

from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
CASE = query(write_once().system)
ADAPTER = f"adapter-{CASE.system}"
KILLS, SEED, CALLERS = 4, 20_264, 8
APPLICATION = frozenset({grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND})
"""How the sample ends when the adapter answers it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """One system with two workers, in an estate that may be broken."""
    async with running_mesh(tmp_path_factory.mktemp("journal"), workers=2, systems=(CASE.system,)) as rig:
        await until(lambda: rig.healthy(CASE.operation.interface, 2))
        yield rig


async def ask(rig: MeshRig, case: RecordedCase, channel: grpc.aio.Channel, request: bytes, metadata: Any) -> grpc.StatusCode:
    """How one call ended."""
    call: Any = channel.unary_unary(case.operation.path)
    try:
        await call(request, timeout=10, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_every_answer_that_a_caller_received_has_its_record_though_workers_are_killed(estate: MeshRig) -> None:
    answered, over, dice = set[str](), asyncio.Event(), random.Random(SEED)
    channel, token = estate.channel(), estate.token()

    async def caller() -> None:
        while not over.is_set():
            trace, header = traced()
            if await ask(estate, CASE, channel, CASE.case.request.value, [*token, header]) in APPLICATION:
                answered.add(trace)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
        for _ in range(KILLS):
            await _more(answered, dice.randint(20, 120))
            victim = dice.choice(estate.workers(ADAPTER))
            os.kill(victim, signal.SIGKILL)
            await _replaced(estate, victim)
            await until(lambda: estate.healthy(CASE.operation.interface, 2))
        over.set()

    found = [one for one in records(estate.home.journals, CASE.system) if one.kind == ledger.KIND_OPERATION]
    assert len(answered) > 100
    assert answered - {one.trace_id for one in found} == set(), "each answer has its record"
    assert {one.operation for one in found} == {CASE.operation.name}
    opened = [one.outcome for one in records(estate.home.journals, CASE.system) if one.kind == ledger.KIND_OPENED]
    assert opened.count("RECOVERED") == KILLS
    for path in journals(estate.home.journals, CASE.system):
        assert first_break(path) is None
        assert [position for position, _, _ in rows(path)] == list(range(1, len(rows(path)) + 1))


async def _more(answered: set[str], number: int) -> None:
    wanted = len(answered) + number

    async def are() -> bool:
        return len(answered) >= wanted

    await until(are)


async def _replaced(rig: MeshRig, victim: int) -> None:
    async def is_replaced() -> bool:
        now = rig.workers(ADAPTER)
        return len(now) == 2 and victim not in now

    await until(is_replaced)


async def test_a_record_says_who_asked_why_and_what_came_of_it_and_holds_nothing_personal(estate: MeshRig) -> None:
    trace, header = traced()
    status = await ask(estate, CASE, estate.channel(), CASE.case.request.value, [*estate.token(), header])
    (record,) = [one for one in records(estate.home.journals) if one.trace_id == trace]
    assert (record.operation, record.platform) == (CASE.operation.name, CASE.system)
    assert (record.force, record.unit) == ("01", "ZD")
    assert record.consumer == estate.spiffe_id("developer")
    assert record.purpose in CASE.operation.purpose_numbers
    assert (record.outcome == "OK") == (status is grpc.StatusCode.OK)
    assert record.call_id
    assert record.took.ToNanoseconds() > 0
    assert record.key_id
    assert b"P123456" not in record.SerializeToString()


async def test_a_refusal_by_the_adapter_is_recorded(estate: MeshRig) -> None:
    trace, header = traced()
    call: Any = estate.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"\xff\xff\xff", timeout=10, metadata=[*estate.token(), header])
    assert reason_of(caught.value) == "MALFORMED"
    (record,) = [one for one in records(estate.home.journals) if one.trace_id == trace]
    assert (record.kind, record.outcome, record.disclosed) == (ledger.KIND_REFUSAL, "MALFORMED", 0)
    assert record.consumer == estate.spiffe_id("developer")
    assert record.purpose == options.PURPOSE_UNSPECIFIED


async def test_keys_and_journals_are_for_their_own_user_only_and_are_kept_when_the_estate_is_made_again(estate: MeshRig) -> None:
    kept = [*estate.home.ledger_keys.rglob("*.key"), *journals(estate.home.journals)]
    assert len(kept) >= 4
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}


@pytest.mark.asyncio(loop_scope="session")
async def test_a_federated_search_is_recorded_at_each_system_that_disclosed(mesh: MeshRig) -> None:
    case = federated()
    trace, header = traced()
    call: Any = mesh.channel().unary_stream(case.operation.path)
    replies = [reply async for reply in call(case.case.request.value, timeout=20, metadata=[*mesh.token(), header])]
    assert replies
    found = [one for one in records(mesh.home.journals) if one.trace_id == trace]
    own = [one for one in found if one.platform == case.system]
    assert {one.verb for one in own} == {options.VERB_COMBINATION}
    assert {one.outcome for one in own} == {"OK"}
    sources = {one.operation for one in found} - {case.operation.name}
    assert sources <= set(case.operation.consults)
    assert len(sources) > 1
    assert sum(one.disclosed for one in own) == sum(one.disclosed for one in found if one.platform != case.system) > 0
