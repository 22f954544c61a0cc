"""In the hub and in every adapter the loop goes first: their other threads, gRPC's among them, give way."""

import os
from pathlib import Path

import pytest
from mesh_rig import MeshRig

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_loop_of_the_hub_and_of_each_adapter_goes_first(mesh: MeshRig) -> None:
    running = {one.name: one.pid for one in mesh.supervisor.processes if one.pid is not None}
    served = [name for name in running if name == "hub" or name.startswith("adapter-")]
    assert len(served) > 2
    for name in served:
        pid = running[name]
        threads = {int(one.name) for one in Path(f"/proc/{pid}/task").iterdir()}
        others = [os.sched_getscheduler(thread) for thread in threads - {pid}]
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER, name
        assert os.SCHED_BATCH in others, name
