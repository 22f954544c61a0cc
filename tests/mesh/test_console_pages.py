"""Messages, Parallel running and Ledger in a real browser against a real estate: found, replayed, stepped back, searched."""

from typing import Any

import pytest
from browsing import drive, signed_in
from command_line import metip
from console_samples import ABOUT_A_VEHICLE, MOVED, SUBSCRIPTION, VRM, vehicle_of
from mesh_rig import MeshRig

from hub.cli.messages import installed
from metip.exchange.v1.receipt_pb2 import Receipt

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
VEHICLE = vehicle_of(ABOUT_A_VEHICLE)
NAME = f"{SUBSCRIPTION.system}: {ABOUT_A_VEHICLE.operation.method}"


async def play(rig: MeshRig, scenario: str, *, roles: tuple[str, ...] = ("operations",), **facts: Any) -> dict[str, Any]:
    """Plays a scenario, signed in with those roles; its answer, once axe, the page and the network have nothing against it."""
    address, token = signed_in(rig, *roles)
    found = await drive("pages.mjs", scenario, {"address": address, "token": token, **facts})
    assert found["violations"] == [], "axe: WCAG 2.2 AA, light and dark"
    assert found["problems"] == [], "what the page itself complained of"
    assert found["origins"] == [address], "no request leaves the origin"
    return found


async def hand_over(rig: MeshRig, key: str) -> str:
    """One message about the vehicle, under a key of its own; its id."""
    operation = ABOUT_A_VEHICLE.operation
    request: Any = installed().kind(operation.request).FromString(ABOUT_A_VEHICLE.case.request.value)
    setattr(request, operation.idempotency_fields[0], key)
    call: Any = rig.channel().unary_unary(operation.path)
    return Receipt.FromString(await call(request.SerializeToString(), timeout=10, metadata=rig.token())).message_id


async def test_a_message_is_found_by_its_vehicle_without_being_opened(mesh: MeshRig) -> None:
    message_id = await hand_over(mesh, "0139000000000002")
    found = await play(mesh, "find", kind=VRM, value=VEHICLE, messageId=message_id)
    assert message_id in found["title"]
    assert NAME in found["story"]
    assert "consumer/developer" in found["journey"]
    assert found["masked"]
    assert found["content"] > 2
    assert not any(VEHICLE in address for address in found["addresses"])


async def test_a_parked_group_gets_a_note_and_is_replayed_after_a_dry_run(mesh: MeshRig) -> None:
    paused = await metip(mesh.home.root, "messages", "pause", SUBSCRIPTION.name, "--reason", "a test")
    assert paused.code == 0, paused.err
    try:
        message_id = await hand_over(mesh, "0139000000000003")
        found = await play(mesh, "replay", messageId=message_id, subscription=NAME)
    finally:
        await metip(mesh.home.root, "messages", "resume", SUBSCRIPTION.name, "--reason", "a test")
    assert found["before"] == 1, "the group was still there after the dry run"
    assert "parked" in found["story"]
    assert "Attempt 1: OK" in found["story"]


@pytest.mark.parametrize("state", ["pending", "in_doubt"])
async def test_the_address_of_an_alert_leads_to_the_deliveries_that_it_is_about(mesh: MeshRig, state: str) -> None:
    found = await play(mesh, "alert", path=f"/messages?subscription={SUBSCRIPTION.name}&state={state}#deliveries")
    assert found["heading"] == "Deliveries"
    assert found["subscription"] == SUBSCRIPTION.name
    assert found["state"] == state.replace("_", "-")


async def test_the_messages_of_an_interface_are_a_click_away_from_the_map(mesh: MeshRig) -> None:
    message_id = await hand_over(mesh, "0139000000000005")
    interface = ABOUT_A_VEHICLE.operation.interface
    found = await play(mesh, "ofInterface", name=interface.rpartition(".")[2], messageId=message_id)
    assert found["chosen"] == interface
    assert any(message_id in row for row in found["listed"])
    own = [one.method for one in installed().contracts.interface(interface).operations]
    assert [row for row in found["listed"] if not any(f": {method}" in row for method in own)] == []


async def test_a_view_is_kept_in_the_browser(mesh: MeshRig) -> None:
    found = await play(mesh, "views")
    assert found["address"] == "?state=parked&since=2h"
    assert found["state"] == "parked"


async def test_an_interface_is_stepped_back_in_one_confirmed_click(mesh: MeshRig) -> None:
    interface = MOVED.operation.interface
    try:
        found = await play(mesh, "back", name=interface, title=interface.rpartition(".")[2])
        assert found["path"] == f"/parallel/{interface}"
        assert found["before"] == "new"
        assert found["after"] == await standing(mesh, interface) != "new"
    finally:
        for state in ("primary", "new") if await standing(mesh, interface) != "new" else ():
            because = ("--because", "Put back after a test", "--approver", "lead", "--override")
            done = await metip(mesh.home.root, "migrate", "step", interface, "--to", state, *because)
            assert done.code == 0, done.err
    assert await standing(mesh, interface) == "new"


async def standing(mesh: MeshRig, interface: str) -> str:
    """Where an interface stands."""
    (found,) = (await metip(mesh.home.root, "migrate", "status", interface, "--json")).json["interfaces"]
    return str(found["position"]["state"]).removeprefix("STATE_").lower()


async def test_the_ledger_is_searched_in_plain_english_and_a_record_has_its_page(mesh: MeshRig) -> None:
    await hand_over(mesh, "0139000000000004")
    found = await play(mesh, "ledger", kind=VRM, value=VEHICLE)
    assert any("handed message" in sentence for sentence in found["sentences"])
    assert found["record"].startswith("Record ")
    assert found["particulars"] == 1
    assert not any(VEHICLE in address for address in found["addresses"])


async def test_who_may_only_look_is_offered_no_act(mesh: MeshRig) -> None:
    found = await play(mesh, "looking", roles=("operations-read",))
    assert found["offered"] == 0
    assert found["shown"] > 0
