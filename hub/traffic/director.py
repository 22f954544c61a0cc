"""Changes traffic: one change at a time, judged, recorded in the ledger before it is in force, kept, and undone by its number.

The laws:
- what can't be recorded is not done, and what is recorded is done, even by the hub that starts after a crash in between;
- a change is undone by its number while no later change in force stands on it, that is, says something of the same keys;
- a change whose time is over is stepped back by the hub; where a later one stands on it, that one's own way back leads past it.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import Any, Final, TypeVar

from hub.ledger.actions import OPERATORS
from hub.mesh.control import STANDS, Control
from hub.mesh.history import Change as MeshChange
from hub.recording import TRAFFIC_CHANGE, TRAFFIC_CHANGE_REFUSED, Recorder
from hub.traffic.changes import (
    Applied,
    Edit,
    Preview,
    RefusedError,
    Standing,
    StandsOnError,
    Step,
    TrafficChange,
    TrafficError,
)
from hub.traffic.judging import Known, judge
from hub.traffic.layers import Layers, traffic_of
from hub.traffic.overrides import Overrides, keys_of
from hub.traffic.pausing import Pausing
from hub.traffic.previewing import described, resources, sentences, warnings
from hub.traffic.settings import Sampling, State
from hub.traffic.store import Store
from metip.faults import Fault

T = TypeVar("T")
HUB: Final = "hub"
"""Who steps back when a time is over, and begins when one has come."""
LONGEST: Final = 900
"""Characters of what a record says of a change."""


@dataclass
class Director:
    """Owns the traffic settings that are in force."""

    layers: Layers
    store: Store
    control: Control
    recorder: Recorder
    overrides: Overrides
    pausing: Pausing
    sample: Callable[[Sampling], None] | None = None
    """Is told of each sampling that came into force; one of none in a million ends it."""
    clock: Callable[[], float] = time
    changed: Callable[[TrafficChange], None] = lambda _: None
    """Is told of each change that came into force, or was refused."""
    _running: set[asyncio.Task[Any]] = field(default_factory=set, repr=False)
    _owed: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """Refusals that the ledger has yet to hear of: author and detail."""

    @property
    def state(self) -> State:
        """What is in force: the file's settings, and on top of them what changes said."""
        return self.layers.state

    @property
    def known(self) -> Known:
        """What settings are judged by now."""
        inputs = self.control.inputs
        return Known(inputs.contracts, inputs.policy, inputs.edge.trust_domain, inputs.instances)

    async def preview(self, edit: Edit) -> Preview:
        """What an edit would do; nothing happens. Raises `TrafficError` with every problem."""
        after, steps = self._edited(edit)
        await self.overrides.look()
        return self._preview(after, steps)

    async def change(
        self, what: str, author: str, because: str, edit: Edit, until: float | None = None, *, at: float | None = None
    ) -> Applied:
        """Makes a change. `author` is an operator (`os://…`, `sso://…`), or the part of the hub that acts, such as `migration`; `until` and
        `at` are unix seconds: when it steps back by itself, and when it begins.

        Raises `TrafficError` with every problem, and `Fault` JOURNAL when it can't be recorded. Once begun it runs to its end, even when
        its caller is gone.
        """
        now, started = self.clock(), monotonic()
        late = [f"its {name} is past" for name, moment in (("beginning", at), ("end", until)) if moment is not None and moment <= now]
        if at is not None and until is not None and until <= at:
            late.append("it would end before it begins")
        if late:
            raise TrafficError(late)

        async def work() -> Applied:
            async with self.layers.turn:
                after, steps = self._edited(edit)
                preview = self._preview(after, steps)
                if not steps:
                    return Applied(0, preview, monotonic() - started, None)
                standing = Standing.SCHEDULED if at else Standing.PROPOSED
                change = TrafficChange(0, what, author, because, standing, now, at or now, until or 0.0, steps)
                return await self._begun(self.store.begin(change), preview, started)

        return await self._to_its_end(work())

    async def undo(self, number: int, author: str, because: str) -> Applied:
        """Puts back what a change changed. Raises `TrafficError` when later changes stand on it, naming them; `Fault` as `change` does."""
        now, started = self.clock(), monotonic()

        async def work() -> Applied:
            async with self.layers.turn:
                old = self.store.change(number)
                if old.standing is Standing.SCHEDULED:
                    return await self._called_off(old, author, because, started)
                if old.standing is not Standing.IN_FORCE:
                    raise StandsOnError((f"change {number} is not in force: {old.standing.value}",))
                later = [one for one in self._later(old) if not {s.key for s in one.steps}.isdisjoint(s.key for s in old.steps)]
                if later:
                    named = ", ".join(f"{one.number} ({one.what})" for one in later)
                    raise StandsOnError((f"later changes stand on {number}: {named}; undo those first",))
                steps = tuple(Step(step.key, step.after, step.before) for step in old.steps)
                change = TrafficChange(
                    0, f"undo {number}: {old.what}", author, because, Standing.PROPOSED, now, now, steps=steps, undoes=number
                )
                preview = self._preview(self._after(steps), steps)
                return await self._begun(self.store.begin(change), preview, started)

        return await self._to_its_end(work())

    async def recover(self) -> None:
        """Before anything is published: carries out what was recorded, and lets go of what was not. The hub that stopped did neither."""
        async with self.layers.turn:
            for change in self.store.of_standing(Standing.RECORDED):
                self._stands(change, self.layers.moved(self._after(change.steps), self.clock()))
            for change in self.store.of_standing(Standing.PROPOSED):
                await self._refused(change, "the hub stopped before it was recorded")
            self.control.inputs = replace(self.control.inputs, traffic=self.layers.traffic)

    async def take_up(self) -> None:
        """Once there are an exchange and a sampler: subscriptions that are to rest do, and what is to be sampled is."""
        await self.pausing.settle(frozenset(), self.pausing.resting(self.state), HUB, "the hub started")
        self._sampled(State(), self.state)

    async def keep_time(self) -> None:
        """Begins what is due, and steps back what is over; once. What can't be recorded is tried again the next time."""
        await self._settle_with_the_ledger()
        begin, end = self.store.due(self.clock())
        for change in end:
            await self._to_its_end(self._step_back(change.number))
        for change in begin:
            await self._to_its_end(self._scheduled(change.number))

    def _edited(self, edit: Edit) -> tuple[State, tuple[Step, ...]]:
        known, before = self.known, self.state
        after = edit(before)
        problems = judge(before, after, known)
        if problems:
            raise TrafficError(problems)
        steps = self.layers.steps(after, {one.name: one.system for one in known.contracts.interfaces})
        return self._after(steps), steps

    def _after(self, steps: tuple[Step, ...]) -> State:
        return self.layers.file.put(*self.layers.with_steps(steps).values())

    def _preview(self, after: State, steps: tuple[Step, ...]) -> Preview:
        before, known = self.state, self.known
        mine = keys_of((step.key for step in steps), after, known.contracts)
        return Preview(
            steps,
            sentences(before, after, known),
            warnings(before, after, known, mine & self.overrides.seen.keys()),
            resources(self.control.preview(traffic=traffic_of(after, self.layers.epochs | self.layers.moved(after, self.clock())))),
        )

    async def _begun(self, change: TrafficChange, preview: Preview, started: float) -> Applied:
        """Records a change that the file has, and puts it in force unless its time is yet to come."""
        try:
            await self.recorder(TRAFFIC_CHANGE, _recorded_as(change.author), _detail(change))
        except Exception:
            self.store.stands(change.number, Standing.REFUSED, problem="it could not be recorded")
            raise
        if change.standing is Standing.SCHEDULED:
            self.changed(change)
            return Applied(change.number, preview, monotonic() - started, None)
        self.store.stands(change.number, Standing.RECORDED)
        mesh = await self._carried_out(change)
        return Applied(change.number, preview, monotonic() - started, mesh)

    async def _carried_out(self, change: TrafficChange) -> MeshChange:
        before, after = self.state, self._after(change.steps)
        moved = self.layers.moved(after, self.clock())
        traffic = traffic_of(after, self.layers.epochs | moved)
        mesh = await self.control.propose(f"traffic {change.number}: {change.what}", change.author, traffic=traffic)
        if mesh.outcome not in STANDS:
            await self._refused(change, str(mesh))
            raise RefusedError((str(mesh),))
        self._stands(change, moved)
        await self.overrides.take_back(keys_of((step.key for step in change.steps), after, self.known.contracts))
        await self.pausing.settle(self.pausing.resting(before), self.pausing.resting(after), change.author, change.because)
        self._sampled(before, after)
        self.changed(replace(change, standing=Standing.IN_FORCE))
        return mesh

    def _stands(self, change: TrafficChange, moved: dict[str, int]) -> None:
        """A change is in force from now on, and so are the epochs that came of it."""
        self.store.in_force(change, self.clock(), self._ends(change), moved)
        self.layers.said = self.layers.with_steps(change.steps)
        self.layers.epochs.update(moved)

    def _sampled(self, before: State, after: State) -> None:
        """Tells whoever samples of what is sampled otherwise now."""
        if self.sample is None:
            return
        for key in before.differing(after):
            if key[0] == Sampling.kind:
                found = after.get(key)
                self.sample(found if isinstance(found, Sampling) else Sampling(key[1], 0))

    async def _refused(self, change: TrafficChange, problem: str) -> None:
        self.store.stands(change.number, Standing.REFUSED, problem=problem)
        self.changed(replace(change, standing=Standing.REFUSED, problem=problem))
        self._owed.append((_recorded_as(change.author), json.dumps({"change": change.number, "problem": problem[:LONGEST]})))
        with suppress(Fault):
            await self._settle_with_the_ledger()

    async def _settle_with_the_ledger(self) -> None:
        """Records refusals; one that can't be recorded now is when time is kept."""
        while self._owed:
            await self.recorder(TRAFFIC_CHANGE_REFUSED, *self._owed[0])
            del self._owed[0]

    async def _called_off(self, old: TrafficChange, author: str, because: str, started: float) -> Applied:
        """Takes back a change whose time is yet to come."""
        detail = json.dumps({"change": old.number, "called_off": because})
        await self.recorder(TRAFFIC_CHANGE, _recorded_as(author), detail)
        self.store.ended(old.number, Standing.UNDONE, 0, problem=f"called off by {author}: {because}")
        self.changed(self.store.change(old.number))
        return Applied(old.number, Preview(), monotonic() - started, None)

    async def _scheduled(self, number: int) -> None:
        async with self.layers.turn:
            change = self.store.change(number)
            if change.standing is not Standing.SCHEDULED:
                return
            moved = [step.key for step in change.steps if self.layers.said.get(step.key) != step.before]
            after = self._after(change.steps)
            problems = judge(self.state, after, self.known)
            if moved or problems:
                why = f"something else was said meanwhile of {' '.join(moved[0])}" if moved else "; ".join(problems)
                await self._refused(change, why)
                return
            now = replace(change, standing=Standing.PROPOSED)
            await self._begun(now, self._preview(after, change.steps), monotonic())

    async def _step_back(self, number: int) -> None:
        async with self.layers.turn:
            old = self.store.change(number)
            if old.standing is not Standing.IN_FORCE:
                return
            self._led_past(old)
            later = {step.key for one in self._later(old) for step in one.steps}
            steps = tuple(Step(step.key, step.after, step.before) for step in old.steps if step.key not in later)
            if not steps:
                self.store.ended(number, Standing.EXPIRED, 0, problem="later changes stand in its place")
                return
            now = self.clock()
            words = f"the time of {number} is over: {old.what}"
            change = TrafficChange(0, words, HUB, old.because, Standing.PROPOSED, now, now, steps=steps, undoes=number)
            await self._begun(self.store.begin(change), self._preview(self._after(steps), steps), monotonic())

    def _led_past(self, old: TrafficChange) -> None:
        """The way back of what stands on a change leads past it from now on."""
        ways = {step.key: step.before for step in old.steps}
        for one in self._later(old):
            mine = tuple(replace(step, before=ways.pop(step.key)) if step.key in ways else step for step in one.steps)
            if mine != one.steps:
                self.store.rewrite(one.number, mine)

    def _later(self, old: TrafficChange) -> list[TrafficChange]:
        """Changes in force after one; those that only undo another are none."""
        return [one for one in self.store.of_standing(Standing.IN_FORCE, after=old.number) if not one.undoes]

    def _ends(self, change: TrafficChange) -> list[tuple[int, Standing, int]]:
        """What ends as a change comes into force, and by which change: what it undoes. Where that undid another, that one holds again."""
        if not change.undoes:
            return []
        old = self.store.change(change.undoes)
        over = change.author == HUB and 0 < old.until <= self.clock()
        again = [(old.undoes, Standing.IN_FORCE, 0)] if old.undoes else []
        return [(old.number, Standing.EXPIRED if over else Standing.UNDONE, change.number), *again]

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


def _recorded_as(author: str) -> str:
    """A part of the hub goes by a name of its own, so that nobody takes it for an officer."""
    return author if author.startswith(OPERATORS) else f"os://hub/{author}"


def _detail(change: TrafficChange) -> str:
    """What the ledger is told: what changes, by keys and in words, as much as there is room for."""
    said: dict[str, Any] = {"change": change.number, "what": change.what, "because": change.because}
    said |= {name: moment for name, moment in (("until", change.until), ("undoes", change.undoes)) if moment}
    if change.standing is Standing.SCHEDULED:
        said["at"] = change.at
    words = [described(step.after) if step.after is not None else f"no longer {' '.join(step.key)}" for step in change.steps]
    said["says"] = "; ".join(words)[:LONGEST]
    return json.dumps(said, ensure_ascii=False)
