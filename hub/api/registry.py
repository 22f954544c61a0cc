"""The registry, as adapters reach it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import grpc

from hub.api.checking import check
from hub.exchange.records import Fence
from hub.mesh.control import Control
from hub.mesh.inputs import Instance
from hub.mesh.registry import Registry
from metip.hub.v1 import registry_service_pb2 as api
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceServicer

SEEN_WITHIN: Final = 4.0
"""Seconds for which one that leaves is kept waiting for Envoy's answer; less than the operation may take."""
Fences = Callable[[str, int], Awaitable[Sequence[Fence]]]


async def _none(system: str, held: int) -> Sequence[Fence]:
    """Where there is no exchange nothing is anybody's."""
    return ()


class RegistryApi(RegistryServiceServicer):
    """Takes registrations. `changed` is told what happened and publishes it in its own time, so that who comes does not wait for Envoy; who
    leaves does, by the event that it gives."""

    def __init__(
        self,
        registry: Registry,
        control: Control,
        changed: Callable[[str, str], asyncio.Event],
        fences: Fences = _none,
        samples: Callable[[str], Mapping[str, int]] = lambda _system: {},
        writes: Callable[[str, int], Sequence[tuple[str, int]]] = lambda _system, _held: (),
    ) -> None:
        """`fences(system, held)` gives messages that a system must not execute any more, above what it holds, and `writes` the interfaces
        whose calls that write it must not; `samples` says of which operations a system's instances offer calls for comparison, and which
        share, in millionths."""
        self._registry, self._fences = registry, fences
        self._control = control
        self._changed = changed
        self._samples, self._writes = samples, writes

    async def Register(self, request: api.RegisterRequest, context: Any) -> api.RegisterResponse:  # noqa: N802
        """Registers or renews; see the contract."""
        await check(request, context)
        said = request.instance
        known = {interface.name for interface in self._control.inputs.contracts.interfaces if not interface.private}
        unknown = [name for name in said.interfaces if name not in known]
        if unknown:
            words = f"no such interface is loaded: {', '.join(unknown)}; `metip check` says why"
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, words)
        instance = Instance(said.id, said.system, tuple(sorted(said.interfaces)), said.address, said.version, said.replica)
        if self._registry.register(instance, request.held, request.held_of_writes):
            self._changed(f"{instance.id} registered", f"adapter {instance.system}")
        response = api.RegisterResponse()
        response.lease.FromMilliseconds(int(self._registry.lease * 1000))
        for operation, share in sorted(self._samples(said.system).items()):
            response.samples.add(operation=operation, per_million=share)
        found = await self._fences(said.system, request.held)
        response.fences.extend(api.Fence(number=one.number, post=one.post, digest=one.digest) for one in found)
        for interface, number in self._writes(said.system, request.held_of_writes):
            response.fences_of_writes.add(interface=interface, number=number)
        return response

    async def Deregister(self, request: api.DeregisterRequest, context: Any) -> api.DeregisterResponse:  # noqa: N802
        """Takes an instance out; see the contract."""
        await check(request, context)
        if self._registry.deregister(request.instance_id):
            done = self._changed(f"{request.instance_id} left", "registry")
            with suppress(TimeoutError):  # an Envoy that is silent for so long will see by its own health check that nobody is there
                async with asyncio.timeout(SEEN_WITHIN):
                    await done.wait()
        return api.DeregisterResponse()
