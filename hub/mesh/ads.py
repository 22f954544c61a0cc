"""The gRPC face of the mesh: Envoy's aggregated discovery service (ADS), state of the world and delta, on grpc.aio.

Each stream has one reader task, which puts requests into a short queue, and one writing loop, which the publisher wakes
when there may be something new. A slow Envoy holds up its own stream only: its requests wait in gRPC's flow control.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import grpc
from envoy_data_plane.envoy.service.discovery import v3 as discovery

from hub.mesh.publisher import Publisher
from hub.mesh.resources import ResourceType, Snapshot
from hub.mesh.sessions import Answer, DeltaSession, Session, SotwSession

_log = logging.getLogger(__name__)

SERVICE: Final = "envoy.service.discovery.v3.AggregatedDiscoveryService"

SERVER_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
)
"""For the server that carries these handlers. An Envoy that vanished is noticed within 15 s, and not waited for longer;
and Envoy's own keepalive pings are not taken for an attack, which would cut the stream (gRPC allows one in 5 minutes)."""

_QUEUE_LIMIT: Final = 32


@dataclass(frozen=True)
class Nack:
    """The last refusal of an Envoy, in its own words."""

    type: ResourceType
    version: str
    message: str
    at: datetime


@dataclass(frozen=True)
class ConnectedEnvoy:
    """One stream as it stands. `acked` is the version that Envoy holds of each type it asked for ('' when none yet)."""

    node_id: str
    cluster: str
    protocol: str
    since: datetime
    acked: Mapping[ResourceType, str]
    last_nack: Nack | None


class _Stream:
    """One connected Envoy: the protocol's state, the requests that wait, and when it came."""

    def __init__(self, session: Session[Any], since: datetime) -> None:
        self.session = session
        self.since = since
        self.last_nack: Nack | None = None
        self.inbox: asyncio.Queue[Any] = asyncio.Queue(_QUEUE_LIMIT)
        self.ended = False

    @property
    def node_id(self) -> str:
        return self.session.node_id

    def wake(self) -> None:
        if self.inbox.empty():  # otherwise the loop is about to run in any case
            self.inbox.put_nowait(None)

    def end(self) -> None:
        self.ended = True
        self.wake()

    def behind(self, snapshot: Snapshot, types: frozenset[ResourceType]) -> tuple[ResourceType, ...]:
        return self.session.behind(snapshot, types)

    async def read(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Queue requests until the Envoy has no more to say."""
        try:
            while (request := await context.read()) is not grpc.aio.EOF:
                await self.inbox.put(request)
        finally:
            self.end()

    async def requests(self) -> list[Any]:
        """All requests that have come; waits until there is one, or until something else wants a look."""
        came = [await self.inbox.get()]
        while not self.inbox.empty():
            came.append(self.inbox.get_nowait())
        return [request for request in came if request is not None]


class AdsService:
    """Serves what the publisher publishes. Add `handlers()` to a grpc.aio server made with `SERVER_OPTIONS`."""

    def __init__(self, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        self._publisher = publisher
        self._clock = clock
        self._streams: dict[_Stream, None] = {}
        self._closing = False

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """The two methods of the service, for `server.add_generic_rpc_handlers`."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                self._method(SotwSession),
                request_deserializer=discovery.DiscoveryRequest.parse,
            ),
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(
                self._method(DeltaSession),
                request_deserializer=discovery.DeltaDiscoveryRequest.parse,
            ),
        }
        return (grpc.method_handlers_generic_handler(SERVICE, methods),)

    def envoys(self) -> tuple[ConnectedEnvoy, ...]:
        """Every Envoy that is connected and has said who it is, in order of connection."""
        serving = self._publisher.serving()
        return tuple(
            ConnectedEnvoy(
                node_id=stream.node_id,
                cluster=stream.session.node_cluster,
                protocol=stream.session.protocol,
                since=stream.since,
                acked=MappingProxyType(stream.session.acked(serving)),
                last_nack=stream.last_nack,
            )
            for stream in self._streams
        )

    def close(self) -> None:
        """End every stream, so that the server can stop at once; Envoys keep what they have and come back."""
        self._closing = True
        for stream in self._streams:
            stream.end()

    def _method(self, session: Callable[[], Session[Any]]) -> Callable[[Any, Any], Awaitable[None]]:
        async def method(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await self._serve(_Stream(session(), self._clock()), context)

        return method

    async def _serve(self, stream: _Stream, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        reader = asyncio.create_task(stream.read(context))
        try:
            while not stream.ended:
                for request in await stream.requests():
                    self._take(stream, request)
                    if not stream.node_id:
                        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request has to carry node.id")
                while not stream.ended and (response := self._response(stream)) is not None:
                    await context.write(response)
            if reader.done() and not reader.cancelled() and reader.exception() is not None:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a request could not be read")
        finally:
            reader.cancel()
            self._forget(stream)
            await asyncio.gather(reader, return_exceptions=True)

    def _response(self, stream: _Stream) -> bytes | None:
        serving = self._publisher.serving()
        return None if serving is None else stream.session.respond(serving)

    def _take(self, stream: _Stream, request: Any) -> None:
        answer = stream.session.receive(request)
        if stream.node_id and stream not in self._streams:
            self._streams[stream] = None
            self._publisher.attach(stream)
            if self._closing:
                stream.end()
            _log.info("envoy_connected", extra={"node_id": stream.node_id, "protocol": stream.session.protocol})
        match answer:
            case None:
                self._publisher.progressed()
            case Answer(kind, version, None):
                self._publisher.acknowledged(stream, kind, version)
            case Answer(kind, version, str(message)):
                stream.last_nack = Nack(kind, version, message, self._clock())
                self._publisher.rejected(stream, kind, version, message)

    def _forget(self, stream: _Stream) -> None:
        if stream in self._streams:
            del self._streams[stream]
            self._publisher.detach(stream)
            _log.info("envoy_gone", extra={"node_id": stream.node_id})
