"""Traffic control while calls flow: fifty changes at random lose none, a hub that is killed in the middle leaves one truth, and time-boxed
changes end after it is back."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cases import case_files, read_case
from mesh_rig import MeshRig, load, running_mesh, until
from samples import send
from traffic_client import TrafficRig, traffic_of

from adapters.kit.serving import installed_contracts
from hub.cli.client import hub_client, place
from hub.traffic.settings import Breaker, CallLimit, Drain, FaultInjection, Pin, Setting, Shares
from metip.contracts import DeliveryClass
from metip.traffic.v1.traffic_service_pb2 import ChangeStanding

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]  # a hub that was killed compiles everything anew

CONTRACTS = installed_contracts(date.min)
SECOND = CONTRACTS.back_ends[0].system
CASE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample and SECOND in CONTRACTS.serving(case.operation.name) and case.operation.delivery_class is DeliveryClass.READ
)
FIRST, INTERFACE = CASE.system, CASE.operation.interface
ME = "spiffe://metip.local/consumer/developer"
SEED = 20261126
PATIENCE = 150.0
"""Seconds that a hub may take to be back on a busy machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate with both systems, two workers each."""
    async with running_mesh(tmp_path_factory.mktemp("l"), systems=(FIRST, SECOND), workers=2) as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def traffic(mesh: MeshRig) -> AsyncIterator[TrafficRig]:
    """Its traffic service."""
    async with traffic_of(mesh.home.hub_socket) as rig:
        yield rig


def any_setting(dice: random.Random, instances: list[str]) -> Setting:
    """Something that fails no call."""
    share = dice.randrange(0, 101)
    choices: list[Setting] = [
        Shares(INTERFACE, tuple(sorted(((FIRST, share), (SECOND, 100 - share))))),
        Shares(INTERFACE, tuple(sorted(((FIRST, 100 - share), (SECOND, share))))),
        Pin(INTERFACE, ME, dice.choice([FIRST, SECOND])),
        CallLimit(INTERFACE, dice.randrange(50_000, 90_000), dice.choice(["", ME])),
        Breaker(INTERFACE, dice.choice([FIRST, SECOND]), max_requests=dice.randrange(500, 900)),
        FaultInjection(CASE.operation.name, "", 0.001 * dice.randrange(1, 5), 20.0),
        Drain(FIRST, dice.choice(instances)),
    ]
    return dice.choice(choices)


async def standing(mesh: MeshRig) -> dict[str, int]:
    """The weights of the operation in the routes that Envoy has, by cluster."""
    dump = json.loads(await mesh.admin.get("/config_dump?resource=dynamic_route_configs"))
    routes = [one for table in dump["configs"] for host in table["route_config"]["virtual_hosts"] for one in host["routes"]]
    (found,) = [one for one in routes if one["match"].get("path") == CASE.operation.path and "headers" not in one["match"]]
    return {one["name"]: int(one.get("weight", 0)) for one in found["route"]["weighted_clusters"]["clusters"]}


async def agree(mesh: MeshRig, traffic: TrafficRig) -> bool:
    """Whether the hub and Envoy say the same."""
    try:
        overview = await traffic.overview()
    except grpc.aio.AioRpcError:
        return False
    said = next(dict(one.weights) for one in overview.sharings if one.interface == INTERFACE)
    names = {system: INTERFACE if system == FIRST else f"{system}/{INTERFACE}" for system in said}
    return await standing(mesh) == {names[system]: weight for system, weight in said.items()}


async def test_fifty_changes_at_random_lose_no_call_and_can_all_be_undone(mesh: MeshRig, traffic: TrafficRig) -> None:
    dice, channel, made = random.Random(SEED), mesh.channel(), []
    async with hub_client(place(mesh.home.root)) as hub:
        instances = sorted(one.id for one in (await hub.mesh()).instances if one.system == FIRST)
    before = await standing(mesh)
    async with load(lambda: send(mesh, CASE, channel), workers=6) as calls:
        for _ in range(50):
            try:
                answer = await traffic.change(any_setting(dice, instances))
            except grpc.aio.AioRpcError as error:
                if "last instance" not in str(error.details()):
                    raise
                continue
            if answer.change.number:
                made.append(answer.change.number)
        for number in reversed(made):
            await traffic.undo(number)
    assert calls.failed == []
    assert calls.done > 50
    assert len(made) > 30
    assert await standing(mesh) == before
    assert list((await traffic.overview()).settings) == []


async def test_a_time_boxed_change_ends_after_the_hub_was_killed(mesh: MeshRig, traffic: TrafficRig) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        await traffic.change(Shares(INTERFACE, ((SECOND, 100),)), lasting=4.0)
        await mesh.kill("hub")

        async def over() -> bool:
            with suppress(grpc.aio.AioRpcError):
                return (await traffic.changes(1))[0].author == "hub" and not (await traffic.overview()).settings
            return False

        await until(over, within=PATIENCE)
        await until(lambda: agree(mesh, traffic), within=PATIENCE)
    assert calls.failed == []


async def test_a_hub_that_is_killed_in_the_middle_of_changes_leaves_one_truth(mesh: MeshRig, traffic: TrafficRig) -> None:
    dice, channel = random.Random(SEED), mesh.channel()

    async def changing(stop: asyncio.Event) -> None:
        while not stop.is_set():
            share = dice.randrange(1, 100)
            with suppress(grpc.aio.AioRpcError):
                await traffic.change(Shares(INTERFACE, tuple(sorted(((FIRST, share), (SECOND, 100 - share))))))

    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        for _ in range(3):
            stop = asyncio.Event()
            work = asyncio.create_task(changing(stop))
            await asyncio.sleep(0.2 + dice.random())
            await mesh.kill("hub")
            stop.set()
            await work
            await until(lambda: agree(mesh, traffic), within=PATIENCE)
            unfinished = [one for one in await traffic.changes() if _word(one) in ("PROPOSED", "RECORDED")]
            assert unfinished == []
            latest = next(one for one in await traffic.changes() if _word(one) == "IN_FORCE")
            said = next(step.after.shares for step in latest.steps if step.after.HasField("shares"))
            assert {one: weight for one, weight in said.weights.items() if weight} == {
                one: weight
                for found in (await traffic.overview()).sharings
                if found.interface == INTERFACE
                for one, weight in found.weights.items()
                if weight
            }
    assert calls.failed == []


def _word(change: Any) -> str:
    return ChangeStanding.Name(change.standing).removeprefix("CHANGE_STANDING_")
