"""Brings every connected Envoy from one snapshot to the next, one change at a time, and back again when one refuses.

The laws:
- a snapshot that contradicts itself, or that cannot follow the last one without loss, is never sent;
- changes are made one after another in the order they were asked for, and never merged: each has its own outcome;
- a step begins when every Envoy has acknowledged the step before, never after a pause that is hoped to be enough;
- an Envoy that refuses (NACK) takes everybody back to the last accepted snapshot;
- an Envoy that does not answer holds nobody up for longer than `answer_within`, and is named;
- before the first change nothing is sent at all: an empty answer would strip an Envoy that outlived the hub.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from hub.mesh.history import Acknowledgement, Cause, Change, History, Outcome, Rejection, Silence, StageRecord
from hub.mesh.resources import EMPTY, MAY_REFER_TO, Difference, ResourceType, Snapshot, Stage, stages, unsafe

_log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 10.0
"""Seconds. An Envoy acknowledges clusters only when they are warm, so a first health check has to fit in."""


class Follower(Protocol):
    """A connected Envoy, as the publisher sees it."""

    @property
    def node_id(self) -> str:
        """The Envoy's own name for itself."""

    def wake(self) -> None:
        """There may be something new to send."""

    def behind(self, snapshot: Snapshot, types: frozenset[ResourceType]) -> tuple[ResourceType, ...]:
        """Those of the types in which this Envoy has yet to acknowledge, or to ask for, what the snapshot holds."""


@dataclass
class _Underway:
    """The change being made: what has been heard so far."""

    stage: str = ""
    types: frozenset[ResourceType] = frozenset()
    acknowledgements: dict[tuple[Follower, ResourceType], Acknowledgement] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    late: set[Follower] = field(default_factory=set)


class Publisher:
    """Owns what Envoys are told. Use it from one event loop."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        answer_within: float = ANSWER_WITHIN,
        history: History | None = None,
    ) -> None:
        self.history = history or History()
        self._clock = clock
        self._answer_within = answer_within
        self._accepted: Snapshot | None = None
        self._serving: Snapshot | None = None
        self._followers: dict[Follower, None] = {}
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._underway: _Underway | None = None
        self._changes: set[asyncio.Task[Change]] = set()
        self._count = 0
        self.acknowledgements: Counter[ResourceType] = Counter()
        """Answers by which Envoys took something, since the hub started."""
        self.rejections: Counter[ResourceType] = Counter()

    def current(self) -> Snapshot:
        """The last accepted snapshot; an empty one when there is none yet."""
        return self._accepted or EMPTY

    def serving(self) -> Snapshot | None:
        """What Envoys are to hold now: the current snapshot, or a step of a change; None before the first change."""
        return self._serving

    async def publish(self, candidate: Snapshot, cause: Cause) -> Change:
        """Bring every Envoy to the candidate and return the record of how it went.

        The change runs to its end even when the caller is cancelled: half a change is never left standing.
        """
        change = asyncio.create_task(self._in_turn(candidate, cause))
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)
        return await asyncio.shield(change)

    async def finish(self) -> None:
        """Return when no change is under way or waiting for its turn; for an orderly stop."""
        while self._changes:
            await asyncio.wait(self._changes)

    # What the streams tell the publisher.

    def attach(self, follower: Follower) -> None:
        """An Envoy has connected: from now on it is waited for."""
        self._followers[follower] = None

    def detach(self, follower: Follower) -> None:
        """An Envoy has gone: nothing waits for it any more."""
        self._followers.pop(follower, None)
        self.progressed()

    def acknowledged(self, follower: Follower, kind: ResourceType, version: str) -> None:
        """An Envoy took this version of this type."""
        self.acknowledgements[kind] += 1
        if self._underway is not None and self._is_awaited(kind, version):
            answer = Acknowledgement(follower.node_id, kind, self._clock())
            self._underway.acknowledgements[follower, kind] = answer
        self.progressed()

    def rejected(self, follower: Follower, kind: ResourceType, version: str, message: str) -> None:
        """An Envoy would not take this version of this type."""
        self.rejections[kind] += 1
        if self._underway is not None and self._is_awaited(kind, version):
            answer = Rejection(follower.node_id, self._underway.stage, kind, message, self._clock())
            self._underway.rejections.append(answer)
        else:
            # Of a change that has ended, so nothing is taken back; but somebody should know.
            detail = {"node_id": follower.node_id, "type": kind.word, "detail": message}
            _log.warning("envoy_refused_late", extra=detail)
        self.progressed()

    def progressed(self) -> None:
        """An Envoy has answered, asked for more, or gone: whoever waits looks again."""
        self._moved.set()

    # How a change is made.

    async def _in_turn(self, candidate: Snapshot, cause: Cause) -> Change:
        async with self._turn:
            started = self._clock()
            difference = self.current().difference(candidate)
            if candidate == self._accepted:
                return Change(0, cause, started, started, candidate.digest, difference, Outcome.UNCHANGED)
            self._count += 1
            change = await self._made(self._count, candidate, cause, difference, started)
            self.history.record(change)
            _report(change)
            return change

    async def _made(self, number: int, candidate: Snapshot, cause: Cause, difference: Difference, started: datetime) -> Change:
        problems = (*candidate.consistent(), *unsafe(self.current(), candidate))
        reasons = tuple(map(str, problems))
        heard = self._underway = _Underway()
        done: list[StageRecord] = []
        restored: list[StageRecord] = []
        try:
            if not reasons:
                done = await self._advance(candidate, heard)
            if heard.rejections:
                restored = await self._restore(heard)
            elif not reasons:
                self._accepted = candidate
        finally:
            self._underway = None
            self._serve(self._accepted)
        return Change(
            id=number,
            cause=cause,
            started=started,
            finished=self._clock(),
            digest=candidate.digest,
            difference=difference,
            outcome=_outcome(reasons, heard),
            reasons=reasons,
            rejections=tuple(heard.rejections),
            silences=tuple(heard.silences),
            stages=tuple(done),
            restoring=tuple(restored),
        )

    async def _advance(self, candidate: Snapshot, heard: _Underway) -> list[StageRecord]:
        """Go through the steps to the candidate, up to the first that an Envoy refuses."""
        if self._accepted is None:
            # What a connected Envoy holds from an earlier run of the hub is unknown, so there is no old to keep.
            plan: tuple[Stage, ...] = (Stage("whole", candidate, EMPTY.difference(candidate)),)
        else:
            plan = stages(self._accepted, candidate)
        done: list[StageRecord] = []
        for stage in plan:
            done.append(await self._through(stage, stage.name, heard))
            if heard.rejections:
                break
        return done

    async def _restore(self, heard: _Underway) -> list[StageRecord]:
        """Take everybody back to the last accepted snapshot, by safe steps too: some may have taken the new one."""
        serving = self._serving
        if self._accepted is None or serving is None:
            return []
        return [await self._through(stage, f"restore {stage.name}", heard) for stage in stages(serving, self._accepted)]

    async def _through(self, stage: Stage, name: str, heard: _Underway) -> StageRecord:
        """Serve one step and wait until every Envoy has taken it, one has refused it, or time is up."""
        started = self._clock()
        heard.stage, heard.types = name, _touched(stage.difference)
        heard.acknowledgements.clear()
        refusals = len(heard.rejections)
        restoring = refusals > 0
        self._serve(stage.snapshot)
        try:
            async with asyncio.timeout(self._answer_within):
                while (restoring or len(heard.rejections) == refusals) and self._awaited(stage, heard):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            for follower, kinds in self._awaited(stage, heard).items():
                heard.late.add(follower)
                heard.silences.append(Silence(follower.node_id, name, kinds))
        acknowledgements = tuple(heard.acknowledgements.values())
        return StageRecord(name, stage.difference, started, self._clock(), acknowledgements)

    def _awaited(self, stage: Stage, heard: _Underway) -> dict[Follower, tuple[ResourceType, ...]]:
        """Who has yet to answer this step, and in what. One that was late once in a change is not waited for again."""
        asked = (follower for follower in self._followers if follower not in heard.late)
        behind = {follower: follower.behind(stage.snapshot, heard.types) for follower in asked}
        return {follower: kinds for follower, kinds in behind.items() if kinds}

    def _is_awaited(self, kind: ResourceType, version: str) -> bool:
        """Whether an answer is to the step being made, and not to something that was sent before it."""
        heard, serving = self._underway, self._serving
        return heard is not None and serving is not None and kind in heard.types and version == serving.version(kind)

    def _serve(self, snapshot: Snapshot | None) -> None:
        if snapshot != self._serving:
            self._serving = snapshot
            for follower in self._followers:
                follower.wake()


def _touched(difference: Difference) -> frozenset[ResourceType]:
    """The types in which a step needs an answer: what it changes, and what Envoy asks for by name because of that."""
    asked = (MAY_REFER_TO[kind] - {ResourceType.CLUSTER} for kind in difference.types)
    return difference.types.union(*asked)


def _outcome(reasons: tuple[str, ...], heard: _Underway) -> Outcome:
    if reasons:
        return Outcome.REFUSED
    if heard.rejections:
        return Outcome.REJECTED
    return Outcome.TIMED_OUT_WAITING if heard.silences else Outcome.ACCEPTED


def _report(change: Change) -> None:
    level = logging.INFO if change.outcome is Outcome.ACCEPTED else logging.WARNING
    _log.log(
        level,
        "mesh_changed",
        extra={
            "change": change.id,
            "cause": change.cause.what,
            "author": change.cause.author,
            "outcome": change.outcome.value,
            "detail": str(change),
            "took_ms": round((change.finished - change.started).total_seconds() * 1000, 1),
        },
    )
