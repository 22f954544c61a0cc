"""An operator's night: a subscriber is away, a thousand messages come, three are poisoned; each is accounted for by `metip` alone."""

import asyncio
import json
from pathlib import Path

import pytest
from command_line import Done, metip
from exchange_rig import ExchangeRig, running_exchange

pytestmark = pytest.mark.asyncio(loop_scope="function")
COUNT, POISONED = 1000, ("bad-17", "bad-500", "bad-999")


async def run(rig: ExchangeRig, *arguments: str) -> Done:
    done = await metip(rig.home.root, "messages", *arguments)
    assert done.code == 0, done.err
    return done


async def counts(rig: ExchangeRig) -> dict[str, int]:
    """The accounts of the one subscription that takes probes. The command ends with 1 while something waits or is away, and says it all."""
    for one in (await metip(rig.home.root, "messages", "subscriptions", "--json")).json:
        if one["operation"].endswith("PublishProbe"):
            return {state: number for state, number in one["counts"].items() if number}
    raise AssertionError("the subscription is not listed")


async def test_each_of_a_thousand_messages_is_accounted_for_from_the_command_line_alone(tmp_path: Path) -> None:
    names = [f"bad-{number}" if f"bad-{number}" in POISONED else f"good-{number}" for number in range(COUNT)]
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(json.dumps({"id": name, "line": f"line-{place % 50}"}) + "\n" for place, name in enumerate(names)))
    async with running_exchange(tmp_path) as rig:
        await rig.supervisor.stop("subscriber-0")
        contracts = str(rig.home.root / "contracts.binpb")
        published = await run(rig, "publish", "PublishProbe", "--file", str(file), "--contracts", contracts, "--json")
        assert (published.json["accepted"], published.json["refused"]) == (COUNT, [])
        assert sum((await counts(rig)).values()) == COUNT

        rig.mode("poison bad")
        rig.start_subscriber(1)
        async with asyncio.timeout(60):
            while (await counts(rig)).get("parked") != len(POISONED):  # noqa: ASYNC110 - the command line is asked
                await asyncio.sleep(0.2)
            # Each poisoned message holds back the later ones of its own line, and nothing else.
            behind = sum(1 for bad in POISONED for place in range(names.index(bad) + 1, COUNT) if place % 50 == names.index(bad) % 50)
            while (await counts(rig)).get("processed", 0) != COUNT - len(POISONED) - behind:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)
        assert await counts(rig) == {"processed": COUNT - 3 - behind, "parked": 3, "pending": behind}
        (group,) = (await metip(rig.home.root, "messages", "groups", "--json")).json
        assert (group["reason"], group["deliveries"]) == ("NO_TRACE", 3)
        listed = (await run(rig, "list", "--state", "parked", "--json")).json["deliveries"]
        assert len(listed) == 3

        rig.mode("")
        await run(rig, "release", "--state", "parked", "--reason", "the far system knows them now", "--yes")
        async with asyncio.timeout(60):
            while await counts(rig) != {"processed": COUNT}:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)
        exported = await run(rig, "export", "--operation", "PublishProbe")
        states = [json.loads(line)["state"] for line in exported.out.splitlines()]
        assert states == ["processed"] * COUNT
        assert sorted(one[1] for one in rig.effects()) == sorted(names)
