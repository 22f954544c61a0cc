"""Group commit: jobs of any number of callers run on one thread, many to a transaction; each caller hears of its own after the commit."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

from hub.exchange.records import BrokenError, FullError
from metip.pacing import Pace

R = TypeVar("R")
LARGEST_GROUP: Final = 512
BUSY: Final = 16
SHORTEST_PACE, LONGEST_PACE = 0.003, 0.008


class Store(Protocol):
    """Something that runs jobs as one durable transaction; see `SqliteStore.run`."""

    def run(self, jobs: "list[Callable[[], Any]]") -> list[Any]:
        """Results in the order of the jobs; an exception of a job is its result."""


S = TypeVar("S", bound=Store)


class Writer(Generic[S]):
    """One store and the thread that owns it. While a group is being made durable the next one gathers, so that load makes groups larger."""

    def __init__(self, open_store: Callable[[], S], *, on_broken: Callable[[BrokenError], None], capacity: int = 10_000) -> None:
        """`open_store` runs on the thread. `on_broken` is told, once, when the process must stop; it is called on the thread."""
        self._on_broken = on_broken
        self._capacity = capacity
        self._waiting: deque[tuple[Callable[[S], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]] = deque()
        self._wake = threading.Condition()
        self._stopping, self._idle = False, False
        self._pace = Pace(BUSY, SHORTEST_PACE, LONGEST_PACE)
        self._ready: threading.Event = threading.Event()
        self._failed_to_open: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(open_store,), name="exchange-writer")
        self._thread.start()
        self._ready.wait()
        if self._failed_to_open is not None:
            raise self._failed_to_open

    async def do(self, job: Callable[[S], R]) -> R:
        """Runs a job on the store; its result comes when it is durable. Raises what the job raised; `FullError` past capacity."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        with self._wake:
            if self._stopping:
                raise BrokenError("the exchange is stopping")
            if len(self._waiting) >= self._capacity:
                raise FullError(f"{len(self._waiting)} requests wait for the disk")
            self._waiting.append((job, future, loop))
            if self._pace.ask() or self._idle:
                self._idle = False
                self._wake.notify()
        return await future

    def joined(self) -> None:
        """One more caller waits for a job that was given already."""
        with self._wake:
            if self._pace.ask():
                self._wake.notify()

    def close(self) -> None:
        """Finishes what waits and ends the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _work(self, open_store: Callable[[], S]) -> None:
        try:
            store = open_store()
        except BaseException as error:  # noqa: BLE001 - it is raised where the writer was made
            self._failed_to_open = error
            self._ready.set()
            return
        self._ready.set()
        while group := self._gather():
            try:
                results = store.run([_bound(job, store) for job, _, _ in group])
            except FullError as error:
                results = [error] * len(group)
            except Exception as error:  # noqa: BLE001 - whatever it is, the process must hear of it and nobody may wait for ever
                broken = error if isinstance(error, BrokenError) else BrokenError(f"the writer failed: {type(error).__name__}")
                results = [broken] * len(group)
                self._on_broken(broken)
            told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
            for (_, future, loop), result in zip(group, results, strict=True):
                told.setdefault(loop, []).append((future, result))
            for loop, outcomes in told.items():  # woken once for all of a group: to wake a loop costs more than most jobs
                loop.call_soon_threadsafe(_tell, outcomes)
        close = getattr(store, "close", None)
        if close is not None:
            close()

    def _gather(self) -> list[tuple[Callable[[S], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]]:
        with self._wake:
            while not self._waiting and not self._stopping:
                self._idle = True
                self._wake.wait()
            self._idle = False
            if not self._stopping and (pause := self._pace.pause(time.monotonic())) > 0:
                self._wake.wait(pause)
            self._pace.begin(time.monotonic())
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]


def _bound(job: Callable[[S], Any], store: S) -> Callable[[], Any]:
    return lambda: job(store)


def _tell(outcomes: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for future, result in outcomes:
        if future.cancelled():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
