"""The watch over interfaces on their way, and what their time brings: steps back by themselves, ends of steps, steps that waited.

The law of the watch: it acts alone and at once, only backwards, and only to where callers are safe; it records why before it moves
anything, as everybody does. Forward again leads only a person, for whom the evidence begins anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from hub.migration import breaches
from hub.migration.breaches import Breach
from hub.migration.ports import RefusedError
from hub.migration.running import Migration, begun, moved
from hub.migration.states import NoSuchStepError, safe
from hub.migration.stepping import ITSELF
from hub.migration.store import Standing
from hub.migration.surroundings import NotAdmissibleError, UnknownInterfaceError
from metip.faults import Fault
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

EVERY: Final = 0.25
"""Seconds between two looks."""
LASTING: Final = 2
"""Looks, one after the other, that must find calls slow: one pause of a machine is no breach."""
PARTS: Final = (1 / 20, 1 / 4, 1)
"""Parts of the window that are judged: what breaks now shows in the last seconds, what is a little worse in the whole of it."""
KEEP_EVERY: Final = 4
"""Looks between two times that counts are kept."""


class Watching:
    """The watch of one hub."""

    def __init__(self, migration: Migration) -> None:
        self._migration, self._around = migration, migration.around
        self._slow: dict[str, int] = {}
        self._looks = 0
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Watches until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Reads what callers got, steps back where a bar is breached, and does what is due. What can't be done now, the next look tries
        again; it is said once."""
        migration = self._migration
        watched = [name for name in migration.plan.rules if migration.watched(name)]
        migration.counting.read(watched)
        self._looks += 1
        if self._looks % KEEP_EVERY == 0:
            migration.counting.keep()
        for interface in watched:
            breach = self._breach(interface)
            if breach is not None:
                await self._trying(interface, partial(self._retreat, interface, breach))
        for step, standings in self._over().items():
            await self._trying(f"step {step}", partial(self._end, step, standings))
        for number, when, author, request, problem in migration.store.scheduled():
            if not problem and when <= self._around.clock():
                await self._trying(f"scheduled {number}", partial(self._take, number, author, request))

    async def _trying(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
            self._told.pop(what, None)
        except (Fault, RefusedError) as error:
            if self._told.get(what) != str(error):
                self._told[what] = str(error)
                self._around.log.line("migration_waits", about=what, problem=str(error))

    def _breach(self, interface: str) -> Breach | None:
        migration, now = self._migration, self._around.clock()
        rules, standing = migration.plan.rules[interface], migration.store.standings()[interface]
        watch, usual = rules.watch, migration.store.usual_p99_ms(interface, rules.old)
        slow: Breach | None = None
        for part in PARTS:
            since = max(standing.since, now - watch.window * part)
            old = migration.counting.window(interface, rules.old, since)
            new = migration.counting.window(interface, rules.system, since)
            found = breaches.of_errors(watch, old, new)
            if found is None and standing.position.meaning.compared:
                found = breaches.of_parity(watch, self._around.comparisons.evidence(interface, since))
            if found is not None:
                return found
            slow = slow or breaches.of_latency(watch, old, new, usual)
        self._slow[interface] = self._slow.get(interface, 0) + 1 if slow else 0
        return slow if self._slow[interface] >= LASTING else None

    async def _retreat(self, interface: str, breach: Breach) -> None:
        migration = self._migration
        absent = self._around.roads.absent(interface, (migration.plan.rules[interface].old,))
        if absent:
            raise RefusedError(f"{breach}; but nobody of the old platform serves {interface}, so it stays")
        step = await migration.in_turn(partial(self._back, interface, breach))
        self._slow.pop(interface, None)
        if step is not None:
            migration.retreats.update(move.interface for move in step.moves)
            self._around.log.line("stepped_back", interface=interface, step=step.number, why=str(breach))

    async def _back(self, interface: str, breach: Breach) -> step_pb2.Step | None:
        """Back to where it is safe; what moves together goes back together."""
        migration = self._migration
        if not migration.watched(interface):
            return None  # somebody was quicker
        standings = migration.store.standings()
        names = [name for name in migration.together(interface) if safe(standings[name].position) != standings[name].position]
        if names:
            return await migration.step_back(dict.fromkeys(names), str(breach), ITSELF, step_pb2.STEP_KIND_BREACH)
        # Only consumers that went first are on the new platform: they come back.
        step, here = begun(step_pb2.STEP_KIND_BREACH, ITSELF, str(breach), self._around.clock()), standings[interface].position
        step.moves.append(moved(interface, here, here, await migration.facts(interface)))
        return await migration.made(step)

    def _over(self) -> dict[int, dict[str, Standing]]:
        """Steps whose time is over, with the interfaces that still stand where they led."""
        found: dict[int, dict[str, Standing]] = defaultdict(dict)
        for interface, standing in self._migration.store.standings().items():
            if standing.until is not None and standing.until <= self._around.clock() and interface in self._migration.plan.rules:
                found[standing.step][interface] = standing
        return found

    async def _end(self, number: int, standings: dict[str, Standing]) -> None:
        wanted = {interface: standing.until_position for interface, standing in standings.items()}
        because = f"the time of step {number} is over"
        await self._migration.in_turn(partial(self._migration.step_back, wanted, because, ITSELF, step_pb2.STEP_KIND_EXPIRED))
        self._around.log.line("stepped_back", interface=", ".join(sorted(wanted)), step=number, why=because)

    async def _take(self, number: int, author: str, request: api.TakeStepRequest) -> None:
        migration = self._migration
        try:
            step = await migration.take(request, author)
        except (NotAdmissibleError, NoSuchStepError, UnknownInterfaceError, RefusedError, ValueError) as error:
            migration.store.missed(number, str(error))
            self._around.log.line("scheduled_step_not_taken", scheduled=number, problem=str(error))
        else:
            migration.store.unschedule(number)
            self._around.log.line("scheduled_step_taken", scheduled=number, step=step.number)
