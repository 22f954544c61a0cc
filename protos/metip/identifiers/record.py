"""Identifiers under which a record system keeps entities: CONNECT's (format assumed)."""

from __future__ import annotations

from .parsed import Parsed, accepted, match


def parse_connect_entity_id(raw: str) -> Parsed:
    """Reads an entity's id in CONNECT: N (nominal), V (vehicle), L (location), I, C or R, and ten digits."""
    found = match(raw, "[NVLICR][0-9]{10}", "one of N, V, L, I, C and R before ten digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])
