"""Envoy's admin interface as a test writes it: pages on a unix socket, which counts how often each was asked for."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web


@dataclass
class AdminPage:
    """Pages by path; a path without one is not found."""

    socket: Path
    pages: dict[str, Callable[[], str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.Response:
        """One page."""
        self.asked[request.path] += 1
        page = self.pages.get(request.path)
        return web.Response(text=page()) if page is not None else web.Response(status=404, text="{}")


@asynccontextmanager
async def admin_page(socket: Path) -> AsyncIterator[AdminPage]:
    """The interface for the length of the block."""
    page = AdminPage(socket)
    app = web.Application()
    app.router.add_get("/{anything:.*}", page.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield page
    finally:
        await runner.cleanup()
