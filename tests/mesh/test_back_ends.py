"""Several systems behind one interface, on real processes: who answers by default, who once weights were moved, and what is shown of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from cases import case_files, read_case
from command_line import metip
from mesh_rig import MeshRig, load, running_mesh, until
from samples import send

from adapters.kit.serving import installed_contracts
from metip.contracts import DeliveryClass

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACTS = installed_contracts(date.min)
SECOND = CONTRACTS.back_ends[0].system
CASE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample and SECOND in CONTRACTS.serving(case.operation.name) and case.operation.delivery_class is DeliveryClass.READ
)
FIRST = CASE.system
INTERFACE = CASE.operation.interface
IDLE = [(one, 0, 0) for one in CONTRACTS.back_ends_of(INTERFACE) if one != SECOND]
"""Further systems that could serve it and are not there, as lists show them: without weight or instances."""
ONLY_SECOND = f"shares:\n  - interface: {INTERFACE}\n    weights: {{{SECOND}: 1}}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate with both systems; each test leaves it as it found it."""
    async with running_mesh(tmp_path_factory.mktemp("b"), systems=(FIRST, SECOND)) as rig:
        yield rig


async def who_answers(mesh: MeshRig, calls: int = 1) -> Counter[str]:
    """How many calls each system answered, by Envoy's word for it."""
    found: Counter[str] = Counter()
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    for _ in range(calls):
        sent = call(CASE.case.request.value, timeout=10, metadata=mesh.token())
        await sent
        found.update(str(value) for key, value in await sent.initial_metadata() if key == "x-metip-served-by")
    return found


async def asked(mesh: MeshRig, system: str) -> int:
    return sum((await mesh.exchanges(system)).values())


async def shared_out(mesh: MeshRig, traffic: str, system: str) -> None:
    """Puts traffic settings in force, which from then on leave all calls to one system."""
    mesh.home.traffic.write_text(traffic)

    async def moved() -> bool:
        return await who_answers(mesh) == {system: 1}

    await until(moved)


async def test_the_owner_answers_until_somebody_gives_another_weight(mesh: MeshRig) -> None:
    before = await asked(mesh, SECOND)
    assert await who_answers(mesh, 25) == {FIRST: 25}
    assert await asked(mesh, SECOND) == before


async def test_weights_in_the_settings_move_calls_and_back_without_losing_any(mesh: MeshRig) -> None:
    channel = mesh.channel()
    async with load(lambda: send(mesh, CASE, channel), workers=2) as calls:
        await shared_out(mesh, ONLY_SECOND, SECOND)
        before = await asked(mesh, SECOND)
        assert await who_answers(mesh, 10) == {SECOND: 10}
        assert await asked(mesh, SECOND) >= before + 10
        await shared_out(mesh, "shares: []\n", FIRST)
        assert await who_answers(mesh, 10) == {FIRST: 10}
    assert calls.failed == []
    assert calls.done


async def test_weights_in_envoys_runtime_move_calls_without_the_hub(mesh: MeshRig) -> None:
    async with mesh.served_by(SECOND, CASE.operation, share=30):
        found = await who_answers(mesh, 300)
        status = (await metip(mesh.home.root, "status", "--json")).json
    assert found[FIRST] + found[SECOND] == 300
    assert 50 <= found[SECOND] <= 135, "further from 90 than one run in a million"
    shown = next(one["back_ends"] for one in status["interfaces"] if one["name"] == INTERFACE)
    assert [(one["system"], one["weight"], one["in_force"]) for one in shown] == [(FIRST, 100, 70), (SECOND, 0, 30), *IDLE]
    assert await who_answers(mesh, 10) == {FIRST: 10}


async def test_settings_that_name_a_stranger_are_refused_and_change_nothing(mesh: MeshRig) -> None:
    log = mesh.home.log("hub")
    mesh.home.traffic.write_text(f"shares:\n  - interface: {INTERFACE}\n    weights: {{nobody: 1}}\n")

    async def refused() -> bool:
        return "no contract puts nobody behind" in log.read_text()

    await until(refused)
    assert await who_answers(mesh, 5) == {FIRST: 5}
    mesh.home.traffic.write_text("shares: []\n")


async def test_who_stands_behind_an_interface_is_shown(mesh: MeshRig) -> None:
    explained, status, listed = await asyncio.gather(
        metip(mesh.home.root, "explain", CASE.operation.name),
        metip(mesh.home.root, "status"),
        metip(mesh.home.root, "interfaces", "--json"),
    )
    behind = ", ".join((f"{FIRST} 100", *(f"{one} 0" for one in CONTRACTS.back_ends_of(INTERFACE))))
    assert f"Several systems stand behind it, by weight: {behind}." in " ".join(explained.out.split())
    assert "several systems behind one interface" in status.out
    shown = next(one["back_ends"] for one in listed.json["interfaces"] if one["name"] == INTERFACE)
    assert [(one["system"], one.get("weight", 0), len(one.get("endpoints", ()))) for one in shown] == [
        (FIRST, 100, 1),
        (SECOND, 0, 1),
        *IDLE,
    ]
