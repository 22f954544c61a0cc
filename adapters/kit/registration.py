"""Keeps this worker's lease at the hub's registry.

The hub may come and go: Envoy keeps what it has, and the worker announces itself again.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import grpc

from adapters.kit.marks import Bar
from adapters.kit.owned import Owned
from adapters.kit.writes import Writes
from metip.hub.v1.registry_service_pb2 import DeregisterRequest, Instance, RegisterRequest, RegisterResponse, SampledOperation
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceStub
from metip.logs import Log

if TYPE_CHECKING:  # generated for the type checker only
    from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceAsyncStub

AGAIN = 1.0
PATIENCE = 3.0
LEAVING = 5.0
"""Seconds for the hub to say that Envoy sends nothing more."""
SOON = 1.0
"""Seconds within which a fence is held, unless something that it keeps out is under way."""


class Registration:
    """One worker's presence in the registry."""

    def __init__(
        self,
        registry: str,
        instance: str,
        system: str,
        interfaces: tuple[str, ...],
        address: str,
        log: Log,
        owned: Owned | None = None,
        writes: Writes | None = None,
        *,
        replica: bool = False,
        sampled: Callable[[Iterable[SampledOperation]], None] = lambda _: None,
    ) -> None:
        """`replica` says that the far system is a copy or a simulator; `sampled` hears at each renewal which operations are sampled."""
        self._registry = registry
        self._instance = Instance(id=instance, system=system, interfaces=interfaces, address=address, replica=replica)
        self._log, self._owned, self._writes, self._sampled = log, owned, writes, sampled
        self._channel: grpc.aio.Channel | None = None
        self._holding: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Registers, renews at a third of the lease, for ever. What fails is tried again; only the first failure and its end are logged."""
        lost = False
        while True:
            try:
                stub: RegistryServiceAsyncStub = RegistryServiceStub(self._open())
                reply = await stub.Register(self._request(), timeout=PATIENCE)
            except grpc.aio.AioRpcError as error:
                if not lost:
                    self._log.line("registry_lost", status=error.code().name)
                lost = True
                await asyncio.sleep(AGAIN)
                continue
            if lost:
                self._log.line("registry_back")
            lost = False
            self._sampled(reply.samples)
            if not await self._hold(reply):
                await asyncio.sleep(max(0.2, reply.lease.ToTimedelta().total_seconds() / 3))

    def _request(self) -> RegisterRequest:
        held = self._owned.held if self._owned is not None else 0
        held_of_writes = self._writes.held if self._writes is not None else 0
        return RegisterRequest(instance=self._instance, held=held, held_of_writes=held_of_writes)

    async def _hold(self, reply: RegisterResponse) -> bool:
        """Takes fences, in its own time: what they keep out is waited for while the lease is renewed. Whether the hub is to be told now."""
        bars = tuple(Bar(one.post, one.digest, one.number) for one in reply.fences) if self._owned is not None else ()
        writes = tuple((one.interface, one.number) for one in reply.fences_of_writes) if self._writes is not None else ()
        if not bars and not writes:
            return False
        if self._holding is None or self._holding.done():
            self._holding = asyncio.create_task(self._take(bars, writes))
        done, _ = await asyncio.wait((self._holding,), timeout=SOON)
        if not done:
            return False
        if self._holding.exception() is not None:
            self._log.line("fence_not_held", problem=type(self._holding.exception()).__name__)
            return False
        return True

    async def _take(self, bars: tuple[Bar, ...], writes: tuple[tuple[str, int], ...]) -> None:
        async with asyncio.TaskGroup() as group:  # neither waits for what the other keeps out
            if self._owned is not None and bars:
                group.create_task(self._owned.hold(bars))
            if self._writes is not None and writes:
                group.create_task(self._writes.hold(writes))

    async def end(self) -> None:
        """Leaves the registry; a hub that is away finds out when the lease ends."""
        try:
            stub: RegistryServiceAsyncStub = RegistryServiceStub(self._open())
            await stub.Deregister(DeregisterRequest(instance_id=self._instance.id), timeout=LEAVING)
        except grpc.aio.AioRpcError as error:
            self._log.line("deregistration_failed", status=error.code().name)
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            # A hub that is back is found at the next try: gRPC's own pause between connections is kept well below ours.
            pauses = [(f"grpc.{which}_reconnect_backoff_ms", 200) for which in ("initial", "min", "max")]
            self._channel = grpc.aio.insecure_channel(self._registry, options=pauses)
        return self._channel
