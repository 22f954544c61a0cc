"""The SQLite engine behind the port: what callers ask becomes jobs of the one writing thread, many to a transaction."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from hub.exchange.clock import SteadyClock
from hub.exchange.life import Event
from hub.exchange.lots import Kept, Lot, kept_of
from hub.exchange.port import Ready
from hub.exchange.records import (
    Accepted,
    Arrival,
    BrokenError,
    Cause,
    ExchangeError,
    Filter,
    FullError,
    Move,
    Note,
    Plan,
    Replayed,
    Scope,
    Settlement,
    Turn,
)
from hub.exchange.sqlite import noting, replaying
from hub.exchange.sqlite.reading import Reading
from hub.exchange.sqlite.store import Recorder, Store
from hub.exchange.sqlite.writer import Writer
from metip.contracts import Subscription

TOGETHER: Final = 4000
"""Arrivals from which on a transaction takes no more of them."""
MOST_WAITING: Final = 10_000
"""Callers that wait to be accepted before more are refused."""
T = TypeVar("T")
Entry = tuple[Sequence[Arrival], "asyncio.Future[list[Accepted | FullError]]"]


class SqliteEngine(Reading):
    """One file, one thread. `broken` is told, on that thread, when the process must stop."""

    def __init__(self, path: Path, clock: SteadyClock, writer: Writer[Store], ready: Ready) -> None:
        super().__init__(path, writer)
        self._clock, self._writer, self._ready = clock, writer, ready
        self._subscribers: dict[str, tuple[str, ...]] = {}
        self._arriving: deque[Entry] = deque()
        self._accepting: set[asyncio.Task[None]] = set()
        self.recovered: tuple[int, int] = (0, 0)
        """After `subscribe`: attempts of the last process that are repeated, and those that are in doubt."""

    @classmethod
    async def open(
        cls,
        path: Path,
        broken: Callable[[BrokenError], None],
        *,
        clock: SteadyClock | None = None,
        record: Recorder | None = None,
        vfs: str | None = None,
    ) -> Self:
        """Opens or makes the file. Raises `apsw.Error` when it can't be opened."""
        writer: Writer[Store] = await asyncio.to_thread(Writer, lambda: Store(path, record, vfs=vfs), on_broken=broken)
        clock = clock or SteadyClock()
        clock.at_least(await writer.do(lambda store: store.latest()))
        return cls(path, clock, writer, lambda _: None)

    async def subscribe(self, subscriptions: Sequence[Subscription], ready: Ready) -> None:
        """See the port."""
        self._ready = ready
        self.recovered = await self._writer.do(lambda store: store.subscribe(subscriptions, self._clock()))
        self._subscribers = {}
        for one in subscriptions:
            self._subscribers[one.operation] = (*self._subscribers.get(one.operation, ()), one.name)

    async def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted | FullError]:
        """See the port. Callers that come while others wait are accepted with them, as one."""
        if len(self._arriving) >= MOST_WAITING:
            return [FullError(f"{MOST_WAITING} callers wait for the disk")] * len(arrivals)
        future: asyncio.Future[list[Accepted | FullError]] = asyncio.get_running_loop().create_future()
        self._arriving.append((arrivals, future))
        if len(self._arriving) == 1:  # whoever is not the first is taken along with the first
            self._begin_accepting()
        else:
            self._writer.joined()
        return await future

    def _begin_accepting(self) -> None:
        task = asyncio.create_task(self._accept_waiting())
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _accept_waiting(self) -> None:
        taken: list[Entry] = []
        try:
            found = await self._writer.do(lambda store: self._accept(store, taken))
        except ExchangeError as error:
            for arrivals, future in taken or _all_of(self._arriving):
                if future.done():
                    continue
                if isinstance(error, FullError):
                    future.set_result([error] * len(arrivals))
                else:
                    future.set_exception(error)
            self._go_on(sum(len(arrivals) for arrivals, _ in taken))
            return
        operations = set()
        at = 0
        for arrivals, future in taken:
            if not future.done():
                future.set_result(found[at : at + len(arrivals)])
            at += len(arrivals)
            operations.update({one.operation for one in arrivals})
        for operation in operations:
            for name in self._subscribers.get(operation, ()):
                self._ready(name)
        self._go_on(at)

    def _go_on(self, taken: int) -> None:
        """After a full transaction, however it ended, some may have been left; whoever came after them counts on their being taken."""
        if taken >= TOGETHER:
            self._begin_accepting()

    def _accept(self, store: Store, taken: list[Entry]) -> list[Accepted | FullError]:
        """On the writer's thread: whoever waits by now, up to a fair number."""
        together: list[Arrival] = []
        while self._arriving and len(together) < TOGETHER:
            taken.append(self._arriving.popleft())
            together += taken[-1][0]
        return store.accept_all(together, self._clock())

    async def accept_lot(self, lot: Lot) -> Kept:
        """See the port. Lots of several callers are one transaction, as all that waits is."""
        try:
            found = await self._writer.do(lambda store: store.accept_lot(lot, self._clock()))
        except FullError as error:
            return kept_of([error] * len(lot))
        for name in self._subscribers.get(lot.operation, ()):
            self._ready(name)
        return found

    async def turn(self, subscription: str, settlements: Sequence[Settlement], limit: int) -> Turn:
        """See the port."""
        return await self._stirring(lambda store: store.turn(subscription, settlements, limit, self._clock()))

    async def confirm(self, message_id: str, system: str, event: Event, reason: str) -> None:
        """See the port."""
        await self._stirring(lambda store: store.confirm(message_id, system, event, reason, self._clock()))

    async def decide(self, deliveries: Sequence[tuple[str, str]], event: Event, *, by: str, reason: str) -> int:
        """See the port."""
        moved = await self._stirring(lambda store: store.decide(deliveries, event, self._clock(), by=by, reason=reason))
        for name in {subscription for _, subscription in deliveries}:
            self._ready(name)
        return moved

    async def _stirring(self, job: Callable[[Store], T]) -> T:
        """Runs a job, and says which other subscriptions may go on by what it did."""
        found, stirred = await self._writer.do(lambda store: (job(store), store.stirred()))
        for name in stirred:
            self._ready(name)
        return found

    async def begin_move(self, post: str, to: str, scope: Scope, key: str, *, move_id: str, by: str, reason: str) -> Move:
        """See the port."""
        return await self._stirring(lambda store: store.begin_move(post, to, scope, key, move_id, self._clock(), by=by, reason=reason))

    async def advance(self, move_id: str) -> Move:
        """See the port."""
        return await self._stirring(lambda store: store.advance(move_id, self._clock()))

    async def fenced(self, move_id: str) -> Move:
        """See the port."""
        return await self._stirring(lambda store: store.fenced(move_id, "", self._clock()))

    async def take_back(self, move_id: str, *, by: str, reason: str) -> Move:
        """See the port."""
        return await self._stirring(lambda store: store.take_back(move_id, self._clock(), by=by, reason=reason))

    async def pause(self, subscription: str, *, paused: bool, by: str, reason: str) -> None:
        """See the port."""
        await self._writer.do(lambda store: store.pause(subscription, self._clock(), paused=paused, by=by, reason=reason))
        self._ready(subscription)

    async def note(self, cause: Cause, words: str, *, by: str) -> Note:
        """See the port."""
        return await self._writer.do(lambda store: noting.note(store, cause, words, self._clock(), by=by))

    async def plan(self, wanted: Filter, *, by: str, reason: str, write_once: frozenset[str], expires: float) -> Plan:
        """See the port."""
        plan_id = str(uuid.uuid4())
        return await self._writer.do(
            lambda store: replaying.plan(
                store, wanted, self._clock(), plan_id=plan_id, by=by, reason=reason, write_once=write_once, expires=expires
            )
        )

    async def approve(self, plan_id: str, *, by: str, reason: str) -> None:
        """See the port."""
        await self._writer.do(lambda store: replaying.approve(store, plan_id, self._clock(), by=by, reason=reason))

    async def replay(self, plan_id: str, *, by: str, reason: str) -> Replayed:
        """See the port."""
        done = await self._writer.do(lambda store: replaying.replay(store, plan_id, self._clock(), by=by, reason=reason))
        for names in self._subscribers.values():
            for name in names:
                self._ready(name)
        return done

    async def retain(self, retention: dict[str, float], limit: int = 1000) -> int:
        """See the port."""
        return await self._writer.do(lambda store: replaying.retain(store, retention, self._clock(), limit))

    async def close(self) -> None:
        """See the port."""
        self.let_go()
        await asyncio.to_thread(self._writer.close)


def _all_of(waiting: deque[Entry]) -> list[Entry]:
    """Takes out all that wait."""
    return [waiting.popleft() for _ in range(len(waiting))]
