"""The hub's registry as an adapter sees it, on a real socket: it remembers who came and went, and can go away and come back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from metip.hub.v1 import registry_service_pb2 as api
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceServicer, add_RegistryServiceServicer_to_server


@dataclass
class StandIn(RegistryServiceServicer):
    """What was heard."""

    lease: float = 9.0
    registered: list[api.Instance] = field(default_factory=list)
    deregistered: list[str] = field(default_factory=list)
    refusal: grpc.StatusCode | None = None

    async def Register(self, request: api.RegisterRequest, context: Any) -> api.RegisterResponse:
        """Remembers, or refuses."""
        if self.refusal is not None:
            await context.abort(self.refusal, "refused by the test")
        self.registered.append(request.instance)
        response = api.RegisterResponse()
        response.lease.FromMilliseconds(int(self.lease * 1000))
        return response

    async def Deregister(self, request: api.DeregisterRequest, context: Any) -> api.DeregisterResponse:
        """Remembers."""
        self.deregistered.append(request.instance_id)
        return api.DeregisterResponse()


@asynccontextmanager
async def registry_at(socket: Path, stand_in: StandIn) -> AsyncIterator[str]:
    """Serves for the length of the block and gives the address."""
    server = grpc.aio.server()
    add_RegistryServiceServicer_to_server(stand_in, server)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        yield f"unix:{socket}"
    finally:
        await server.stop(None)
