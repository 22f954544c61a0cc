"""The message switch as the adapter asks it: sessions that are logged on, for one question at a time or for the events that it streams."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, Final

from adapters.cad import translate
from adapters.cad.records import Block, Control, Kind
from adapters.cad.wire import LARGEST, LAST, START, TAIL, Unreadable, WireError, decode, encode
from adapters.kit import Call, Fault, Guard, Limits, Log, Reason
from adapters.kit.framing import endpoint
from adapters.kit.relaying import Event
from adapters.kit.sessions import Pool
from adapters.kit.streams import Stream, failures
from metip.cad.v1.settings_pb2 import Settings

COMMANDS, EVENTS = "C", "E"
BUSY_FOR: Final = timedelta(seconds=2)
# The switch's code -> reason and words; the words are ours alone, since the host's may name people (the codes are assumed).
REFUSALS: Final[Mapping[str, tuple[Reason, str]]] = {
    "E01": (Reason.NO_TRACE, "the host has nothing by that description"),
    "E02": (Reason.INVALID_REQUEST, "the host refused a field"),
    "E03": (Reason.INVALID_REQUEST, "the client reference was used for something else"),
    "E04": (Reason.PRECONDITION, "the incident's state forbids it"),
    "E05": (Reason.PRECONDITION, "the unit is not booked on"),
    "E06": (Reason.PRECONDITION, "the unit is assigned to another incident"),
    "E07": (Reason.PRECONDITION, "what the line names is not there"),
    "E08": (Reason.BUSY, "the host is busy"),
    "E09": (Reason.UPSTREAM_UNAVAILABLE, "the host is down"),
}
_FIELDS = "TYP:opening_codes CLS:result.class_codes TXT:text HAP:happened_at DTO:opened.to"
FIELDS: Final[Mapping[str, str]] = dict(pair.split(":") for pair in _FIELDS.split())
"""Row that the host refused to the field of the request."""


class Session(Stream):
    """A session with the switch; as one that streams events, a `Source` of the kit's `Relay`."""

    silence = 30.0

    async def send(self, kind: Kind, number: int, **control: Any) -> None:
        """Sends a block that says no more than that."""
        await self.write(encode(Block(kind, number, Control(**control))))

    async def block(self) -> Block:
        """The next block. Raises `OSError` and `ValueError`."""
        return decode(await self.read(START, LAST, TAIL))

    async def receive(self) -> Event | None:
        """The next event; None for a heartbeat, which is answered."""
        try:
            async with asyncio.timeout(self.silence):
                block = await self.block()
            if block.kind is Kind.HEARTBEAT:
                await self.send(Kind.HEARTBEAT, block.number)
                return None
            message = translate.event(block)
        except Unreadable as error:
            return Event(error.number)
        return Event(block.number, message.cad_number.value, message.line_number, message)

    async def acknowledge(self, number: int) -> None:
        """Acknowledges all events up to this one."""
        await self.send(Kind.ACCEPTED, number)

    async def give_back(self, number: int, code: str) -> None:
        """Gives one back: the switch puts it aside for the host's operators."""
        await self.send(Kind.REFUSED, number, code=code)


class Host:
    """The host behind the switch, through a pool of sessions with one exchange in flight each."""

    def __init__(self, settings: Settings, log: Log) -> None:
        """Raises `SettingsError` for an address that is not `host:port`."""
        self._settings, self._limits = settings, Limits.of(settings.upstream)
        self._address = endpoint(self._limits.address)
        self._guard, self._pool, self._numbers = Guard(self._limits, log), Pool(lambda: self.session(COMMANDS)), count(1)

    async def aclose(self) -> None:
        """Ends the sessions that nobody uses."""
        await self._pool.close()

    async def session(self, mode: str) -> Session:
        """A session that is logged on. Raises `OSError`, which a refused logon is too, and `ValueError`."""
        async with asyncio.timeout(self._limits.timeout):
            session = await Session.opened(*self._address, largest=LARGEST)
            if self._settings.HasField("silence"):
                session.silence = self._settings.silence.ToTimedelta().total_seconds()
            try:
                await session.send(Kind.LOGON, 0, reference=self._settings.terminal or "METIP", mode=mode)
                if (await session.block()).kind is not Kind.LOGGED_ON:
                    raise ConnectionRefusedError("the switch refused the logon")
            except BaseException:
                await session.close()
                raise
        return session

    async def ask(self, question: Block, call: Call, part: str, most: int = 1) -> Block:
        """Asks until there are so many records of a part (`incidents`, `lines`, `units`), or no more pages, and gives all in one reply.

        Raises `Fault`: what the host refuses by `REFUSALS`, UPSTREAM_UNAVAILABLE, UPSTREAM_FAULT, TIMED_OUT, BUSY, CIRCUIT_OPEN, TOO_LARGE.
        """
        page = first = await self._ask(question, call)
        found: list[Any] = list(getattr(page, part))
        while page.control.more and len(found) < most and getattr(page, part):
            asked = replace(question.control, after=question.control.after + len(found))
            page = await self._ask(replace(question, control=asked), call)
            found += getattr(page, part)
        if not (first.incidents if question.kind is Kind.INQUIRE else found):
            raise Fault(Reason.UPSTREAM_FAULT, "the host's answer is empty")
        pages: dict[str, Any] = {part: tuple(found[:most])}
        return replace(first, control=replace(first.control, more=page.control.more or len(found) > most), **pages)

    async def _ask(self, question: Block, call: Call) -> Block:
        asked = replace(question, number=next(self._numbers))
        try:
            data = encode(asked)
        except WireError as error:
            raise Fault(Reason.TOO_LARGE, f"the host takes no such block: {error}") from None
        async with self._guard.admit(call):
            with failures():
                async with self._pool.session() as session:
                    await session.write(data)
                    reply = await session.block()
                    if reply.number != asked.number or reply.kind not in (Kind.REPLY, Kind.ERROR):
                        raise WireError("it answers something else")
            if reply.kind is Kind.ERROR:
                raise refusal(reply.control)
        return reply


def refusal(said: Control) -> Fault:
    """The fault of an answer that refuses."""
    reason, words = REFUSALS.get(said.code, (Reason.UPSTREAM_REFUSED, "the host refused"))
    fields = ((FIELDS.get(said.row, said.row), words),) if said.row else ()
    return Fault(reason, words, metadata={"code": said.code}, fields=fields, retry_after=BUSY_FOR if reason is Reason.BUSY else None)
