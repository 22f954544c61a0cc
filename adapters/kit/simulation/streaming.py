"""The far side of `adapters.kit.relaying`: a simulator's stream of events, and its sessions on a protocol of their own.

The law: an event has its sequence number for good; a terminal is sent what follows the last that it has acknowledged, at most a window of
it ahead, and has one session at a time.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adapters.kit.simulation.dials import Dials

DIALS = {
    "swapped": "sends an event after the next one, as after a failover",
    "forgets": "at a logon for events, has forgotten the last so many acknowledgements",
}
WINDOW = 100
"""Events that are sent before the first of them is acknowledged."""
HEARTBEAT, TICK = 1.0, 0.02


class Sink(Protocol):
    """A session that events are sent on."""

    @property
    def alive(self) -> bool:
        """Whether it can still be used."""

    async def event(self, number: int, event: Any) -> None:
        """Sends an event; None is a heartbeat."""

    async def heard(self) -> tuple[int, str]:
        """What the terminal says next: the number of an event and '', when all up to it are dealt with, or a code, when it is given back.
        A heartbeat's answer is number 0."""

    async def close(self) -> None:
        """Ends it."""


@dataclass
class Stream:
    """All that was ever to be sent; the sequence number of an event is its place, from 1."""

    dials: Dials
    events: list[Any] = field(default_factory=list)
    acknowledged: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Last event that each terminal has acknowledged."""
    given_back: dict[int, str] = field(default_factory=dict)
    """Events that can't be published, with the code."""
    held: Callable[[], bool] = lambda: False
    """Whether nothing is sent for now."""
    _late: list[Any] = field(default_factory=list)
    _sessions: dict[str, Sink] = field(default_factory=dict)

    def add(self, event: Any) -> None:
        """Puts an event into the stream; one that is late goes after the next."""
        if not self._late and self.dials.strike("swapped") is not None:
            self._late.append(event)
            return
        self.events += (event, *self._late)
        self._late.clear()

    async def begin(self, terminal: str, session: Sink) -> int:
        """Takes a terminal's new session, whose older one ends, and gives the last event that the terminal has acknowledged."""
        forgotten = int(self.dials.strike("forgets") or 0)
        self.acknowledged[terminal] = max(0, self.acknowledged[terminal] - forgotten)
        self.dials.exchanges["logon"] += 1
        older, self._sessions[terminal] = self._sessions.get(terminal), session
        if older is not None:
            await older.close()
        return self.acknowledged[terminal]

    async def carry(self, terminal: str, session: Sink) -> None:
        """Sends events and heartbeats, and hears what is said of them, until the session ends; raises what it raises, in a group."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(terminal, session))
            group.create_task(self._send(terminal, session))

    async def _send(self, terminal: str, session: Sink) -> None:
        sent, beats, begun = self.acknowledged[terminal], 0, time.monotonic()
        while session.alive:
            while not self.held() and sent < min(len(self.events), self.acknowledged[terminal] + WINDOW):
                sent += 1
                self.dials.exchanges["event"] += 1
                await session.event(sent, self.events[sent - 1])
            if time.monotonic() - begun >= beats * HEARTBEAT:
                beats += 1
                await session.event(beats, None)
            await asyncio.sleep(TICK)

    async def _hear(self, terminal: str, session: Sink) -> None:
        while True:
            number, code = await session.heard()
            if code:
                self.given_back[number] = code
            else:
                self.acknowledged[terminal] = max(self.acknowledged[terminal], number)


@asynccontextmanager
async def conversing(
    converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], beside: Awaitable[None], *, largest: int
) -> AsyncIterator[Path]:
    """Serves a protocol on a unix socket for the length of the block, for `Proxied`. `beside` runs as long; a conversation ends with any
    `OSError` or `ValueError`."""
    tasks: set[asyncio.Task[None]] = {asyncio.ensure_future(_until_stopped(beside))}

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer)
        except* (OSError, ValueError):
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(conversation(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    with tempfile.TemporaryDirectory(prefix="metip-sim-") as folder:
        path = Path(folder, "s")
        server = await asyncio.start_unix_server(connected, str(path), limit=largest)
        try:
            yield path
        finally:
            server.close()
            ending = tuple(tasks)
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)


async def _until_stopped(work: Awaitable[None]) -> None:
    await work
