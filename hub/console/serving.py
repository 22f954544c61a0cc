"""Gives out the console's files on a unix socket, which Envoy alone reaches.

The law: what is given out is what was read from the folder at the start, found by its exact path, so no path leads out of it. Whatever is
not a file and looks like a page of the console is the page itself (deep links); everything else is not found.
"""

import hashlib
import mimetypes
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from aiohttp import web

SITE: Final = Path(__file__).with_name("site")
INDEX: Final = "index.html"
ASSETS: Final = "/assets/"
"""Vite writes a hash of their content into these names, so that what a name stands for never changes."""
PAGE: Final = re.compile(r"/(?!metip\.|grpc\.|assets(/|$))[A-Za-z0-9_.:~%@/+=-]{0,1000}")
"""What may be the address of a page: pages go by interfaces, messages and records, whose names have dots in them."""
ENDINGS: Final = (
    "css env gif htm html ico jpeg jpg js json key log map mjs pem php png py sqlite svg toml ts tsx txt webmanifest woff woff2 xml yaml"
)
LOOKS_LIKE_A_FILE: Final = re.compile(rf"\.({ENDINGS.replace(' ', '|')})$", re.IGNORECASE)
TYPES: Final = {".js": "application/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
"""Said here, since what a machine knows of endings differs, and since Envoy compresses scripts under this name alone."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer, whatever it is."""
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


@dataclass(frozen=True)
class File:
    """One file as it is given out."""

    content: bytes = field(repr=False)
    kind: str
    caching: str

    @property
    def tag(self) -> str:
        """Stands for the content; weak, since Envoy may send the content compressed."""
        return f'W/"{hashlib.blake2b(self.content, digest_size=12).hexdigest()}"'


def read_site(folder: Path = SITE) -> dict[str, File]:
    """Every file of the folder by the path under which it is given out. What is hidden, and what a link leads to elsewhere, is left out."""
    root = folder.resolve()
    found = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and path.resolve().is_relative_to(root) and not any(part.startswith(".") for part in inside.parts):
            found[f"/{inside.as_posix()}"] = _file(f"/{inside.as_posix()}", path)
    return found


def _file(name: str, path: Path) -> File:
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml", "application/json")
    return File(content, f"{kind}; charset=utf-8" if text else kind, FOR_EVER if name.startswith(ASSETS) else ASK_AGAIN)


class Site:
    """The files; read anew when the page was built anew, so that a rebuilt console needs no restart."""

    def __init__(self, folder: Path = SITE) -> None:
        self._folder, self._files, self._built = folder, dict[str, File](), -1
        self.find("/")

    def find(self, path: str) -> File | None:
        """What a path stands for; None for nothing."""
        page = f"/{INDEX}"
        if path in self._files and path != page:
            return self._files[path]
        if path != page and (not PAGE.fullmatch(path) or LOOKS_LIKE_A_FILE.search(path) or "/." in unquote(path) or "//" in path):
            return None
        self._look()
        return self._files.get(page)

    def _look(self) -> None:
        try:
            built = (self._folder / INDEX).stat().st_mtime_ns
        except OSError:
            built = 0
        if built != self._built:
            self._files, self._built = read_site(self._folder), built

    async def answer(self, request: "web.Request") -> "web.Response":
        """One request."""
        from aiohttp import web

        # As it came: what is escaped is no name of a file, and is not unfolded to become one.
        found = self.find(request.rel_url.raw_path) if request.method in ("GET", "HEAD") else None
        if found is None:
            return web.Response(status=404, text="There is no such file.\n", headers={**HEADERS, "cache-control": "no-store"})
        headers = {**HEADERS, "cache-control": found.caching, "etag": found.tag, "content-type": found.kind}
        if request.headers.get("if-none-match") == found.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.content, headers=headers)


@asynccontextmanager
async def serving(path: Path, folder: Path = SITE) -> AsyncIterator[None]:
    """Gives the files out on a unix socket at that path, for the length of the block."""
    from aiohttp import web  # late, since only a hub with a console needs it

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Site(folder).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, _only_ours(path)).start()
        yield
    finally:
        await runner.cleanup()


def _only_ours(path: Path) -> socket.socket:
    """A socket at that path which nobody but its owner can reach, from its first moment on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    made, old = socket.socket(socket.AF_UNIX), os.umask(0o177)
    try:
        made.bind(str(path))
    finally:
        os.umask(old)
    return made
