"""`metip messages` on the whole estate, for whatever message operations and subscriptions the contracts have."""

import pytest
from command_line import Done, metip
from mesh_rig import MeshRig

from hub.cli.exchange.names import short
from hub.cli.messages import installed
from hub.contracts.samples import Sample, samples

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRACTS = installed().contracts
SUBSCRIPTIONS = {one.name for one in CONTRACTS.subscriptions}
SAMPLES = [one for one in samples(installed()) if one.operation.delivery is not None]
ENDS = {"processed", "delivered", "refused", "parked", "in_doubt"}


async def run(mesh: MeshRig, *arguments: str) -> Done:
    return await metip(mesh.home.root, "messages", *arguments)


def subscribers(operation: str) -> set[str]:
    return {one.name for one in CONTRACTS.subscriptions if one.operation == operation}


async def test_every_subscription_of_the_contracts_has_its_accounts(mesh: MeshRig) -> None:
    accounts = (await run(mesh, "subscriptions", "--json")).json
    assert {one["subscription"] for one in accounts} == SUBSCRIPTIONS
    assert all(one["total"] == sum(one["counts"].values()) for one in accounts)
    table = (await run(mesh, "subscriptions")).out
    assert all(short(name) in table for name in SUBSCRIPTIONS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.operation.name)
async def test_each_sample_is_handed_over_followed_and_found(mesh: MeshRig, sample: Sample) -> None:
    operation = sample.operation
    published = await run(mesh, "publish", operation.name, "--sample", "--json")
    assert published.code == 0, published.err + published.out
    message_id = published.json["message_id"]
    watched = await run(mesh, "watch", message_id, "--deadline", "20s", "--json")
    standing = {one["subscription"]: one["state"] for one in watched.documents[-1]["deliveries"]}
    assert set(standing) <= subscribers(operation.name)
    assert set(standing.values()) <= ENDS, watched.err
    shown = (await run(mesh, "show", message_id, "--json")).json
    assert shown["content_type"] == operation.request
    assert {one["subscription"] for one in shown["steps"]} == set(standing)
    listed = (await run(mesh, "list", "--id", message_id, "--json")).json["deliveries"]
    assert {one["subscription"]: one["state"] for one in listed}.keys() == standing.keys()
    again = await run(mesh, "publish", operation.name, "--sample", "--json")
    assert again.json["duplicate_of"] == message_id


async def test_each_subscription_is_known_by_its_short_name(mesh: MeshRig) -> None:
    for name in sorted(SUBSCRIPTIONS):
        done = await run(mesh, "list", "--subscription", short(name), "--limit", "1", "--json")
        assert done.code == 0, done.err
        assert all(one["subscription"] == name for one in done.json["deliveries"])
