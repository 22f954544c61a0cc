"""Interfaces, targets, consumers and weights by the names that people type."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from hub.cli.exchange.names import ends, named

if TYPE_CHECKING:
    from hub.contracts import Contracts


def interfaces_named(text: str, known: "Contracts") -> list[str]:
    """The interface of that name, in full or its end; or all interfaces that a system of that name owns. Raises `Problem`."""
    on_mesh = [one for one in known.interfaces if not one.private]
    owned = [one.name for one in on_mesh if one.system == text.strip()]
    return sorted(owned) or [interface_named(text, known)]


def interface_named(text: str, known: "Contracts") -> str:
    """The interface of that name, in full or its end. Raises `Problem`."""
    names = sorted(one.name for one in known.interfaces if not one.private)
    return named(text, names, "interface", lambda wanted, name: ends(name.casefold(), wanted))


def target_named(text: str, known: "Contracts") -> str:
    """The interface or the operation of that name, in full or its end. Raises `Problem`."""
    on_mesh = [one for one in known.interfaces if not one.private]
    names = sorted([one.name for one in on_mesh] + [operation.name for one in on_mesh for operation in one.operations])
    return named(text, names, "interface or operation", lambda wanted, name: ends(name.casefold(), wanted))


def consumer_named(text: str, trust_domain: str) -> str:
    """The SPIFFE ID of a consumer: in full, or its path, `consumer/tablet`, or the end of it, `tablet`."""
    if not text or text.startswith("spiffe://"):
        return text
    return f"spiffe://{trust_domain}/{text if '/' in text else f'consumer/{text}'}"


def weights_named(pairs: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """`name=weight` pairs, by name. Raises `click.UsageError`."""
    found: dict[str, int] = {}
    for pair in pairs:
        name, _, weight = pair.rpartition("=")
        if not name or not weight.rstrip("%").isdigit():
            raise click.UsageError(f"{pair!r} is no share; write one such as name=5")
        found[name] = int(weight.rstrip("%"))
    return tuple(sorted(found.items()))
