"""The JetStream engine behind the port: what callers ask goes into the log, and is told when it is there and carried out here."""

import asyncio
import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from hub.exchange.clock import SteadyClock
from hub.exchange.jetstream import commands
from hub.exchange.jetstream.leases import Watch
from hub.exchange.jetstream.replica import Entry, Fate, Outcome, Replica, Standing
from hub.exchange.jetstream.sequencer import LARGEST_ENTRY, Append, Sequencer
from hub.exchange.jetstream.settings import Settings
from hub.exchange.life import Event, State, after
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
from hub.exchange.sqlite.reading import Reading, copied
from hub.exchange.sqlite.store import Recorder
from hub.exchange.sqlite.writer import Writer
from metip.contracts import Subscription
from metip.exchange.v1 import log_pb2 as log

if TYPE_CHECKING:
    from hub.exchange.jetstream.log import Log

_log = logging.getLogger(__name__)
FILE: Final = "exchange.sqlite"
CANCELLED_AGAIN: Final = 0.2
"""Seconds after which a task that should have ended is cancelled once more."""


class JetStreamEngine(Reading):
    """One hub of several on one log. It reads from its own file, which may be a moment behind what another hub has written."""

    def __init__(
        self,
        settings: Settings,
        log: "Log",
        writer: Writer[Replica],
        clock: SteadyClock,
        broken: Callable[[BrokenError], None],
        append: Append | None = None,
    ) -> None:
        super().__init__(settings.folder / FILE, writer)
        self._settings, self._log, self._writer, self._clock, self._broken = settings, log, writer, clock, broken
        self._ready: Ready = lambda _: None
        self.owner = f"{settings.hub}/{uuid.uuid4().hex[:12]}"
        join = _join(settings.hub)
        self._sequencer = Sequencer(self.owner, join, append or log.append, lambda: log.connected, clock, settings.patience)
        self._tasks: list[asyncio.Task[None]] = []
        self._living: asyncio.Task[None] | None = None
        self._snapshot: asyncio.Task[None] | None = None
        self._keeping = asyncio.Lock()
        self._joined = self._stopped = False
        self.recovered: tuple[int, int] = (0, 0)
        """Attempts of this hub's last process that are repeated, and those that are in doubt."""

    @classmethod
    async def open(
        cls,
        settings: Settings,
        broken: Callable[[BrokenError], None],
        *,
        clock: SteadyClock | None = None,
        record: Recorder | None = None,
        append: Callable[[Append], Append] | None = None,
    ) -> Self:
        """Joins the log, with a file that is made from a snapshot where need be; `append` wraps what writes entries, for tests.

        Raises `FullError` when the log can't be reached in time, `BrokenError` when it is not to be relied upon, `ImportError` without the
        extra `jetstream`.
        """
        try:
            from hub.exchange.jetstream.log import Log  # the hub starts without the extra
        except ModuleNotFoundError as error:
            raise ImportError("an exchange on JetStream needs the extra: pip install 'metip[jetstream]'") from error
        broken = _once(broken)
        await asyncio.to_thread(settings.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        found = await Log.open(settings)
        try:
            writer, standing = await _standing(settings, found, broken, record)
        except BaseException:
            await found.close()
            raise
        clock = clock or SteadyClock()
        clock.at_least(standing.at)
        engine = cls(settings, found, writer, clock, broken, append(found.append) if append else None)
        engine._start(standing)
        try:
            await engine._sequencer.do(log.LogCommand(beat=log.LogBeat()))
        except BaseException:
            await engine.halt()
            raise
        engine._living = asyncio.create_task(engine._guarded(engine._live))
        return engine

    # The port.

    async def subscribe(self, subscriptions: Sequence[Subscription], ready: Ready) -> None:
        """See the port; these are the subscriptions of every hub."""
        self._ready = ready
        said = log.LogSubscribe(subscriptions=[commands.packed(log.LogSubscription, one) for one in subscriptions])
        repeated, doubted = await self._sequencer.do(log.LogCommand(subscribe=said))
        self.recovered = (self.recovered[0] + repeated, self.recovered[1] + doubted)

    async def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted | FullError]:
        """See the port."""
        packed = [commands.packed(log.LogArrival, one) for one in arrivals]
        found: list[Accepted | FullError] = [FullError("the message is larger than the log takes")] * len(packed)
        begun, since, no_room = [], self._sequencer.steady(), None
        for places in _chunks([one.ByteSize() for one in packed], LARGEST_ENTRY, self._log.largest):
            said = log.LogAccept(arrivals=[packed[place] for place in places])
            try:
                if no_room is not None:
                    raise no_room  # a smaller one might have room, and would overtake
                begun.append((places, self._sequencer.begin(log.LogCommand(accept=said), since=since)))
            except FullError as error:
                no_room = error
                for place in places:
                    found[place] = error
        for places, future in begun:
            try:
                results = await future
            except FullError as error:
                results = [error] * len(places)
            for place, result in zip(places, results, strict=True):
                found[place] = result
        return found

    async def accept_lot(self, lot: Lot) -> Kept:
        """See the port."""
        return kept_of(await self.accept(lot.arrivals()))

    async def turn(self, subscription: str, settlements: Sequence[Settlement], limit: int) -> Turn:
        """See the port. A turn that would change nothing is not written; one that does waits for a log that can't be reached."""
        if not settlements:
            idle = await self._writer.do(lambda store: store.idle(subscription, limit, self._clock()))
            if idle is not None:
                return idle
        for one in settlements:
            after(State.ATTEMPT, one.event)  # a contradiction must end this hub, not all that read the log
        said = log.LogTurn(
            subscription=subscription, settlements=[commands.packed(log.LogSettlement, one) for one in settlements], limit=limit
        )
        found: Turn = await self._sequencer.do(log.LogCommand(turn=said), patient=True)
        return found

    async def confirm(self, message_id: str, system: str, event: Event, reason: str) -> None:
        """See the port."""
        for state in (State.ATTEMPT, State.DELIVERED, State.IN_DOUBT):
            after(state, event)
        said = log.LogConfirm(message_id=message_id, system=system, event=event.value, reason=reason)
        await self._sequencer.do(log.LogCommand(confirm=said))

    async def decide(self, deliveries: Sequence[tuple[str, str]], event: Event, *, by: str, reason: str) -> int:
        """See the port."""
        named = [log.LogDelivery(message_id=message_id, subscription=name) for message_id, name in deliveries]
        said = log.LogDecide(deliveries=named, event=event.value, by=by, reason=reason)
        moved: int = await self._sequencer.do(log.LogCommand(decide=said))
        return moved

    async def pause(self, subscription: str, *, paused: bool, by: str, reason: str) -> None:
        """See the port."""
        said = log.LogPause(subscription=subscription, paused=paused, by=by, reason=reason)
        await self._sequencer.do(log.LogCommand(pause=said))

    async def note(self, cause: Cause, words: str, *, by: str) -> Note:
        """See the port."""
        said = commands.packed(log.LogNote, cause)
        said.words, said.by = words, by
        found: Note = await self._sequencer.do(log.LogCommand(note=said))
        return found

    async def plan(self, wanted: Filter, *, by: str, reason: str, write_once: frozenset[str], expires: float) -> Plan:
        """See the port."""
        said = log.LogPlan(
            wanted=commands.packed(log.LogFilter, wanted),
            plan_id=str(uuid.uuid4()),
            by=by,
            reason=reason,
            write_once=sorted(write_once),
            expires=expires,
        )
        found: Plan = await self._sequencer.do(log.LogCommand(plan=said))
        return found

    async def approve(self, plan_id: str, *, by: str, reason: str) -> None:
        """See the port."""
        await self._sequencer.do(log.LogCommand(approve=log.LogApprove(plan_id=plan_id, by=by, reason=reason)))

    async def replay(self, plan_id: str, *, by: str, reason: str) -> Replayed:
        """See the port."""
        done: Replayed = await self._sequencer.do(log.LogCommand(replay=log.LogReplay(plan_id=plan_id, by=by, reason=reason)))
        return done

    async def begin_move(self, post: str, to: str, scope: Scope, key: str, *, move_id: str, by: str, reason: str) -> Move:
        """See the port."""
        said = log.LogOwn(step="begin", post=post, to=to, scope=scope.value, key=key, move_id=move_id, by=by, reason=reason)
        return await self._own(said)

    async def advance(self, move_id: str) -> Move:
        """See the port."""
        return await self._own(log.LogOwn(step="advance", move_id=move_id))

    async def fenced(self, move_id: str) -> Move:
        """See the port; every hub that lives has to say so."""
        return await self._own(log.LogOwn(step="fenced", move_id=move_id))

    async def take_back(self, move_id: str, *, by: str, reason: str) -> Move:
        """See the port."""
        return await self._own(log.LogOwn(step="take_back", move_id=move_id, by=by, reason=reason))

    async def _own(self, said: log.LogOwn) -> Move:
        found: Move = await self._sequencer.do(log.LogCommand(own=said))
        return found

    async def retain(self, retention: dict[str, float], limit: int = 1000) -> int:
        """See the port; one hub of several is enough."""
        kept = [log.LogRetention(operation=operation, retention=seconds) for operation, seconds in retention.items()]
        forgotten: int = await self._sequencer.do(log.LogCommand(retain=log.LogRetain(retention=kept, limit=limit)))
        return forgotten

    async def close(self) -> None:
        """See the port. Attempts that are under way are put back, or are in doubt, at once."""
        if self._stopped:
            return
        if self._living is not None:
            self._living.cancel()
        if self._log.connected:
            try:
                async with asyncio.timeout(self._settings.patience):
                    await self._sequencer.do(log.LogCommand(leave=log.LogLeave()))
            except (ExchangeError, TimeoutError):
                _log.warning("log_left_without_a_word")  # its lease tells the others
        await self.halt()

    async def halt(self) -> None:
        """Stops at once and writes nothing more, as if the process had died."""
        if self._stopped:
            return
        self._stopped = True
        self._sequencer.fail(BrokenError("the exchange is stopping"))
        tasks = [*self._tasks, *(one for one in (self._living, self._snapshot) if one is not None)]
        await _ended(tasks)
        self.let_go()
        await asyncio.to_thread(self._writer.close)
        await self._log.close()

    # The log.

    def _start(self, standing: Standing) -> None:
        self._tasks = [
            asyncio.create_task(self._guarded(lambda: self._follow(standing))),
            asyncio.create_task(self._guarded(self._sequencer.run)),
        ]

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A task whose failure ends the engine. Its work is begun here, for a task may be cancelled before its first step."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may go on as if it were not
            found = error if isinstance(error, BrokenError) else BrokenError(f"the exchange failed: {type(error).__name__}: {error}")
            self._sequencer.fail(found)
            self._broken(found)

    async def _follow(self, standing: Standing) -> None:
        async for entries in self._log.read(standing):
            for outcome in await self._applied(entries):
                self._heed(outcome)

    async def _applied(self, entries: list[Entry]) -> list[Outcome]:
        try:
            return await self._writer.do(lambda store: store.apply(entries))
        except FullError as error:
            raise BrokenError(f"entry {entries[0].sequence} of the log can't be carried out here: {error}") from error

    def _heed(self, outcome: Outcome) -> None:
        said = outcome.entry.said
        self._clock.at_least(said.at)
        mine = said.owner == self.owner
        for name in outcome.stirred if mine else outcome.stirred | outcome.turned:
            self._ready(name)
        if mine:
            if outcome.fate is Fate.DONE and said.commands[0].HasField("join"):
                self.recovered, self._joined = outcome.results[0], True
            self._sequencer.carried_out(outcome)
            if outcome.entry.sequence % self._settings.snapshot_every == 0 and (self._snapshot is None or self._snapshot.done()):
                self._snapshot = asyncio.create_task(self._keep_snapshot())
        elif self._joined and outcome.fate is Fate.DONE and any(one.join.hub == self._settings.hub for one in said.commands):
            raise BrokenError(f"another process has joined the log as hub {self._settings.hub}")

    async def _live(self) -> None:
        """Says that this process lives, and ends the lives of those that no longer do."""
        watch = Watch(self._settings.lease)
        while True:
            began = time.monotonic()
            await self._sequencer.do(log.LogCommand(beat=log.LogBeat()), patient=True)
            if time.monotonic() - began > self._settings.lease / 3:
                watch.forget()  # the log was away, and so nobody could write
            lives = await self._writer.do(lambda store: store.lives())
            others = {owner: sequence for owner, (_, sequence) in lives.items() if owner != self.owner}
            for owner, sequence in watch.silent(others, time.monotonic()):
                said = log.LogExpire(owner=owner, sequence=sequence)
                await self._sequencer.do(log.LogCommand(expire=said), patient=True)
                _log.warning("hub_lost owner=%s", owner)
            await asyncio.sleep(self._settings.lease / 3)

    async def snapshot(self) -> int:
        """Keeps a snapshot now, and lets the log's oldest entries go; the place of its last entry. Raises `FullError` when it can't."""
        path = self._settings.folder / "snapshot.sqlite"
        async with self._keeping:
            await asyncio.to_thread(_removed, path)
            await asyncio.to_thread(copied, self._path, path)
            applied = (await asyncio.to_thread(_standing_of, path)).applied
            await self._log.keep(applied, path, applied + 1 - self._settings.snapshot_every)
            await asyncio.to_thread(_removed, path)
        return applied

    async def _keep_snapshot(self) -> None:
        try:
            await self.snapshot()
        except FullError as error:
            _log.warning("snapshot_failed %s", error)  # the next one is not far


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks until they have ended.

    One request may not do: `asyncio.wait_for`, through which the client waits for each answer, forgets it where the answer comes in the
    same moment (before Python 3.12), and these tasks go on for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCELLED_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)  # what they failed of was told already


def _once(broken: Callable[[BrokenError], None]) -> Callable[[BrokenError], None]:
    """The first failure is told; what it entails is not."""
    first = threading.Lock()

    def tell(error: BrokenError) -> None:
        if first.acquire(blocking=False):
            broken(error)

    return tell


def _join(hub: str) -> log.LogJoin:
    return log.LogJoin(hub=hub, store=secrets.randbits(60))


async def _standing(
    settings: Settings, found: "Log", broken: Callable[[BrokenError], None], record: Recorder | None
) -> tuple[Writer[Replica], Standing]:
    """This hub's file, open, and how far it is; from the newest snapshot where that is further than the file and the file too old."""
    path = settings.folder / FILE
    while True:
        writer: Writer[Replica] = await asyncio.to_thread(Writer, lambda: Replica(path, record), on_broken=broken)
        standing = await writer.do(lambda store: store.standing())
        (first, last), newest = await found.span(), await found.snapshot()
        if standing.applied + 1 >= first and newest <= last:
            return writer, standing
        await asyncio.to_thread(writer.close)
        if not first - 1 <= newest <= last:
            raise BrokenError(f"the log has entries {first} to {last}, and the newest snapshot ends at {newest}: the log lost entries")
        fetched = settings.folder / "fetched.sqlite"
        await found.fetch(newest, fetched)
        await asyncio.to_thread(_removed, path)
        await asyncio.to_thread(fetched.replace, path)


def _standing_of(path: Path) -> Standing:
    store = Replica(path)
    try:
        return store.standing()
    finally:
        store.close()


def _removed(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _chunks(sizes: Sequence[int], enough: int, largest: int) -> list[list[int]]:
    """Places in chunks of about so many bytes, without those that are too large."""
    found: list[list[int]] = []
    filled = 0
    for place, size in enumerate(sizes):
        if size > largest:
            continue
        if not found or filled + size > enough:
            found.append([])
            filled = 0
        found[-1].append(place)
        filled += size
    return found
