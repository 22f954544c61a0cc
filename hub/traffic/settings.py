"""Everything that shapes traffic, as one immutable value: settings by their keys.

`State` holds at most one setting of each key. An edit is a function from one state to another, made of `put` and `drop`:

    lambda state: state.put(Shares("metip.example.v1.ExampleService", (("example", 95), ("other", 5))))
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Self, TypeAlias, TypeVar

from hub.mesh.steering import (
    Breaker,
    CallLimit,
    Drain,
    FaultInjection,
    Key,
    Maintenance,
    Pin,
    Shares,
    Steering,
    Versions,
)

__all__ = [
    "Breaker",
    "CallLimit",
    "Drain",
    "FaultInjection",
    "Key",
    "Maintenance",
    "Paused",
    "Pin",
    "Sampling",
    "Setting",
    "Shares",
    "State",
    "Versions",
]


@dataclass(frozen=True, slots=True)
class Paused:
    """A subscription that is not delivered to; what is accepted meanwhile waits."""

    kind: ClassVar = "paused"
    subscription: str
    """`<system>:<operation>`."""

    @property
    def key(self) -> Key:
        """By subscription."""
        return self.kind, self.subscription


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many calls of a query are asked of the other platform too, to be compared."""

    kind: ClassVar = "sampling"
    operation: str
    per_million: int
    again_per_million: int = 0
    """How many of them ask the primary a second time, to learn its noise."""
    cap_per_hour: int = 0
    """0 for no cap, which a contract that says SAMPLED does not allow."""

    @property
    def key(self) -> Key:
        """By operation."""
        return self.kind, self.operation


Setting: TypeAlias = Steering | Paused | Sampling
AnySetting = TypeVar("AnySetting", bound=Setting)


@dataclass(frozen=True)
class State:
    """All settings, by key. Two states with the same settings are equal."""

    settings: tuple[Setting, ...] = ()
    _by_key: dict[Key, Setting] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Of two settings with one key the later one stays."""
        found = {one.key: one for one in self.settings}
        object.__setattr__(self, "_by_key", dict(sorted(found.items())))
        object.__setattr__(self, "settings", tuple(self._by_key.values()))

    def put(self, *settings: Setting) -> Self:
        """With these in place of those of the same keys."""
        return type(self)((*self.settings, *settings))

    def drop(self, *keys: Key) -> Self:
        """Without those of these keys; one that is not there is no fault."""
        return type(self)(tuple(one for one in self.settings if one.key not in keys))

    def get(self, key: Key) -> Setting | None:
        """The setting of a key."""
        return self._by_key.get(key)

    @property
    def keys(self) -> Iterable[Key]:
        """Keys, in order."""
        return self._by_key.keys()

    def of(self, kind: type[AnySetting]) -> tuple[AnySetting, ...]:
        """All of one kind, by key: `state.of(Pin)`."""
        return tuple(one for one in self.settings if isinstance(one, kind))

    def weights(self, interface: str) -> dict[str, int]:
        """Weight by system, as set; empty where the interface's owner gets everything because nobody said otherwise."""
        found = self._by_key.get((Shares.kind, interface))
        return dict(found.weights) if isinstance(found, Shares) else {}

    def differing(self, other: "State") -> tuple[Key, ...]:
        """Keys whose settings are not the same in both."""
        both = self._by_key.keys() | other._by_key.keys()
        return tuple(sorted(key for key in both if self._by_key.get(key) != other._by_key.get(key)))
