"""A worker's metrics and traces, for as long as it serves. Nothing here is imported where its settings name neither."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from adapters.kit.journal import Journal
from adapters.kit.pipeline import Gate
from adapters.kit.telemetry import sources
from adapters.kit.upstream import GUARDS, place
from metip.adapter.v1.settings_pb2 import Upstream
from metip.contracts import Contracts
from metip.logs import Log
from metip.telemetry.endpoint import UNIX, Endpoint, Source, Where, shown
from metip.telemetry.process import Process
from metip.telemetry.spread import Counted
from metip.telemetry.v1.telemetry_pb2 import Telemetry
from metip.telemetry.words import words_of


@dataclass(frozen=True)
class Told:
    """What a worker's metrics are read from."""

    system: str
    number: int
    settings: Message
    contracts: Contracts
    calls: Mapping[str, Counted]
    gate: Gate
    journal: Journal
    certificate: Path | None
    journals: Path | None
    """The folder of journals; None where none is kept."""

    @property
    def name(self) -> str:
        """The worker's name, which is its journal's too."""
        return f"{self.system}-{self.number}"


@asynccontextmanager
async def telemetry(said: Telemetry, told: Told, log: Log) -> AsyncIterator[None]:
    """Shows metrics and sends traces for the length of the block, as far as the settings say. What can't be shown is logged."""
    process = Process("adapter", told.system, {"journals": told.journals} if told.journals else {})
    found: dict[str, Source] = {
        "process": process.put,
        "calls": partial(sources.of_calls, told.system, told.calls, told.gate),
        "upstreams": partial(sources.of_upstreams, told.system, GUARDS),
        "journal": partial(sources.of_journal, told.name, told.journal),
        "certificate": partial(sources.of_certificate, told.certificate),
    }
    async with AsyncExitStack() as stack:
        if said.HasField("traces"):
            from metip.telemetry.otlp import traced  # its packages are an extra

            queue = stack.enter_context(traced(said.traces, f"adapter-{told.system}", told.name, Path()))
            found["spans"] = queue.put
        if said.metrics:
            words = words_of(told.contracts).with_more(upstream=[place(one) for one in upstreams(told.settings)])
            where = Where(_nth(said.metrics, told.number), f"adapter-{told.name}", Path(said.targets) if said.targets else None)
            try:
                address = await stack.enter_async_context(shown(Endpoint(words, found), where))
            except OSError as error:
                log.line("metrics_not_shown", address=where.address, problem=error.strerror)
            else:
                log.line("metrics_shown", address=address)
                watching = asyncio.create_task(process.watch())
                stack.callback(watching.cancel)
        yield


def upstreams(settings: Message) -> Iterator[str]:
    """Addresses of far systems in some settings, wherever they stand in them."""
    for descriptor, value in settings.ListFields():
        if descriptor.message_type is None:
            continue
        values: Any = value if descriptor.is_repeated else (value,)
        for one in values:
            if isinstance(one, Upstream):
                yield one.address
            elif isinstance(one, Message):
                yield from upstreams(one)


def _nth(address: str, number: int) -> str:
    """Where a further worker listens: the next port, or a path of its own; port 0 is free for each."""
    if not number:
        return address
    if address.startswith(UNIX):
        return f"{address}-{number}"
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + number if int(port) else 0}"
