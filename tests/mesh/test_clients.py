"""The example of each language whose toolchain is here asks the running mesh the same, and prints the same; a language without is skipped.

`pytest -rs`, which is how `make test` runs, names what was skipped and what to install. Python is never skipped.
"""

import asyncio
import os
import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from checkout import ROOT
from clients import BUILDERS, Example, built, toolchain
from command_line import metip
from mesh_rig import MeshRig

from adapters.kit.serving import installed_contracts
from hub.identity.private_files import write_private
from hub.stubs.tools import ToolchainMissingError
from metip.contracts import Operation

# A compiler that starts with an empty cache takes a while.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]
PRINTED = (ROOT / "protos" / "examples" / "printed.txt").read_text(encoding="utf-8").splitlines()
"""What each of them prints; it stands beside them."""
PATIENCE = 60.0


@cache
def example(language: str, folder: Path) -> Example:
    """The example, built once; skips the test where that can't be done on this machine."""
    try:
        return built(language, folder)
    except ToolchainMissingError as error:
        assert language != "python"
        pytest.skip(f"the {language} example was NOT BUILT AND NOT RUN: {error}")


def asked() -> Operation:
    """The operation that they call: that of this name, of the system whose refusals they print."""
    systems = {found[1] for line in PRINTED if (found := re.search(r" of (\w+)\.metip", line))}
    operations = installed_contracts(date.min).operations.values()
    (one,) = (one for one in operations if one.method == "GetVehicle" and one.name.split(".")[1] in systems)
    return one


def here(language: str) -> bool:
    """Whether the language's toolchain is on this machine."""
    try:
        toolchain(language)
    except ToolchainMissingError:
        return False
    return True


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples are built."""
    return tmp_path_factory.mktemp("clients")


async def says(one: Example, mesh: MeshRig) -> list[str]:
    """What an example prints of the mesh, line by line."""
    token = mesh.home.root / "example-token"
    write_private(token, mesh.token()[0][1].removeprefix("Bearer ").encode())
    settings = {"METIP_HOME": str(mesh.home.root), "METIP_EDGE": mesh.edge, "METIP_TOKEN_FILE": str(token)}
    process = await asyncio.create_subprocess_exec(
        *one.command,
        env={**os.environ, **one.environment, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


@pytest.mark.parametrize("language", BUILDERS)
async def test_an_example_prints_the_answer_and_why_the_others_were_refused(language: str, mesh: MeshRig, workshop: Path) -> None:
    assert await says(example(language, workshop), mesh) == PRINTED


async def test_every_example_reads_when_to_repeat(mesh: MeshRig, workshop: Path) -> None:
    built_ones = [example(language, workshop) for language in BUILDERS if here(language)]
    why = ("--because", "a test")
    made = await metip(
        mesh.home.root, "traffic", "maintain", asked().name, "Back soon", "--for", "10m", "--retry-after", "2m", *why, "--json"
    )
    number = str(made.json["change"]["number"])
    try:
        told = [await says(one, mesh) for one in built_ones]
    finally:
        undone = await metip(mesh.home.root, "traffic", "undo", number, *why)
    assert undone.code == 0, undone.err
    assert all(one == told[0] for one in told)
    assert len(told[0]) == len(PRINTED)
    assert all(", MAINTENANCE of edge.metip, " in line and line.endswith(", repeat after 120 s") for line in told[0])
