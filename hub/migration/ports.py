"""What a migration needs of the rest of the hub, as small as it is: the ways of calls, who writes, what was compared, the ledger."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub.migration.plan import Rules
from hub.migration.states import Platform, Position
from hub.parity.evidence import Evidence

Record = Callable[[str, str, str], Awaitable[None]]
"""Takes the action's name, its author and a JSON text without anything personal; returns when that is durable. Raises `Fault` JOURNAL."""


@dataclass(frozen=True)
class Order:
    """How the calls of one interface are to go."""

    rules: Rules
    position: Position
    pins: Mapping[str, Platform] = field(default_factory=dict)
    """By consumer."""


class Roads(Protocol):
    """The ways of calls."""

    def share(self, rules: Rules) -> float:
        """The share of an interface's calls, 0 to 1, that the new platform answers by the settings in force."""

    async def put(self, orders: Sequence[Order], what: str, author: str, because: str) -> None:
        """Puts all orders in force in one change, which the hub finishes or leaves alone. Done twice it is the same. Raises `RefusedError`,
        and `Fault` JOURNAL; nothing changed then."""

    def compare(self, order: Order) -> None:
        """Puts in force how many calls are compared, and nothing else."""

    def deviations(self, order: Order) -> tuple[str, ...]:
        """In what calls go otherwise than ordered, by somebody's hand."""

    def absent(self, interface: str, systems: Sequence[str]) -> tuple[str, ...]:
        """Those of these systems of which no instance serves the interface."""


class Writers(Protocol):
    """Who delivers messages and executes writes."""

    async def writer(self, operation: str) -> str:
        """The system that owns an operation's writes now."""

    async def move(self, operation: str, to: str, author: str, because: str) -> None:
        """Hands an operation's writes to a system: drains, fences, then moves. Done twice it is the same. Raises `RefusedError`."""

    async def in_doubt(self, operation: str) -> int:
        """Messages and writes of which nobody knows whether they were done."""


class Comparisons(Protocol):
    """What was compared."""

    def evidence(self, interface: str, since: float = 0.0) -> Evidence:
        """The comparisons of an interface since a unix time."""


class RefusedError(Exception):
    """What was ordered can't be put in force; the text says why, and nothing changed."""


class NoComparisons:
    """Where nothing is compared."""

    def evidence(self, interface: str, since: float = 0.0) -> Evidence:
        """None at all."""
        return Evidence(interface, since, 0, 0, 0.0, 0.0, (), 0, 0, 0.0, 0.0)


class NoWriters:
    """Where no other part of the hub fences writes: nothing that writes can be moved."""

    async def writer(self, operation: str) -> str:
        """Nobody that is known."""
        return ""

    async def move(self, operation: str, to: str, author: str, because: str) -> None:
        """Refuses."""
        raise RefusedError(f"this hub does not fence writes, so {operation} can't be moved")

    async def in_doubt(self, operation: str) -> int:
        """None that is known."""
        return 0
