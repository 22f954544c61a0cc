"""What holds: the file's settings, and on top of them what changes said. One turn for whoever changes either."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.mesh.inputs import Traffic
from hub.traffic.changes import Step
from hub.traffic.settings import (
    Breaker,
    CallLimit,
    Drain,
    FaultInjection,
    Key,
    Maintenance,
    Pin,
    Setting,
    Shares,
    State,
    Versions,
)


def traffic_of(state: State) -> Traffic:
    """What the mesh is compiled from."""
    return Traffic(
        shares=tuple((one.interface, one.weights) for one in state.of(Shares)),
        pins=state.of(Pin),
        faults=state.of(FaultInjection),
        maintenance=state.of(Maintenance),
        limits=state.of(CallLimit),
        breakers=state.of(Breaker),
        drains=state.of(Drain),
        versions=state.of(Versions),
        writers=tuple((one.interface, one.writes) for one in state.of(Shares) if one.writes),
    )


def state_of(traffic: Traffic) -> State:
    """What a file of shares says."""
    return State(tuple(Shares(interface, weights) for interface, weights in traffic.shares))


@dataclass
class Layers:
    """Both layers, and the state they make."""

    file: State = field(default_factory=State)
    said: dict[Key, Setting] = field(default_factory=dict)
    """What changes say, by key."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def state(self) -> State:
        """What holds."""
        return self.file.put(*self.said.values())

    def on(self, file: State) -> Traffic:
        """What would hold on another file."""
        return traffic_of(file.put(*self.said.values()))

    def steps(self, after: State, owners: Mapping[str, str]) -> tuple[Step, ...]:
        """What changes have to say for that state to hold. A share that is in the file can't be taken away: in its place comes one that
        leaves everything to the owner, by interface in `owners`."""
        found = []
        for key in self.state.differing(after):
            wanted = after.get(key)
            filed = self.file.get(key)
            if wanted is None and isinstance(filed, Shares):
                wanted = Shares(filed.interface, ((owners.get(filed.interface, ""), 1),))
            found.append(Step(key, self.said.get(key), wanted))
        return tuple(step for step in found if step.before != step.after)

    def with_steps(self, steps: tuple[Step, ...]) -> dict[Key, Setting]:
        """What changes would say after these steps."""
        said = dict(self.said)
        for step in steps:
            if step.after is None:
                said.pop(step.key, None)
            else:
                said[step.key] = step.after
        return said
