"""Commands that must keep their order are refused together: none is taken after another that came before it was not."""

import asyncio
from dataclasses import dataclass

import pytest
import pytest_asyncio

from hub.exchange.jetstream.sequencer import Sequencer, Told
from hub.exchange.records import FullError
from metip.exchange.v1 import log_pb2 as log

pytestmark = pytest.mark.asyncio(loop_scope="function")
PATIENCE = 5.0


@dataclass
class Rig:
    """A log that nobody can reach, and a clock that stands."""

    sequencer: Sequencer
    now: list[float]


async def unreached(_entry: str, _data: bytes) -> Told:
    return Told.NOT_STORED


@pytest_asyncio.fixture
async def rig() -> Rig:
    now = [100.0]
    join = log.LogJoin(hub="one")
    return Rig(Sequencer("one", join, unreached, lambda: False, lambda: 0.0, PATIENCE, lambda: now[0]), now)


async def test_what_began_to_wait_together_is_refused_together(rig: Rig) -> None:
    beat = log.LogCommand(beat=log.LogBeat())
    since = rig.now[0]
    first = rig.sequencer.begin(beat, since=since)
    rig.now[0] += 0.04
    second = rig.sequencer.begin(beat, since=since)
    alone = rig.sequencer.begin(beat)
    rig.now[0] = since + PATIENCE + 0.02
    task = asyncio.create_task(rig.sequencer.run())
    try:
        for one in (first, second):
            with pytest.raises(FullError):
                await one
        assert not alone.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
