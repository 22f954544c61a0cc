"""What may be sampled, and how much: the contract's mirror policy first, then what operators set.

The law, by policy. `NEVER`, and anything with side effects: not sampled, whatever is asked. `RECORDED`: never asked live; its calls may be
kept in recordings. `REPLICA`: only a system is asked all of whose instances say that their far system is a copy or a simulator. `SAMPLED`:
live systems too, but never more look-ups within an hour than the cap says, restarts included.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from hub.contracts import Contracts, Operation
from hub.mesh.inputs import Instance
from hub.parity.pairs import RECORDED, REPLICA, SAMPLED
from metip.sampling import MILLION, Dropped

HOUR: Final = 3600.0
SCHEMA: Final = """
create table if not exists sampling(
  operation text primary key, per_million integer not null, again_per_million integer not null, cap_per_hour integer not null,
  shadow text not null
) strict, without rowid;
create table if not exists spent(operation text not null, at real not null) strict;
create index if not exists spent_at on spent(at);
"""


class ForbiddenError(Exception):
    """The contract forbids it; the text says why."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one operation is sampled. Shares are in millionths; `again_per_million` is a share of what is sampled."""

    operation: str
    per_million: int
    again_per_million: int = 0
    cap_per_hour: int = 0
    """Look-ups at live systems within any hour."""
    shadow: str = ""
    """The system that is asked too, where there are several others; empty for the only one."""


def systems_of(contracts: Contracts, operation: Operation) -> tuple[str, ...]:
    """Systems that serve an operation, its owner first."""
    return (contracts.interface(operation.interface).system, *contracts.serving(operation.name))


def shadow_of(contracts: Contracts, operation: Operation, primary: str, named: str = "") -> str:
    """Who is asked what `primary` answered: the owner, unless that was it; then the one that is named, or the only other one. Empty for
    nobody."""
    owner, *others = systems_of(contracts, operation)
    if primary != owner:
        return owner if primary in others else ""
    found = named or (others[0] if len(others) == 1 else "")
    return found if found in others else ""


def forbidden(contracts: Contracts, sampling: Sampling) -> str:
    """Why the contract forbids it; empty when it does not."""
    operation = contracts.operations.get(sampling.operation)
    if operation is None:
        return f"no contract that is loaded has {sampling.operation}"
    if not operation.comparable:
        return f"{operation.name} is never asked twice: " + (
            "it has side effects" if operation.delivery_class.value != "NO_SIDE_EFFECTS" else "its mirror policy is NEVER"
        )
    if operation.mirror == RECORDED:
        return f"{operation.name} is compared on recorded pairs only: use `metip parity record` and `replay`"
    owner, *others = systems_of(contracts, operation)
    if not others:
        return f"nobody but {owner} serves {operation.name}"
    if not sampling.shadow and len(others) > 1:
        return f"{operation.name} is served by {', '.join(others)} beside {owner}: name one of them as its shadow"
    if sampling.shadow and sampling.shadow not in others:
        return f"{sampling.shadow} does not serve {operation.name} beside {owner}"
    if operation.mirror == SAMPLED and not sampling.cap_per_hour:
        return f"{operation.name} is asked at live systems, so it needs a cap: a number of look-ups in an hour"
    if not 0 <= sampling.per_million <= MILLION or not 0 <= sampling.again_per_million <= MILLION:
        return "a share is more than the whole"
    return ""


def is_replica(instances: Iterable[Instance], system: str, interface: str) -> bool:
    """Whether a system has instances for an interface, and each of them says that its far system is a copy or a simulator."""
    found = [one.replica for one in instances if one.system == system and interface in one.interfaces]
    return bool(found) and all(found)


class Sampler:
    """What is sampled in one hub; kept in its file."""

    def __init__(
        self, path: Path, contracts: Contracts, instances: Callable[[], tuple[Instance, ...]], *, clock: Callable[[], float] = time.time
    ) -> None:
        """`instances` gives those that are registered now."""
        path.touch(mode=0o600)
        self._contracts, self.instances, self._clock = contracts, instances, clock
        self._database = apsw.Connection(str(path))
        self._database.pragma("journal_mode", "wal")
        self._database.pragma("synchronous", "normal")
        self._database.execute(SCHEMA)
        rows: list[Any] = self._database.execute("select * from sampling order by operation").fetchall()
        # A contract that has become stricter since holds here too.
        self._settings = {row[0]: one for row in rows if not forbidden(contracts, one := Sampling(*row))}
        self._spent: dict[str, deque[float]] = {}
        spent: list[Any] = self._database.execute("select operation, at from spent where at > ? order by at", (clock() - HOUR,)).fetchall()
        for operation, at in spent:
            self._spent.setdefault(operation, deque()).append(at)

    @property
    def settings(self) -> tuple[Sampling, ...]:
        """What is sampled, by operation."""
        return tuple(sorted(self._settings.values(), key=lambda one: one.operation))

    def setting(self, operation: str) -> Sampling | None:
        """How an operation is sampled; None when it is not."""
        return self._settings.get(operation)

    def put(self, sampling: Sampling) -> None:
        """Samples an operation so from now on; a share of 0 ends it. Raises `ForbiddenError`."""
        if not sampling.per_million:
            self._settings.pop(sampling.operation, None)
            self._database.execute("delete from sampling where operation = ?", (sampling.operation,))
            return
        if why := forbidden(self._contracts, sampling):
            raise ForbiddenError(why)
        values = (sampling.operation, sampling.per_million, sampling.again_per_million, sampling.cap_per_hour, sampling.shadow)
        self._database.execute("insert or replace into sampling values (?, ?, ?, ?, ?)", values)
        self._settings[sampling.operation] = sampling

    def waiting(self, sampling: Sampling) -> str:
        """Why nobody would be asked at present, whichever of the systems answers; empty while somebody would."""
        operation = self._contracts.operations[sampling.operation]
        found = [self.not_now(operation, system) for system in self._pair(operation, sampling)]
        return found[0] if all(found) else ""

    def not_now(self, operation: Operation, system: str) -> str:
        """Why a system can't be asked for comparison at present; empty when it can."""
        if not any(one.system == system and operation.interface in one.interfaces for one in self.instances()):
            return f"no instance of {system} serves {operation.interface}"
        if operation.mirror == REPLICA and not is_replica(self.instances(), system, operation.interface):
            return f"the policy is REPLICA, and not every instance of {system} says that its far system is a copy or a simulator"
        return ""

    def may_ask(self, operation: Operation, system: str) -> Dropped | None:
        """Whether a system may be asked now, once: None, or why not. What is given is spent."""
        sampling = self._settings.get(operation.name)
        if sampling is None or not operation.comparable or operation.mirror not in (REPLICA, SAMPLED):
            return Dropped.NOT_WANTED
        if not any(one.system == system and operation.interface in one.interfaces for one in self.instances()):
            return Dropped.NO_SHADOW
        if is_replica(self.instances(), system, operation.interface):
            return None
        if operation.mirror == REPLICA:
            return Dropped.NO_REPLICA
        return None if self._spend(operation.name, sampling.cap_per_hour) else Dropped.CAP

    def rates(self, system: str) -> Mapping[str, int]:
        """Which share of its calls the instances of a system offer, by operation, in millionths."""
        found = {}
        for one in self._settings.values():
            operation = self._contracts.operations[one.operation]
            shadow = shadow_of(self._contracts, operation, system, one.shadow)
            if system in self._pair(operation, one) and shadow and not self.not_now(operation, shadow):
                found[one.operation] = one.per_million
        return found

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def _pair(self, operation: Operation, sampling: Sampling) -> tuple[str, str]:
        """The two systems that are compared."""
        owner, *others = systems_of(self._contracts, operation)
        return owner, sampling.shadow or others[0]

    def _spend(self, operation: str, cap: int) -> bool:
        """Counts one look-up of the hour, unless there is none left. It is kept before it is made."""
        now, spent = self._clock(), self._spent.setdefault(operation, deque())
        while spent and spent[0] <= now - HOUR:
            spent.popleft()
        if len(spent) >= cap:
            return False
        self._database.execute("delete from spent where at <= ?", (now - HOUR,))
        self._database.execute("insert into spent values (?, ?)", (operation, now))
        spent.append(now)
        return True
