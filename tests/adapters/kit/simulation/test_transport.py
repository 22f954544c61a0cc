"""Both wires of simulators with each standard dial, as a client with a plain socket sees them."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from waiting import until

from adapters.kit.simulation import STANDARD, Dials, Framed, Http, HttpReply, HttpRequest
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.transport import LARGEST_FRAME, NONSENSE

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLY = b"an answer of some length, so that half of it is something"
SILENCE = 0.15
"""Seconds in which nothing comes, before a test believes that nothing will."""


@dataclass
class Line:
    """A plain connection to a simulator."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes
    reply: bytes
    nonsense: bytes

    async def ask(self) -> None:
        """Sends the question."""
        self.writer.write(self.request)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """What comes back to the question in full."""
        await self.ask()
        async with asyncio.timeout(5):
            return await self.reader.readexactly(len(self.reply))

    async def rest(self) -> bytes:
        """Whatever comes until the far side closes."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def is_silent(self) -> bool:
        """Whether nothing comes, not even an end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), SILENCE)
            return False
        return True


@dataclass
class Simulator:
    """A simulator on one of the wires."""

    dials: Dials
    asked: list[Any] = field(default_factory=list)
    long: int = 0
    """Bytes of the answer; 0 for the usual one."""
    address: str = ""
    wire: str = ""

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Connects."""
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield Line(reader, writer, *WIRES[self.wire])
        finally:
            writer.close()


def _framed(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


# Request, and how a good and a garbled answer begin and end.
WIRES: dict[str, tuple[bytes, bytes, bytes]] = {
    "framed": (_framed(b"a question"), _framed(REPLY), _framed(NONSENSE)),
    "http": (b"POST /ask HTTP/1.1\r\nHost: far\r\nContent-Length: 10\r\n\r\na question", REPLY, NONSENSE),
}


@asynccontextmanager
async def simulator(wire: str) -> AsyncIterator[Simulator]:
    """A simulator that answers, on a real socket; it leaves no task behind."""
    found = Simulator(Dials({}, seed=1), wire=wire)

    async def framed(question: bytes) -> bytes:
        found.asked.append(question)
        return b"x" * found.long if found.long else REPLY

    async def http(request: HttpRequest) -> HttpReply:
        return HttpReply(await framed(request.body), headers={"X-Far": "yes"})

    before = asyncio.all_tasks()
    transport = Framed(framed) if wire == "framed" else Http(http)
    async with transport.listening("127.0.0.1", 0, found.dials) as found.address:
        yield found
    await until(lambda: not asyncio.all_tasks() - before)


async def ask(line: Line) -> bytes:
    """The content of an answer, without what the wire puts before it."""
    await line.ask()
    async with asyncio.timeout(5):
        if line.request.startswith(b"POST"):
            head = await line.reader.readuntil(b"\r\n\r\n")
            length = int(next(row.split(b":")[1] for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")))
        else:
            length = struct.unpack(">I", await line.reader.readexactly(4))[0]
        return await line.reader.readexactly(length)


both_wires = pytest.mark.parametrize("wire", WIRES)


@both_wires
async def test_questions_are_answered_in_turn_on_one_connection(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        for _ in range(3):
            assert await ask(line) == REPLY
        assert far.asked == [b"a question"] * 3


@both_wires
async def test_a_delay_holds_back_the_answer(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial("delay", "200ms", times=1)])
        started = asyncio.get_running_loop().time()
        assert await ask(line) == REPLY
        assert asyncio.get_running_loop().time() - started >= 0.19
        assert await ask(line) == REPLY


@both_wires
async def test_a_delay_of_one_caller_holds_up_no_other(wire: str) -> None:
    async with simulator(wire) as far, far.line() as slow, far.line() as quick:
        far.dials.set([Dial("delay", "5s", times=1)])
        await slow.ask()
        await until(lambda: not far.dials.current)
        assert await ask(quick) == REPLY


@both_wires
@pytest.mark.parametrize("dial", ["hang", "half_open"])
async def test_a_silent_far_system_took_the_question_and_keeps_the_connection(wire: str, dial: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial(dial)])
        await line.ask()
        assert await line.is_silent()
        assert far.asked == [b"a question"]


async def test_a_hanging_far_system_answers_the_next_question_on_the_same_connection() -> None:
    async with simulator("framed") as far, far.line() as line:
        far.dials.set([Dial("hang", times=1)])
        await line.ask()
        assert await ask(line) == REPLY


async def test_a_half_open_connection_answers_nothing_more_and_a_new_one_does() -> None:
    async with simulator("framed") as far:
        far.dials.set([Dial("half_open", times=1)])
        async with far.line() as lost, far.line() as new:
            await lost.ask()
            await until(lambda: not far.dials.current)
            await lost.ask()
            assert await lost.is_silent()
            assert await ask(new) == REPLY


@both_wires
async def test_a_drop_closes_the_connection_without_a_byte(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial("drop")])
        await line.ask()
        assert await line.rest() == b""
        assert far.asked == [b"a question"]


@both_wires
async def test_a_truncated_answer_ends_halfway(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial("truncate")])
        await line.ask()
        came = await line.rest()
        content = came.partition(b"\r\n\r\n")[2] if wire == "http" else came
        assert content == line.reply[: len(line.reply) // 2]


async def test_a_long_answer_is_cut_in_the_middle_too() -> None:
    async with simulator("http") as far, far.line() as line:
        far.dials.set([Dial("truncate")])
        far.long = 4_000_000
        await line.ask()
        assert len((await line.rest()).partition(b"\r\n\r\n")[2]) == far.long // 2


@both_wires
async def test_garbage_comes_in_place_of_the_answer(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial("garbage", times=1)])
        assert await ask(line) == NONSENSE
        assert await ask(line) == REPLY


@both_wires
@pytest.mark.parametrize("dial", [name for name in STANDARD if name != "delay"])
async def test_a_dial_that_struck_once_is_back_and_no_other_was_touched(wire: str, dial: str) -> None:
    async with simulator(wire) as far:
        far.dials.set([Dial(dial, times=1)])
        async with far.line() as struck:
            await struck.ask()
            await until(lambda: not far.dials.current)
        async with far.line() as line:
            assert await ask(line) == REPLY


@both_wires
async def test_a_drop_spends_no_other_dial(wire: str) -> None:
    async with simulator(wire) as far, far.line() as line:
        far.dials.set([Dial("drop", times=1), Dial("truncate", times=1), Dial("garbage", times=1)])
        await line.ask()
        assert await line.rest() == b""
        assert {dial.name for dial in far.dials.current} == {"truncate", "garbage"}


@both_wires
async def test_a_simulator_that_stops_ends_its_connections(wire: str) -> None:
    async with AsyncExitStack() as lines:
        async with simulator(wire) as far:
            idle, hanging = [await lines.enter_async_context(far.line()) for _ in range(2)]
            assert await ask(idle) == REPLY
            far.dials.set([Dial("half_open")])
            await hanging.ask()
            await until(lambda: len(far.asked) == 2)
        assert await idle.rest() == b""
        assert await hanging.rest() == b""


async def test_a_frame_that_is_too_long_ends_the_conversation() -> None:
    async with simulator("framed") as far, far.line() as line:
        line.writer.write(struct.pack(">I", LARGEST_FRAME + 1))
        assert await line.rest() == b""
        assert far.asked == []


async def test_a_frame_that_comes_in_pieces_is_one_question() -> None:
    async with simulator("framed") as far, far.line() as line:
        for byte in line.request:
            line.writer.write(bytes([byte]))
            await line.writer.drain()
        async with asyncio.timeout(5):
            assert await line.reader.readexactly(len(line.reply)) == line.reply


async def test_a_caller_who_hangs_up_in_the_middle_of_a_frame_harms_nothing() -> None:
    async with simulator("framed") as far:
        async with far.line() as line:
            line.writer.write(line.request[:6])
            await line.writer.drain()
        async with far.line() as line:
            assert await ask(line) == REPLY


async def test_an_http_reply_has_its_status_type_and_headers() -> None:
    async def answer(request: HttpRequest) -> HttpReply:
        assert (request.method, request.path) == ("POST", "/ask")
        return HttpReply(b"no", status=500, content_type="text/plain", headers={"X-Far": "yes"})

    async with Http(answer).listening("127.0.0.1", 0, Dials({}, seed=1)) as address:
        host, _, port = address.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(WIRES["http"][0])
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"Content-Type: text/plain\r\n" in head
    assert b"X-Far: yes\r\n" in head
