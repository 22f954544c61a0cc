"""Identifiers under which a record system keeps entities: CONNECT's (format assumed), and any other system's own references."""

from __future__ import annotations

from .parsed import Parsed, accepted, match


def parse_connect_entity_id(raw: str) -> Parsed:
    """Reads an entity's id in CONNECT: N (nominal), V (vehicle), L (location), I, C or R, and ten digits."""
    found = match(raw, "[NVLICR][0-9]{10}", "one of N, V, L, I, C and R before ten digits")
    return found if isinstance(found, Parsed) else accepted(raw, found[0])


def parse_record_reference(raw: str) -> Parsed:
    """Reads a reference that one system gave to a record of its own, in whatever form it prints them: printable ASCII.

    It tells nobody apart but within the system that gave it, so it is for finding records of access and for nothing else.
    """
    found = match(raw, "[!-~]+( +[!-~]+)*", "printable characters")
    return found if isinstance(found, Parsed) else accepted(raw, " ".join(found[0].split()))
