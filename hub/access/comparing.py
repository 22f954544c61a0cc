"""What anybody gains or loses by a change of policy: per consumer, operation, purpose and role. Pure.

A row speaks of a token that names that one role. That is the whole truth, since a grant asks for *one* of its roles: a token with several
may do what each of them may.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from hub.contracts import Contracts
from hub.mesh.grants import Right, needed, rights_of
from hub.mesh.inputs import Policy

OTHERWISE: Final = "(other or none)"
"""A token with none of the roles that either policy names, or no token where the operation demands none."""
NO_PURPOSE: Final = ""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One thing that a consumer may do after the change and not before, or the other way round."""

    consumer: str
    operation: str
    purpose: str
    """Empty where the operation asks for none."""
    role: str
    gained: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows that differ in nothing that matters to a reader, as one."""

    gained: bool
    consumer: str
    operations: str
    """One operation, or `<interface>/*` for all of an interface's."""
    purposes: tuple[str, ...] | None
    """None for every one that each operation permits."""
    roles: tuple[str, ...]
    """Empty for any, and for none."""


def differences(old: Policy, new: Policy, contracts: Contracts, trust_domain: str) -> tuple[Row, ...]:
    """Every row, sorted."""
    roles = (*sorted(named_roles(old) | named_roles(new)), OTHERWISE)
    before, after = rights_of(contracts, old, trust_domain), rights_of(contracts, new, trust_domain)
    found: list[Row] = []
    for name, operation in contracts.operations.items():
        if needed(before[name]) == needed(after[name]):
            continue
        purposes = operation.purposes if operation.personal else (NO_PURPOSE,)
        had, has = set(_cells(before[name], purposes, roles)), set(_cells(after[name], purposes, roles))
        found += [Row(consumer, name, purpose, role, cell in has) for cell in had ^ has for consumer, purpose, role in (cell,)]
    return tuple(sorted(found))


def named_roles(policy: Policy) -> set[str]:
    """Every role that a policy names."""
    return {role for grant in policy.grants for role in grant.roles}


def _cells(rights: Iterable[Right], purposes: tuple[str, ...], roles: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for right in rights:
        yield from product((right.consumer,), right.purposes or purposes, right.roles or roles)


def summed_up(rows: Iterable[Row], old: Policy, new: Policy, contracts: Contracts) -> tuple[Summary, ...]:
    """The rows for a reader: purposes and roles gathered, and operations of an interface where all of it goes the same way."""
    every_role = frozenset(named_roles(old) | named_roles(new) | {OTHERWISE})
    cells: dict[tuple[bool, str, str, frozenset[str]], set[str]] = {}
    by_purpose: dict[tuple[bool, str, str, str], set[str]] = {}
    for row in rows:
        by_purpose.setdefault((row.gained, row.consumer, row.operation, row.purpose), set()).add(row.role)
    for (gained, consumer, name, purpose), roles in by_purpose.items():
        cells.setdefault((gained, consumer, name, frozenset(roles)), set()).add(purpose)
    lines: dict[tuple[bool, str, tuple[str, ...] | None, tuple[str, ...]], set[str]] = {}
    for (gained, consumer, name, in_roles), purposes in cells.items():
        operation = contracts.operations[name]
        every_purpose = not operation.personal or purposes == set(operation.purposes)
        shown = () if in_roles == every_role else tuple(sorted(in_roles))
        lines.setdefault((gained, consumer, None if every_purpose else tuple(sorted(purposes)), shown), set()).add(name)
    found = [
        Summary(gained, consumer, where, purposes, roles_)
        for (gained, consumer, purposes, roles_), names in lines.items()
        for where in _patterns(names, contracts)
    ]
    return tuple(sorted(found, key=lambda one: (one.consumer, one.operations, one.gained, one.purposes or (), one.roles)))


def _patterns(names: set[str], contracts: Contracts) -> Iterator[str]:
    for interface in contracts.interfaces:
        of_it = [operation.name for operation in interface.operations]
        inside = names.intersection(of_it)
        if len(of_it) > 1 and len(inside) == len(of_it):
            yield f"{interface.name}/*"
        else:
            yield from sorted(inside)
