"""Every engine in turn, opened on a folder of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from engines import ENGINES, Bench, Opening, Time


@pytest.fixture(params=ENGINES)
def opening(request: pytest.FixtureRequest) -> Opening:
    """How to open one of the engines."""
    return ENGINES[request.param]


@pytest_asyncio.fixture(loop_scope="function")
async def bench(opening: Opening, tmp_path: Path) -> AsyncIterator[Bench]:
    """One of the engines, open."""
    async with opening(tmp_path, Time()) as found:
        yield found
