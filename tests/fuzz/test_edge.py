"""The short form of a fuzz run against the edge, and whether it would notice anything."""

import random

import pytest
from edge_rig import EdgeRig, running_edge

from tests.fuzz import edge

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECONDS, SEED = 15.0, 7


@pytest.mark.timeout(110)
async def test_a_short_run_against_the_edge_finds_nothing() -> None:
    tried = await edge.fuzz(SECONDS, SEED)
    assert tried.findings == []
    assert all(count > 0 for count in tried.attempts.values())


async def test_an_edge_that_ends_or_tells_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(_: random.Random, rig: EdgeRig) -> bytes:
        rig.envoy.process.kill()
        rig.envoy.process.wait()
        return b"Traceback (most recent call last)"

    monkeypatch.setitem(edge.KINDS, "json", tell)
    tried = edge.Tried({"json": 0})
    async with running_edge() as rig:
        await edge._once("json", random.Random(1), rig, tried, "here")
    assert [one.partition(":")[0] for one in tried.findings] == ["here", "here"]
    assert "Traceback" in tried.findings[0]
    assert "Envoy ended" in tried.findings[1]
