"""Makes one step: written down, recorded in the ledger with its evidence, put in force, and only then said to be where interfaces stand.

The law. Each of these is durable before the next begins, and each can be done again. What a hub began and did not end, the next one ends: a
step back is finished, since where it leads is safe; a step forward is taken back, since nobody waits for it any more and its evidence is
old. Where interfaces stand, as it is shown, is where calls go.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from hub.migration.messages import PLATFORMS, position_of
from hub.migration.plan import Plan
from hub.migration.ports import Order, Record, RefusedError, Roads, Writers
from hub.migration.states import Platform
from hub.migration.store import Outcome, Pinned, Standing, Store
from metip.faults import Fault
from metip.migration.v1 import step_pb2

STEP, UNDONE, REFUSED = "migration/step", "migration/undone", "migration/refused"
"""What is done to an interface is recorded under the first, with all of its evidence."""
ITSELF: Final = "migration"
"""The author of what the hub does by itself."""
FORWARD: Final = frozenset({step_pb2.STEP_KIND_FORWARD, step_pb2.STEP_KIND_OVERRIDE})


@dataclass
class Mover:
    """Makes steps, one at a time."""

    store: Store
    roads: Roads
    writers: Writers
    record: Record
    plan: Plan
    clock: Callable[[], float]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def make(self, step: step_pb2.Step, standing: Mapping[str, Standing]) -> step_pb2.Step:
        """Makes a step, whose moves begin where these interfaces stand. To be called in turn.

        Raises `Fault` JOURNAL where it can't be recorded and `RefusedError` where it can't be put in force; nothing moved then.
        """
        self.store.intend(step)
        try:
            await self.record(STEP, step.author, detail_of(step))
        except Fault as fault:
            self.store.ended(step, step_pb2.STEP_PHASE_REFUSED, fault.text)
            raise
        self.store.recorded(step)
        try:
            await self._put_in_force(step)
        except (RefusedError, Fault) as error:
            await self._refuse(step, str(error))
            raise
        self.store.applied(step, self.clock(), self._outcome(step, standing))
        return step

    async def resume(self) -> None:
        """Ends what an earlier hub began. Raises what `make` raises; then it is to be called again."""
        for step in self.store.unfinished():
            if step.phase == step_pb2.STEP_PHASE_RECORDED and step.kind not in (*FORWARD, step_pb2.STEP_KIND_PIN):
                await self._put_in_force(step)
                self.store.applied(step, self.clock(), self._outcome(step, self.store.standings()))
            else:
                await self._undo(step, "the hub ended before it was in force")

    def orders(self, step: step_pb2.Step, *, back: bool = False) -> tuple[Order, ...]:
        """How calls are to go after a step; `back`, how they went before it."""
        pins = {(one.interface, one.consumer): one.platform for one in self.store.pins()}
        if not back:
            self._pin(step, pins)
        found = []
        for move in step.moves:
            rules = self.plan.rules.get(move.interface)
            if rules is not None:
                own = {consumer: platform for (interface, consumer), platform in pins.items() if interface == move.interface}
                found.append(Order(rules, position_of(move.before if back else move.after), own))
        return tuple(found)

    @staticmethod
    def _pin(step: step_pb2.Step, pins: dict[tuple[str, str], Platform]) -> None:
        for move in step.moves:
            if step.kind == step_pb2.STEP_KIND_PIN:
                pins[move.interface, step.consumer] = PLATFORMS[step.platform]
            elif step.kind == step_pb2.STEP_KIND_UNPIN:
                pins.pop((move.interface, step.consumer), None)
            elif step.kind == step_pb2.STEP_KIND_BREACH:
                for key in [key for key, to in pins.items() if key[0] == move.interface and to is Platform.METIP2]:
                    del pins[key]

    async def _put_in_force(self, step: step_pb2.Step, *, back: bool = False) -> None:
        """Writes are fenced before calls move: for that moment the platform that they still reach refuses them, and none is done twice."""
        orders = self.orders(step, back=back)
        moved: list[tuple[str, str]] = []
        try:
            for order in orders:
                for operation in order.rules.writes:
                    before = await self.writers.writer(operation.name)
                    after = order.rules.writer(operation.name, order.position.meaning.writer)
                    if before != after:
                        await self.writers.move(operation.name, after, step.author, step.because)
                        moved.append((operation.name, before))
            await self.roads.put(orders, _what(step, back=back), step.author, step.because)
        except (RefusedError, Fault):
            for name, before in reversed(moved):
                if before:
                    await self.writers.move(name, before, ITSELF, "the step was refused")
            raise

    async def _undo(self, step: step_pb2.Step, problem: str) -> None:
        await self.record(UNDONE, ITSELF, json.dumps({"step": step.number, "problem": problem}))
        await self._put_in_force(step, back=True)
        self.store.ended(step, step_pb2.STEP_PHASE_UNDONE, problem)

    async def _refuse(self, step: step_pb2.Step, problem: str) -> None:
        self.store.ended(step, step_pb2.STEP_PHASE_REFUSED, problem)
        await self.record(REFUSED, ITSELF, json.dumps({"step": step.number, "problem": problem}))

    def _outcome(self, step: step_pb2.Step, standing: Mapping[str, Standing]) -> Outcome:
        now, names = self.clock(), [move.interface for move in step.moves]
        if step.kind == step_pb2.STEP_KIND_PIN:
            pin = PLATFORMS[step.platform]
            return Outcome({}, pinned=tuple(Pinned(name, step.consumer, pin, now, step.author, step.because) for name in names))
        if step.kind == step_pb2.STEP_KIND_UNPIN:
            return Outcome({}, unpinned=tuple((name, step.consumer) for name in names))
        until = step.until.ToMicroseconds() / 1e6 if step.HasField("until") else None
        standings = {
            move.interface: Standing(
                position_of(move.after), now, step.number, until, position_of(move.before) if until is not None else None
            )
            for move in step.moves
        }
        loosened = [
            (one.interface, one.consumer) for one in self.store.pins() if one.interface in names and one.platform is Platform.METIP2
        ]
        return Outcome(standings, unpinned=tuple(loosened) if step.kind == step_pb2.STEP_KIND_BREACH else ())


def detail_of(step: step_pb2.Step) -> str:
    """A step as the ledger keeps it, evidence and all."""
    said: dict[str, Any] = MessageToDict(step, preserving_proto_field_name=True)
    said.pop("phase", None)
    return json.dumps(said, separators=(",", ":"))


def _what(step: step_pb2.Step, *, back: bool) -> str:
    if step.consumer:
        return f"migration step {step.number}: {step.consumer}"
    names = ", ".join(f"{move.interface} to {position_of(move.before if back else move.after)}" for move in step.moves)
    return f"migration step {step.number}{' taken back' if back else ''}: {names}"
