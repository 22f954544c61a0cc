"""What an adapter does at its far system that nobody asked for: looking into a folder, fetching answers, again and again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from metip.call import Call
from metip.faults import Fault

LONGEST_PAUSE = 60.0


def errand(operation: str, *, within: float) -> Call:
    """A call of the adapter's own, which has so many seconds. `operation` names it in logs."""
    return Call(id=str(uuid4()), operation=operation, consumer="", officer=None, deadline=time.monotonic() + within)


async def repeat(work: Callable[[], Awaitable[bool]], *, every: float) -> None:
    """Does the work for ever: at once again when it says that there is more, after `every` seconds when not.

    A `Fault` is no end: the guard has told that the far system is lost, and the pauses grow until it is back, or to a minute.
    """
    pause = every
    while True:
        try:
            more = await work()
            pause = every
        except Fault:
            more, pause = False, min(2 * pause, max(every, LONGEST_PAUSE))
        if not more:
            await asyncio.sleep(pause)


@asynccontextmanager
async def meanwhile(work: Awaitable[None]) -> AsyncIterator[None]:
    """Does the work for the length of the block. An error in it ends the block too, as an `ExceptionGroup`: an adapter that no longer does
    its part must not look alive. An error of the block's own comes out as it is."""
    own: Exception | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_awaited(work))
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below, outside the group that would wrap it
            own = error
        finally:
            task.cancel()
    if own is not None:
        raise own


async def _awaited(work: Awaitable[None]) -> None:
    await work
