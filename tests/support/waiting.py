"""Waits for conditions with a bound, so that no test sleeps for a time that is hoped to be enough."""

import asyncio
import inspect
from collections.abc import Callable

POLL = 0.005
"""Seconds between two looks at a condition."""


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    """Waits until a condition, which may be asynchronous, holds. Raises `TimeoutError` when it does not in so many seconds."""
    async with asyncio.timeout(within):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(POLL)
