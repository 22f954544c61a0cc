"""A line of Envoy's log as one call of the estate: whose, of what, answered by whom, and why it did not end well.

The law: nothing that a caller wrote freely gets further than this. A path that is no operation of a contract has no name, a reason is one
of a closed set, a consumer is what a certificate of this trust domain says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import grpc

from hub.contracts import Contracts
from hub.mesh.edge_causes import reason_of
from hub.mesh.edge_log import Line, Reached, read_line
from hub.mesh.inputs import HUB_SYSTEM
from hub.migration.figures import FAILURES

OK: Final = 0
CANCELLED: Final = "CANCELLED"
STATUSES: Final = {status.value[0]: status.name for status in grpc.StatusCode}
HARMLESS: Final = frozenset(name for number, name in STATUSES.items() if number not in FAILURES)
BROKEN: Final = {"DC": CANCELLED, "UT": "TIMED_OUT", "SI": "TIMED_OUT", "DT": "TIMED_OUT", "UPE": "UPSTREAM_FAULT"}
"""Envoy's flags of calls that an adapter had and did not answer in full; any other is `GONE`."""
GONE: Final = "UPSTREAM_UNAVAILABLE"
OF_THE_HUB: Final = (
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
"""What the hub answers beside contracts."""


class Kind(Enum):
    """Who made a call and what for."""

    CALL = 1
    """A consumer, or an adapter that asks another."""
    DELIVERY = 2
    """The hub handed a message to a subscriber."""
    SHADOW = 3
    """The hub asked a system in order to compare."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that ended, or one connection that failed."""

    line: Line
    operation: str
    """Full name; empty where the path is none."""
    interface: str
    system: str
    """Whose adapter it went to, or would have gone to; empty where it never came that far."""
    kind: Kind
    reason: str
    """Why it did not end with OK; empty where it did."""
    error: bool
    """Whether somebody is to blame: Envoy refused it, or it failed."""

    @property
    def ended(self) -> float:
        """Unix time at which it ended."""
        return self.line.at + self.line.ms / 1000


class Reading:
    """Reads lines by the contracts that are loaded."""

    def __init__(self, contracts: Contracts, hub: str) -> None:
        """`hub` is the hub's own identity."""
        self._hub = hub
        self._operations = {operation.path: (operation.name, operation.interface) for operation in contracts.operations.values()}
        self._operations |= {f"/{name}": (name, "") for name in OF_THE_HUB}
        self._private = {operation.path for one in contracts.interfaces if one.private for operation in one.operations}
        """What operators ask the hub is no traffic of the estate."""
        self._messages = {operation.name for operation in contracts.operations.values() if operation.delivery is not None}
        self._systems = {one.name: HUB_SYSTEM if one.of_messages else one.system for one in contracts.interfaces}

    def calls(self, lines: Iterable[str]) -> list[Call]:
        """The calls that lines tell of; what is no line of Envoy's is passed over, and so is what operators ask the hub itself."""
        found = []
        for text in lines:
            try:
                line = read_line(text)
            except ValueError:
                continue
            if line.path not in self._private:
                found.append(self.call(line))
        return found

    def call(self, line: Line) -> Call:
        """What a line tells."""
        operation, interface = self._operations.get(line.path, ("", ""))
        kind = Kind.CALL
        if line.consumer == self._hub:
            kind = Kind.DELIVERY if operation in self._messages else Kind.SHADOW
        reason = why(line)
        return Call(line, operation, interface, self._system(line.cluster), kind, reason, bool(reason) and is_error(reason))

    def _system(self, cluster: str) -> str:
        if not cluster:
            return ""
        return self._systems.get(cluster) or cluster.partition("/")[0]


def why(line: Line) -> str:
    """Why a call did not end with OK: a word of Envoy's refusals, or the name of a status; empty where it did."""
    if line.reached in (Reached.EDGE, Reached.NO_CALL):
        return reason_of(line)
    if line.reached is Reached.SENT:
        return next((BROKEN[flag] for flag in line.flags.split(",") if flag in BROKEN), GONE)
    if line.grpc_status is None:
        return "" if line.http_status < 400 else f"HTTP_{line.http_status}"
    return "" if line.grpc_status == OK else STATUSES.get(line.grpc_status, "UNKNOWN")


def is_error(reason: str) -> bool:
    """Whether somebody is to blame for calls that end for a reason: Envoy refused them, or they failed. What a system is asked and answers,
    such as NOT_FOUND, is no error, nor is a caller that changed its mind."""
    return reason not in HARMLESS and not reason.startswith("HTTP_4")
