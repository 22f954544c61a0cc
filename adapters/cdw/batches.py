"""Gathers what comes at nearly the same time, so that many rows cost one transaction; each caller hears of its own row."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from adapters.kit import Call, Fault

R = TypeVar("R")
_Waiting = tuple[R, Call, "asyncio.Future[None]"]
Load = Callable[[Sequence[R], Call], Awaitable[Sequence[Fault | None]]]
"""Loads rows within the time of a call; gives for each what is wrong with it, or None. A `Fault` that it raises concerns all of them."""


class Batches(Generic[R]):
    """Loads what has come together: `gather_for` seconds after the first row, or as soon as there are `most`.

    No more than `at_once` batches are under way; what comes meanwhile is gathered, so that a slow far side gets larger batches, not more.
    """

    def __init__(self, load: Load[R], *, gather_for: float, most: int, at_once: int) -> None:
        self._load = load
        self._gather_for = gather_for
        self._most = most
        self._at_once = at_once
        self._waiting: deque[_Waiting[R]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loading: set[asyncio.Task[None]] = set()

    async def add(self, row: R, call: Call) -> None:
        """Returns when the row is loaded; raises the `Fault` of this row or of its whole batch.

        A caller who goes away does not take back its row, which is loaded with the others unless its batch has yet to begin.
        """
        loop = asyncio.get_running_loop()
        loaded: asyncio.Future[None] = loop.create_future()
        self._waiting.append((row, call, loaded))
        if len(self._waiting) >= self._most:
            self._begin()
        elif self._timer is None and len(self._loading) < self._at_once:
            self._timer = loop.call_later(self._gather_for, self._begin)
        await loaded

    async def close(self) -> None:
        """Waits until everything is loaded; nothing is added any more."""
        self._begin()
        while self._loading:
            await asyncio.wait(self._loading)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and len(self._loading) < self._at_once:
            taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            batch = [one for one in taken if not one[2].done()]
            if batch:
                task = asyncio.create_task(self._run(batch))
                self._loading.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._loading.discard(task)
        if self._waiting and self._timer is None:
            self._begin()

    async def _run(self, batch: "Sequence[_Waiting[R]]") -> None:
        # They came within milliseconds, so the one with the least time left bounds hardly anybody else.
        call = min((call for _, call, _ in batch), key=lambda call: call.deadline)
        wrong: Sequence[BaseException | None]
        try:
            wrong = await self._load([row for row, _, _ in batch], call)
        except BaseException as error:  # noqa: BLE001 - whatever it is, each caller is told, and the pipeline knows what becomes of it
            wrong = [error] * len(batch)
        for (_, _, loaded), problem in zip(batch, wrong, strict=True):
            if loaded.done():
                continue
            if problem is None:
                loaded.set_result(None)
            else:
                loaded.set_exception(_own(problem))


def _own(problem: BaseException) -> BaseException:
    """The problem, as an exception of one caller's own where it is a fault: a shared one would gather everybody's traceback."""
    if isinstance(problem, Fault):
        return Fault(problem.reason, problem.text, problem.metadata, problem.fields, problem.retry_after)
    return problem
