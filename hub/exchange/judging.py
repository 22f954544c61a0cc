"""A process beside the hub in which what is handed over in bulk is judged, so that the hub's own is free for what only it can do.

It is started with the first large part, and ends with the hub. Until it is there, and after it died, the hub judges itself: what is
accepted or refused is the same.
"""

import asyncio
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from multiprocessing import get_context
from typing import Final

from google.protobuf.message import DecodeError

from hub.exchange.accepting import Acceptor, acceptors_of
from hub.exchange.lots import Judged
from metip.call import Call
from metip.contracts import read
from metip.exchange.v1.exchange_service_pb2 import PublishBatchRequest
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.processes import die_with_parent

LARGE: Final = 64 * 1024
"""Bytes of a part from which on another process judges it."""
LOOKED_AFTER: Final = 1.0
"""Seconds of waiting after which it is looked whether that process is still there."""
_acceptors: dict[str, Acceptor] = {}
"""Of this process, where it judges for a hub."""


class Judges:
    """Judges parts of hand-overs, each in turn."""

    def __init__(self, descriptor_set: bytes, log: Log) -> None:
        self._descriptor_set, self._log = descriptor_set, log
        self._pool: ProcessPoolExecutor | None = None
        self._ready = False

    async def judge(self, acceptor: Acceptor, part: bytes, call: Call, officer: str, now: float) -> Judged:
        """What may be kept of a part, a `PublishBatchRequest`, and why the rest may not. Raises `Fault` MALFORMED for one that is none, and
        JOURNAL while nothing could be recorded."""
        acceptor.check()
        if len(part) >= LARGE:
            pool = self._begun()
            if self._ready:
                try:
                    return await _answered(pool, pool.submit(_judge, call.operation, part, call, officer, now))
                except BrokenProcessPool:
                    if pool is self._pool:  # whoever notices first
                        self._log.line("judge_lost")
                        self.close()
        return acceptor.judge_all(messages_of(part), call, officer, now)

    def close(self) -> None:
        """Ends the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._ready = None, False

    def _begun(self) -> ProcessPoolExecutor:
        if self._pool is None:
            pool = self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self._descriptor_set,))
            loop = asyncio.get_running_loop()

            def told(there: "Future[bool]") -> None:
                if not there.cancelled() and not loop.is_closed():  # the hub may have ended meanwhile
                    loop.call_soon_threadsafe(self._there, pool, there.exception() is None)

            pool.submit(_is_there).add_done_callback(told)
        return self._pool

    def _there(self, pool: ProcessPoolExecutor, well: bool) -> None:
        if pool is self._pool:
            self._ready = well


async def _answered(pool: ProcessPoolExecutor, asked: "Future[Judged]") -> Judged:
    """The answer. Raises `BrokenProcessPool` when the process died.

    A question that is asked in that very moment the pool may forget, and only tell those who ask afterwards.
    """
    answer = asyncio.wrap_future(asked)
    try:
        while not (await asyncio.wait({answer}, timeout=LOOKED_AFTER))[0]:
            try:
                pool.submit(_is_there)
            except BrokenProcessPool:
                raise
            except RuntimeError:
                await asyncio.sleep(LOOKED_AFTER)  # the judges are closed, and what was begun is still answered
        return answer.result()
    finally:
        answer.cancel()


def _begin(descriptor_set: bytes) -> None:
    """Reads the contracts; assessments that are overdue are the hub's business, and so is an interrupt from the terminal."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _acceptors.update(acceptors_of(read(descriptor_set, today=date.min), None, None))


def _is_there() -> bool:
    return bool(_acceptors)


def _judge(operation: str, part: bytes, call: Call, officer: str, now: float) -> Judged:
    return _acceptors[operation].judge_all(messages_of(part), call, officer, now)


def part_of(data: bytes) -> PublishBatchRequest:
    """A part, read. Raises `Fault` MALFORMED."""
    try:
        return PublishBatchRequest.FromString(data)
    except DecodeError:
        raise Fault(Reason.MALFORMED, "the part is not a metip.exchange.v1.PublishBatchRequest") from None


def messages_of(data: bytes) -> Sequence[bytes]:
    """The messages of a part. Raises `Fault` MALFORMED."""
    return part_of(data).messages
