"""The stage before the handler of a message that two platforms might execute: whoever's it is not refuses it, and nobody executes it twice.

A fence is held once it is on disk and nothing that it keeps out is being executed here any more; only then does the worker say so to the
hub, and only then is what it keeps out given to the other platform.
"""

import asyncio
import os
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw
from google.protobuf.message import Message

from adapters.kit.marks import KEPT_FOR, Bar, Handed, Marks
from metip.call import Call
from metip.contracts import Operation
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.faults import Fault, Reason
from metip.journal.store import HALTED
from metip.logs import Log
from metip.tokens import Token, token_of

T = TypeVar("T")
Unary = Callable[[Any, Call], Awaitable[Message]]
FOLDER: Final = "executions"
"""Beside the journals."""
FORGET_EVERY: Final = 600.0
Job = tuple[Callable[[Marks], Any], Callable[[Any], None]]
"""What is to be done in a transaction, and who is told what came of it once that is on disk."""


class Owned:
    """What one worker executes of messages that have an owner."""

    def __init__(self, path: Path, system: str, worker: int, log: Log, *, broken: Callable[[], None] | None = None) -> None:
        """Opens the file on a thread of its own; `worker` is this one's number among those that share it. `broken` ends the process when
        something can't be made durable. Raises `apsw.Error`."""
        self.system, self._log, self._broken = system, log, broken or _halt
        self.held = 0
        """The highest fence that this worker holds."""
        self._inside: Counter[tuple[str, str, int]] = Counter()
        self._left = asyncio.Event()
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        opened: list[BaseException | None] = []
        self._thread = threading.Thread(target=self._work, args=(path, worker, opened), name="executions", daemon=True)
        with self._wake:
            self._thread.start()
            self._wake.wait_for(lambda: bool(opened))
        if opened[0] is not None:
            raise opened[0]

    def guarded(self, operation: Operation, post: str, handler: Unary) -> Unary:
        """The handler of an operation whose messages another platform might execute too, behind the stage."""
        once = not operation.delivery_class.repeatable

        async def answer(request: Any, call: Call) -> Message:
            handed = self._handed(post, call)
            with self._counted(handed):
                reply = await self._do(lambda marks: marks.begin(handed))
                if reply is not None:
                    return Receipt.FromString(reply)
                try:
                    answered = await handler(request, call)
                except BaseException:
                    self._note(lambda marks: marks.leave(handed.message_id))
                    raise
                try:
                    await self._do(lambda marks: marks.end(handed.message_id, answered.SerializeToString()))
                except Fault as fault:
                    raise fault if not once else Fault(Reason.IN_DOUBT, "it was done, and can't be marked as done") from None
                return answered

        return answer

    async def hold(self, bars: Iterable[Bar]) -> None:
        """Takes fences: returns when they are on disk and what they keep out is not being executed any more. Raises `Fault` JOURNAL."""
        some = tuple(bars)
        await self.bar(some)
        while any(_keeps_out(bar, inside) for bar in some for inside in self._inside):
            self._left.clear()
            await self._left.wait()
        self.held = max([self.held, *(bar.number for bar in some)])

    async def bar(self, bars: Iterable[Bar]) -> None:
        """Keeps fences on disk. Raises `Fault` JOURNAL."""
        some = tuple(bars)
        await self._do(lambda marks: marks.bar(some))

    async def fence(self, post: str) -> int:
        """The fence of a post that is on disk, whoever brought it there; 0 for none. Raises `Fault` JOURNAL."""
        return await self._do(lambda marks: marks.fence(post))

    def close(self) -> None:
        """Finishes what was begun and closes the file."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _handed(self, post: str, call: Call) -> Handed:
        handover = call.handover
        try:
            token = token_of(handover.token) if handover is not None else None
        except ValueError:
            token = None
        if handover is None or token is None:
            raise Fault(Reason.FENCED, "nobody says whose the message is")
        return Handed(self.system, post, handover.message_id, handover.attempt, token)

    @contextmanager
    def _counted(self, handed: Handed) -> Iterator[None]:
        token: Token = handed.token
        inside = (handed.post, token.digest, token.number)
        self._inside[inside] += 1
        try:
            yield
        finally:
            self._inside[inside] -= 1
            if not self._inside[inside]:
                del self._inside[inside]
            self._left.set()

    async def _do(self, job: Callable[[Marks], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._wake:
            if self._stopping:
                raise Fault(Reason.STOPPING, "this instance is stopping")
            self._jobs.append((job, lambda result: _told(loop, future, result)))
            self._wake.notify()
        return await future

    def _note(self, job: Callable[[Marks], Any]) -> None:
        """Does something soon, for which nobody waits."""
        with self._wake:
            if not self._stopping:
                self._jobs.append((job, lambda _: None))
                self._wake.notify()

    def _work(self, path: Path, worker: int, opened: list[BaseException | None]) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            marks = Marks(path, worker)
        except BaseException as error:  # noqa: BLE001 - it is raised where it was made
            self._tell_opened(opened, error)
            return
        self._tell_opened(opened, None)
        forgotten = time.monotonic()
        while jobs := self._gather():
            if time.monotonic() - forgotten > FORGET_EVERY:
                forgotten = time.monotonic()
                jobs.append((lambda marks: marks.forget(time.time() - KEPT_FOR), lambda _: None))
            self._together(marks, jobs)
        marks.close()

    def _tell_opened(self, opened: list[BaseException | None], error: BaseException | None) -> None:
        with self._wake:
            opened.append(error)
            self._wake.notify_all()

    def _gather(self) -> list[Job]:
        with self._wake:
            while not self._jobs and not self._stopping:
                self._wake.wait()
            return [self._jobs.popleft() for _ in range(len(self._jobs))]

    def _together(self, marks: Marks, jobs: list[Job]) -> None:
        """One transaction for all that wait; a job that is refused changed nothing, and the others go on."""
        results: list[Any] = []
        try:
            marks.database.execute("begin immediate")
            for job, _ in jobs:
                try:
                    results.append(job(marks))
                except Fault as fault:
                    results.append(fault)
            marks.database.execute("commit")
        except (apsw.FullError, apsw.BusyError):
            if marks.database.in_transaction:
                marks.database.execute("rollback")
            results = [Fault(Reason.JOURNAL, "what is executed can't be marked, so nothing is") for _ in jobs]
        except Exception:  # noqa: BLE001 - nobody knows what is on disk
            self._log.line("halted", problem="what was executed can't be marked")
            self._broken()
            results = [Fault(Reason.JOURNAL, "what is executed can't be marked, so nothing is") for _ in jobs]
        for (_, tell), result in zip(jobs, results, strict=True):
            tell(result)


@asynccontextmanager
async def owned(path: Path, system: str, worker: int, log: Log) -> AsyncIterator[Owned]:
    """The stage, for the length of the block."""
    found = Owned(path, system, worker, log)
    try:
        yield found
    finally:
        await asyncio.to_thread(found.close)


def _keeps_out(bar: Bar, inside: tuple[str, str, int]) -> bool:
    post, digest, number = inside
    return post == bar.post and bar.digest in ("", digest) and number < bar.number


def _told(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", result: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_resolve, future, result)


def _resolve(future: "asyncio.Future[Any]", result: Any) -> None:
    if future.done():  # its call was cancelled
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _halt() -> None:
    os._exit(HALTED)
