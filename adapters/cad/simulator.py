"""A stand-in for the host and its message switch, on the switch's own wire, over the population that all simulators share."""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from adapters.cad.holdings import Host, Refused
from adapters.cad.records import Block, Control, Incident, Kind, Line
from adapters.cad.upstream import EVENTS, Session
from adapters.cad.wire import LARGEST, encode
from adapters.kit.population import Population
from adapters.kit.population.incidents import incidents_of_stories
from adapters.kit.simulation import Dials
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.proxied import Proxied

DIALS = {
    "outage": "the host is down so long, such as 2s; then the logs written on paper are entered, with the times of the last 40 minutes",
    "back_entry": "so many logs are entered after the outage, instead of 300",
    "swapped": "sends a line after the next one, as after a failover",
    "midnight": "the day turns: numbers begin again",
    "burst": "so many incidents happen at once, such as 50",
    "code": "refuses commands and questions with this code, such as E08",
    "forgets": "at a logon for events, has forgotten the last so many acknowledgements",
    "unreadable": "sends an event without its line",
}
WINDOW = 100
"""Events that are sent before the first of them is acknowledged."""
HEARTBEAT, TICK, WORK = 1.0, 0.02, 0.25
PAPER_LOGS, PAPER_MINUTES = 300, 40


class Simulator:
    """The switch, and the host behind it. When it starts, the logs of four stories wait to be sent."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._dials = dials
        self.events: list[tuple[Incident, Line]] = []
        """What was ever to be sent; an event's sequence number is its place, from 1."""
        self.acknowledged: defaultdict[str, int] = defaultdict(int)
        self.given_back: dict[int, str] = {}
        """Events that can't be published, with the code."""
        self._late: list[tuple[Incident, Line]] = []
        self._down_until = 0.0
        self._streaming: dict[str, Session] = {}
        self.host = Host(population, self._tell)
        for log in (self.host.logs[story.cad_number] for story in incidents_of_stories(population)):
            self.events += ((log.incident, line) for line in log.lines)
        self.transport = Proxied(self._listening)

    def _tell(self, incident: Incident, line: Line) -> None:
        """Puts an event into the stream; one that is late goes after the next."""
        if not self._late and self._dials.strike("swapped") is not None:
            self._late.append((incident, line))
            return
        self.events += ((incident, line), *self._late)
        self._late.clear()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory(prefix="metip-cad-") as folder:
            path = Path(folder, "s")
            server = await asyncio.start_unix_server(self._converse, str(path), limit=LARGEST)
            working = asyncio.create_task(self._work())
            try:
                yield path
            finally:
                working.cancel()
                server.close()
                for session in self._streaming.values():
                    await session.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session, until either side ends it."""
        session = Session(reader, writer)
        try:
            logon = await session.block()
            if logon.control.mode == EVENTS:
                await self._stream(session, logon.control.reference)
                return
            await session.send(Kind.LOGGED_ON, 0)
            while True:
                await session.write(encode(self._answer(await session.block())))
        except (OSError, ValueError):
            return
        finally:
            await session.close()

    def _answer(self, asked: Block) -> Block:
        self._dials.exchanges[asked.kind] += 1
        code = self._dials.strike("code") or ("E09" if self.down else "")
        try:
            if code:
                raise Refused(code)
            done = self.host.do(asked)
        except Refused as refused:
            refusal, row = (*refused.args, "")[:2]
            return Block(Kind.ERROR, asked.number, Control(code=refusal, row=row))
        return replace(done, kind=Kind.REPLY, number=asked.number, control=replace(done.control, as_of=self.host.now()))

    async def _stream(self, session: Session, terminal: str) -> None:
        """Streams events to a terminal, from the first that it has not acknowledged; an older session of the terminal ends."""
        forgotten = self._dials.strike("forgets")
        self.acknowledged[terminal] = max(0, self.acknowledged[terminal] - int(forgotten or 0))
        older, self._streaming[terminal] = self._streaming.get(terminal), session
        if older is not None:
            await older.close()
        self._dials.exchanges["logon"] += 1
        sent = self.acknowledged[terminal]
        await session.send(Kind.LOGGED_ON, 0, sequence=sent)
        listening, beats = asyncio.create_task(self._listen(session, terminal)), 0
        try:
            begun = time.monotonic()
            while session.alive and not listening.done():
                while not self.down and sent < min(len(self.events), self.acknowledged[terminal] + WINDOW):
                    sent += 1
                    await session.write(self._event(sent))
                if time.monotonic() - begun >= beats * HEARTBEAT:
                    beats += 1
                    await session.send(Kind.HEARTBEAT, beats)
                await asyncio.sleep(TICK)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, OSError, ValueError):
                await listening

    def _event(self, number: int) -> bytes:
        self._dials.exchanges["event"] += 1
        incident, line = self.events[number - 1]
        return encode(Block(Kind.EVENT, number, Control(), (incident,), () if self._dials.strike("unreadable") is not None else (line,)))

    async def _listen(self, session: Session, terminal: str) -> None:
        while True:
            said = await session.block()
            self._dials.exchanges[said.kind] += 1
            if said.kind is Kind.ACCEPTED:
                self.acknowledged[terminal] = max(self.acknowledged[terminal], said.number)
            elif said.kind is Kind.REFUSED:
                self.given_back[said.number] = said.control.code

    @property
    def down(self) -> bool:
        """Whether the host is down: it answers nothing, and the switch has no events."""
        return time.monotonic() < self._down_until

    async def _work(self) -> None:
        """Lets happen at the host what the dials say."""
        while True:
            outage, burst = self._dials.strike("outage"), self._dials.strike("burst")
            self.host.midnights += self._dials.strike("midnight") is not None
            for _ in range(int(burst or 0)):
                self.host.happen()
            if outage is not None:
                lasting = seconds(outage) or 0.0
                self._down_until = time.monotonic() + lasting
                await asyncio.sleep(lasting)
                logs = int(self._dials.strike("back_entry") or PAPER_LOGS)
                for number in range(logs):
                    self.host.happen(PAPER_MINUTES - PAPER_MINUTES * number // logs, back=True)
            await asyncio.sleep(WORK)
