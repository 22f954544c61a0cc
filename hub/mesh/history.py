"""What happened to the mesh: a record of each change, its cause and what each Envoy answered; the last 500 are kept."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from hub.mesh.resources import Difference, ResourceType
from metip.telemetry.spread import Spread

HISTORY_LIMIT: Final = 500


class Outcome(Enum):
    """How a change ended."""

    ACCEPTED = "accepted"
    """Every connected Envoy holds it."""
    UNCHANGED = "unchanged"
    """It is what the Envoys hold already; nothing was sent and nothing is recorded."""
    REFUSED = "refused"
    """It contradicts itself, or cannot follow the one before without loss; no Envoy has seen it."""
    REJECTED = "rejected"
    """An Envoy would not take it; the snapshot before it was restored."""
    TIMED_OUT_WAITING = "timed_out_waiting"
    """It stands, but an Envoy did not answer in time."""


@dataclass(frozen=True)
class Cause:
    """Why a change was made and by whom: a person's or a component's name as the audit trail is to show it."""

    what: str
    author: str


@dataclass(frozen=True)
class Acknowledgement:
    """One Envoy took one type of a step."""

    node_id: str
    type: ResourceType
    at: datetime


@dataclass(frozen=True)
class Rejection:
    """One Envoy would not take one type of a step (a NACK); `message` is Envoy's own."""

    node_id: str
    stage: str
    type: ResourceType
    message: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.node_id} would not take the {self.type.word}s (step {self.stage}): {self.message}"


@dataclass(frozen=True)
class Silence:
    """One Envoy did not answer a step in time."""

    node_id: str
    stage: str
    types: tuple[ResourceType, ...]

    def __str__(self) -> str:
        return f"{self.node_id} did not answer for {', '.join(kind.word for kind in self.types)} (step {self.stage})"


@dataclass(frozen=True)
class StageRecord:
    """One step of a change as it went."""

    name: str
    difference: Difference
    started: datetime
    finished: datetime
    acknowledgements: tuple[Acknowledgement, ...] = ()


@dataclass(frozen=True)
class Change:
    """One change, complete: what was asked, what was sent, and how every Envoy took it.

    `id` counts from 1 in each run of the hub and is 0 for an unchanged one; `digest` is the candidate's. `reasons` is
    filled when refused, `rejections` when rejected, `silences` when an Envoy was too slow (in whichever outcome);
    `restoring` holds the steps back to the snapshot before.
    """

    id: int
    cause: Cause
    started: datetime
    finished: datetime
    digest: str
    difference: Difference
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    silences: tuple[Silence, ...] = ()
    stages: tuple[StageRecord, ...] = ()
    restoring: tuple[StageRecord, ...] = ()

    def __str__(self) -> str:
        why = "; ".join((*self.reasons, *map(str, self.rejections), *map(str, self.silences)))
        asked = f"change {self.id} ({self.cause.what}, {self.cause.author})"
        return f"{asked} {self.outcome.value}: {why or self.difference}"


class History:
    """The last changes, oldest first."""

    def __init__(self, limit: int = HISTORY_LIMIT) -> None:
        self._changes: deque[Change] = deque(maxlen=limit)
        self._recorded = asyncio.Event()
        self.outcomes: Counter[Outcome] = Counter()
        """How many changes ended how, since the hub started."""
        self.spread = Spread()
        """How long they took."""

    def record(self, change: Change) -> None:
        """Keep a finished change and tell those who watch."""
        self._changes.append(change)
        self.outcomes[change.outcome] += 1
        self.spread.add((change.finished - change.started).total_seconds())
        self._recorded.set()
        self._recorded = asyncio.Event()

    def latest(self, count: int = HISTORY_LIMIT) -> tuple[Change, ...]:
        """Up to `count` changes, the latest first."""
        return tuple(reversed(self._changes))[:count]

    def since(self, change_id: int) -> tuple[Change, ...]:
        """The changes after this one, oldest first."""
        return tuple(change for change in self._changes if change.id > change_id)

    async def watch(self, after: int) -> AsyncGenerator[Change, None]:
        """Each change after the one with this id, as it finishes, without end.

        Nothing is queued for a slow watcher: one that falls behind by more than the history keeps misses changes, and
        sees it by the gap in their ids.
        """
        while True:
            recorded = self._recorded
            for change in self.since(after):
                after = change.id
                yield change
            await recorded.wait()
