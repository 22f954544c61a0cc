"""One hub's commands on their way into the log: gathered into entries, written one entry after the other, told when carried out.

The law: an entry that may be in the log is written again, under its own number, until the log has it; only what certainly is not in the log
is refused. So nobody is told that a message was not accepted which then appears. While an entry is under way the next one gathers.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from hub.exchange.jetstream.commands import VERSION
from hub.exchange.jetstream.replica import Fate, Outcome
from hub.exchange.records import BrokenError, FullError
from metip.exchange.v1 import log_pb2 as log

LARGEST_GROUP: Final = 512
LARGEST_ENTRY: Final = 256 * 1024
"""Bytes of commands, unless one alone is larger."""
LONGEST_QUEUE: Final = 10_000
LARGEST_QUEUE: Final = 64 * 1024 * 1024
"""Bytes."""
RETRY: Final = 0.05
UNREACHABLE: Final = "the log can't be reached"


class Told(Enum):
    """What the log said of an entry."""

    STORED = "stored"
    NOT_STORED = "not_stored"
    """It certainly has not got it."""
    UNKNOWN = "unknown"


Append = Callable[[str, bytes], Awaitable[Told]]


@dataclass(slots=True, eq=False)
class _Item:
    command: log.LogCommand
    size: int
    patient: bool
    since: float
    future: "asyncio.Future[Any]"


@dataclass(slots=True)
class _Group:
    items: list[_Item]
    results: list[Any] | None = None
    acknowledged: bool = False


@dataclass
class Sequencer:
    """Commands of one process. `run` is its task; `carried_out` is told what the log's reader found."""

    owner: str
    join: log.LogJoin
    append: Append
    connected: Callable[[], bool]
    clock: Callable[[], float]
    patience: float
    steady: Callable[[], float] = time.monotonic
    _queue: deque[_Item] = field(default_factory=deque)
    _returned: deque[_Item] = field(default_factory=deque)
    """Items that were in an entry which is not in the log, or is void; they go before the queue."""
    _pending: dict[int, _Group] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: int = 0
    """Bytes in the queue."""
    _number: int = 0
    _joining: bool = False
    _failed: BrokenError | None = None

    def __post_init__(self) -> None:
        self._rejoin()

    async def do(self, command: log.LogCommand, *, patient: bool = False) -> Any:
        """What the command gave, once it is in the log and carried out here. Raises the error it gave, and `FullError` unless `patient`."""
        return await self.begin(command, patient=patient)

    def begin(self, command: log.LogCommand, *, patient: bool = False, since: float | None = None) -> "asyncio.Future[Any]":
        """Like `do`, for several that must keep their order: `since`, the same for all, is when they began to wait, so that none of them
        is still taken after another was refused."""
        if self._failed is not None:
            raise BrokenError(str(self._failed))
        size = command.ByteSize()
        if len(self._queue) >= LONGEST_QUEUE or self._waiting + size > LARGEST_QUEUE:
            raise FullError(f"{len(self._queue)} requests wait for the log")
        item = _Item(command, size, patient, self.steady() if since is None else since, asyncio.get_running_loop().create_future())
        self._queue.append(item)
        self._waiting += size
        self._wake.set()
        return item.future

    def carried_out(self, outcome: Outcome) -> None:
        """Takes what became of an entry of this process."""
        if outcome.fate is Fate.REPEATED:
            return
        number = outcome.entry.said.number
        if outcome.fate is Fate.VOID:
            self._rejoin()
            group = self._pending.pop(number, None)
            self._returned.extend(group.items if group else ())
            self._wake.set()
            return
        if outcome.entry.said.commands[0].HasField("join"):
            self._joining = False
        if number in self._pending:
            self._pending[number].results = outcome.results
            self._tell(number)

    def fail(self, error: BrokenError) -> None:
        """Ends all waiting."""
        self._failed = self._failed or error
        waiting = [item for group in self._pending.values() for item in group.items]
        for item in (*waiting, *self._returned, *self._queue):
            if not item.future.done():
                item.future.set_exception(BrokenError(str(error)))
                item.future.exception()  # nobody may be left who asks
        self._pending.clear()
        self._returned.clear()
        self._queue.clear()

    async def run(self) -> None:
        """Writes entries for as long as it is let."""
        while True:
            if not self._queue and not self._returned:
                self._wake.clear()
                await self._wake.wait()
            elif not self.connected():
                await self._wait()
            elif items := self._gathered():
                await self._write(items)

    async def _write(self, items: list[_Item]) -> None:
        self._number += 1
        number, unknown = self._number, False
        entry = log.LogEntry(version=VERSION, owner=self.owner, number=number, at=self.clock(), commands=[one.command for one in items])
        data = entry.SerializeToString()
        self._pending[number] = _Group(items)
        while True:
            told = await self.append(f"{self.owner}:{number}", data)
            if told is Told.STORED:
                if number in self._pending:
                    self._pending[number].acknowledged = True
                    self._tell(number)
                return
            if told is Told.NOT_STORED and not unknown and number in self._pending:
                del self._pending[number]
                self._number -= 1
                self._returned.extendleft(reversed(items))
                await self._wait()
                return
            unknown = unknown or told is Told.UNKNOWN
            await self._wait()

    def _gathered(self) -> list[_Item]:
        items: list[_Item] = []
        size = 0
        for line in (self._returned, self._queue):
            while line and len(items) < LARGEST_GROUP:
                if items and size + line[0].size > LARGEST_ENTRY:
                    return items
                item = line.popleft()
                self._waiting -= item.size if line is self._queue else 0
                if not item.future.cancelled():
                    items.append(item)
                    size += item.size
        return items

    def _tell(self, number: int) -> None:
        group = self._pending[number]
        if group.results is None or not group.acknowledged:
            return
        del self._pending[number]
        for item, result in zip(group.items, group.results, strict=True):
            if item.future.done():
                continue
            if isinstance(result, Exception):
                item.future.set_exception(result)
            else:
                item.future.set_result(result)

    async def _wait(self) -> None:
        """Lets a little time pass, and refuses those who have waited long enough and are certainly not in the log."""
        now = self.steady()
        for line in (self._returned, self._queue):
            items = list(line)
            line.clear()
            for item in items:
                if item.patient or now - item.since <= self.patience:
                    line.append(item)
                elif not item.future.done():
                    item.future.set_exception(FullError(UNREACHABLE))
        self._waiting = sum(item.size for item in self._queue)
        await asyncio.sleep(RETRY)

    def _rejoin(self) -> None:
        if self._joining:
            return
        self._joining = True
        future = asyncio.get_running_loop().create_future()
        command = log.LogCommand(join=self.join)
        self._returned.appendleft(_Item(command, command.ByteSize(), True, self.steady(), future))
