"""An HTTP listener for far systems that come of themselves, in the clear or over TLS with certificates on both sides."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from aiohttp import web

from adapters.kit.http import HttpAnswer
from adapters.kit.tls import Credentials, names_in

LARGEST_REQUEST = 16 * 1024 * 1024
GRACE = 2.0
"""Seconds that requests in progress have when a listener ends."""


@asynccontextmanager
async def listening(
    answer: Callable[[bytes], Awaitable[HttpAnswer]],
    at: str,
    *,
    content_type: str = "text/xml",
    credentials: Credentials | None = None,
    peers: Collection[str] = (),
) -> AsyncIterator[str]:
    """Answers what is posted to `at` (host:port; port 0 takes a free one), on any path and up to `LARGEST_REQUEST` bytes, for the length
    of the block. Gives the base URL.

    With `credentials` it speaks TLS and lets in whoever shows a certificate of their authority; of these only the DNS names in `peers`,
    where it has any: others are answered 403.
    """

    async def handle(request: web.Request) -> web.Response:
        if credentials is not None:
            credentials.refresh()
            shown = names_in(request.transport.get_extra_info("peercert")) if request.transport else frozenset()
            if peers and not shown & frozenset(peers):
                return web.Response(status=403)
        reply = await answer(await request.read())
        return web.Response(body=reply.body, status=reply.status, content_type=content_type, charset="utf-8")

    host, _, port = at.rpartition(":")
    application = web.Application(client_max_size=LARGEST_REQUEST)
    application.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port), ssl_context=credentials.server if credentials else None).start()
        found = runner.addresses[0]
        yield f"{'https' if credentials else 'http'}://{found[0]}:{found[1]}"
    finally:
        await runner.cleanup()
