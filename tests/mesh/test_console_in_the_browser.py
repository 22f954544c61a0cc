"""Estate, Interface and Mesh in a real browser on a real estate: the map, a move seen on it, a contract tried, a refusal with its cause."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from browsing import drive, signed_in
from cases import case_files, read_case
from command_line import metip
from mesh_rig import MeshRig

from adapters.kit.serving import installed_contracts
from hub.laptop.layout import DEVELOPER
from metip.contracts import DeliveryClass

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

CONTRACTS = installed_contracts(date.min)
CASE = next(
    case
    for case in map(read_case, case_files())
    if case.case.sample and len(CONTRACTS.serving(case.operation.name)) > 1 and case.operation.delivery_class is DeliveryClass.READ
)
OPERATION = CASE.operation
INTERFACE, NAME = OPERATION.interface, OPERATION.interface.rpartition(".")[2]
EDGE = "edge"
PATIENCE = 120.0
"""Seconds that a command may take on a busy machine."""


async def look(
    rig: MeshRig, scenario: str, when_ready: Callable[[], Awaitable[object]] | None = None, complaints: int = 0, **facts: Any
) -> dict[str, Any]:
    """Plays a scenario; its answer, once axe, the page and the network have nothing against it."""
    address, token = signed_in(rig)
    found = await drive("estate.mjs", scenario, {"address": address, "token": token, **facts}, when_ready)
    assert found["violations"] == [], "axe: WCAG 2.2 AA, light and dark"
    assert len(found["problems"]) == complaints, found["problems"]
    assert found["origins"] == [address], "no request leaves the origin"
    assert not any("token" in one for one in found["addresses"]), "the token left the address"
    return found


async def test_the_map_is_filtered_drawn_and_told_as_a_table(mesh: MeshRig) -> None:
    found = await look(mesh, "estate", name=NAME)
    assert found["drawn"] == 1
    assert f"interface%3A{INTERFACE}" in found["deep"], "what is shown has an address"
    assert {"In flight", "Queued", "Parked", "Failed", "Oldest waiting"} <= set(found["heads"])
    assert not found["overflows"], "on a tablet nothing but the map itself is wider than the page"


async def test_calls_are_seen_to_move_on_the_map(mesh: MeshRig) -> None:
    first, second = CONTRACTS.serving(OPERATION.name)[:2]
    made: list[str] = []

    async def shift() -> None:
        arguments = ("shift", INTERFACE, f"{first}=70", f"{second}=30", "--because", "a test", "--json")
        done = await metip(mesh.home.root, "traffic", *arguments, within=PATIENCE)
        made.append(str(done.json["change"]["number"]))

    try:
        found = await look(mesh, "moved", shift, name=NAME, shares=["70%", "30%"])
    finally:
        for number in made:
            undone = await metip(mesh.home.root, "traffic", "undo", number, "--because", "the test is over", within=PATIENCE)
            assert undone.code == 0, undone.err
    assert found["before"] == []
    assert {"70%", "30%"} <= set(found["after"])


async def test_a_contract_is_read_and_tried(mesh: MeshRig) -> None:
    found = await look(mesh, "interface", name=INTERFACE, operation=OPERATION.method, field="access")
    assert DEVELOPER in found["callers"]
    assert found["status"] == "OK"
    assert found["reply"].startswith("{")
    assert found["fields"]


async def test_a_refused_change_is_seen_with_its_cause(mesh: MeshRig) -> None:
    key = mesh.store.key(EDGE)
    good = key.read_bytes()

    async def break_the_key() -> None:
        await asyncio.to_thread(key.write_bytes, mesh.store.key(DEVELOPER).read_bytes())

    try:
        found = await look(mesh, "refused", break_the_key, words="KEY_VALUES_MISMATCH")
    finally:
        key.write_bytes(good)
    assert "NACK" not in found["before"]
    assert "NACK" in found["told"]
    assert f"{key.name} changed" in found["told"]
    assert "by file" in found["told"]
    assert "changed secret" in found["told"], "what would have become different"
    assert found["left"] == 1
    assert found["path"].startswith("/mesh/")
    assert "spiffe://" in found["certificates"]


async def test_whoever_is_not_signed_in_is_told_how_to(mesh: MeshRig) -> None:
    found = await look(mesh, "stranger")
    assert found["hash"] == ""
