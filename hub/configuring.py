"""What the hub's files say, put in force as they change: the access policy, the traffic settings, the edge's certificates and keys.

The law: a change of policy or traffic is recorded before it is in force. What can't be recorded waits, and the rest goes on.
"""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hub import sources
from hub.access.comparing import differences
from hub.access.standing import Standing, keep, known, standing
from hub.contracts import Contracts
from hub.identity import IdentityError, Lasting, lasting
from hub.mesh.control import STANDS, Control
from hub.mesh.history import Change
from hub.mesh.inputs import Edge, Policy, Traffic
from hub.recording import ACCESS_CHANGE, ACCESS_CHANGE_REFUSED, TRAFFIC_CHANGE, TRAFFIC_CHANGE_REFUSED, Recorder
from hub.settings import Settings
from hub.traffic.layers import Layers, state_of, traffic_of
from metip.logs import Log
from metip.settings import SettingsError


@dataclass
class Configuring:
    """Reads the files, and says to the control plane what changed."""

    settings: Settings
    contracts: Contracts
    log: Log
    recorder: Recorder
    layers: Layers = field(default_factory=Layers)
    """The traffic settings of the file, and what changes say on top of them."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    standing: Standing = field(init=False)
    since: datetime = field(init=False)
    """When the policy came into force."""

    def __post_init__(self) -> None:
        """Reads the policy. Raises `SettingsError`."""
        self.standing, self.since = standing(sources.rules(self.settings), self.contracts), self.clock()

    async def begin(self) -> None:
        """Records the policy that the hub starts with, where it is not the one that it ended with. Raises what the recorder raises."""
        if known(sources.rules(self.settings)) != self.standing.digest:
            await self.recorder(ACCESS_CHANGE, self.standing.by, json.dumps(self._about(self.standing)))
            self._keep()
        self._tell(self.standing)

    async def reread(self, names: str, control: Control) -> bool:
        """Puts in force what the files say now; False when something waits until it can be recorded."""
        try:
            now = standing(sources.rules(self.settings), self.contracts)
            edge = sources.read_edge(self.settings)
            traffic = sources.read_traffic(self.settings, self.contracts)
        except SettingsError as error:
            self.log.line("file_refused", file=names, problem=str(error))
            return True
        changes: dict[str, Any] = {"edge": edge}
        moved: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = []
        if now.digest != self.standing.digest:
            moved.append((ACCESS_CHANGE, ACCESS_CHANGE_REFUSED, now.by, self._about(now), {"policy": now.policy}))
        elif now.waiting != self.standing.waiting:
            self.standing = now
            self._tell(now)
        file = state_of(traffic)
        if file != self.layers.file:
            said = _shares(traffic_of(self.layers.file), traffic)
            moved.append((TRAFFIC_CHANGE, TRAFFIC_CHANGE_REFUSED, "file", said, {"traffic": traffic}))
        recorded = [one for one in moved if await self._recorded(one[0], one[2], one[3])]
        for one in recorded:
            changes |= one[4]
        async with self.layers.turn:  # nobody changes what stands on the file meanwhile
            if "traffic" in changes:
                changes["traffic"] = self.layers.on(file)
            change = await control.propose(f"{names} changed", "file", **changes)
            stands = change.outcome in STANDS
            if stands and "traffic" in changes:
                self.layers.file = file
        self.report(change)
        if "policy" in changes:
            self._changed(now, stands=stands)
        if not stands:
            for one in recorded:
                await self._recorded(one[1], one[2], one[3])
        return recorded == moved

    def certificates(self, edge: Edge) -> tuple[Lasting, ...]:
        """The edge's certificate, the authority, and the hub's own, with how long they last; what can't be read is left out."""
        now, said, own = self.clock(), self.settings.exchange, ""
        if said is not None:
            with suppress(OSError, UnicodeDecodeError):
                own = (self.settings.folder / said.certificate).read_text(encoding="utf-8")
        return (*lasting("edge", edge.certificate, now), *lasting("authority", edge.authority, now), *lasting("hub", own, now))

    def warn(self, edge: Edge) -> None:
        """A line for each certificate that is to be replaced."""
        for one in self.certificates(edge):
            if one.expires_soon:
                self.log.line("certificate_expires_soon", use=one.use, spiffe_id=one.spiffe_id, not_after=one.not_after.isoformat())

    def report(self, change: Change) -> None:
        """One line for a change of the mesh."""
        self.log.line("mesh_changed", change=change.id, cause=change.cause.what, outcome=change.outcome.value, detail=str(change))

    def _changed(self, now: Standing, *, stands: bool) -> None:
        if stands:
            self.standing, self.since = now, self.clock()
            self._keep()
        else:
            self.standing = replace(self.standing, waiting=("Envoy did not take it; `metip status` shows why",))
        self._tell(self.standing)

    def _keep(self) -> None:
        try:
            keep(sources.rules(self.settings), self.standing)
        except IdentityError as error:
            self.log.line("access_policy_not_kept", problem=error.fault.problem)

    def _tell(self, now: Standing) -> None:
        self.log.line("access_policy", digest=now.digest[:16], number=now.number, by=now.by, grants=len(now.policy.grants))
        for problem in now.idle:
            self.log.line("access_policy_idle", problem=problem)
        if now.waiting:
            self.log.line("access_policy_waits", in_force=now.digest[:16], problem="; ".join(now.waiting))

    def _about(self, now: Standing) -> dict[str, Any]:
        before = self.standing.policy if now is not self.standing else Policy()
        rows = differences(before, now.policy, self.contracts, self.settings.trust_domain)
        counted = Counter(row.gained for row in rows)
        return {"digest": now.digest, "number": now.number, "reason": now.reason, "gained": counted[True], "lost": counted[False]}

    async def _recorded(self, action: str, author: str, detail: dict[str, Any]) -> bool:
        try:
            await self.recorder(action, author, json.dumps(detail))
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being recorded keeps the change from coming into force
            self.log.line("change_not_recorded", action=action, kind=type(error).__name__)
            return False
        return True


def _shares(before: Traffic, after: Traffic) -> dict[str, Any]:
    """Weights by interface and system, before and after, where they differ."""
    old, new = dict(before.shares), dict(after.shares)
    moved = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return {name: {"before": dict(old.get(name, ())), "after": dict(new.get(name, ()))} for name in moved}
