"""An HTTP listener for the length of a block."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def http_listener(
    host: str, port: int, handler: Handler, *, largest: int, method: str = "*", tls: ssl.SSLContext | None = None, patience: float = 2.0
) -> AsyncIterator[str]:
    """Listens for that method on every path, and gives the base URL. Port 0 takes a free one; a body of more than `largest` bytes is 413.

    A handler whose client went away is cancelled; at the end those in progress have `patience` seconds. Then every connection is cut: over
    TLS one would wait half a minute for its client's goodbye, and uvloop does not end while it waits.
    """
    application = web.Application(client_max_size=largest)
    application.router.add_route(method, "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=patience, handler_cancellation=True)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(_ended, runner)
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        at = runner.addresses[0]
        yield f"{'https' if tls else 'http'}://{at[0]}:{at[1]}"


async def _ended(runner: web.AppRunner) -> None:
    connections = [one.transport for one in runner.server.connections] if runner.server else []
    await runner.cleanup()
    for transport in connections:
        if transport is not None:
            transport.abort()
