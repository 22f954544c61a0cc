"""Every recorded case of every system, against the real adapter and the real simulator on real sockets, without Envoy.

Systems are found by their folders, cases by theirs: nothing is registered here. The cases of one system run in the order of their file
names against one running adapter, as they would against a running estate, so a case must not rely on what an earlier one left behind.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from cases import case_files, case_id, faults_of_writing, play, problems, read_case
from consulted import Fleet, running_fleet

from adapters.kit import discovery
from adapters.kit.simulation.dials import Dial

CASES = [pytest.param(system, path, id=case_id(path)) for system in discovery.systems() for path in case_files((system,))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """The system that the test is about, with all that it consults."""
    async with running_fleet(request.param, tmp_path_factory.mktemp("c")) as running:
        yield running


@pytest.mark.parametrize(("fleet", "path"), CASES, indirect=["fleet"])
@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_case_records_comes_back(fleet: Fleet, path: Path) -> None:
    recorded = read_case(path)
    assert faults_of_writing(recorded) == []
    try:
        for system, faults in recorded.faults.items():
            dials = fleet.rigs[system].dials
            assert dials is not None, f"{system} has no simulator whose dials could be turned"
            dials.set([Dial(fault.dial, fault.setting, fault.share or 1.0, fault.times) for fault in faults])
        played = await play(recorded, fleet.rig.channel, from_envoy())
    finally:
        fleet.clear()
    assert problems(recorded, played) == []
