"""Known attacks on an edge like ours, by hand and within bounds: Envoy lives on, and a well-behaved client beside is served throughout.

Each has its row in `docs/security/advisories.yaml`. Every attack comes from a client with a certificate and a token, since who has none
gets no further than TLS.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from edge_rig import OTHER, EdgeRig, running_edge
from http2_frames import Fields, Http2, connected, data, framed, request
from hyperframe.frame import ContinuationFrame, Frame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOST_MEMORY = 400 * 1024 * 1024
PATIENCE = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge() -> AsyncIterator[EdgeRig]:
    """One Envoy takes all attacks, one after another."""
    async with running_edge() as rig:
        yield rig


@asynccontextmanager
async def neighbour(edge: EdgeRig) -> AsyncIterator[None]:
    """Another consumer calls for as long as the block lasts: each of its calls is answered, and Envoy lives and keeps its bounds."""
    over, ends = asyncio.Event(), list[str]()
    channel = edge.channel(OTHER)

    async def call() -> None:
        while not over.is_set():
            ends.append(await edge.status(channel, name=OTHER, within=PATIENCE))
            await asyncio.sleep(0.005)

    calling = asyncio.create_task(call())
    try:
        yield
    finally:
        over.set()
        await calling
    assert set(ends) == {"OK"}
    assert edge.envoy.process.poll() is None, edge.envoy.log()[-2000:]
    assert edge.envoy.memory() < MOST_MEMORY


def call(edge: EdgeRig, *more: tuple[str | bytes, str | bytes]) -> Fields:
    """The header fields of a call that would be let in."""
    return request(edge.operation.path, *edge.token(), *more)


async def _cut_off(client: Http2, *frames: Frame | bytes, most: int) -> bool:
    """Whether the edge ends the connection before these frames were sent so many times."""
    listening = asyncio.create_task(client.ends(within=PATIENCE))
    for _ in range(most):
        if listening.done() or not await client.send(*frames):
            break
        await asyncio.sleep(0)
    return await listening


async def test_rapid_reset(edge: EdgeRig) -> None:
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        listening = asyncio.create_task(client.ends(within=PATIENCE))
        for _ in range(5000):
            opened = client.headers(call(edge), end=False)
            if listening.done() or not await client.send(opened, RstStreamFrame(opened.stream_id, error_code=8)):
                break
            await asyncio.sleep(0)
        assert await listening, "five thousand streams were opened and taken back"
    assert await edge.envoy.stat("http.edge.downstream_rq_too_many_premature_resets") > 0 or client.stream < 5000


async def test_made_you_reset(edge: EdgeRig) -> None:
    """The client makes the server reset each stream, with a window update of nothing, so that its own resets are never counted."""
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        listening = asyncio.create_task(client.ends(within=PATIENCE))
        for _ in range(5000):
            opened = client.headers(call(edge), end=False)
            broken = WindowUpdateFrame(opened.stream_id, window_increment=1).serialize()[:-4] + bytes(4)
            if listening.done() or not await client.send(opened, broken):
                break
            await asyncio.sleep(0)
        assert await listening


async def test_continuation_flood(edge: EdgeRig) -> None:
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        opened = client.headers(call(edge), whole=False)
        await client.send(opened)
        more = ContinuationFrame(opened.stream_id, data=client.encoder.encode([("x-more", "y" * 50)]))
        assert await _cut_off(client, more, most=20_000)


@pytest.mark.parametrize("kind", ["one_long_value_many_times", "many_cookies", "table_as_large_as_it_gets"])
async def test_header_bomb(kind: str, edge: EdgeRig) -> None:
    """A few bytes on the wire that stand for megabytes of header fields."""
    before = edge.far.calls[edge.operation.path]
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        if kind == "many_cookies":
            fields: list[Any] = [*call(edge), *[("cookie", f"a{place}=b") for place in range(3000)]]
        elif kind == "one_long_value_many_times":
            fields = [*call(edge), *[("x-bomb", "b" * 3000)] * 4000]
        else:
            client.encoder.header_table_size = 1 << 20
            fields = [*call(edge), *[(f"x-{place}", "t" * 2000) for place in range(60)]]
        block = client.encoder.encode(fields)
        opened = client.headers([], whole=False)
        opened.data = block[:16_000]
        frames: list[Frame] = [opened]
        frames += [ContinuationFrame(opened.stream_id, data=block[start : start + 16_000]) for start in range(16_000, len(block), 16_000)]
        frames[-1].flags.add("END_HEADERS")
        await client.send(*frames)
        answer = await client.answer(opened.stream_id)
        assert client.closed or answer.get("grpc-status", answer.get(":status")) != "0"
    assert edge.far.calls[edge.operation.path] - before <= await _neighbours(edge)


async def _neighbours(edge: EdgeRig) -> int:
    """Calls that the neighbours made; the attacker's consumer is told apart by the identity that the far side saw."""
    bombs = [one for one in edge.far.metadata if "x-bomb" in one or "cookie" in one or "x-59" in one]
    assert bombs == []
    return edge.far.calls[edge.operation.path]


FLOODS: dict[str, list[Frame | bytes]] = {
    "settings": [SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65_535})] * 100,
    "ping": [PingFrame(0, opaque_data=b"12345678")] * 100,
    "priority": [PriorityFrame(1, depends_on=0, stream_weight=1)] * 100,
    "empty_data": [],
    "window_update": [],
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_control_flood(kind: str, edge: EdgeRig) -> None:
    """Cheap frames without end, from a client that reads nothing of what it is answered."""
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        opened = client.headers(call(edge), end=False)
        await client.send(opened)
        on_it: dict[str, list[Frame | bytes]] = {
            "empty_data": [data(opened.stream_id, b"")] * 100,
            "window_update": [WindowUpdateFrame(opened.stream_id, window_increment=1)] * 100,
        }
        frames = FLOODS[kind] or on_it[kind]
        for _ in range(400):
            if not await _sent_within(client, frames):
                break
        assert await client.ends()


async def _sent_within(client: Http2, frames: list[Frame | bytes]) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            return await client.send(*frames)
    return False


async def test_trailers_without_an_end(edge: EdgeRig) -> None:
    async with neighbour(edge), connected(edge.port, edge.tls()) as client:
        opened = client.headers(call(edge), end=False)
        await client.send(opened, client.headers([("x-trailer", "1")], end=False, stream=opened.stream_id))
        answer = await client.answer(opened.stream_id)
        assert answer.get("grpc-status", "reset") != "0"


async def test_connection_flood(edge: EdgeRig) -> None:
    """Hundreds of connections that say nothing, and as many that stop in the middle of TLS."""
    held: list[asyncio.StreamWriter] = []
    async with neighbour(edge):
        for _ in range(400):
            _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
            held.append(writer)
            if len(held) % 2:
                writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    for writer in held:
        writer.close()


@pytest.mark.parametrize("values", [("a", "b"), ("b", "a")])
async def test_two_values_of_a_header(values: tuple[str, str], edge: EdgeRig) -> None:
    """Nothing is decided by a header that may come twice: two tokens, one good, are refused as none would be."""
    good, bad = edge.token()[0][1], "Bearer x.y.z"
    order = [("authorization", good if one == "a" else bad) for one in values]
    before = edge.far.calls.total()
    async with connected(edge.port, edge.tls()) as client:
        opened = client.headers(request(edge.operation.path, *order))
        await client.send(opened)
        assert (await client.answer(opened.stream_id))["grpc-status"] == "16"
    assert edge.far.calls.total() == before


PATHS: dict[str, str | bytes] = {
    "no_slash": "{path}",
    "doubled_slash": "//{path}",
    "dot": "/./{path}",
    "dots": "/x/../{path}",
    "parameter": "/{path};x=y",
    "parameter_inside": "/{service};x/{method}",
    "dot_with_parameter": "/..;/{path}",
    "escaped_slash": "/{service}%2f{method}",
    "escaped_dots": "/%2e%2e/{path}",
    "escaped_letter": "/%6d{tail}",
    "backslash": "\\{path}",
    "query": "/other?/{path}",
    "fragment": "/{path}#x",
    "trailing_slash": "/{path}/",
    "capitals": "/{capitals}",
    "nul": "/{path}\0",
    "newline": "/{path}\n",
    "space": "/{path} ",
    "tab": "/{path}\t",
    "not_ascii": "/{path}é",
    "overlong_utf8": b"/metip\xc0\xaf",
    "absolute": "https://localhost/{path}",
    "empty": "",
    "star": "*",
    "simulators_own": "/metip.simulator.v1.SimulatorService/SetFaults",
    "subscribers_own": "/metip.exchange.v1.SubscriberService/ReportOutcome",
    "a_long_one": "/" + "a" * 9000,
}


@pytest.mark.parametrize("case", PATHS)
async def test_path_confusion(case: str, edge: EdgeRig) -> None:
    """Only the exact path of an operation is one; nothing is folded, unescaped or cut off to make it so."""
    path = edge.operation.path[1:]
    service, _, method = path.partition("/")
    written = PATHS[case]
    if isinstance(written, str):
        written = written.format(path=path, service=service, method=method, tail=path[1:], capitals=path.upper()).encode()
    before = edge.far.calls.total()
    async with connected(edge.port, edge.tls()) as client:
        fields = [(name, written if name == ":path" else value) for name, value in call(edge)]
        opened = client.headers(fields, end=False)
        await client.send(opened, data(opened.stream_id, framed(b""), end=True))
        answer = await client.answer(opened.stream_id)
    assert answer.get("grpc-status", answer.get(":status", "reset")) != "0"
    assert edge.far.calls.total() == before
    assert await edge.status(edge.channel()) == "OK"


async def test_decompression_bomb(edge: EdgeRig) -> None:
    """The edge unpacks nothing: a packed body is no document, and a packed message is the adapter's to refuse (`test_admission`)."""
    bomb = gzip.compress(b"\0" * 64 * 1024 * 1024, 9)
    before = edge.far.calls.total()
    async with neighbour(edge):
        headers = {"content-type": "application/json", "content-encoding": "gzip", **dict(edge.token())}
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.tls("http/1.1"))) as http,
            http.post(f"https://localhost:{edge.json_port}{edge.operation.path}", data=bomb, headers=headers) as answer,
        ):
            assert answer.status == 400
    assert edge.far.calls.total() >= before


SMUGGLED = {
    "length_and_chunks": "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n",
    "two_lengths": "content-length: 4\r\ncontent-length: 44\r\n\r\nabcd",
    "obscured_chunks": "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks_twice": "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "negative_length": "content-length: -1\r\n\r\n",
    "space_before_colon": "content-length : 4\r\n\r\nabcd",
    "line_feed_alone": "x: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", SMUGGLED)
async def test_request_smuggling(case: str, edge: EdgeRig) -> None:
    """A request whose end can be read in two ways is refused, and nothing after it is taken for another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.json_port, ssl=edge.tls("http/1.1"), server_hostname="localhost")
    writer.write(f"POST {edge.operation.path} HTTP/1.1\r\nhost: localhost\r\n{SMUGGLED[case]}".encode())
    writer.write_eof() if writer.can_write_eof() else None
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            answer = await reader.read(-1)
            assert answer.count(b"HTTP/1.1 ") <= 1
            assert not answer.startswith(b"HTTP/1.1 2")
    writer.close()
