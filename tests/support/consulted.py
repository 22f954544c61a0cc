"""A system together with every system that it consults, in this process, each on real sockets.

What stands between them is a small gRPC proxy: it finds the adapter by the interface that is called, puts on the metadata that Envoy would
send (the consulting adapter's identity, the officer if the call carries a token) and passes bytes, deadline and status on as they are.
It has no access policy, no retries and no time limits of its own; those are the real mesh's, and its tests'. A message that a system
sends goes to an exchange of the fleet, which accepts it and delivers it to nobody.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import grpc
from adapter_rig import Rig, from_envoy, running_adapter
from exchange_in_process import accepting_exchange

from adapters.kit import discovery
from adapters.kit.serving import installed_contracts
from adapters.kit.site import Identity, Mesh
from metip.contracts import Contracts

TRUST_DOMAIN = "metip.local"
NEVER_OPEN = 1000
"""Failures in a row after which a circuit opens, where cases play one failure after another on the same adapter."""


@dataclass(frozen=True)
class Fleet:
    """One system and those that it consults, as they run."""

    system: str
    rigs: Mapping[str, Rig]
    """By system; a system that is consulted but has no adapter is not among them, and calls to it are UNIMPLEMENTED."""

    @property
    def rig(self) -> Rig:
        """The system's own."""
        return self.rigs[self.system]

    def clear(self) -> None:
        """Puts every dial of every simulator back."""
        for rig in self.rigs.values():
            if rig.dials is not None:
                rig.dials.clear()


class PlainMesh(Mesh):
    """The way through the proxy: no TLS, since it is a unix socket of this process."""

    def __init__(self, address: str) -> None:
        super().__init__(address, Identity(Path(), Path(), Path()))

    def channel(self) -> grpc.aio.Channel:
        """A channel to the proxy."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self.address)
        return self._channel


@asynccontextmanager
async def running_fleet(system: str, directory: Path) -> AsyncIterator[Fleet]:
    """Runs the system, and what its contract says that it consults, for the length of the block. Sockets and logs go to `directory`."""
    known = installed_contracts(date.min)
    rigs: dict[str, Rig] = {}
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(accepting_exchange(directory, known))
        for name in _consulted_first(system, known):
            mesh = await stack.enter_async_context(_mesh(name, directory, known, rigs, exchange)) if _consults(name, known) else None
            limits = {"failures_to_open": NEVER_OPEN} if discovery.has_simulator(name) else {}
            rigs[name] = await stack.enter_async_context(running_adapter(name, directory, mesh=mesh, **limits))
        yield Fleet(system, rigs)


def _consults(system: str, known: Contracts) -> set[str]:
    """Systems whose operations the system's own operations consult."""
    own = [operation for interface in known.interfaces if interface.system == system for operation in interface.operations]
    return {known.interface(name.partition("/")[0]).system for operation in own for name in operation.consults} - {system}


def _consulted_first(system: str, known: Contracts) -> list[str]:
    """The system and all that it consults, directly or not, each after those that it consults itself; only those that have an adapter."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in discovery.systems():
            return
        seen.add(name)
        for other in sorted(_consults(name, known)):
            visit(other)
        order.append(name)

    visit(system)
    return order


@asynccontextmanager
async def _mesh(system: str, directory: Path, known: Contracts, rigs: Mapping[str, Rig], exchange: grpc.aio.Channel) -> AsyncIterator[Mesh]:
    socket = directory / f"mesh-{system}.sock"
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Proxy(f"spiffe://{TRUST_DOMAIN}/adapter/{system}", known, rigs, exchange),))
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    mesh = PlainMesh(f"unix:{socket}")
    try:
        yield mesh
    finally:
        await mesh.close()
        await server.stop(None)


class _Proxy(grpc.GenericRpcHandler):
    def __init__(self, consumer: str, known: Contracts, rigs: Mapping[str, Rig], exchange: grpc.aio.Channel) -> None:
        self._consumer, self._known, self._rigs, self._exchange = consumer, known, rigs, exchange

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        operation = self._known.operations.get(handler_call_details.method.lstrip("/"))
        if operation is not None and operation.delivery is not None:
            return grpc.unary_unary_rpc_method_handler(self._unary(self._exchange.unary_unary(operation.path)))
        rig = self._rigs.get(self._known.interface(operation.interface).system) if operation else None
        if operation is None or rig is None:
            return None
        if operation.server_streams:
            return grpc.unary_stream_rpc_method_handler(self._streaming(rig.channel.unary_stream(operation.path)))
        return grpc.unary_unary_rpc_method_handler(self._unary(rig.channel.unary_unary(operation.path)))

    def _unary(self, ask: Callable[..., Any]) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            try:
                reply: bytes = await ask(request, timeout=context.time_remaining(), metadata=self._metadata(context))
            except grpc.aio.AioRpcError as error:
                await _pass_on(error, context)
                raise AssertionError("unreachable: abort always raises") from error
            return reply

        return answer

    def _streaming(self, ask: Callable[..., Any]) -> Any:
        async def answer(request: bytes, context: Any) -> AsyncIterator[bytes]:
            try:
                async for reply in ask(request, timeout=context.time_remaining(), metadata=self._metadata(context)):
                    yield reply
            except grpc.aio.AioRpcError as error:
                await _pass_on(error, context)

        return answer

    def _metadata(self, context: Any) -> list[tuple[str, str]]:
        came = dict(context.invocation_metadata() or ())
        sent = from_envoy(consumer=self._consumer, officer="P123456" if "authorization" in came else None)
        return [*sent, *((key, came[key]) for key in ("traceparent",) if key in came)]


async def _pass_on(error: grpc.aio.AioRpcError, context: Any) -> None:
    await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
