"""Gathers what several callers hand over at about the same time into one batch, whose fate is theirs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from adapters.kit import Fault, Reason

T = TypeVar("T")
AGAIN = frozenset({Reason.BUSY, Reason.CIRCUIT_OPEN, Reason.UPSTREAM_UNAVAILABLE})


def nobodys(fault: Fault) -> Fault:
    """The fault of a batch that could not be put: whatever it was lies with none of what is in it, and each may be handed over again."""
    if fault.reason in AGAIN:
        return fault
    return Fault(Reason.UPSTREAM_UNAVAILABLE, f"the batch could not be put: {fault.text}", metadata=fault.metadata)


@dataclass
class _Gathering(Generic[T]):
    """A batch that is not complete yet."""

    done: "asyncio.Future[None]"
    timer: asyncio.TimerHandle
    things: list[T] = field(default_factory=list)


class Gatherer(Generic[T]):
    """Submits things together: those that come within `gather_for` seconds of the first, at most `largest` of them."""

    def __init__(self, submit: Callable[[Sequence[T]], Awaitable[None]], *, gather_for: float, largest: int) -> None:
        self._submit = submit
        self._gather_for = gather_for
        self._largest = largest
        self._open: _Gathering[T] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def submit(self, thing: T) -> None:
        """Waits until the batch with the thing is submitted. Raises what the submission raises.

        A caller that is cancelled leaves its thing in the batch; whoever hands it over again does so to no further effect.
        """
        gathering = self._open or self._begin()
        gathering.things.append(thing)
        if len(gathering.things) >= self._largest:
            self._go()
        await asyncio.shield(gathering.done)

    async def close(self) -> None:
        """Submits what was gathered and waits for what is under way."""
        if self._open is not None:
            self._go()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _begin(self) -> _Gathering[T]:
        loop = asyncio.get_running_loop()
        self._open = _Gathering(loop.create_future(), loop.call_later(self._gather_for, self._go))
        return self._open

    def _go(self) -> None:
        gathering, self._open = self._open, None
        assert gathering is not None, "the timer of a batch that went is cancelled"
        gathering.timer.cancel()
        task = asyncio.ensure_future(self._submit(tuple(gathering.things)))
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
