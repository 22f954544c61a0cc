"""Traffic control of one hub, put together: the file, what changes said, Envoy's runtime, and the clock that steps back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.mesh.admin import Admin
from hub.mesh.control import Control
from hub.mesh.inputs import Traffic
from hub.recording import TRAFFIC_OVERRIDE, Recorder
from hub.traffic.changes import TrafficChange
from hub.traffic.director import Director
from hub.traffic.layers import Layers, state_of
from hub.traffic.overrides import Override, Overrides, said_by_key
from hub.traffic.pausing import Pause, Pausing
from hub.traffic.store import Store, said_in
from metip.faults import Fault
from metip.logs import Log

FILE: Final = "traffic.sqlite"
TICK: Final = 0.25
"""Seconds between two looks at what is due."""
BY_HAND: Final = "os://envoy/admin"
"""Who sets what in Envoy's runtime: nobody knows more of it than that."""


def in_force(state: Path, file: Traffic) -> Traffic:
    """What the mesh of a state folder is compiled from, whether or not its hub runs: the file, and on top of it what changes said."""
    path = state / FILE
    return Layers(state_of(file), said_in(path)).on(state_of(file)) if path.exists() else file


@dataclass
class TrafficControl:
    """Owns the file of changes. Whoever waits on `moved` hears of each change and override."""

    log: Log
    recorder: Recorder
    store: Store
    layers: Layers
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    _control: Control | None = None
    _director: Director | None = None
    _noticed: list[Override] = field(default_factory=list)

    @classmethod
    def opened(cls, state: Path, file: Traffic, log: Log, recorder: Recorder) -> "TrafficControl":
        """With what changes said when the hub last ran."""
        store = Store(state / FILE)
        layers = Layers(state_of(file), {key: setting for key, (setting, _) in store.said().items()}, store.epochs())
        return cls(log, recorder, store, layers)

    def direct(self, control: Control, admin: Path | None) -> Director:
        """The director, once there is a control plane to direct."""
        contracts = control.inputs.contracts
        overrides = Overrides(
            Admin(admin) if admin else None, lambda: said_by_key(control.inputs.traffic, control.inputs.contracts), self._override
        )
        pausing = Pausing(contracts, failed=lambda name, problem: self.log.line("pause_failed", subscription=name, problem=problem))
        self._director = Director(self.layers, self.store, control, self.recorder, overrides, pausing, changed=self._changed)
        return self._director

    @property
    def director(self) -> Director:
        """Who changes traffic."""
        assert self._director is not None, "nobody directs yet"
        return self._director

    async def hand_over(self, pause: Pause) -> None:
        """There is an exchange: subscriptions that are to rest do."""
        self.director.pausing.pause = pause
        await self.director.take_up()

    @property
    def work(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs for as long as the hub does."""
        return (self._keep_time, self.director.overrides.run, self._tell)

    async def _keep_time(self) -> None:
        while True:
            with suppress(Fault):  # what can't be recorded is tried again
                await self.director.keep_time()
            await asyncio.sleep(TICK)

    async def _tell(self) -> None:
        """Records what was set by hand; whoever did it was not asked, so nothing waits for that."""
        while True:
            moved = self.moved
            while self._noticed:
                one = self._noticed[0]
                detail = json.dumps({"key": one.key, "value": one.value, "said": one.said})
                with suppress(Fault):
                    await self.recorder(TRAFFIC_OVERRIDE, BY_HAND, detail)
                del self._noticed[0]
            await moved.wait()

    def _override(self, one: Override) -> None:
        self.log.line("traffic_override", key=one.key, value=one.value, said=one.said)
        self._noticed.append(one)
        self._wake()

    def _changed(self, change: TrafficChange) -> None:
        self.log.line(
            "traffic_changed",
            change=change.number,
            what=change.what,
            author=change.author,
            standing=change.standing.value,
            problem=change.problem,
        )
        self._wake()

    def _wake(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()
