"""One small estate with a console for all browser tests, which run one after the other, and a browser to play their scenarios in.

Without Node, npm and Chromium the tests are skipped: nobody needs them to run the product.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browsing import Browser, scripts_ready
from console_samples import ABOUT_A_VEHICLE, MOVED, OLD
from mesh_rig import MeshRig, running_mesh, until


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with what the scripts need installed as their lock file says."""
    found = scripts_ready()
    if not found:
        pytest.skip("needs node, npm and chromium")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory, node: str) -> AsyncIterator[MeshRig]:
    """An estate of a few systems with a console; `node` comes first, so that none is started where nothing can drive it."""
    systems = tuple({ABOUT_A_VEHICLE.system: 1, MOVED.system: 1, OLD: 1})
    async with running_mesh(tmp_path_factory.mktemp("console"), systems=systems, console=True) as rig:
        await until(lambda: rig.healthy(MOVED.operation.interface), within=60)
        yield rig


@pytest.fixture(scope="session")
def browser(console: MeshRig, node: str) -> Browser:
    """A browser that plays scenarios against the estate's console."""
    return Browser(console, node)
