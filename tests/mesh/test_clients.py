"""The example of each language whose toolchain is here asks the running mesh the same, and prints the same; a language without is skipped.

`pytest -rs`, which is how `make test` runs, names what was skipped and what to install. Python is never skipped.
"""

import asyncio
import os
from functools import cache
from pathlib import Path

import pytest
from clients import BUILDERS, Example, built, toolchain
from command_line import metip
from mesh_rig import MeshRig

from hub.identity.private_files import write_private
from hub.stubs.tools import ToolchainMissingError
from metip.faults import Reason

# A compiler that starts with an empty cache takes a while.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]
OPERATION = "metip.pnc.v1.VehicleEnquiryService/GetVehicle"
ANSWERS = (
    "KE01CVV: FORD FIESTA, YELLOW, taxed, insured, OF_INTEREST (NOT_OVER_OPEN_AIR)",
    f"QQ99QQQ: NOT_FOUND, NO_TRACE of pnc.metip, advice {Reason.NO_TRACE.advice}, code I1008, exception HO100301",
    f"KE01CVV: PERMISSION_DENIED, PURPOSE_NOT_PERMITTED of pnc.metip, advice {Reason.PURPOSE_NOT_PERMITTED.advice}",
)
PATIENCE = 60.0


@cache
def example(language: str, folder: Path) -> Example:
    """The example, built once; skips the test where that can't be done on this machine."""
    try:
        return built(language, folder)
    except ToolchainMissingError as error:
        assert language != "python"
        pytest.skip(f"the {language} example was NOT BUILT AND NOT RUN: {error}")


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
    assert await says(example(language, workshop), mesh) == list(ANSWERS)


async def test_every_example_reads_when_to_repeat(mesh: MeshRig, workshop: Path) -> None:
    built_ones = [example(language, workshop) for language in BUILDERS if here(language)]
    why = ("--because", "a test")
    made = await metip(mesh.home.root, "traffic", "maintain", OPERATION, "Back soon", "--for", "10m", "--retry-after", "2m", *why, "--json")
    number = str(made.json["change"]["number"])
    try:
        told = [await says(one, mesh) for one in built_ones]
    finally:
        undone = await metip(mesh.home.root, "traffic", "undo", number, *why)
    assert undone.code == 0, undone.err
    assert all(one == told[0] for one in told)
    assert len(told[0]) == len(ANSWERS)
    assert all(", MAINTENANCE of edge.metip, " in line and line.endswith(", repeat after 120 s") for line in told[0])
