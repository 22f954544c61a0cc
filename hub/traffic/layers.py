"""What holds: the file's settings, and on top of them what changes said. One turn for whoever changes either."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

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


def traffic_of(state: State, epochs: Mapping[str, int] = MappingProxyType({})) -> Traffic:
    """What the mesh is compiled from; `epochs` are numbers of the last change of who gets an interface's calls that write."""
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
        epochs=tuple(sorted(epochs.items())),
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
    epochs: dict[str, int] = field(default_factory=dict)
    """By interface, the number of the last change of who gets its calls that write. Numbers only grow, over all interfaces, and are at
    least the time in seconds: a file that was lost does not give out again what it gave out."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def state(self) -> State:
        """What holds."""
        return self.file.put(*self.said.values())

    @property
    def traffic(self) -> Traffic:
        """What the mesh is compiled from."""
        return traffic_of(self.state, self.epochs)

    def on(self, file: State) -> Traffic:
        """What would hold on another file."""
        return traffic_of(file.put(*self.said.values()), self.epochs)

    def moved(self, after: State, now: float) -> dict[str, int]:
        """Epochs of the interfaces whose calls that write would go to another system in that state than they do."""
        before, then = _writers(self.state), _writers(after)
        number = max(int(now), max(self.epochs.values(), default=0) + 1)
        return {name: number for name in sorted(before.keys() | then.keys()) if before.get(name, "") != then.get(name, "")}

    def writer(self, interface: str) -> tuple[str, int]:
        """The system that gets all calls of an interface that write, empty where nobody does, and since which epoch."""
        return _writers(self.state).get(interface, ""), self.epochs.get(interface, 0)

    def fences(self, system: str, held: int) -> tuple[tuple[str, int], ...]:
        """Interfaces whose calls that write are another system's, and since which number; those above a number that is held already."""
        found = ((name, self.epochs.get(name, 0)) for name, writer in _writers(self.state).items() if writer not in ("", system))
        return tuple(sorted(one for one in found if one[1] > held))

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


def _writers(state: State) -> dict[str, str]:
    """By interface, the system that gets all calls that write."""
    return {one.interface: one.writes for one in state.of(Shares)}
