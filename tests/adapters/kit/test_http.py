"""The HTTP client against a real server: what each failure becomes, what is sent, and that nothing is followed or unpacked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO

import pytest
from aiohttp import web

from adapters.kit import Call, Fault, Limits, Log, Reason
from adapters.kit.http import LARGEST_REPLY, HttpAnswer, HttpClient

pytestmark = pytest.mark.asyncio(loop_scope="module")


def call() -> Call:
    """A call with ten seconds."""
    return Call(id="c", operation="o", consumer="s", officer=None, deadline=time.monotonic() + 10)


def limits(address: str) -> Limits:
    """Limits towards that address."""
    return Limits(address=address, sessions=2, timeout=5, failures_to_open=100, open_for=timedelta(seconds=1), max_waiting=10)


@asynccontextmanager
async def far_side(status: int, body: bytes, **headers: str) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that answers everything alike; it gives its address and what it was asked."""
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        await request.read()
        return web.Response(status=status, body=body, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}", asked
    finally:
        await runner.cleanup()


async def exchange(address: str) -> HttpAnswer:
    """One request."""
    async with HttpClient.connected(limits(address), Log(StringIO())) as http, http.guard.admit(call()) as passage:
        return await http.exchange("PUT", "/a/b", passage, headers={"X-Own": "1"}, data=b"said", query={"q": "ü &"})


async def refused(address: str) -> tuple[Reason, bool]:
    """The reason of a request that fails, and whether it may have left."""
    async with HttpClient.connected(limits(address), Log(StringIO())) as http:
        with pytest.raises(Fault) as told:
            async with http.guard.admit(call()) as passage:
                await http.exchange("GET", "/", passage, headers={})
    return told.value.reason, passage.sent


async def test_a_request_is_sent_as_it_is_and_the_answer_is_read_as_it_is() -> None:
    async with far_side(200, b"\x1f\x8bnot unpacked", **{"Content-Encoding": "gzip"}) as (address, asked):
        assert await exchange(address) == HttpAnswer(200, b"\x1f\x8bnot unpacked")
    (request,) = asked
    assert (request.method, request.path, request.query["q"]) == ("PUT", "/a/b", "ü &")
    assert (await request.read(), request.headers["X-Own"], request.headers["Accept-Encoding"]) == (b"said", "1", "identity")


async def test_a_request_carries_the_trace_of_the_call_that_it_is_made_for_and_the_call_counts_its_time() -> None:
    own = Call("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "o", "s", None, time.monotonic() + 10)
    async with far_side(200, b"") as (address, asked), HttpClient.connected(limits(address), Log(StringIO())) as http:
        for _ in range(2):
            before = own.far
            async with http.guard.admit(own) as passage:
                await http.exchange("GET", "/", passage, headers={})
            assert own.far > before
    assert [request.headers["traceparent"] for request in asked] == [own.trace] * 2 != [""] * 2


@pytest.mark.parametrize("status", [200, 201, 301, 302, 400, 404, 409, 500])
async def test_a_status_that_is_no_gateway_s_is_the_caller_s_to_understand(status: int) -> None:
    async with far_side(status, b"words", Location="http://127.0.0.1:9/") as (address, asked):
        assert await exchange(address) == HttpAnswer(status, b"words")
    assert len(asked) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_gateway_s_status_is_a_far_side_that_is_not_there(status: int) -> None:
    async with far_side(status, b"") as (address, _):
        assert await refused(address) == (Reason.UPSTREAM_UNAVAILABLE, True)


@pytest.mark.parametrize(("said", "seconds"), [("120", 120), ("0", 0), ("", None), ("soon", None), ("-1", None), ("1234567", None)])
async def test_how_long_a_far_side_asks_to_be_left_alone_comes_with_its_answer(said: str, seconds: int | None) -> None:
    wait = None if seconds is None else timedelta(seconds=seconds)
    async with far_side(429, b"", **{"Retry-After": said}) as (address, _):
        assert (await exchange(address)).retry_after == wait
    async with far_side(503, b"", **{"Retry-After": said}) as (address, _), HttpClient.connected(limits(address), Log(StringIO())) as http:
        with pytest.raises(Fault) as told:
            async with http.guard.admit(call()) as passage:
                await http.exchange("GET", "/", passage, headers={})
        assert (told.value.reason, told.value.retry_after) == (Reason.UPSTREAM_UNAVAILABLE, wait)


async def test_headers_come_with_the_answer_in_any_case_of_letters() -> None:
    async with far_side(200, b"", ETag='"v7"') as (address, _):
        assert (await exchange(address)).headers["etag"] == '"v7"'


async def test_nobody_listens_so_nothing_has_left() -> None:
    assert await refused("http://127.0.0.1:9") == (Reason.UPSTREAM_UNAVAILABLE, False)


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async with far_side(200, b"x" * (LARGEST_REPLY + 1)) as (address, _):
        assert await refused(address) == (Reason.UPSTREAM_FAULT, True)


async def test_a_connection_that_ends_in_the_middle_is_broken() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    assert await refused(f"http://{host}:{port}") == (Reason.UPSTREAM_UNAVAILABLE, True)
    server.close()
