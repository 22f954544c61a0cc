"""Changes traffic: one change at a time, judged, recorded in the ledger before it is in force, kept, and undone by its number.

The law: what can't be recorded is not done, and what is recorded is done, even by the hub that starts after a crash in between.
"""

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
    """What a change does to one key: the setting that changes put there before and after it; None where no change had a word, so that the
    file's, or nothing, holds."""

    key: Key
    before: Setting | None
    after: Setting | None


@dataclass(frozen=True)
class Preview:
    """What a change would do."""

    steps: tuple[Step, ...]
    sentences: tuple[str, ...]
    """What happens to calls, in words."""
    warnings: tuple[str, ...]
    resources: tuple[str, ...]
    """`~route operations` and so on: what Envoy is told anew."""


@dataclass(frozen=True)
class Applied:
    """A change that is in force (or, with `at`, waits for its time)."""

    number: int
    """By which it is undone."""
    preview: Preview
    seconds: float
    """From being asked to Envoy's acknowledgement."""
    mesh: MeshChange | None
    """None where Envoy had nothing to do."""


class TrafficError(Exception):
    """A change that was not made; `problems` has every reason. Nothing changed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Director:
    """Owns the traffic settings that are in force."""

    @property
    def state(self) -> State:
        """What is in force: the file's settings, and on top of them what changes said."""
        raise NotImplementedError

    async def preview(self, edit: Edit) -> Preview:
        """What an edit would do; nothing happens. Raises `TrafficError` with every problem."""
        raise NotImplementedError

    async def change(
        self, what: str, author: str, because: str, edit: Edit, until: float | None = None, *, at: float | None = None
    ) -> Applied:
        """Makes a change. `author` is `os://<host>/<user>`, or the part of the hub that acts, such as `migration`; `until` and `at` are
        unix seconds: when it steps back by itself, and when it begins.

        Raises `TrafficError` with every problem, and `Fault` JOURNAL when it can't be recorded.
        """
        raise NotImplementedError

    async def undo(self, number: int, author: str, because: str) -> Applied:
        """Puts back what a change changed. Raises `TrafficError` when later changes stand on it, naming them."""
        raise NotImplementedError
