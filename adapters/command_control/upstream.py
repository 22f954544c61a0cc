"""The way to the control rooms: documents over HTTPS to the hub between them, and the one place where what it says becomes ours.

A message has two acknowledgements: HTTP's status says that the hub has it, and later each room says at the adapter's own door what became
of it. A room that says nothing in time may not know of the incident, and then somebody must ring.
"""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from google.protobuf.message import Message as Contract

from adapters.command_control import records, wire
from adapters.command_control.records import Message, Refused
from adapters.command_control.translate import MIRROR
from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.awaiting import Awaiting
from adapters.kit.http import HttpClient
from adapters.kit.tls import Credentials
from adapters.kit.upstream import answer_in
from metip.command_control.v1.settings_pb2 import Settings
from metip.logs import Log

M = TypeVar("M", bound=Contract)
CODES: Mapping[str, tuple[Reason, str]] = {
    "400": (Reason.UPSTREAM_FAULT, "the hub could not read what the adapter sent"),
    "403": (Reason.UPSTREAM_UNAVAILABLE, "the hub does not let this adapter in"),
    "429": (Reason.BUSY, "the hub takes no more at the moment"),
    records.UNKNOWN_INCIDENT: (Reason.NO_TRACE, "the control room holds nothing by that description"),
    records.SUPERSEDED: (Reason.CONFLICT, "the control room has a later update"),
    records.BUSY: (Reason.BUSY, "the control room takes no more at the moment"),
}
"""HTTP statuses of the hub and codes of rooms; any other of a room is a refusal. Their own words stay behind: they may name people."""


class Rooms:
    """The control rooms behind the hub; every refusal is a `Fault`."""

    def __init__(self, http: HttpClient, credentials: Credentials, settings: Settings, log: Log) -> None:
        self._http, self._credentials, self._log = http, credentials, log
        self.agency = settings.agency or "POL-01CAD"
        self.command_control = settings.command_control or "POL-01CC"
        self.within = settings.acknowledged_within.ToTimedelta().total_seconds() or 30.0
        self.reply_to = ""
        self.acknowledged: Awaiting[tuple[str, str], Message] = Awaiting()  # by message and room; whoever opens the door hands them over

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, credentials: Credentials, log: Log) -> AsyncIterator[Self]:
        """The way for the length of the block."""
        async with HttpClient.connected(Limits.of(settings.upstream), log, tls=credentials.client) as http:
            yield cls(http, credentials, settings, log)

    async def tell(
        self, message: Message, call: Call, *, write_once: bool = False, passed_over: Collection[str] = ()
    ) -> list[Message | None]:
        """Sends a message and gives each room's acknowledgement; None for a room that said nothing in time, which is logged.

        Raises `Fault` when the hub did not take it or a room refused it, unless its code is passed over; with `write_once`, IN_DOUBT when
        the hub may have it, and then somebody must ring too.
        """
        message_id, rooms = message.header.message_id, (message.header.to_agencies or self.command_control).split()
        with self.acknowledged.expecting((message_id, room) for room in rooms) as expected:
            try:
                await self.send(message, call, write_once=write_once)
            except Fault as fault:
                if fault.reason is Reason.IN_DOUBT:
                    fault.metadata = {**fault.metadata, "voice_fallback": "true", "message_id": message_id}
                raise
            await asyncio.wait(expected.values(), timeout=min(self.within, answer_in(call.remaining)))
            heard = {room: one.result() if one.done() else None for (_, room), one in expected.items()}
        for room, answer in heard.items():
            if answer is None:
                self._log.line("voice_fallback", message_id=message_id, agency=room, call_id=call.id)
            elif answer.ack and not answer.ack.accepted and answer.ack.code not in passed_over:
                raise _fault(answer.ack.code)
        return list(heard.values())

    async def send(self, message: Message, call: Call, *, write_once: bool = False) -> None:
        """Sends a message and waits for no room. Raises `Fault` as above."""
        header = dataclasses.replace(
            message.header,
            from_agency=message.header.from_agency or self.agency,
            to_agencies=message.header.to_agencies or self.command_control,
            sent_at=datetime.now(UTC).replace(microsecond=0),
            version=wire.SPOKEN,
            reply_to=self.reply_to,
        )
        await self._post(wire.MESSAGES, dataclasses.replace(message, header=header), call, write_once=write_once)

    async def ask(self, question: Any, call: Call, kind: type[M]) -> M:
        """The room's answer of that kind. Raises `Fault` NO_TRACE when it holds nothing like that."""
        body = await self._post(wire.ENQUIRIES, MIRROR.alike(question), call)
        try:
            answer = wire.decode(body)
            if type(answer).__name__ == kind.DESCRIPTOR.name:
                return MIRROR.message(answer, kind)
        except ValueError as error:
            raise Fault(Reason.UPSTREAM_FAULT, f"the hub answered something unreadable: {error}") from None
        if isinstance(answer, Refused):
            raise _fault(answer.code)
        raise Fault(Reason.UPSTREAM_FAULT, "the hub answered another question")

    async def _post(self, path: str, document: Any, call: Call, *, write_once: bool = False) -> bytes:
        try:
            data = wire.encode(document)
        except wire.WireError as error:
            raise Fault(Reason.INVALID_REQUEST, f"it can't be written: {error}") from None
        headers = {"Content-Type": wire.CONTENT_TYPE, "X-User": call.officer.warrant_number if call.officer else ""}
        self._credentials.refresh()
        async with self._http.guard.admit(call, write_once=write_once) as passage:
            answer = await self._http.exchange("POST", path, passage, headers=headers, data=data)
        if answer.status not in (200, 202):
            raise _fault(str(answer.status), Reason.UPSTREAM_FAULT)
        return answer.body


def plain(code: str) -> str:
    """A code that may be told and logged; what is no code may be anything."""
    return code if re.fullmatch("[A-Z0-9_]{1,20}", code) else "OTHER"


def _fault(code: str, otherwise: Reason = Reason.UPSTREAM_REFUSED) -> Fault:
    reason, text = CODES.get(code, (otherwise, "the control room refused" if otherwise is Reason.UPSTREAM_REFUSED else "the hub failed"))
    return Fault(reason, text, metadata={"code": plain(code)}, retry_after=timedelta(seconds=5) if reason is Reason.BUSY else None)
