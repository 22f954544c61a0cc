"""Every control of the threat model names tests that are there; every file that the security pages name is too."""

import re
from typing import NamedTuple

import pytest
from checkout import files, text
from named_tests import is_there, named_in

PAGE = "docs/threat-model.md"
STRIDE = "STRIDE"


class Control(NamedTuple):
    """One row of a table."""

    boundary: str
    threat: str
    control: str
    proof: str


def controls() -> list[Control]:
    """Every row of the page, in its order."""
    found, boundary = [], ""
    for line in text(PAGE).splitlines():
        if line.startswith("## "):
            boundary = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| threat"):
            found.append(Control(boundary, *(part.strip() for part in line.strip("|").split("|"))))
    return found


@pytest.mark.parametrize("row", controls(), ids=lambda row: re.sub(r"\W+", "-", row.threat)[:60])
def test_each_control_names_tests_that_are_there(row: Control) -> None:
    named = named_in(row.proof)
    assert named
    assert [one for one in named if not is_there(one)] == []
    assert row.threat[0] in STRIDE
    assert row.threat[1] == ":"
    assert row.control


def test_every_boundary_is_looked_at_and_every_kind_of_threat_is_met() -> None:
    rows = controls()
    assert {row.boundary.partition(":")[0] for row in rows} == {f"Boundary {number}" for number in range(1, 6)}
    assert {row.threat[0] for row in rows} == set("STRIDE")


@pytest.mark.parametrize("page", ["SECURITY.md", PAGE, "docs/security/advisories.yaml"])
def test_what_the_security_pages_name_is_there(page: str) -> None:
    named = {one.partition("::")[0] for one in named_in(text(page))}
    assert [one for one in named if one not in files()] == []
