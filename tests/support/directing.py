"""A director on real files and a real control plane without an Envoy, a clock that stands, and a ledger that can fail, or be cut off in the
middle."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from mesh_golden import PLACEHOLDERS

from hub.contracts import load
from hub.mesh.control import Control, Inputs
from hub.mesh.inputs import Grant, Instance, Policy, Traffic
from hub.mesh.publisher import Publisher
from hub.traffic.director import Director
from hub.traffic.running import TrafficControl
from hub.traffic.settings import Shares, State
from metip.faults import Fault, Reason
from metip.logs import Log

CONTRACTS = load(date(2026, 11, 23))
SECOND = CONTRACTS.back_ends[0].system
OPERATION = CONTRACTS.operations[CONTRACTS.back_ends[0].serves[0]]
INTERFACE = OPERATION.interface
FIRST = CONTRACTS.interface(INTERFACE).system
CONSUMER, OTHER = "spiffe://metip.local/consumer/one", "spiffe://metip.local/consumer/two"
OPERATOR, WHY = "os://desk/ann", "CHG-17"


class CutOffError(BaseException):
    """The process ends here."""


@dataclass
class Directed:
    """One hub's traffic control, which can be started anew on the same files."""

    state: Path
    file: Traffic = field(default_factory=Traffic)
    now: float = 1_000_000.0
    records: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    unrecorded: bool = False
    cut_off: str = ""
    """Where the process ends: `before` a record is written, or `after`."""
    paused: dict[str, bool] = field(default_factory=dict)
    control: Control = field(init=False)
    traffic: TrafficControl = field(init=False)
    seen: list[Traffic] = field(default_factory=list)
    """What Envoy was told, in order."""

    def __post_init__(self) -> None:
        self.start()

    @property
    def director(self) -> Director:
        """Whose changes they are."""
        return self.traffic.director

    def start(self) -> None:
        """As after a restart; `recover` is what the hub does next."""
        policy = Policy((Grant(CONSUMER, ("*",)), Grant(OTHER, ("*",))))
        served = {one.name: one for one in CONTRACTS.interfaces if not one.private}
        instances = [
            Instance(f"{one.system}-1", one.system, (name,), f"unix:/run/{one.system}-1.sock", "1") for name, one in served.items()
        ]
        instances = _together([*instances, Instance(f"{SECOND}-1", SECOND, (INTERFACE,), f"unix:/run/{SECOND}-1.sock", "1")])
        self.traffic = TrafficControl.opened(self.state, self.file, Log(StringIO()), self.record)
        inputs = Inputs(CONTRACTS, policy, PLACEHOLDERS, tuple(sorted(instances)), self.traffic.layers.traffic)
        self.control = Control(Publisher(lambda: datetime.now(UTC)), inputs, on_change=lambda one: self.seen.append(one.traffic))
        self.traffic.direct(self.control, None).clock = lambda: self.now

    async def restart(self) -> None:
        """The hub's process ended, and another begins."""
        self.traffic.store.close()
        self.cut_off = ""
        self.start()
        await self.director.recover()
        await self.control.propose("the hub started", "hub")
        await self.traffic.hand_over(self.pause)

    async def record(self, action: str, author: str, detail: str) -> None:
        """The ledger."""
        if self.unrecorded:
            raise Fault(Reason.JOURNAL, "the disk is full")
        if self.cut_off == "before":
            raise CutOffError
        self.records.append((action, author, json.loads(detail)))
        if self.cut_off == "after":
            raise CutOffError

    async def pause(self, name: str, paused: bool, _by: str, _why: str) -> None:
        """The exchange."""
        self.paused[name] = paused

    async def shift(self, share: int, *, until: float | None = None, at: float | None = None) -> int:
        """Gives the second system that share; the number of the change."""
        found = await self.director.change(f"{share} %", OPERATOR, WHY, shifted(share), until, at=at)
        return found.number

    @property
    def share(self) -> int:
        """The second system's, as Envoy has it."""
        weights = dict(self.control.inputs.traffic.shares).get(INTERFACE, ((FIRST, 100), (SECOND, 0)))
        assert self.director.state.weights(INTERFACE) in ({}, dict(weights)), "the director believes something else"
        return dict(weights).get(SECOND, 0)


def shifted(share: int) -> Any:
    """The edit that gives the second system that share of a hundred."""

    def edit(state: State) -> State:
        return state.put(Shares(INTERFACE, tuple(sorted(((FIRST, 100 - share), (SECOND, share))))))

    return edit


def _together(instances: list[Instance]) -> list[Instance]:
    found: dict[str, Instance] = {}
    for one in instances:
        before = found.get(one.id)
        found[one.id] = Instance(one.id, one.system, (*(before.interfaces if before else ()), *one.interfaces), one.address, one.version)
    return list(found.values())
