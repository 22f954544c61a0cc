"""Traffic control as the command line reaches it, without starting a process for each change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import grpc

from hub.api.traffic_words import stamp
from hub.traffic.settings import Setting
from hub.traffic.words import message_of
from metip.traffic.v1 import traffic_service_pb2 as api
from metip.traffic.v1.traffic_service_pb2_grpc import TrafficServiceStub

OPERATOR = [("x-metip-operator", "os://desk/tester")]
PATIENCE = 30.0


@dataclass
class TrafficRig:
    """A hub's traffic service."""

    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        """The generated stub."""
        return TrafficServiceStub(self.channel)

    async def change(self, *put: Setting, drop: tuple[Setting, ...] = (), lasting: float = 0.0, what: str = "a test") -> Any:
        """Makes a change."""
        edits = [*(api.Edit(put=message_of(one)) for one in put), *(api.Edit(drop=message_of(one)) for one in drop)]
        request = api.ChangeTrafficRequest(edits=edits, what=what, because="a test")
        if lasting:
            request.until.CopyFrom(stamp(time() + lasting))
        return await self.stub.ChangeTraffic(request, metadata=OPERATOR, timeout=PATIENCE)

    async def undo(self, number: int) -> Any:
        """Undoes one."""
        return await self.stub.UndoChange(api.UndoChangeRequest(number=number, because="a test"), metadata=OPERATOR, timeout=PATIENCE)

    async def overview(self) -> Any:
        """What is in force."""
        return (await self.stub.GetTraffic(api.GetTrafficRequest(), timeout=PATIENCE)).overview

    async def changes(self, limit: int = 1000) -> list[Any]:
        """Changes, newest first."""
        return list((await self.stub.ListTrafficChanges(api.ListTrafficChangesRequest(limit=limit), timeout=PATIENCE)).changes)


@asynccontextmanager
async def traffic_of(socket: Path) -> AsyncIterator[TrafficRig]:
    """The traffic service at a hub's socket."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    async with grpc.aio.insecure_channel(f"unix:{socket}", options=options) as channel:
        yield TrafficRig(channel)
