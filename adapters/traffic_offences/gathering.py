"""Gathers what several callers hand over at about the same time into one batch, whose fate is theirs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from adapters.traffic_offences.records import Offence

Submit = Callable[[Sequence[Offence]], Awaitable[None]]


@dataclass
class _Gathering:
    """A batch that is not complete yet."""

    done: "asyncio.Future[None]"
    timer: asyncio.TimerHandle
    offences: list[Offence] = field(default_factory=list)


class Gatherer:
    """Submits offences together: those that come within `gather_for` seconds of the first, at most `largest` of them."""

    def __init__(self, submit: Submit, *, gather_for: float, largest: int) -> None:
        self._submit = submit
        self._gather_for = gather_for
        self._largest = largest
        self._open: _Gathering | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def submit(self, offence: Offence) -> None:
        """Waits until the batch with the offence is submitted. Raises what the submission raises.

        A caller that is cancelled leaves its offence in the batch; whoever hands it over again does so to no further effect.
        """
        gathering = self._open or self._begin()
        gathering.offences.append(offence)
        if len(gathering.offences) >= self._largest:
            self._go()
        await asyncio.shield(gathering.done)

    async def close(self) -> None:
        """Submits what was gathered and waits for what is under way."""
        if self._open is not None:
            self._go()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _begin(self) -> _Gathering:
        loop = asyncio.get_running_loop()
        self._open = _Gathering(loop.create_future(), loop.call_later(self._gather_for, self._go))
        return self._open

    def _go(self) -> None:
        gathering, self._open = self._open, None
        assert gathering is not None, "the timer of a batch that went is cancelled"
        gathering.timer.cancel()
        task = asyncio.ensure_future(self._submit(tuple(gathering.offences)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(partial(_settle, gathering.done))


def _settle(done: "asyncio.Future[None]", task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        done.cancel()
    elif error := task.exception():
        done.set_exception(error)
        done.exception()  # it may be that nobody waits any more
    else:
        done.set_result(None)
