"""Where one process shows its metrics: `GET /metrics` on a unix socket of its own user, or on a port of this machine.

Whoever asks waits for what is gathered then; nobody else does. A part that can't be read is left out and counted, and the rest is shown.
Requests are answered one at a time, and each connection ends with its answer.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric

from metip.telemetry import families
from metip.telemetry.samples import Samples, Words

Source = Callable[[Samples], Awaitable[None] | None]
"""Puts what it knows; may wait for a store."""
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
LARGEST_REQUEST: Final = 16 * 1024
PATIENCE: Final = 5.0
"""Seconds in which somebody who connects must have asked, and in which a source must have answered."""
UNIX: Final = "unix:"
_OF_THE_PROCESS: Final = ProcessCollector(registry=None)
"""Processor time, memory, open files: `process_…`, the client library's own."""


@dataclass(frozen=True)
class Where:
    """Where it is to listen, and where that is written down."""

    address: str
    """`unix:<path>` or `127.0.0.1:<port>`, of which port 0 is a free one."""
    process: str
    """The process's own name, such as `hub` or `adapter-example-0`."""
    targets: Path | None = None
    """The folder for Prometheus's discovery; None writes nothing."""


@dataclass
class Endpoint:
    """The metrics of one process."""

    words: Words
    sources: Mapping[str, Source]
    folded: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __post_init__(self) -> None:
        """Lets its own metrics have their labels."""
        self.words = self.words.with_more(source=self.sources, metric=families.FAMILIES)

    async def page(self) -> bytes:
        """Everything, in Prometheus's text format."""
        async with self._turn:
            samples = Samples(self.words, self.folded)
            for name, source in self.sources.items():
                await self._gather(name, source, samples)
            for metric, count in sorted(self.folded.items()):
                samples.put(families.FOLDED, count, metric)
            for name in self.sources:
                samples.put(families.SOURCE_FAILED, self.failed[name], name)
            return await asyncio.to_thread(_rendered, [*samples.metrics(), *_OF_THE_PROCESS.collect()])

    async def _gather(self, name: str, source: Source, samples: Samples) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                waiting = source(samples)
                if waiting is not None:
                    await waiting
        except Exception:  # noqa: BLE001 - what can't be read must not hide the rest; it is counted
            self.failed[name] += 1

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            line = head.split(b"\r\n", 1)[0].split(b" ")
            if len(line) != 3 or line[0] != b"GET":
                writer.write(_reply("405 Method Not Allowed", b"only GET\n"))
            elif line[1].partition(b"?")[0] != b"/metrics":
                writer.write(_reply("404 Not Found", b"metrics are at /metrics\n"))
            else:
                writer.write(_reply("200 OK", await self.page()))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # nobody who asks properly
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def shown(endpoint: Endpoint, where: Where) -> AsyncIterator[str]:
    """The endpoint, open for the length of the block, at the address that is given. Raises `OSError` where it can't listen there."""
    if where.address.startswith(UNIX):
        path = _cleared(Path(where.address.removeprefix(UNIX)))
        old = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(endpoint.answer, path, limit=LARGEST_REQUEST)
        finally:
            os.umask(old)
        address = where.address
    else:
        host, _, port = where.address.rpartition(":")
        server = await asyncio.start_server(endpoint.answer, host, int(port), limit=LARGEST_REQUEST)
        address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
    note = _noted(where, address)
    try:
        yield address
    finally:
        server.close()
        if note is not None:
            note.unlink(missing_ok=True)


def _cleared(path: Path) -> str:
    """Makes room for a socket."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return str(path)


def _noted(where: Where, address: str) -> Path | None:
    """Writes the file for Prometheus's discovery, whole or not at all; it has no way to a unix socket, which is noted for ours."""
    if where.targets is None:
        return None
    where.targets.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = where.targets / f"{where.process}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps([{"targets": [address], "labels": {"process": where.process}}]), encoding="utf-8")
    draft.replace(path)
    return path


class _Gathered:
    """What was gathered, as the client library wants it."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _rendered(metrics: Iterable[Metric]) -> bytes:
    gathered: Any = _Gathered(metrics)
    return generate_latest(gathered)


def _reply(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {TEXT}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
