"""Every recorded case of every system, against the real adapter and the real simulator on real sockets, without Envoy.

A case of a message is played against the exchange, which answers it; what its subscribers make of it is for their own tests.

Systems are found by their folders, cases by theirs: nothing is registered here. The cases of one system run in the order of their file
names against one running adapter, as they would against a running estate, so a case must not rely on what an earlier one left behind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from adapter_rig import TODAY, from_envoy
from cases import case_files, case_id, faults_of_writing, play, problems, read_case
from consulted import Fleet, running_fleet
from exchange_in_process import accepting_exchange

from adapters.kit.serving import installed_contracts
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to an exchange that takes every message."""
    async with accepting_exchange(tmp_path_factory.mktemp("x"), installed_contracts(TODAY)) as channel:
        yield channel


@pytest.mark.parametrize("path", case_files(), ids=case_id)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_case_records_comes_back(fleets: Fleets, exchange: grpc.aio.Channel, path: Path) -> None:
    recorded = read_case(path)
    assert faults_of_writing(recorded) == []
    if recorded.operation.delivery is not None:
        assert problems(recorded, await play(recorded, exchange, from_envoy())) == []
        return
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
