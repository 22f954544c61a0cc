"""A stand-in for the host and its message switch, on the switch's own wire, over the population that all simulators share."""

import asyncio
import time
from dataclasses import replace
from functools import partial

from adapters.cad.holdings import Host, Refused
from adapters.cad.records import Block, Control, Incident, Kind, Line
from adapters.cad.upstream import EVENTS, Session
from adapters.cad.wire import LARGEST, encode
from adapters.kit.population import Population
from adapters.kit.population.incidents import incidents_of_stories
from adapters.kit.simulation import Dials, streaming
from adapters.kit.simulation.dials import seconds
from adapters.kit.simulation.proxied import Proxied

DIALS = {
    **streaming.DIALS,
    "outage": "the host is down so long, such as 2s; then the logs written on paper are entered, with the times of the last 40 minutes",
    "back_entry": "so many logs are entered after the outage, instead of 300",
    "midnight": "the day turns: numbers begin again",
    "burst": "so many incidents happen, such as 50; four times a second unless it is set for a number of times",
    "code": "refuses commands and questions with this code, such as E08",
    "unreadable": "sends an event without its line",
}
WORK = 0.25
PAPER_LOGS, PAPER_MINUTES = 300, 40


class Simulator:
    """The switch, and the host behind it. When it starts, the logs of four stories wait to be sent."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._dials = dials
        self._down_until = 0.0
        self.stream = streaming.Stream(dials, held=self.down)
        self.host = Host(population, lambda incident, line: self.stream.add((incident, line)))
        for log in (self.host.logs[story.cad_number] for story in incidents_of_stories(population)):
            self.stream.events += ((log.incident, line) for line in log.lines)
        self.transport = Proxied(lambda: streaming.conversing(self._converse, self._work(), largest=LARGEST))

    def down(self) -> bool:
        """Whether the host is down: it answers nothing, and the switch has no events."""
        return time.monotonic() < self._down_until

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session: a logon, then events, or questions."""
        session = Session(reader, writer)
        logon = (await session.block()).control
        if logon.mode == EVENTS:
            last = await self.stream.begin(logon.reference, session)
            await session.send(Kind.LOGGED_ON, 0, sequence=last)
            async with asyncio.TaskGroup() as group:
                sending = partial(self.stream.send, logon.reference, session, partial(self._event, session))
                group.create_task(sending(partial(session.send, Kind.HEARTBEAT)))
                group.create_task(self._listen(session, logon.reference))
        self._dials.exchanges[Kind.LOGON] += 1
        await session.send(Kind.LOGGED_ON, 0)
        while True:
            asked = await session.block()
            await session.write(encode(self._answer(asked)))

    def _answer(self, asked: Block) -> Block:
        self._dials.exchanges[asked.kind] += 1
        code = self._dials.strike("code") or ("E09" if self.down() else "")
        try:
            if code:
                raise Refused(code)
            done = self.host.do(asked)
        except Refused as refused:
            refusal, row = (*refused.args, "")[:2]
            return Block(Kind.ERROR, asked.number, Control(code=refusal, row=row))
        return replace(done, kind=Kind.REPLY, number=asked.number, control=replace(done.control, as_of=self.host.now()))

    async def _event(self, session: Session, number: int, event: tuple[Incident, Line]) -> None:
        lines = () if self._dials.strike("unreadable") is not None else (event[1],)
        await session.write(encode(Block(Kind.EVENT, number, Control(), (event[0],), lines)))

    async def _listen(self, session: Session, terminal: str) -> None:
        while True:
            said = await session.block()
            self._dials.exchanges[said.kind] += 1
            if said.kind is Kind.ACCEPTED:
                self.stream.acknowledge(terminal, said.number)
            elif said.kind is Kind.REFUSED:
                self.stream.given_back[said.number] = said.control.code

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
