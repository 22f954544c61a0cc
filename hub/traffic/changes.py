"""What a change of traffic is, from being asked for until it is undone or its time is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hub.mesh.history import Change as MeshChange
from hub.traffic.settings import Key, Setting, State

Edit: TypeAlias = Callable[[State], State]


class Standing(Enum):
    """Where a change stands."""

    SCHEDULED = "scheduled"
    """Waits for its time."""
    PROPOSED = "proposed"
    """Is being made; not recorded yet."""
    RECORDED = "recorded"
    """Is in the ledger; not known to be in force yet."""
    IN_FORCE = "in_force"
    REFUSED = "refused"
    """Envoy would not take it, or it could not be recorded."""
    UNDONE = "undone"
    EXPIRED = "expired"
    """Its time was over; the hub stepped back by itself."""


@dataclass(frozen=True)
class Step:
    """What a change does to one key: what changes said there before it and after it. None where no change has a word, so that the file's
    setting, or none, holds."""

    key: Key
    before: Setting | None
    after: Setting | None


@dataclass(frozen=True)
class TrafficChange:
    """One change. Instants are unix seconds; 0 for none."""

    number: int
    what: str
    author: str
    because: str
    standing: Standing
    asked: float
    at: float
    """When it came, or comes, into force."""
    until: float = 0.0
    steps: tuple[Step, ...] = ()
    undoes: int = 0
    undone_by: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Preview:
    """What a change would do."""

    steps: tuple[Step, ...] = ()
    sentences: tuple[str, ...] = ()
    """What happens to calls, in words."""
    warnings: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """`~route operations` and so on: what Envoy is told anew."""


@dataclass(frozen=True)
class Applied:
    """A change that is in force (or, with `at`, waits for its time)."""

    number: int
    """By which it is undone; 0 where everything was as wanted already, so that there is nothing to undo."""
    preview: Preview
    seconds: float
    """From being asked to Envoy's acknowledgement."""
    mesh: MeshChange | None
    """None where Envoy had nothing to do yet."""


class TrafficError(Exception):
    """A change that was not made; `problems` has every reason. Nothing changed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class UnknownChangeError(TrafficError):
    """There is no change of that number."""


class StandsOnError(TrafficError):
    """It can't be undone by itself: later changes stand on it, or it is not in force."""


class RefusedError(TrafficError):
    """Envoy would not take it; what was before is in force."""
