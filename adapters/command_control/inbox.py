"""What comes to the adapter's own door: rooms' acknowledgements, and messages, which are published.

The law: HTTP says 202 only when nothing can be lost any more. 503 means: send it again; 400: nobody here will ever take it. What a
partner's message comes to is said by an acknowledgement of its own.
"""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import grpc

from adapters.command_control import records, translate, wire
from adapters.command_control.records import Ack, Header, Message, Reference
from adapters.command_control.upstream import Rooms, plain
from adapters.kit import Fault, Log
from adapters.kit.errands import errand
from adapters.kit.http import HttpAnswer
from adapters.kit.outcomes import Outcomes
from adapters.kit.publishing import Publish
from metip.command_control.v1.settings_pb2 import Settings

PATIENCE, AT_ONCE, AGAIN = 10.0, 32, 1.0
"""Seconds within which the exchange must have taken what came, or it comes again; such at one time; seconds between acknowledgements."""


class Inbox:
    """Takes what is posted to the door."""

    def __init__(self, rooms: Rooms, publish: Publish | None, outcomes: Outcomes | None, settings: Settings, log: Log) -> None:
        self._rooms, self._publish, self._outcomes, self._log = rooms, publish, outcomes, log
        self._partners, self._tests = frozenset((rooms.command_control, *settings.partners)), settings.publish_tests
        self._to_say: asyncio.Queue[Message] = asyncio.Queue()
        self._taking = asyncio.Semaphore(AT_ONCE)

    async def answer(self, body: bytes) -> HttpAnswer:
        """Answers a document, by the status alone."""
        return HttpAnswer(await self._taken(body), b"")

    async def _taken(self, body: bytes) -> int:
        try:
            message = wire.decode(body)
            if not isinstance(message, Message):
                raise wire.WireError("the document is no message")
        except wire.WireError as error:
            self._log.line("delivery_refused", problem=str(error))
            return 400
        if message.ack is not None and self._rooms.acknowledged.heard((message.ack.message_id, message.header.from_agency), message):
            return 202
        if self._taking.locked():
            return 503
        try:
            async with self._taking, asyncio.timeout(PATIENCE):
                if message.ack is not None:
                    await self._late(message.ack)
                elif self._publish is None:
                    return 503
                else:
                    header = Header(message_id=str(uuid4()), to_agencies=message.header.from_agency)
                    self._to_say.put_nowait(Message(header=header, ack=await self._published(message, self._publish)))
            return 202
        except TimeoutError:
            return 503
        except ValueError:  # an acknowledgement of no message of ours
            return 400

    async def acknowledge(self) -> None:
        """Says what messages came to, for ever; each again and again while its sender waits."""
        while True:
            message = await self._to_say.get()
            call = errand("acknowledge", within=self._rooms.within)
            while call.remaining:
                try:
                    await self._rooms.send(message, call)
                    break
                except Fault:
                    await asyncio.sleep(AGAIN)

    async def _published(self, message: Message, publish: Publish) -> Ack:
        """Publishes a message, unless there is something against it; gives what is to be said of it."""
        header, code, reference = message.header, records.INVALID, None
        if header.from_agency not in self._partners:
            code = records.UNKNOWN_AGENCY
        elif header.version.partition(".")[0] != wire.SPOKEN.partition(".")[0]:
            code = records.VERSION
        elif header.test and not self._tests:
            return Ack(message_id=header.message_id, accepted=True, code=records.TEST)
        else:
            with suppress(ValueError, grpc.aio.AioRpcError):
                receipt = await publish(translate.handed_over(message))
                reference = Reference(agency=self._rooms.agency, reference=receipt.duplicate_of or receipt.message_id)
                code = records.DUPLICATE if receipt.duplicate_of else ""
        if reference is None:
            self._log.line("handover_refused", code=code)
        return Ack(message_id=header.message_id, accepted=reference is not None, their_incident=reference, code=code)

    async def _late(self, ack: Ack) -> None:
        """Takes an acknowledgement for which nobody waits any more; of a handover that was delivered without one it is the outcome."""
        message_id = str(UUID(ack.message_id))
        self._log.line("late_acknowledgement", message_id=message_id, accepted=ack.accepted)
        if self._outcomes is not None:
            await (self._outcomes.processed(message_id) if ack.accepted else self._outcomes.refused(message_id, plain(ack.code)))
