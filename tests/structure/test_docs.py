"""What the documentation lists by hand stays complete."""

import re
from pathlib import Path

import pytest

from hub.mesh.console_refusals import console_refusals
from hub.mesh.refusals import REFUSALS, Refusal
from metip.faults import Reason

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("reason", Reason, ids=lambda one: one.name)
def test_each_reason_is_explained(reason: Reason) -> None:
    line = f"| `{reason.name}` | {reason.status.name} | {reason.advice} |"
    assert line in (ROOT / "docs" / "errors.md").read_text()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.reason)
def test_each_refusal_of_the_edge_is_explained(refusal: Refusal) -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    line = rf"\| `{refusal.reason}` \| {refusal.status} \| \d\d\d \| {re.escape(refusal.words)} \| {re.escape(refusal.advice)} \|"
    assert re.search(line, page)


@pytest.mark.parametrize("refusal", sorted({*console_refusals(""), *console_refusals("spiffe://any")}, key=repr), ids=lambda one: one.words)
def test_each_refusal_of_the_console_is_explained(refusal: Refusal) -> None:
    line = f"| `{refusal.reason}` | {refusal.status} | {refusal.words} | {refusal.advice} |"
    assert line in (ROOT / "docs" / "errors.md").read_text()


def test_each_runtime_dependency_has_its_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    decision = (ROOT / "docs" / "decisions" / "0004-dependencies.md").read_text()
    names = [dependency.split(">")[0].split("=")[0].split("<")[0] for dependency in project["dependencies"]]
    missing = [name for name in names if name not in decision and name.removeprefix("grpcio") not in decision]
    assert missing == []
