"""Every recorded case of every system, against the real adapter and the real simulator on real sockets, without Envoy.

Systems are found by their folders, cases by theirs: nothing is registered here. The cases of one system run in the order of their file
names against one running adapter, as they would against a running estate, so a case must not rely on what an earlier one left behind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from cases import case_files, case_id, faults_of_writing, play, problems, read_case
from consulted import Fleet, running_fleet

from adapters.kit.simulation.dials import Dial

Fleets = Callable[[str], Awaitable[Fleet]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleets(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleets]:
    """Gives a system with all that it consults, started when it is first asked for and running until the last case is done."""
    running: dict[str, Fleet] = {}
    async with AsyncExitStack() as stack:

        async def fleet_of(system: str) -> Fleet:
            if system not in running:
                running[system] = await stack.enter_async_context(running_fleet(system, tmp_path_factory.mktemp("c")))
            return running[system]

        yield fleet_of


@pytest.mark.parametrize("path", case_files(), ids=case_id)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_case_records_comes_back(fleets: Fleets, path: Path) -> None:
    recorded = read_case(path)
    assert faults_of_writing(recorded) == []
    fleet = await fleets(recorded.system)
    try:
        for system, faults in recorded.faults.items():
            dials = fleet.rigs[system].dials
            assert dials is not None, f"{system} has no simulator whose dials could be turned"
            dials.set([Dial(fault.dial, fault.setting, fault.share or 1.0, fault.times) for fault in faults])
        played = await play(recorded, fleet.rig.channel, from_envoy())
    finally:
        fleet.clear()
    assert problems(recorded, played) == []
