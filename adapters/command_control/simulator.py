"""A stand-in for the hub between control rooms with the rooms behind it, on their own wire: it takes messages, acknowledges them at the
sender's door, hands incidents over itself, and does all of it badly where a dial says so."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp

from adapters.command_control import records, wire
from adapters.command_control.records import Ack, Header, Message
from adapters.command_control.room import Room, story
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import seconds
from adapters.kit.tls import Credentials

DIALS = {
    "no_ack": "takes the message and never acknowledges it",
    "late_ack": "acknowledges only after this time, such as 40s",
    "reject": "rejects the message under this code, such as NOT_OURS",
    "duplicate": "says that it had the incident already",
    "repeat_ack": "acknowledges twice",
    "hands_over": "hands over an incident of its own and two updates, when a message comes",
    "doubled": "hands over an incident of its own twice, under two message ids, when a message comes",
    "out_of_order": "hands over an incident of its own with its updates in the wrong order, when a message comes",
    "other_version": "hands over in this version of the standard, such as 2.0",
    "busy": "the hub takes no more at the moment",
    "closed": "the hub is closed for maintenance",
    "stranger": "the hub does not know the adapter's certificate",
}
STATUSES, HANDING = {"busy": 429, "closed": 503, "stranger": 403}, ("hands_over", "doubled", "out_of_order")
PROMPT, AGAIN, TIMES = 0.01, 0.2, 100


class Simulator:
    """The hub over HTTPS, with client certificates."""

    def __init__(self, population: Population, dials: Dials, credentials: Credentials | None = None) -> None:
        self._dials = dials
        self._credentials = credentials or Credentials.everybodys()
        self.room = Room(population)
        self.agency, self.door = "FRS-LFB", ""
        """As whom it hands over, and where: the adapter's last message says it."""
        self.seen: list[tuple[str, Any]] = []
        """Who asked, and documents as they came, the latest hundred."""
        self.acks: dict[str, Ack] = {}  # what the adapter said of messages that were handed over, by their ids
        self._tasks, self._told = set[asyncio.Task[Any]](), 0
        self._http = Http(self.answer, tls=self._credentials.server)
        self.transport = self

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens, acknowledges and hands over for the length of the block and gives the base URL."""
        async with self._http.listening(host, port, dials) as address:
            try:
                yield address
            finally:
                for task in tuple(self._tasks):
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answers one document."""
        for dial, status in STATUSES.items():
            if self._dials.strike(dial) is not None:
                return HttpReply(b"", status=status)
        try:
            document = wire.decode(request.body)
        except wire.WireError:
            return HttpReply(b"", status=400)
        self.seen = [*self.seen[-99:], (request.headers.get("X-User", ""), document)]
        if isinstance(document, records.QUESTIONS) and request.path == wire.ENQUIRIES:
            self._dials.exchanges[type(document).__name__] += 1
            return HttpReply(wire.encode(self.room.answer(document)), content_type=wire.CONTENT_TYPE)
        if not isinstance(document, Message) or request.path != wire.MESSAGES:
            return HttpReply(b"", status=400)
        if document.ack is None:
            self._take(document)
        else:
            self.acks[document.ack.message_id] = document.ack
        return HttpReply(b"", status=202)

    def _take(self, message: Message) -> None:
        kind = next((one.name for one in dataclasses.fields(message)[3:-2] if getattr(message, one.name)), "nothing")
        self._dials.exchanges[kind] += 1
        self.door = message.header.reply_to
        for dial in HANDING:
            if self._dials.strike(dial) is not None:
                self._begin(self.hand_over(dial))
        late = self._dials.strike("late_ack")
        for room in message.header.to_agencies.split():
            ack = self._judged(message, room)
            if ack is not None:
                said = Message(header=Header(message_id=str(uuid4()), from_agency=room, to_agencies=message.header.from_agency), ack=ack)
                for _ in range(1 if self._dials.strike("repeat_ack") is None else 2):
                    self._begin(self.push(said, PROMPT if late is None else seconds(late) or 0.0, self.door))

    def _judged(self, message: Message, room: str) -> Ack | None:
        code = self._dials.strike("reject")
        if code is not None:
            return Ack(message_id=message.header.message_id, accepted=False, code=code or "NOT_OURS", reason="Played.")
        ack = self.room.take(message, room)
        if self._dials.strike("duplicate") is not None:
            ack = dataclasses.replace(ack, code=records.DUPLICATE)
        return ack if self._dials.strike("no_ack") is None else None

    async def hand_over(self, how: str = "hands_over", to: str = "POL-01CAD") -> tuple[Message, ...]:
        """Hands over an incident of its own, with its updates, and gives the messages in the order in which the door had them."""
        self._told += 1
        call = self.room.calls[self._told % len(self.room.calls)]
        created, *updates = story(call, self.agency, to)
        messages = [created, *(reversed(updates) if how == "out_of_order" else updates)]
        if how == "doubled":
            messages.insert(1, dataclasses.replace(created, header=dataclasses.replace(created.header, message_id=str(uuid4()))))
        version = self._dials.strike("other_version") or wire.SPOKEN
        for one in messages:
            await self.push(dataclasses.replace(one, header=dataclasses.replace(one.header, version=version)))
        return tuple(messages)

    async def push(self, message: Message, after: float = 0.0, door: str = "") -> int:
        """Posts a message to a door of the adapter until it is taken or refused; the last HTTP status, 0 for none."""
        await asyncio.sleep(after)
        header = dataclasses.replace(message.header, sent_at=datetime.now(UTC), version=message.header.version or wire.SPOKEN)
        body, status = wire.encode(dataclasses.replace(message, header=header)), 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._credentials.client)) as http:
            for _ in range(TIMES):
                with suppress(aiohttp.ClientError, OSError):
                    async with http.post(door or self.door, data=body, headers={"Content-Type": wire.CONTENT_TYPE}) as response:
                        status = response.status
                if status in (202, 400, 403):
                    break
                await asyncio.sleep(AGAIN)
        return status

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
