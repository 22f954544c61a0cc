"""What the hub's files say comes into force: recorded before, kept over a restart, and left out where it can't be recorded."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.configuring import Configuring
from hub.contracts import load
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare
from hub.mesh.control import Control, Inputs
from hub.mesh.publisher import Publisher
from hub.settings import read
from hub.sources import read_edge, read_traffic
from metip.logs import Log

pytestmark = pytest.mark.asyncio
CONTRACTS = load(date(2026, 11, 23))
SHARED = CONTRACTS.back_ends[0].serves[0].partition("/")[0]
ONE = 'grants: [{name: one, consumer: "spiffe://metip.local/consumer/one", operations: ["*"]}]'
TRAFFIC = f"shares: [{{interface: {SHARED}, weights: {{{CONTRACTS.back_ends[0].system}: 1}}}}]"


class Hub:
    """Files, a control plane without Envoy, and a recorder that can fail."""

    def __init__(self, home: Home) -> None:
        self.home, self.lines = home, io.StringIO()
        self.records: list[tuple[str, str, dict[str, Any]]] = []
        self.broken = False
        self.start()

    def start(self) -> None:
        """Begins, as after a restart."""
        self.settings = read(self.home.hub_settings)
        self.configuring = Configuring(self.settings, CONTRACTS, Log(self.lines), self.record)
        inputs = Inputs(CONTRACTS, self.configuring.standing.policy, read_edge(self.settings), (), read_traffic(self.settings, CONTRACTS))
        self.control = Control(Publisher(lambda: datetime.now(UTC)), inputs)

    async def record(self, action: str, author: str, detail: str) -> None:
        if self.broken:
            raise OSError("the disk is full")
        assert self.control.inputs.policy == self.before, "it was in force before it was recorded"
        self.records.append((action, author, json.loads(detail)))

    async def change(self, path: Path, text: str) -> bool:
        self.before = self.control.inputs.policy
        path.write_text(text)
        return await self.configuring.reread(path.name, self.control)

    async def begin(self) -> None:
        self.before = self.control.inputs.policy
        await self.configuring.begin()

    @property
    def actions(self) -> list[str]:
        return [action for action, _, _ in self.records]

    @property
    def granted(self) -> list[str]:
        return [grant.name for grant in self.control.inputs.policy.grants]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub on the files that a laptop begins with."""
    home = Home.at(tmp_path / "home")
    prepare(home, Ports(1, 2))
    return Hub(home)


async def test_a_change_of_policy_is_recorded_before_it_is_in_force(hub: Hub) -> None:
    await hub.begin()
    assert await hub.change(hub.home.access, ONE)
    assert hub.granted == ["one"]
    action, author, detail = hub.records[-1]
    assert (action, author, detail["digest"]) == ("access_policy_change", "file", hub.configuring.standing.digest)
    assert detail["lost"] > detail["gained"] > 0, "two grants went, and one came"
    assert "spiffe" not in json.dumps(detail), "what it says is counts and digests"


async def test_a_change_of_traffic_is_recorded_and_a_change_of_neither_is_not(hub: Hub) -> None:
    await hub.begin()
    before = len(hub.records)
    assert await hub.change(hub.home.traffic, TRAFFIC)
    assert hub.actions[before:] == ["traffic/change"]
    assert hub.records[-1][2] == {SHARED: {"before": {}, "after": {CONTRACTS.back_ends[0].system: 1}}}
    assert await hub.change(hub.home.traffic, TRAFFIC)
    assert len(hub.records) == before + 1


@pytest.mark.parametrize(("name", "text"), [("access.yaml", ONE), ("traffic.yaml", TRAFFIC)])
async def test_what_can_not_be_recorded_waits_and_is_in_force_once_it_can(hub: Hub, name: str, text: str) -> None:
    await hub.begin()
    hub.broken = True
    before = replace(hub.control.inputs)
    assert not await hub.change(hub.home.root / name, text)
    assert (hub.control.inputs.policy, hub.control.inputs.traffic) == (before.policy, before.traffic)
    hub.broken = False
    assert await hub.configuring.reread(name, hub.control)
    assert (hub.control.inputs.policy, hub.control.inputs.traffic) != (before.policy, before.traffic)


async def test_a_policy_that_changed_while_the_hub_was_away_is_recorded_at_its_start_and_another_is_not(hub: Hub) -> None:
    await hub.begin()
    hub.start()
    await hub.begin()
    assert hub.actions == ["access_policy_change"], "the first one ever"
    hub.home.access.write_text(ONE)
    hub.start()
    await hub.begin()
    assert hub.actions == ["access_policy_change"] * 2


async def test_a_policy_that_can_not_be_used_leaves_the_old_one_and_is_told(hub: Hub) -> None:
    await hub.begin()
    before = hub.control.inputs.policy
    assert await hub.change(hub.home.access, "grants: [{consumer: spiffe://other.local/x, operations: ['*']}]")
    assert hub.control.inputs.policy == before
    assert "grants[0].consumer" in hub.lines.getvalue()


async def test_a_certificate_that_ends_soon_is_told_of(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = hub.control.inputs.edge
    hub.configuring.warn(edge)
    assert "certificate_expires_soon" not in hub.lines.getvalue()
    uses = [one.use for one in hub.configuring.certificates(edge)]
    assert uses == ["edge", "authority", "hub"]
    later: Callable[[], datetime] = lambda: datetime.now(UTC).replace(year=datetime.now(UTC).year + 1)  # noqa: E731
    monkeypatch.setattr(hub.configuring, "clock", later)
    hub.configuring.warn(edge)
    told = [json.loads(line) for line in hub.lines.getvalue().splitlines() if "certificate_expires_soon" in line]
    assert {one["use"] for one in told} >= {"edge", "hub"}
    assert {one["spiffe_id"] for one in told} >= {"spiffe://metip.local/edge", "spiffe://metip.local/hub"}
