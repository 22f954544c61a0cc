"""A far system's stream of events to the exchange: each is published, and then acknowledged.

The law: the far system hears of no event before the exchange has it on disk. What was not acknowledged comes again with the next session,
and the exchange knows it by its key; so nothing is remembered here that would have to survive. Of what has arrived together, events with
the same key are put in order; for one that is missing among them the rest is held back for a moment. An event that can't be read, or that
the exchange refuses for what it says, is given back: the far system's own people see to it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc

from metip.logs import Log

TOGETHER: Final = 50
"""Events that are looked at together; fewer than a far system sends without an acknowledgement, or a missing one could never come."""
REMEMBERED: Final = 20_000
"""Keys whose last place is known."""
PAUSES: Final = (0.2, 1.0, 5.0, 15.0)
REFUSED: Final = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""Statuses that say something about one message; any other lies with the adapter, and would come with every message."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, by its sequence number in the stream and its place (from 1) among those with its key."""

    number: int
    key: str = ""
    place: int = 0
    message: Any = None
    """None for one that can't be read."""


class Source(Protocol):
    """A session on which a far system streams events."""

    async def receive(self) -> Event | None:
        """The next event, or None for another sign of life. Raises `OSError` (`TimeoutError` after a long silence) or `ValueError`."""

    async def acknowledge(self, number: int) -> None:
        """Tells that all events up to this one are dealt with."""

    async def give_back(self, number: int, code: str) -> None:
        """Tells that this one can't be published, and why."""

    async def close(self) -> None:
        """Ends it; never raises."""


@dataclass
class Relay:
    """Relays the events of one far system."""

    open: Callable[[], Awaitable[Source]]
    publish: Callable[[Any], Awaitable[Any]]
    """Hands a message over until there is a receipt; raises `grpc.aio.AioRpcError` when it is refused."""
    log: Log
    gap_wait: float
    """Seconds for which a missing event is waited for."""
    _last: dict[str, int] = field(default_factory=dict)
    _lost: int = 0

    async def run(self) -> None:
        """For ever; a session that is lost is opened again."""
        while True:
            try:
                source = await self.open()
                try:
                    arrived: asyncio.Queue[Event] = asyncio.Queue()
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(source, arrived))
                        group.create_task(self._pass_on(source, arrived))
                finally:
                    await source.close()
            except* (OSError, ValueError, grpc.aio.AioRpcError) as errors:
                if not self._lost:
                    self.log.line("events_lost", error=" ".join(sorted(_kinds(errors))))
            await asyncio.sleep(PAUSES[min(self._lost, len(PAUSES) - 1)])
            self._lost += 1

    async def _listen(self, source: Source, arrived: "asyncio.Queue[Event]") -> None:
        """Takes in what comes, however long the exchange takes."""
        expected = 0
        while True:
            event = await source.receive()
            if event is None:
                self._back()
                continue
            if expected and event.number != expected:
                raise ValueError("an event is missing")
            expected = event.number + 1
            arrived.put_nowait(event)

    async def _pass_on(self, source: Source, arrived: "asyncio.Queue[Event]") -> None:
        while True:
            batch = await self._gather(arrived)
            by_key: dict[str, list[Event]] = {}
            for event in batch:
                by_key.setdefault(event.key, []).append(event)
            async with asyncio.TaskGroup() as group:
                for events in by_key.values():
                    group.create_task(self._publish(source, sorted(events, key=lambda event: event.place)))
            await source.acknowledge(batch[-1].number)
            self._back()

    async def _publish(self, source: Source, events: list[Event]) -> None:
        """Publishes events with the same key, one after the other."""
        for event in events:
            code = "UNREADABLE" if event.message is None else ""
            try:
                if event.message is not None:
                    await self.publish(event.message)
            except grpc.aio.AioRpcError as error:
                if error.code() not in REFUSED:
                    raise
                code = error.code().name
            if code:
                self.log.line("event_refused", sequence=event.number, code=code)
                await source.give_back(event.number, code)
            self._last[event.key] = max(event.place, self._last.pop(event.key, 0))
        while len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]

    async def _gather(self, arrived: "asyncio.Queue[Event]") -> list[Event]:
        """What has arrived; while an event is missing in it, what arrives for a moment more."""
        batch = [await arrived.get()]
        try:
            async with asyncio.timeout(self.gap_wait):
                while (len(batch) < TOGETHER and not arrived.empty()) or self._gap(batch):
                    batch.append(await arrived.get())
        except TimeoutError:
            pass
        return batch

    def _gap(self, batch: list[Event]) -> bool:
        """Whether an event is missing between those that are known of a key. Of a key's first known event nobody can tell."""
        places: dict[str, set[int]] = {}
        for event in batch:
            last = self._last.get(event.key, 0)
            if event.place > last:
                places.setdefault(event.key, {last} if last else set()).add(event.place)
        return any(max(found) - min(found) >= len(found) for found in places.values())

    def _back(self) -> None:
        if self._lost:
            self.log.line("events_back")
        self._lost = 0


def _kinds(error: BaseException) -> set[str]:
    """Names of the errors in a group."""
    return {kind for one in error.exceptions for kind in _kinds(one)} if isinstance(error, BaseExceptionGroup) else {type(error).__name__}
