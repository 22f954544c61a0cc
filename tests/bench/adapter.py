"""The full path's last process: the real kit serving a real contract, with a handler that answers from memory.

All of `serve_worker` runs: pipeline, journal, health, registration, drain. Only the system's own `adapter` module is replaced: what a far
system costs is not the platform's.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import uvloop
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from adapters.kit import discovery
from adapters.kit.journal import Place
from adapters.kit.serving import Worker, installed_contracts, serve_worker
from adapters.kit.site import Site
from metip.call import Call
from metip.contracts import Operation
from metip.journal.store import HALTED
from metip.processes import die_with_parent
from tests.bench import mirrored
from tests.bench.cores import serve_alone
from tests.bench.exchange import Exchange, another, the_exchange
from tests.bench.journal import OFF, ON, Switched

PRIMARY, SHADOW = "primary", "shadow"
"""Parts of an estate in which two systems serve the exchange."""


def servicer(exchange: Exchange) -> object:
    """A servicer of the exchange's interface: each of its operations answers at once, the one measured with the reply."""
    found = SimpleNamespace(interface=exchange.operation.interface)
    for operation in installed_contracts(date.min).interface(exchange.operation.interface).operations:
        setattr(found, operation.method, _answering(operation, exchange))
    return found


def _answering(operation: Operation, exchange: Exchange) -> Any:
    reply = exchange.reply if operation.name == exchange.operation.name else _kind(operation.reply)()

    async def answer(request: Message, call: Call) -> Message:
        return reply

    async def stream(request: Message, call: Call) -> AsyncIterator[Message]:
        yield reply

    method: Any = stream if operation.server_streams else answer
    method.__annotations__["request"] = _kind(operation.request)
    return method


def _kind(name: str) -> type[Message]:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


async def _serve(run_directory: Path, registry: str, place: Place, part: str) -> None:
    exchange = the_exchange(shared=bool(part))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    @asynccontextmanager
    async def serve(settings: Message, site: Site) -> AsyncIterator[Sequence[object]]:
        yield (servicer(exchange),)

    system = another(exchange) if part == SHADOW else exchange.system
    worker = Worker(system, 0, run_directory / f"adapter-{system}.sock", registry)
    settings: Any = discovery.settings_type(system)()  # what answers from memory is no live system
    settings.upstream.address = settings.serving.replica = "memory"
    with (
        patch("adapters.kit.serving.Tap", mirrored.Switched),
        patch.object(discovery, "adapter", lambda _system: SimpleNamespace(serve=serve)),
        place.journal(system, 0, lambda _broken: os._exit(HALTED)) as kept,
    ):
        journal = Switched(kept)
        switched = mirrored.Switched if part else journal
        for way in (ON, OFF):
            asyncio.get_running_loop().add_signal_handler(way, setattr, switched, "on", way is ON)
        await serve_worker(worker, settings, settings.serving, mesh=None, stop=stop, journal=journal)


if __name__ == "__main__":
    die_with_parent()
    part = sys.argv[5] if len(sys.argv) > 5 else ""
    if part != SHADOW:
        serve_alone()
    uvloop.run(_serve(Path(sys.argv[1]), sys.argv[2], Place(Path(sys.argv[3]), Path(sys.argv[4])), part))
