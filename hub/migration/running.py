"""A migration as people ask it: where interfaces stand, steps forward past their guards, steps back at once, consumers that are tied."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from hub.migration import guards, pinning
from hub.migration.approvals import Signed
from hub.migration.guards import Facts, Judgement
from hub.migration.measuring import Counting
from hub.migration.messages import PLATFORMS, figures_of, finding_of, message_of, position_of
from hub.migration.plan import Plan, Rules
from hub.migration.ports import Order
from hub.migration.states import Direction, NoSuchStepError, Platform, Position, State, adopted, at, direction, safe
from hub.migration.stepping import Mover
from hub.migration.store import Standing, Store
from hub.migration.surroundings import NotAdmissibleError, Surroundings, UnknownInterfaceError
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

T = TypeVar("T")
CANCEL = "migration/cancel"
LONGEST = 500
"""Letters of a reason."""


class Migration:
    """Where interfaces stand, and the only way in which that changes."""

    def __init__(self, store: Store, plan: Plan, around: Surroundings) -> None:
        self.store, self.plan, self.around = store, plan, around
        self.plan_problem = ""
        """What is wrong with the plan's file, while the plan before it holds."""
        self.retreats: Counter[str] = Counter()
        """Steps back that were made for a breach since the hub started, by interface."""
        self.counting = Counting(store, around.edge_log, self._owner, around.hub)
        self._mover = Mover(store, around.roads, around.writers, around.record, plan, around.clock)
        self._under_way: set[asyncio.Future[Any]] = set()

    async def begin(self) -> None:
        """Takes over what is new, and ends what an earlier hub began. Raises `Fault` JOURNAL and `RefusedError`: call it again then."""
        async with self._mover.turn:
            await self._adopt()
            await self._mover.resume()

    async def replan(self, plan: Plan) -> None:
        """Another plan holds from now on."""
        async with self._mover.turn:
            self.plan = self._mover.plan = plan
            self.plan_problem = ""
            await self._adopt()
            for interface in plan.rules:
                self.around.roads.compare(self.order(interface))

    def together(self, name: str) -> tuple[str, ...]:
        """The interfaces that move when one of that name, in full or its last word, or the group of it does. Raises
        `UnknownInterfaceError`."""
        if not self.plan.old:
            raise UnknownInterfaceError("the migration plan names no old platform, so nothing is being moved")
        short = [full for full in self.plan.rules if full.rpartition(".")[2] == name]
        try:
            found = self.plan.together(short[0] if len(short) == 1 else name)
        except KeyError:
            there = ", ".join(sorted(self.plan.rules))
            raise UnknownInterfaceError(f"{name} is not being moved; the old platform serves {there or 'nothing'}") from None
        if not set(found) <= self.store.standings().keys():
            raise UnknownInterfaceError("the hub has just started and ends what an earlier one began: ask again in a moment")
        return found

    async def take(self, request: api.TakeStepRequest, author: str) -> step_pb2.Step:
        """Takes a step forward. Raises `NotAdmissibleError`, `NoSuchStepError`, `UnknownInterfaceError`, `RefusedError`, ValueError and
        `Fault` JOURNAL; nothing moved then."""
        return await self.in_turn(partial(self._take, request, author))

    async def preview(self, request: api.TakeStepRequest, author: str) -> tuple[step_pb2.Step, bool]:
        """The step as it would be now, and whether it is admissible. Raises as `take` does, but for `NotAdmissibleError`."""
        async with self._mover.turn:
            return await self._prepared(request, author)

    async def back(self, interface: str, to: Position | None, because: str, author: str) -> step_pb2.Step:
        """Steps back; without `to`, to where a breach would lead. Raises as `take` does, but for the guards, which it has none of."""
        wanted = dict.fromkeys(self.together(interface), to)
        return await self.in_turn(partial(self.step_back, wanted, because, author, step_pb2.STEP_KIND_BACK))

    async def pin(self, request: api.PinConsumerRequest, author: str) -> step_pb2.Step:
        """Ties a consumer to a platform, or lets it go. Raises as `take` does."""
        return await self.in_turn(partial(self._pin, request, author))

    def schedule(self, request: api.TakeStepRequest, author: str) -> int:
        """Lets a step wait for its time; its guards are judged then. Raises `UnknownInterfaceError`."""
        self.together(request.interface)
        return self.store.schedule(request.at.ToMicroseconds() / 1e6, author, request)

    async def cancel(self, number: int, because: str, author: str) -> bool:
        """Calls off a step that waits; whether there was one. Raises `Fault` JOURNAL."""
        if not any(one[0] == number for one in self.store.scheduled()):
            return False
        await self.around.record(CANCEL, author, json.dumps({"scheduled": number, "because": because}))
        return self.store.unschedule(number)

    async def facts(self, interface: str, signed: Signed | None = None, attested: str = "") -> Facts:
        """What is known of an interface now."""
        rules, standing, now = self.plan.rules[interface], self.store.standings()[interface], self.around.clock()
        self.counting.keep()
        doubts = [await self.around.writers.in_doubt(one.name) for one in rules.writes]
        tied = [one.consumer for one in self.store.pins() if one.interface == interface and one.platform is Platform.METIP]
        return Facts(
            rules=rules,
            here=standing.position,
            since=standing.since,
            now=now,
            evidence=self.around.comparisons.evidence(interface, standing.since),
            old=self.store.tally(interface, rules.old, standing.since),
            new=self.store.tally(interface, rules.system, standing.since),
            author=signed.author if signed else "",
            approver=signed.approver if signed else "",
            approval=signed.faults if signed else (),
            absent=self.around.roads.absent(interface, (rules.system, rules.old)) if rules.called else (),
            expired=self.around.expired(interface, now),
            doubts=sum(doubts),
            attested=attested,
            tied=tuple(tied),
            unwatched=self.around.edge_log is None,
        )

    def order(self, interface: str) -> Order:
        """How the calls of an interface are to go, where it stands."""
        pins = {one.consumer: one.platform for one in self.store.pins() if one.interface == interface}
        return Order(self.plan.rules[interface], self.store.standings()[interface].position, pins)

    def watched(self, interface: str) -> bool:
        """Whether a breach leads an interface back by itself now: as long as callers get the new platform's answers, and a way back."""
        standing, rules = self.store.standings().get(interface), self.plan.rules.get(interface)
        if standing is None or rules is None or not rules.called or self.around.edge_log is None:
            return False
        if any(one.interface == interface and one.platform is Platform.METIP2 for one in self.store.pins()):
            return True
        if standing.position.state is State.NEW:  # one that nobody moved here was never proved on the old platform
            return bool(standing.step) and self.around.clock() - standing.since < rules.watch.way_back
        return standing.position.percent > 0

    async def in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does it in turn and to its end, even when whoever asked has gone; what was begun before and not ended comes first."""

        async def whole() -> T:
            async with self._mover.turn:
                if self.store.unfinished():
                    await self._mover.resume()
                return await work()

        task = asyncio.ensure_future(whole())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def step_back(
        self, wanted: Mapping[str, Position | None], because: str, author: str, kind: "step_pb2.StepKind.ValueType"
    ) -> step_pb2.Step:
        """Moves interfaces back, each to its position or, without one, to where it is safe; to be called in turn. Raises as `take` does."""
        step, standings = begun(kind, author, because, self.around.clock()), self.store.standings()
        for name, to in wanted.items():
            here = standings[name].position
            there = to or (at(State.LEGACY) if safe(here) == here else safe(here))
            if there == here and len(wanted) > 1:
                continue
            if direction(here, there) is not Direction.BACK:
                raise NoSuchStepError(f"{there} is not back from {here}")
            step.moves.append(moved(name, here, there, await self.facts(name)))
        if not step.moves:
            raise NoSuchStepError("they are there already")
        return await self.made(step)

    async def made(self, step: step_pb2.Step) -> step_pb2.Step:
        """Makes a step; to be called in turn. Raises what `Mover.make` raises."""
        done = await self._mover.make(step, self.store.standings())
        for move in done.moves:
            if step.kind not in (step_pb2.STEP_KIND_PIN, step_pb2.STEP_KIND_UNPIN):
                self.counting.forget(move.interface, self.around.clock())
        return done

    async def _take(self, request: api.TakeStepRequest, author: str) -> step_pb2.Step:
        step, fine = await self._prepared(request, author)
        if not fine:
            raise NotAdmissibleError(step)
        return await self.made(step)

    async def _prepared(self, request: api.TakeStepRequest, author: str) -> tuple[step_pb2.Step, bool]:
        names, there = self.together(request.interface), position_of(request.to)
        signed = self.around.approvals.judge(request, author, self.store.count(names[0]) + 1)
        kind = step_pb2.STEP_KIND_OVERRIDE if request.override else step_pb2.STEP_KIND_FORWARD
        step, fine = begun(kind, signed.author, request.because, self.around.clock()), True
        step.approver, step.signed, step.attested = signed.approver, signed.signed, request.attested
        if request.HasField("lasting"):
            step.until.FromMicroseconds(step.at.ToMicroseconds() + int(request.lasting.ToTimedelta().total_seconds() * 1e6))
        standings = self.store.standings()
        for name in [name for name in names if standings[name].position != there] or names:
            here = standings[name].position
            if direction(here, there) is Direction.BACK:
                raise NoSuchStepError(f"{there} is back from {here}: metip migrate back {name} --to {there.state.value}")
            facts = await self.facts(name, signed, request.attested)
            judged = guards.judge(facts, there)
            judged = guards.excused(judged) if request.override else judged
            fine = fine and guards.admissible(judged)
            step.moves.append(moved(name, here, there, facts, judged))
        return step, fine

    async def _pin(self, request: api.PinConsumerRequest, author: str) -> step_pb2.Step:
        names, platform = self.together(request.interface), PLATFORMS.get(request.platform)
        tied = any(one.interface in names and one.consumer == request.consumer for one in self.store.pins())
        if platform is None and not tied:
            raise NoSuchStepError(f"{request.consumer} is tied to no platform there")
        signed = Signed(author, "", signed=False)
        if platform is Platform.METIP2:
            signed = self.around.approvals.judge(request, author, self.store.count(names[0]) + 1)
        kind = step_pb2.STEP_KIND_UNPIN if platform is None else step_pb2.STEP_KIND_PIN
        step, fine = begun(kind, signed.author, request.because, self.around.clock()), True
        step.consumer, step.platform = request.consumer, request.platform
        step.approver, step.signed = signed.approver, signed.signed
        for name in names:
            facts = await self.facts(name, signed)
            judged = pinning.judge(facts, platform)
            fine = fine and guards.admissible(judged)
            step.moves.append(moved(name, facts.here, facts.here, facts, judged))
        if not fine:
            raise NotAdmissibleError(step)
        return await self.made(step)

    def _owner(self, interface: str) -> str:
        rules = self.plan.rules.get(interface)
        return rules.system if rules else ""

    async def _adopt(self) -> None:
        known = self.store.standings()
        for rules in self.plan.rules.values():
            if rules.interface not in known:
                self.store.adopt(rules.interface, Standing(await self._found(rules), self.around.clock()))

    async def _found(self, rules: Rules) -> Position:
        """Where an interface stands that nobody moved yet. One that writes is on one platform or the other."""
        if rules.called:
            there = adopted(self.around.roads.share(rules))
            return there if there.state is not State.CANARY or not rules.writes else at(State.NEW)
        writers = {await self.around.writers.writer(one.name) for one in rules.writes}
        return at(State.LEGACY) if writers == {rules.old} else at(State.NEW)


def begun(kind: "step_pb2.StepKind.ValueType", author: str, because: str, now: float) -> step_pb2.Step:
    """A step that moves nothing yet."""
    step = step_pb2.Step(kind=kind, author=author, because=because[:LONGEST])
    step.at.FromMicroseconds(int(now * 1e6))
    return step


def moved(interface: str, here: Position, there: Position, facts: Facts, judged: Iterable[Judgement] = ()) -> step_pb2.Move:
    """What a step does to one interface, with the evidence as it is now."""
    found = [finding_of(one) for one in judged]
    return step_pb2.Move(interface=interface, before=message_of(here), after=message_of(there), figures=figures_of(facts), guards=found)
