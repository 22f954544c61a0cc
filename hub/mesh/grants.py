"""From the access policy and the contracts: who has which right to which operation, and by which grant.

The law: what no grant gives is refused. Two rights follow from contracts themselves: an adapter may call what its contract says that it
consults, on behalf of whoever asked it and with their token, and it may publish the messages of the interface that its system owns.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from hub.contracts import Contracts, Operation, matching
from hub.mesh.inputs import Grant, Policy, adapter_identity
from metip.grants import Part, written
from metip.options.v1.options_pb2 import Purpose

BY_CONTRACT: Final = "(contract)"
"""The name under which rights go that contracts give."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What one grant gives one consumer for one operation."""

    consumer: str
    roles: tuple[str, ...] = ()
    """One of them is demanded; empty for any, and for nobody behind the call."""
    purposes: tuple[str, ...] = ()
    """Those of the operation's that it gives, in the contract's order; empty for all of them, and where the operation knows none."""
    grant: str = ""

    def open_to(self, roles: Iterable[str]) -> bool:
        """Whether a call in those roles may use it."""
        return not self.roles or not set(self.roles).isdisjoint(roles)

    def covers(self, other: "Right") -> bool:
        """Whether it gives whatever the other one gives."""
        in_any_role = not self.roles or bool(other.roles and set(other.roles) <= set(self.roles))
        for_any_purpose = not self.purposes or bool(other.purposes and set(other.purposes) <= set(self.purposes))
        return self.consumer == other.consumer and in_any_role and for_any_purpose


Rights = dict[str, tuple[Right, ...]]
"""By operation."""


@lru_cache(maxsize=8)
def rights_of(contracts: Contracts, policy: Policy, trust_domain: str) -> Rights:
    """Every right to each operation, of grants in their order and then of contracts. Nobody may change what this returns."""
    found: dict[str, list[Right]] = {name: [] for name in contracts.operations}
    for place, grant in enumerate(policy.grants):
        named = {operation.name: operation for pattern in grant.operations for operation in matching(pattern, contracts)}
        for operation in named.values():
            found[operation.name] += _right(grant, grant.name or f"grants[{place}]", operation)
    for consumer, name in _by_contract(contracts, trust_domain):
        found[name].append(Right(consumer, grant=BY_CONTRACT))
    return {name: tuple(rights) for name, rights in found.items()}


def _right(grant: Grant, name: str, operation: Operation) -> Iterator[Right]:
    purposes = tuple(one for one in operation.purposes if one in grant.purposes) if grant.purposes and operation.personal else ()
    if grant.purposes and operation.personal and not purposes:
        return
    yield Right(grant.consumer, tuple(sorted(grant.roles)), () if purposes == operation.purposes else purposes, name)


def _by_contract(contracts: Contracts, trust_domain: str) -> Iterator[tuple[str, str]]:
    for interface in contracts.interfaces:
        itself = adapter_identity(trust_domain, interface.system)
        reached = {one.name for one in interface.operations if one.delivery is not None}
        reached |= {name for one in interface.operations for name in one.consults if name in contracts.operations}
        yield from ((itself, name) for name in sorted(reached))


@lru_cache(maxsize=8192)
def needed(rights: tuple[Right, ...]) -> tuple[Right, ...]:
    """Rights without their grants' names and without those that another one covers, in a fixed order: equal access, equal value."""
    bare = sorted({Right(one.consumer, one.roles, tuple(sorted(one.purposes))) for one in rights})
    return tuple(one for one in bare if not any(other is not one and other.covers(one) for other in bare))


@lru_cache(maxsize=8192)
def text_of(rights: tuple[Right, ...]) -> str:
    """The rights to one operation as whoever answers it is told them; see `metip.grants`."""
    return written(_parts(needed(rights)))


def _parts(rights: Iterable[Right]) -> Iterator[Part]:
    def what(right: Right) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return right.purposes, right.roles

    for (purposes, roles), alike in groupby(sorted(rights, key=what), key=what):
        numbers = frozenset(Purpose.Value(f"PURPOSE_{one}") for one in purposes) or None
        yield numbers, roles, tuple(sorted(one.consumer for one in alike))


def callers(contracts: Contracts, policy: Policy, trust_domain: str) -> dict[str, tuple[str, ...]]:
    """SPIFFE IDs that may call each operation, by operation, for whichever purpose and in whichever role."""
    return {name: tuple(sorted({one.consumer for one in rights})) for name, rights in rights_of(contracts, policy, trust_domain).items()}
