"""A door of an adapter's own, at which its far system comes with what nobody asked for: HTTPS, with a certificate on both sides."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from adapters.kit.tls import Credentials, names_in


@dataclass(frozen=True)
class Door:
    """Takes what is posted to one path. `answer` is given the body, and says with which status it is answered."""

    path: str
    answer: Callable[[bytes], Awaitable[int]]
    credentials: Credentials
    peers: Collection[str] = ()
    """DNS names of certificates that may come; none lets in everybody whom the authorities signed."""
    largest: int = 1024 * 1024
    """Bytes of a body; a larger one is answered 413."""

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the URL. Raises `OSError` when the port is taken."""
        application = web.Application(client_max_size=self.largest)
        application.router.add_post(self.path, self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=self.credentials.server).start()
            at = runner.addresses[0]
            yield f"https://{at[0]}:{at[1]}{self.path}"
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self.credentials.refresh()
        transport = request.transport
        shown = names_in(transport.get_extra_info("peercert")) if transport is not None else frozenset()
        if self.peers and not shown & frozenset(self.peers):
            return web.Response(status=403)
        return web.Response(status=await self.answer(await request.read()))
