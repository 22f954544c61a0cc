"""The message switch as the adapter asks it: sessions that are logged on, one block out and one back, every failure as a fault."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Final, Self

from adapters.cad.records import Block, Control, Kind
from adapters.cad.wire import LARGEST, LAST, START, TAIL, WireError, decode, encode
from adapters.kit import Call, Fault, Guard, Limits, Log, Reason
from adapters.kit.sessions import Pool
from adapters.kit.streams import Stream, endpoint
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
FIELDS: Final[Mapping[str, str]] = {
    "TYP": "opening_codes",
    "CLS": "result.class_codes",
    "TXT": "text",
    "HAP": "happened_at",
    "DTO": "opened.to",
}
"""Row that the host refused to the field of the request."""
PARTS: Final[Mapping[Kind, str]] = {Kind.UPDATE: "lines", Kind.UNITS: "units", Kind.UNIT_STATE: "units"}
"""What an answer must have, by kind of question; an incident where nothing is said."""


async def receive(reader: asyncio.StreamReader) -> Block:
    """The next block. Raises `OSError` when the connection ends, `WireError`, `Unreadable`."""
    try:
        begun = await reader.readexactly(len(START))
        if begun != START:
            raise WireError("this is no block")
        return decode(begun + await reader.readuntil(LAST) + await reader.readexactly(TAIL))
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the connection was lost") from None
    except asyncio.LimitOverrunError:
        raise WireError("the block has no end") from None


class Host:
    """The host behind the switch, through a pool of sessions with one exchange in flight each."""

    def __init__(self, settings: Settings, log: Log) -> None:
        """Raises `SettingsError` for an address that is not `host:port`."""
        self._limits = Limits.of(settings.upstream)
        self._address, self._terminal = endpoint(self._limits.address), settings.terminal or "METIP"
        self._guard, self._pool = Guard(self._limits, log), Pool(lambda: self.session(COMMANDS))
        self._numbers = count(1)

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The host for the length of the block; sessions are opened when they are needed."""
        host = cls(settings, log)
        try:
            yield host
        finally:
            await host._pool.close()

    async def session(self, mode: str) -> Stream:
        """A session that is logged on. Raises `OSError`, which a refused logon is too, and `WireError`."""
        stream = await Stream.opened(*self._address, largest=LARGEST)
        try:
            async with asyncio.timeout(self._limits.timeout):
                await stream.write(encode(Block(Kind.LOGON, 0, Control(self._terminal, mode=mode))))
                if (await receive(stream.reader)).kind is not Kind.LOGGED_ON:
                    raise ConnectionRefusedError("the switch refused the logon")
        except BaseException:
            await stream.close()
            raise
        return stream

    async def ask(self, question: Block, call: Call) -> Block:
        """Sends one block and gives the reply. Raises `Fault`: what the host refuses by `REFUSALS`, and UPSTREAM_UNAVAILABLE,
        UPSTREAM_FAULT, TIMED_OUT, BUSY, CIRCUIT_OPEN and TOO_LARGE. A command that is sent again is known by its reference."""
        asked = replace(question, number=next(self._numbers) % 10**10)
        try:
            data = encode(asked)
        except WireError as error:
            raise Fault(Reason.TOO_LARGE, f"the host takes no such block: {error}") from None
        async with self._guard.admit(call):
            with map_upstream():
                async with self._pool.session() as stream:
                    await stream.write(data)
                    reply = await receive(stream.reader)
                    whole = reply.kind is Kind.ERROR or (reply.kind is Kind.REPLY and getattr(reply, PARTS.get(asked.kind, "incidents")))
                    if reply.number != asked.number or not whole:
                        raise WireError("it answers something else")
            refused = refusal(reply.control) if reply.kind is Kind.ERROR else None
            if refused and refused.reason is Reason.UPSTREAM_UNAVAILABLE:
                raise refused
        if refused:  # a sign of life, so it must not count against the host
            raise refused
        return reply

    async def ask_all(self, question: Block, call: Call, part: str, most: int) -> Block:
        """The same for an answer in pages: at most so many records of that part (`incidents`, `lines`, `units`)."""
        first = question.control.after
        reply = await self.ask(question, call)
        head, found = reply, list(getattr(reply, part))
        while reply.control.more and len(found) < most and getattr(reply, part):
            reply = await self.ask(replace(question, control=replace(question.control, after=first + len(found))), call)
            found += getattr(reply, part)
        more = reply.control.more or len(found) > most
        return replace(head, control=replace(head.control, more=more), **{part: tuple(found[:most])})


@contextmanager
def map_upstream() -> Iterator[None]:
    """Turns what a connection and the codec raise into faults."""
    try:
        yield
    except TimeoutError:  # an OSError, and the guard's own affair
        raise
    except ValueError as error:
        raise Fault(Reason.UPSTREAM_FAULT, f"the switch's answer can't be read: {error}") from None
    except OSError as error:
        raise Fault(Reason.UPSTREAM_UNAVAILABLE, f"no session with the switch ({type(error).__name__})") from None


def refusal(said: Control) -> Fault:
    """The fault of an answer that refuses."""
    reason, words = REFUSALS.get(said.code, (Reason.UPSTREAM_REFUSED, "the host refused"))
    fields = ((FIELDS.get(said.row, said.row), words),) if said.row else ()
    return Fault(reason, words, metadata={"code": said.code}, fields=fields, retry_after=BUSY_FOR if reason is Reason.BUSY else None)
