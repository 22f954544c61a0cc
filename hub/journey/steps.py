"""A journey as it is told: a tree of steps, each after the one that it belongs to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from hub.journey.evidence import Source


class Kind(Enum):
    """What kind of step it is; the number is that of the contract."""

    CALL = 1
    ENVOY = 2
    ADAPTER = 3
    FAR_SYSTEM = 4
    ACCEPTED = 5
    DELIVERY = 6
    ATTEMPT = 7
    REPORT = 8
    DECISION = 9
    TRACE = 10


class State(Enum):
    """How a step ended; the number is that of the contract."""

    DONE = 1
    REFUSED = 2
    FAILED = 3
    WAITING = 4
    NEEDS_A_PERSON = 5
    MISSING = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Nothing in it is personal."""

    id: str
    parent: str
    """The step that it belongs to; empty for the first."""
    kind: Kind
    state: State
    line: str
    """One plain sentence."""
    at: float = 0.0
    """Unix time; 0 where nobody knows."""
    ms: float | None = None
    who: str = ""
    what: str = ""
    where: str = ""
    outcome: str = ""
    call_id: str = ""
    message_id: str = ""
    record: int | None = None
    attempt: int = 0
    told_by: frozenset[Source] = frozenset()
    coming: bool = False
    """Whether something of it is still on its way."""


@dataclass(frozen=True)
class Journey:
    """One journey."""

    id: str
    """Its trace."""
    steps: tuple[Step, ...]

    @property
    def open(self) -> bool:
        """Whether something is still on its way."""
        return any(one.coming for one in self.steps)


@dataclass
class Steps:
    """Steps that are being told, by their ids."""

    found: dict[str, Step] = field(default_factory=dict)

    def add(self, step: Step) -> str:
        """Takes a step; its id."""
        self.found[step.id] = step
        return step.id

    def ordered(self) -> tuple[Step, ...]:
        """Each after its parent, those of one parent by time. What belongs to no step that there is, or to itself, belongs to the first."""
        tops = [one for one in self.found.values() if not self._rooted(one)]
        first = min(tops, key=lambda one: (one.at or float("inf"), one.id))
        for one in tops:
            self.found[one.id] = replace(one, parent="" if one.id == first.id else first.id)
        children: dict[str, list[Step]] = {}
        for one in self.found.values():
            children.setdefault(one.parent, []).append(one)
        return tuple(_walk(children, ""))

    def _rooted(self, step: Step) -> bool:
        """Whether its parents lead to a step without one, and it has one."""
        seen, one = {step.id}, self.found.get(step.parent)
        if one is None:
            return False
        while one.parent in self.found:
            if one.id in seen:
                return False
            seen.add(one.id)
            one = self.found[one.parent]
        return True


def _walk(children: dict[str, list[Step]], parent: str) -> Iterator[Step]:
    waiting = list(reversed(_by_time(children.get(parent, ()))))
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(_by_time(children.get(one.id, ())))


def _by_time(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda one: (one.at or float("inf"), one.kind.value, one.attempt, one.id))
