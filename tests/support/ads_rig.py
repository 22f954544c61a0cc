"""A publisher and its ADS server on a unix socket, for tests: real gRPC, no Envoy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
from envoy_process import short_directory
from waiting import until

from hub.mesh.ads import SERVER_OPTIONS, AdsService
from hub.mesh.history import Cause, Change
from hub.mesh.publisher import Publisher
from hub.mesh.resources import Snapshot

CAUSE = Cause("a test", "tester")


def now() -> datetime:
    """The time of day; tests that care pass their own."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class AdsRig:
    """What a test needs of the control plane."""

    publisher: Publisher
    ads: AdsService
    server: grpc.aio.Server
    channel: grpc.aio.Channel

    async def publish(self, snapshot: Snapshot, cause: Cause = CAUSE) -> Change:
        """Publish and wait for the end."""
        return await self.publisher.publish(snapshot, cause)


@asynccontextmanager
async def ads_rig(*, answer_within: float = 5.0) -> AsyncIterator[AdsRig]:
    """Serve, and check at the end that every task this started has gone."""
    before = asyncio.all_tasks()
    with short_directory() as directory:
        publisher = Publisher(now, answer_within=answer_within)
        ads = AdsService(publisher, now)
        server = grpc.aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers(ads.handlers())
        server.add_insecure_port(f"unix:{directory / 'ads.sock'}")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{directory / 'ads.sock'}") as channel:
                yield AdsRig(publisher, ads, server, channel)
                await until(lambda: not ads.envoys())
        finally:
            ads.close()
            await server.stop(1)
            await publisher.finish()
    await until(lambda: not asyncio.all_tasks() - before)
