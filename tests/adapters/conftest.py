"""pytest-grpc for adapters: a module that sets `SYSTEM` gets that adapter, its simulator and a channel.

pytest-grpc starts servicers on a thread pool, which grpc.aio servicers can't use, so its `grpc_server` is overridden; `grpc_stub_cls` and
`grpc_stub` work as its documentation has them.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from adapter_rig import Rig, running_adapter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """The adapter named by the module's `SYSTEM`, with its simulator, for the whole module."""
    async with running_adapter(request.module.SYSTEM, tmp_path_factory.mktemp("rig"), **getattr(request.module, "UPSTREAM", {})) as running:
        yield running


@pytest.fixture(autouse=True)
def _dials_back(request: pytest.FixtureRequest) -> Any:
    """Puts every dial back after each test that used a rig."""
    yield
    if "rig" in request.fixturenames:
        dials = request.getfixturevalue("rig").dials
        if dials:
            dials.clear()


@pytest.fixture(scope="module")
def grpc_server(rig: Rig) -> Any:
    """pytest-grpc's server, overridden: the adapter's own."""
    return rig.channel
