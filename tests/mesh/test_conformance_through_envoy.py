"""Every case of every system again, through the real edge: certificate, token, route, adapter, simulator and back."""

from pathlib import Path

import pytest
from cases import case_files, case_id, play, problems, read_case
from mesh_rig import MeshRig

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("path", case_files(), ids=case_id)
async def test_a_case_comes_back_through_the_mesh(path: Path, mesh: MeshRig) -> None:
    case = read_case(path)
    async with mesh.dials(case.faults), mesh.served_by(case.system, case.operation):
        assert problems(case, await play(case, mesh.channel(), mesh.token())) == []
