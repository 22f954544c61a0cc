"""The HTTP listener: every path, one method or all, a bounded body, gone when the block ends."""

from io import BytesIO

import aiohttp
import pytest
from aiohttp import web

from adapters.kit.listening import http_listener

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def echo(request: web.Request) -> web.Response:
    """Answers with what came."""
    return web.Response(body=await request.read(), headers={"X-Path": request.path})


async def test_every_path_is_answered_by_the_methods_that_are_named() -> None:
    async with http_listener("127.0.0.1", 0, echo, largest=10, method="POST") as address, aiohttp.ClientSession() as session:
        async with session.post(f"{address}/a/b", data=BytesIO(b"said")) as answer:
            assert (answer.status, await answer.read(), answer.headers["X-Path"]) == (200, b"said", "/a/b")
        async with session.get(address) as answer:
            assert answer.status == 405
        async with session.post(address, data=BytesIO(b"x" * 11)) as answer:
            assert answer.status == 413


async def test_nobody_listens_after_the_block() -> None:
    async with aiohttp.ClientSession() as session:
        async with http_listener("127.0.0.1", 0, echo, largest=10) as address, session.get(address) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(address)
