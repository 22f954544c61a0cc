"""A stand-in for the host and its message switch, on the switch's own wire, over the population that all simulators share."""

import asyncio
from dataclasses import replace

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
    "burst": "so many lines are added to logs, such as 50; four times a second unless it is set for a number of times",
    "code": "refuses commands and questions with this code, such as E08",
    "unreadable": "sends an event without its line",
}
WORK, PAPER_LOGS, PAPER_MINUTES = 0.25, 300, 40


class Terminal(Session):
    """The switch's end of a session; as one that events are sent on, a `Sink` of the kit's `Stream`."""

    dials: Dials

    async def event(self, number: int, event: tuple[Incident, Line] | None) -> None:
        """Sends an event, or half of it; None is a heartbeat."""
        if event is None:
            return await self.send(Kind.HEARTBEAT, number)
        lines = () if self.dials.strike("unreadable") is not None else (event[1],)
        return await self.write(encode(Block(Kind.EVENT, number, Control(), (event[0],), lines)))

    async def heard(self) -> tuple[int, str]:
        """What is said of events."""
        said = await self.block()
        self.dials.exchanges[said.kind] += 1
        return 0 if said.kind is Kind.HEARTBEAT else said.number, said.control.code


class Simulator:
    """The switch, and the host behind it. When it starts, the logs of four stories wait to be sent."""

    def __init__(self, population: Population, dials: Dials) -> None:
        self._dials = dials
        self.down = False
        self.stream = streaming.Stream(dials, held=lambda: self.down)
        self.host = Host(population, lambda incident, line: self.stream.add((incident, line)))
        for log in (self.host.logs[story.cad_number] for story in incidents_of_stories(population)):
            self.stream.events += ((log.incident, line) for line in log.lines)
        self.transport = Proxied(lambda: streaming.conversing(self._converse, self._work(), largest=LARGEST))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session: a logon, then events, or questions."""
        session = Terminal(reader, writer)
        session.dials = self._dials
        logon = (await session.block()).control
        if logon.mode == EVENTS:
            await session.send(Kind.LOGGED_ON, 0, sequence=await self.stream.begin(logon.reference, session))
            await self.stream.carry(logon.reference, session)
        self._dials.exchanges[Kind.LOGON] += 1
        await session.send(Kind.LOGGED_ON, 0)
        while True:
            asked = await session.block()
            await session.write(encode(self._answer(asked)))

    def _answer(self, asked: Block) -> Block:
        self._dials.exchanges[asked.kind] += 1
        code = self._dials.strike("code") or ("E09" if self.down else "")
        try:
            if code:
                raise Refused(code)
            done = self.host.do(asked)
        except Refused as refused:
            return Block(Kind.ERROR, asked.number, Control(code=refused.args[0], row="".join(refused.args[1:])))
        return replace(done, kind=Kind.REPLY, number=asked.number, control=replace(done.control, as_of=self.host.now()))

    async def _work(self) -> None:
        """Lets happen at the host what the dials say."""
        owed = 0
        while True:
            self.host.midnights += self._dials.strike("midnight") is not None
            owed += int(self._dials.strike("burst") or 0)
            while owed > 0:
                owed -= len(self.host.logs[self.host.happen()].lines)
            if (outage := self._dials.strike("outage")) is not None:
                self.down = True
                await asyncio.sleep(seconds(outage) or 0.0)
                self.down = False
                for number in range(logs := int(self._dials.strike("back_entry") or PAPER_LOGS)):
                    self.host.happen(PAPER_MINUTES - PAPER_MINUTES * number // logs, back=True)
            await asyncio.sleep(WORK)
