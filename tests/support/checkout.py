"""The checkout that the tests run in: its root, its files, its systems."""

import ast
from functools import cache
from pathlib import Path

from hub.cli import naming

ROOT = Path(__file__).parent.parent.parent

PLATFORM = frozenset(
    {
        "adapter",
        "cases",
        "common",
        "console",
        "contracts",
        "estate",
        "exchange",
        "hub",
        "identifiers",
        "journal",
        "journey",
        "ledger",
        "migration",
        "options",
        "parity",
        "settings",
        "simulator",
        "telemetry",
        "traffic",
    }
)
"""Packages under `metip` that belong to the platform. Every other one is a system, and needs no entry anywhere."""
NO_ADAPTERS = frozenset({"kit"})
"""Packages under `adapters` that are no system."""


@cache
def files() -> tuple[str, ...]:
    """Files of text that git keeps or would keep, generated ones not among them; relative, with slashes."""
    return tuple(path for path in naming.files(ROOT) if not path.endswith(".png"))


@cache
def text(path: str) -> str:
    """What is in a file; no test changes one."""
    return (ROOT / path).read_text(encoding="utf-8")


def modules() -> tuple[str, ...]:
    """Python files."""
    return tuple(path for path in files() if path.endswith(".py"))


@cache
def docstring(path: str) -> str:
    """The first statement of a module, if it is a docstring; otherwise nothing."""
    return ast.get_docstring(ast.parse(text(path), filename=path)) or ""


def systems(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Systems that have a contract folder, an adapter folder, or only one of them, as the files tell."""
    parts = [tuple(path.split("/")) for path in paths]
    contracts = {part[2] for part in parts if part[:2] == ("protos", "metip") and len(part) > 3} - PLATFORM
    adapters = {part[1] for part in parts if part[0] == "adapters" and len(part) > 2} - NO_ADAPTERS
    return tuple(sorted(contracts | adapters))
