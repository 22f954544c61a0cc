"""A migration without a mesh: ways, writers, comparisons and a ledger that do as they are told, and end the process where a test says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from hub.contracts import load
from hub.migration.plan import BARS, Bar, Plan, Rules
from hub.migration.ports import Order
from hub.migration.running import Migration
from hub.migration.states import State, at
from hub.migration.store import Standing, Store
from hub.migration.surroundings import Surroundings
from hub.parity.evidence import Evidence
from metip.contracts import DeliveryClass
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2

CONTRACTS = load(date.min)
ASKED = next(
    one.name for one in CONTRACTS.interfaces if one.operations and all(o.delivery_class is DeliveryClass.READ for o in one.operations)
)
WRITTEN = next(
    one.name
    for one in CONTRACTS.interfaces
    if not one.private and not one.of_messages and any(o.delivery_class is not DeliveryClass.READ for o in one.operations)
)
AUTHOR = "os://host/alice"
START = 1_790_000_000.0
NO_BARS = {key: Bar(0, 0.0) for key in BARS}


class Crashed(BaseException):
    """The process ended here."""


@dataclass
class Fuse:
    """Ends the process at a numbered moment: before or after what is done there."""

    left: int | None = None
    moments: int = 0

    def burn(self) -> None:
        self.moments += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Crashed


@dataclass
class World:
    """What outlives the hub: where calls go, who writes, what the ledger has."""

    shares: dict[str, int] = field(default_factory=dict)
    """Per cent of the new platform, by interface."""
    pins: dict[str, dict[str, Any]] = field(default_factory=dict)
    compared: dict[str, bool] = field(default_factory=dict)
    writer: dict[str, str] = field(default_factory=dict)
    ledger: list[tuple[str, str, str]] = field(default_factory=list)
    applied: list[tuple[str, int, int]] = field(default_factory=list)
    """Interface, per cent, and how many records the ledger had by then."""
    absent: tuple[str, ...] = ()
    doubts: int = 0
    evidence: Evidence | None = None
    refusing: Exception | None = None
    unrecordable: Exception | None = None
    by_hand: tuple[str, ...] = ()
    now: float = START


@dataclass
class Ways:
    """The `Roads` of a test."""

    world: World
    fuse: Fuse

    def share(self, rules: Rules) -> float:
        return self.world.shares.get(rules.interface, 100) / 100

    async def put(self, orders: Sequence[Order], what: str, author: str, because: str) -> None:
        self.fuse.burn()
        if self.world.refusing is not None:
            raise self.world.refusing
        for order in orders:
            self.world.shares[order.rules.interface] = order.position.percent
            self.world.pins[order.rules.interface] = dict(order.pins)
            self.world.applied.append((order.rules.interface, order.position.percent, len(self.world.ledger)))
        self.fuse.burn()
        for order in orders:
            self.compare(order)

    def compare(self, order: Order) -> None:
        self.world.compared[order.rules.interface] = order.position.meaning.compared

    def deviations(self, order: Order) -> tuple[str, ...]:
        return self.world.by_hand

    def absent(self, interface: str, systems: Sequence[str]) -> tuple[str, ...]:
        return tuple(one for one in systems if one in self.world.absent)


@dataclass
class Pens:
    """The `Writers` of a test."""

    world: World
    fuse: Fuse

    async def writer(self, operation: str) -> str:
        return self.world.writer.get(operation, "owner")

    async def move(self, operation: str, to: str, author: str, because: str) -> None:
        self.fuse.burn()
        self.world.writer[operation] = to
        self.fuse.burn()

    async def in_doubt(self, operation: str) -> int:
        return self.world.doubts


@dataclass
class Comparing:
    """The `Comparisons` of a test."""

    world: World

    def evidence(self, interface: str, since: float = 0.0) -> Evidence:
        return self.world.evidence or Evidence(interface, since, 0, 0, 0.0, 0.0, (), 0, 0, 0.0, 0.0)


class BurningStore(Store):
    """The file, whose every write is a moment at which the process may end."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    def intend(self, step: step_pb2.Step) -> int:
        self._fuse.burn()
        number = super().intend(step)
        self._fuse.burn()
        return number

    def recorded(self, step: step_pb2.Step) -> None:
        self._fuse.burn()
        super().recorded(step)
        self._fuse.burn()

    def applied(self, step: step_pb2.Step, now: float, outcome: Any) -> None:
        self._fuse.burn()
        super().applied(step, now, outcome)
        self._fuse.burn()

    def ended(self, step: step_pb2.Step, phase: Any, problem: str) -> None:
        self._fuse.burn()
        super().ended(step, phase, problem)
        self._fuse.burn()


def rules(interface: str, **more: Any) -> Rules:
    """The rules of an interface whose old platform serves all of it, without bars."""
    found = CONTRACTS.interface(interface)
    return Rules(interface, "owner", "before", found.operations, bars=NO_BARS, **more)


def plan(*several: Rules, groups: dict[str, tuple[str, ...]] | None = None) -> Plan:
    """A plan of these."""
    return Plan("before", {one.interface: one for one in several or (rules(ASKED),)}, groups or {})


@dataclass
class Rig:
    """A hub's migration that can end at any moment, and start again."""

    folder: Path
    the_plan: Plan = field(default_factory=plan)
    world: World = field(default_factory=World)
    fuse: Fuse = field(default_factory=Fuse)
    more: dict[str, Any] = field(default_factory=dict)
    migration: Migration = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process; `begin` is to be called."""
        store = BurningStore(self.folder / "migration.sqlite", self.fuse)
        self.migration = Migration(store, self.the_plan, self.around())

    def around(self) -> Surroundings:
        async def record(action: str, author: str, detail: str) -> None:
            self.fuse.burn()
            if self.world.unrecordable is not None:
                raise self.world.unrecordable
            self.world.ledger.append((action, author, detail))
            self.fuse.burn()

        ways, pens, clock = Ways(self.world, self.fuse), Pens(self.world, self.fuse), self.clock()
        found = Surroundings(ways, record, clock, writers=pens, comparisons=Comparing(self.world))
        return replace(found, **self.more)

    def clock(self) -> Callable[[], float]:
        return lambda: self.world.now

    def close(self) -> None:
        """The process ends."""
        self.migration.store.close()
        self.migration.counting.close()

    async def restart(self) -> None:
        """The process ended; another one begins."""
        self.close()
        self.fuse.left = None
        self.start()
        await self.migration.begin()

    def stand(self, interface: str, state: State, percent: int | None = None) -> None:
        """Lets an interface stand somewhere, and calls go as it says."""
        there = at(state, percent)
        self.migration.store._put(interface, Standing(there, self.world.now), "insert or replace")
        self.world.shares[interface] = there.percent
        self.world.compared[interface] = there.meaning.compared
        for operation in self.the_plan.rules[interface].writes:
            self.world.writer[operation.name] = self.the_plan.rules[interface].writer(operation.name, there.meaning.writer)


def step_to(interface: str, state: State, percent: int = 0, **more: Any) -> api.TakeStepRequest:
    """A request for a step forward that somebody approved."""
    to = step_pb2.Position(state=step_pb2.State.Value(f"STATE_{state.name}"), percent=percent)
    return api.TakeStepRequest(**{"interface": interface, "to": to, "because": "a test", "approver": "bob", **more})
