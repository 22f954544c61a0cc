"""Custody records, published as NSPIS Custody exports them. The first worker reads; the adapter serves no interface of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.custody.reading import Reader
from adapters.custody.upstream import Outbox
from adapters.kit import Site
from adapters.kit.errands import meanwhile, repeat
from adapters.kit.publishing import publisher
from metip.custody.v1.custody_record_service_pb2_grpc import CustodyRecordServiceStub
from metip.custody.v1.settings_pb2 import Settings

POLL_EVERY = 5.0
INCOMPLETE_FOR = 600.0


@asynccontextmanager
async def serve(settings: Settings, site: Site) -> AsyncIterator[Sequence[object]]:
    """Reads the outbox for the length of the block."""
    async with Outbox.connected(settings, site.log) as outbox:
        publish = publisher(site, lambda channel: CustodyRecordServiceStub(channel).PublishCustodyRecord) if site.first else None
        if publish is None:
            yield ()
            return
        every = settings.poll_every.ToTimedelta().total_seconds() if settings.HasField("poll_every") else POLL_EVERY
        patience = settings.incomplete_for.ToTimedelta().total_seconds() if settings.HasField("incomplete_for") else INCOMPLETE_FOR
        reader = Reader(outbox, publish, site.log, patience)
        async with meanwhile(repeat(reader.look, every=every)):
            yield ()
