"""One estate for all tests that leave it as they found it; tests that break it start their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from mesh_rig import MeshRig, running_mesh


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """A running estate, shared."""
    async with running_mesh(tmp_path_factory.mktemp("mesh")) as rig:
        yield rig
