"""The writing thread hears of everything that goes wrong, and leaves nobody waiting."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hub.exchange.records import BrokenError
from hub.exchange.sqlite.writer import Writer

pytestmark = pytest.mark.asyncio(loop_scope="function")


class Surprising:
    """A store that fails in a way that nobody foresaw."""

    def run(self, jobs: list[Callable[[], Any]]) -> list[Any]:
        """Fails."""
        raise RuntimeError(f"{len(jobs)} jobs")


async def test_a_failure_that_nobody_foresaw_halts_the_process_and_is_told_to_each_caller() -> None:
    broken: list[BrokenError] = []
    writer = Writer(Surprising, on_broken=broken.append)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(BrokenError):
                await writer.do(lambda _store: None)
        assert [str(one) for one in broken] == ["the writer failed: RuntimeError"]
    finally:
        writer.close()
