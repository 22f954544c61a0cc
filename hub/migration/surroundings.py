"""What a migration works with, and how it says no."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.migration.approvals import Approvals
from hub.migration.ports import Comparisons, NoComparisons, NoWriters, Record, Roads, Writers
from metip.logs import Log
from metip.migration.v1 import step_pb2

FILE: Final = "migration.sqlite"


@dataclass(frozen=True)
class Surroundings:
    """The rest of the hub, as far as a migration needs it."""

    roads: Roads
    record: Record
    clock: Callable[[], float]
    """Unix seconds."""
    writers: Writers = field(default_factory=NoWriters)
    comparisons: Comparisons = field(default_factory=NoComparisons)
    expired: Callable[[str, float], tuple[str, ...]] = lambda _interface, _now: ()
    """Fields of an interface whose accepted difference is accepted no longer."""
    approvals: Approvals = field(default_factory=Approvals)
    edge_log: Path | None = None
    """None where Envoy keeps none: then nobody counts calls, and nothing is watched."""
    hub: str = ""
    """The hub's own identity, whose calls are not callers'."""
    log: Log = field(default_factory=lambda: Log(process="hub"))


class UnknownInterfaceError(Exception):
    """An interface or group that is not being moved."""


class NotAdmissibleError(Exception):
    """A step that fails guards; `step` says which."""

    def __init__(self, step: step_pb2.Step) -> None:
        failed = [
            f"{move.interface}: {one.guard}: {one.found}"
            for move in step.moves
            for one in move.guards
            if not one.passed and not one.overridden
        ]
        super().__init__("; ".join(failed))
        self.step = step
