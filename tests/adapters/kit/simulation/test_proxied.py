"""A real server behind the proxy, with each standard dial, as a client with a plain socket sees it; and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from waiting import until

from adapters.kit.simulation import Dials, proxied
from adapters.kit.simulation.dials import Dial
from adapters.kit.simulation.proxied import Proxied
from adapters.kit.simulation.transport import NONSENSE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENCE = 0.15


class Server:
    """A server that answers each line with the same line twice as long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[bytes] = []
        self.open = 0
        self.running = False
        self.dials = Dials({}, seed=1)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Path]:
        """Runs on a unix socket."""
        server = await asyncio.start_unix_server(self._converse, str(self.folder / "s"))
        self.running = True
        try:
            yield self.folder / "s"
        finally:
            server.close()
            self.running = False

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with suppress(ConnectionError):
            while line := await reader.readline():
                self.asked.append(line)
                writer.write(line[:-1] * 2 + b"\n")
                await writer.drain()
        self.open -= 1
        writer.close()


@asynccontextmanager
async def behind_proxy(folder: Path, **how: object) -> AsyncIterator[tuple[Server, str]]:
    """A server behind the proxy, whose address it gives; it leaves no task and no connection behind."""
    server = Server(folder)
    before = asyncio.all_tasks()
    async with Proxied(server.listening, **how).listening("127.0.0.1", 0, server.dials) as address:  # type: ignore[arg-type]
        assert server.running
        yield server, address
    assert not server.running
    await until(lambda: server.open == 0 and not asyncio.all_tasks() - before)


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the proxy."""
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes = b"ab") -> bytes:
    """What comes to a line, until the line or the connection ends."""
    writer.write(line + b"\n")
    async with asyncio.timeout(5):
        return await reader.readline()


async def test_what_is_asked_is_answered_as_often_as_it_is(tmp_path: Path) -> None:
    async with behind_proxy(tmp_path) as (server, address):
        reader, writer = await connect(address)
        assert [await ask(reader, writer, line) for line in (b"ab", b"cd")] == [b"abab\n", b"cdcd\n"]
        long = b"x" * 300_000
        reader._limit = 1_000_000  # type: ignore[attr-defined]  # the test's own end
        assert await asyncio.wait_for(read_long(reader, writer), 10) == long * 2
        writer.close()
        await until(lambda: server.open == 0)


async def read_long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """A long answer, which goes through a piece at a time. The server's own limit of a line is 64 KiB, so it is asked in pieces."""
    whole = b""
    for _ in range(10):
        whole += (await ask(reader, writer, b"x" * 30_000))[:-1]
    return whole


ENDS = [("drop", b""), ("truncate", b"ab"), ("garbage", NONSENSE)]


@pytest.mark.parametrize(("dial", "came"), ENDS, ids=[row[0] for row in ENDS])
async def test_a_dial_strikes_the_answer_when_the_question_is_done(tmp_path: Path, dial: str, came: bytes) -> None:
    async with behind_proxy(tmp_path) as (server, address):
        reader, writer = await connect(address)
        server.dials.set([Dial(dial)])
        writer.write(b"ab\n")
        async with asyncio.timeout(5):
            assert await reader.read(len(came) or 1) == came
            if dial != "garbage":
                assert await reader.read() == b""
        assert server.asked == [b"ab\n"]
        writer.close()


@pytest.mark.parametrize("dial", ["hang", "half_open"])
async def test_a_silent_answer_never_comes_and_the_connection_stays(tmp_path: Path, dial: str) -> None:
    async with behind_proxy(tmp_path) as (server, address):
        reader, writer = await connect(address)
        server.dials.set([Dial(dial, times=1)])
        writer.write(b"ab\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), SILENCE)
        assert server.asked == [b"ab\n"]
        if dial == "hang":
            assert await ask(reader, writer, b"cd") == b"cdcd\n"
        else:
            writer.write(b"cd\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), SILENCE)
            assert server.asked == [b"ab\n"]
        writer.close()


async def test_a_delay_is_waited_for(tmp_path: Path) -> None:
    async with behind_proxy(tmp_path) as (server, address):
        reader, writer = await connect(address)
        server.dials.set([Dial("delay", "200ms")])
        began = asyncio.get_running_loop().time()
        assert await ask(reader, writer) == b"abab\n"
        assert asyncio.get_running_loop().time() - began >= 0.19
        writer.close()


async def test_a_question_can_be_changed_and_an_answer_lost(tmp_path: Path) -> None:
    async def before(question: bytes) -> bytes:
        return question.replace(b"ab", b"xy")

    async with behind_proxy(tmp_path, before=before, loses=lambda question: b"last" in question) as (server, address):
        reader, writer = await connect(address)
        assert await ask(reader, writer) == b"xyxy\n"
        assert await ask(reader, writer, b"last") == b""
        assert server.asked == [b"xy\n", b"last\n"]
        writer.close()


async def test_a_connection_too_many_is_closed_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "MOST_LINES", 2)
    async with behind_proxy(tmp_path) as (_, address):
        lines = [await connect(address) for _ in range(2)]
        assert [await ask(*line) for line in lines] == [b"abab\n"] * 2
        reader, writer = await connect(address)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert [await ask(*line) for line in lines] == [b"abab\n"] * 2
        for _, one in (*lines, (reader, writer)):
            one.close()


async def test_a_server_that_is_gone_ends_the_connection(tmp_path: Path) -> None:
    async with behind_proxy(tmp_path) as (_, address):
        (tmp_path / "s").unlink()
        reader, writer = await connect(address)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
