"""Every engine in turn, opened on a folder of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import filing
import pytest
import pytest_asyncio
from engines import ENGINES, Bench, Opening, Time
from hubs import Hubs, hubs_on
from nats_server import NatsServer, shared_server

filing.soon()


@pytest.fixture(params=ENGINES)
def opening(request: pytest.FixtureRequest) -> Opening:
    """How to open one of the engines."""
    return ENGINES[request.param]


@pytest_asyncio.fixture(loop_scope="function")
async def bench(opening: Opening, tmp_path: Path) -> AsyncIterator[Bench]:
    """One of the engines, open."""
    async with opening(tmp_path, Time()) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="function")
async def hubs(tmp_path: Path) -> AsyncIterator[Hubs]:
    """Hubs on the session's server."""
    async with hubs_on(await shared_server(), tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="function")
async def own(tmp_path: Path) -> AsyncIterator[Hubs]:
    """Hubs on a server of the test's own, to be killed."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = NatsServer(folder)
    await server.start()
    try:
        async with hubs_on(server, tmp_path) as found:
            yield found
    finally:
        server.kill()
