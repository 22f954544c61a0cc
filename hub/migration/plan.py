"""The migration plan: what systems say of themselves, then what the installation says, laid over the platform's own rules.

A system's facts lie in its contract folder (`migration.yaml`), since whoever knows a system writes them; the installation's plan lies
beside its traffic settings. What the installation says goes before, interface by interface and key by key.
"""

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.contracts import Contracts, DeliveryClass, Interface, Operation
from hub.migration.states import Platform, Position, State, at
from metip.migration.v1 import plan_pb2, step_pb2
from metip.settings import SettingsError, read_settings

LONDON: Final = ZoneInfo("Europe/London")
HOUR, DAY = 3600.0, 86400.0
STATES: Final = {step_pb2.STATE_CANARY: State.CANARY, step_pb2.STATE_PRIMARY: State.PRIMARY, step_pb2.STATE_NEW: State.NEW}
FILE: Final = "migration.yaml"
NEVER, RECORDED = "NEVER", "RECORDED"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a step must show."""

    comparisons: int
    parity: float
    """Lower bound of agreement, 0 to 1."""
    soak: float = 0.0
    """Seconds for which the interface stood where it stands."""


Bars = Mapping[tuple[State, int], Bar]
"""By the state that a step leads to and, of a canary, the greatest per cent that it holds for; of others 100."""
BARS: Final[Bars] = {
    (State.CANARY, 1): Bar(1_000, 0.995),
    (State.CANARY, 10): Bar(5_000, 0.995, HOUR),
    (State.CANARY, 25): Bar(10_000, 0.997, HOUR),
    (State.CANARY, 99): Bar(20_000, 0.998, 4 * HOUR),
    (State.PRIMARY, 100): Bar(50_000, 0.999, DAY),
    (State.NEW, 100): Bar(100_000, 0.999, 14 * DAY),
}
"""The platform's own: more for more. Fourteen clean days before the old platform is let go: DOMAIN 5.1, rule 6 (assumed)."""
RINGS: Final = (1, 10, 25, 50)


@dataclass(frozen=True, slots=True)
class Watch:
    """When an interface steps back by itself; times in seconds, shares from 0 to 1."""

    window: float = 60.0
    parity: float = 0.99
    errors: float = 0.01
    slow_factor: float = 3.0
    slow_floor: float = 0.25
    slow: float = 0.05
    least_calls: int = 10
    least_comparisons: int = 5
    way_back: float = 14 * DAY


@dataclass(frozen=True, slots=True)
class Samples:
    """How many calls are compared."""

    per_million: int = 100_000
    again_per_million: int = 100_000
    cap_per_hour: int = 3_600


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of London's day at which an interface may switch; the last moment is not among them."""

    begin: time
    end: time
    because: str = ""

    def has(self, now: float) -> bool:
        """Whether that unix time is among them."""
        local = datetime.fromtimestamp(now, LONDON).time()
        if self.begin <= self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M} to {self.end:%H:%M}"


@dataclass(frozen=True)
class Rules:
    """What holds of one interface."""

    interface: str
    system: str
    """Its owner: the new platform."""
    old: str
    """The back end that is the old platform."""
    operations: tuple[Operation, ...]
    """Those that both platforms serve, and messages that either delivers."""
    delivers: Mapping[str, str] = field(default_factory=dict)
    """Of messages, the system in whose place the old platform can deliver them."""
    bars: Bars = field(default_factory=lambda: dict(BARS))
    rings: tuple[int, ...] = RINGS
    whole: bool = False
    hours: Hours | None = None
    watch: Watch = Watch()
    samples: Samples = Samples()
    notes: tuple[str, ...] = ()
    group: str = ""

    @property
    def writes(self) -> tuple[Operation, ...]:
        """Operations that write or are messages: one platform's at any instant."""
        return tuple(one for one in self.operations if one.delivery_class is not DeliveryClass.READ)

    @property
    def called(self) -> bool:
        """Whether both platforms serve calls of it; otherwise it is of messages alone."""
        return len(self.operations) > len(self.delivers)

    def writer(self, operation: str, platform: Platform) -> str:
        """The system that writes an operation's writes, or delivers its messages, on a platform."""
        return self.old if platform is Platform.METIP else self.delivers.get(operation, self.system)

    @property
    def undivided(self) -> bool:
        """Whether it moves as a whole: because the plan says so, or because there is no query in it that could be split."""
        return self.whole or len(self.writes) == len(self.operations)

    @property
    def comparable(self) -> tuple[Operation, ...]:
        """Operations that may be compared in one way or another."""
        return tuple(one for one in self.operations if one.delivery_class is DeliveryClass.READ and one.mirror != NEVER)

    @property
    def sampled(self) -> tuple[Operation, ...]:
        """Those of them that may be compared while calls come; the others only on recordings."""
        return tuple(one for one in self.comparable if one.mirror != RECORDED)

    def bar(self, there: Position) -> Bar:
        """What a step to there must show."""
        fitting = sorted(most for state, most in self.bars if state is there.state and most >= there.percent)
        return self.bars[there.state, fitting[0]] if fitting else Bar(0, 0.0)

    def next_ring(self, percent: int) -> int:
        """The per cent of the ring after that one; 100 after the last."""
        return next((ring for ring in self.rings if ring > percent), 100)

    def following(self, here: Position) -> Position | None:
        """Where the next step forward leads; None at the end of the way."""
        if here.state is State.LEGACY:
            return at(State.SHADOW)
        if here.state is State.PRIMARY:
            return at(State.NEW)
        if here.state is State.NEW:
            return None
        ring = 100 if self.undivided else self.next_ring(here.percent)
        return at(State.PRIMARY) if ring == 100 else at(State.CANARY, ring)


@dataclass(frozen=True)
class Plan:
    """What holds of all interfaces that are being moved."""

    old: str = ""
    """The old platform's system; empty where there is none, and nothing is moved then."""
    rules: Mapping[str, Rules] = field(default_factory=dict)
    """By interface."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a group moves together, by its name."""

    def together(self, name: str) -> tuple[str, ...]:
        """The interfaces that move when one of that name, or the group of that name, does. Raises `KeyError` for none."""
        if name in self.groups:
            return self.groups[name]
        rules = self.rules[name]
        return self.groups[rules.group] if rules.group else (name,)


def system_plans() -> tuple[tuple[str, plan_pb2.MigrationPlan], ...]:
    """What systems say of themselves, by the path of each file. Raises `SettingsError`."""
    found = []
    for folder in sorted(importlib.resources.files("metip").iterdir(), key=lambda one: one.name):
        file = folder / FILE
        if file.is_file():
            with importlib.resources.as_file(file) as path:
                found.append((f"{folder.name}/{FILE}", read_settings(path, plan_pb2.MigrationPlan)))
    return tuple(found)


def read(path: Path | None, contracts: Contracts) -> Plan:
    """The plan as it holds. Raises `SettingsError` with every problem, of the installation's file and of the systems' own.

    What a system says of an interface that is not loaded, as with an assessment that is overdue, is passed over: the others go on.
    """
    said = read_settings(path, plan_pb2.MigrationPlan) if path is not None and path.exists() else plan_pb2.MigrationPlan()
    known = {one.name for one in contracts.interfaces}
    systems = ((source, _loaded(plan, known)) for source, plan in system_plans())
    return lay((*systems, (str(path or FILE), said)), contracts)


def _loaded(plan: plan_pb2.MigrationPlan, known: set[str]) -> plan_pb2.MigrationPlan:
    """What it says of these interfaces."""
    found = plan_pb2.MigrationPlan()
    found.CopyFrom(plan)
    del found.interfaces[:]
    found.interfaces.extend(one for one in plan.interfaces if one.interface in known)
    del found.groups[:]
    for group in plan.groups:
        together = [name for name in group.interfaces if name in known]
        if together:
            kept = found.groups.add()
            kept.CopyFrom(group)
            kept.interfaces[:] = together
    return found


def lay(plans: tuple[tuple[str, plan_pb2.MigrationPlan], ...], contracts: Contracts) -> Plan:
    """Lays plans over one another, the last one on top. Raises `SettingsError`."""
    problems = [f"{source}: {problem}" for source, plan in plans for problem in _problems(plan, contracts)]
    old = next((plan.old_platform for _, plan in reversed(plans) if plan.old_platform), "")
    old = old or next((one.system for one in contracts.back_ends if one.platform == Platform.METIP.value), "")
    if old and not any(one.system == old for one in contracts.back_ends):
        problems.append(f"{plans[-1][0]}: old_platform: {old} is no back end of any interface")
    groups = {group.name: group for _, plan in plans for group in plan.groups}
    owner: dict[str, str] = {}
    for group in groups.values():
        for interface in group.interfaces:
            if owner.setdefault(interface, group.name) != group.name:
                problems.append(f"groups: {interface} is in {owner[interface]} and in {group.name}")
    if problems:
        raise SettingsError("the migration plan", tuple(problems))
    moved = [one for one in contracts.interfaces if old and (old in contracts.back_ends_of(one.name) or _delivers(one, old, contracts))]
    rules = {one.name: _rules(one, old, contracts, plans, owner.get(one.name, "")) for one in moved}
    return Plan(
        old,
        rules,
        {name: kept for name, one in groups.items() if (kept := tuple(i for i in one.interfaces if i in rules))},
        {name: one.because for name, one in groups.items()},
    )


def _problems(plan: plan_pb2.MigrationPlan, contracts: Contracts) -> Iterator[str]:
    known = {one.name for one in contracts.interfaces}
    names = [one.interface for one in plan.interfaces]
    yield from (f"interfaces: {name} is there twice" for name in sorted({one for one in names if names.count(one) > 1}))
    yield from (f"interfaces: no contract has {name}" for name in names if name not in known)
    for group in plan.groups:
        yield from (f"groups: no contract has {name}, which {group.name} names" for name in group.interfaces if name not in known)
    for where, rings in (("rings", plan.rings), *((f"{one.interface}: rings", one.rings) for one in plan.interfaces)):
        if list(rings) != sorted(rings):
            yield f"{where}: the smallest comes first"
    for where, bars in (("bars", plan.bars), *((f"{one.interface}: bars", one.bars) for one in plan.interfaces)):
        for bar in bars:
            if bar.up_to_percent and bar.to != step_pb2.STATE_CANARY:
                yield f"{where}: only a canary has a per cent"
    for one in plan.interfaces:
        if one.HasField("hours") and one.hours.begin == one.hours.end:
            yield f"{one.interface}: hours: they end as they begin"


def _rules(
    interface: Interface, old: str, contracts: Contracts, plans: tuple[tuple[str, plan_pb2.MigrationPlan], ...], group: str
) -> Rules:
    delivers = _delivers(interface, old, contracts)
    shared = tuple(one for one in interface.operations if old in contracts.serving(one.name) or one.name in delivers)
    found = Rules(interface.name, interface.system, old, shared, delivers, group=group)
    for _, plan in plans:
        found = _over(found, plan)
    for _, plan in plans:
        for one in plan.interfaces:
            if one.interface == interface.name:
                found = _over(found, one)
                hours = one.hours
                if one.HasField("hours"):
                    found = replace(found, hours=Hours(time.fromisoformat(hours.begin), time.fromisoformat(hours.end), hours.because))
                found = replace(found, whole=found.whole or one.whole, notes=(*found.notes, *one.notes))
    return found


def _delivers(interface: Interface, old: str, contracts: Contracts) -> dict[str, str]:
    """Messages of an interface that the old platform can deliver in the place of another system, and of which."""
    own = [one for one in contracts.subscriptions if one.system == old and one.operation.partition("/")[0] == interface.name]
    return {one.operation: one.instead_of for one in own if one.instead_of}


def _over(rules: Rules, said: Any) -> Rules:
    """The rules with what a plan, or a part of it about one interface, says."""
    bars = dict(rules.bars)
    for bar in said.bars:
        key = (STATES[bar.to], (bar.up_to_percent or 99) if bar.to == step_pb2.STATE_CANARY else 100)
        below = rules.bar(Position(key[0], key[1]))
        bars[key] = Bar(
            bar.comparisons if bar.HasField("comparisons") else below.comparisons,
            bar.parity_percent / 100 if bar.HasField("parity_percent") else below.parity,
            bar.soak.ToTimedelta().total_seconds() if bar.HasField("soak") else below.soak,
        )
    if any(bar.to == step_pb2.STATE_CANARY for bar in said.bars):  # what is said of canaries is said of all of them up to there
        listed = {(bar.up_to_percent or 99) for bar in said.bars if bar.to == step_pb2.STATE_CANARY}
        bars = {key: bar for key, bar in bars.items() if key[0] is not State.CANARY or key[1] in listed or key[1] > max(listed)}
    return replace(
        rules,
        bars=bars,
        rings=tuple(said.rings) or rules.rings,
        watch=_watch(rules.watch, said.watch),
        samples=_samples(rules.samples, said.samples),
    )


def _watch(below: Watch, said: plan_pb2.Watch) -> Watch:
    """What is set goes over what is below."""
    changes: dict[str, Any] = {}
    for name, theirs in (("window", "window"), ("slow_floor", "slow_floor"), ("way_back", "way_back")):
        if said.HasField(theirs):  # type: ignore[arg-type]  # names of fields
            changes[name] = getattr(said, theirs).ToTimedelta().total_seconds()
    for name, theirs in (("parity", "parity_percent"), ("errors", "error_percent"), ("slow", "slow_percent")):
        if said.HasField(theirs):  # type: ignore[arg-type]
            changes[name] = getattr(said, theirs) / 100
    if said.HasField("slow_factor"):
        changes["slow_factor"] = said.slow_factor
    changes |= {name: getattr(said, name) for name in ("least_calls", "least_comparisons") if getattr(said, name)}
    return replace(below, **changes)


def _samples(below: Samples, said: plan_pb2.Samples) -> Samples:
    names = ("per_million", "again_per_million", "cap_per_hour")
    return replace(below, **{name: getattr(said, name) for name in names if said.HasField(name)})  # type: ignore[arg-type]
