"""An Envoy that does exactly what a test tells it, over a real ADS stream; and small resources that need no real Envoy.

One interface for both protocols: `subscribe`, `next`, `ack`, `refuse`; or `obey`, which takes everything, asks for what
it needs as Envoy does, and refuses what it is told to refuse.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
from envoy_data_plane.envoy.config.core.v3 import Node
from envoy_data_plane.envoy.service.discovery import v3 as discovery
from envoy_data_plane.google.rpc import Status

from hub.mesh.ads import SERVICE
from hub.mesh.resources import Reference, Resource, ResourceType, Snapshot

SECRET, CLUSTER, ENDPOINT, LISTENER, ROUTE = (
    ResourceType.SECRET,
    ResourceType.CLUSTER,
    ResourceType.ENDPOINT,
    ResourceType.LISTENER,
    ResourceType.ROUTE,
)
PROTOCOLS = ("sotw", "delta")


def thing(kind: ResourceType, name: str, content: str = "1", *needs: Reference) -> Resource:
    """A resource whose body says what it is; the content is there to be changed."""
    return Resource(kind, name, f"{name}={content}".encode(), frozenset(needs))


def system(name: str, content: str = "1") -> list[Resource]:
    """A cluster and its endpoints, both with the same content."""
    return [thing(CLUSTER, name, content, (ENDPOINT, name)), thing(ENDPOINT, name, content)]


def edge(*clusters: str, content: str = "1", listener: str = "edge") -> list[Resource]:
    """A listener and its route table to these clusters."""
    needs = [(CLUSTER, name) for name in clusters]
    return [thing(LISTENER, listener, "1", (ROUTE, listener)), thing(ROUTE, listener, f"{content}>{','.join(clusters)}", *needs)]


def mesh_of(*clusters: str, content: str = "1") -> Snapshot:
    """An edge that leads to these systems; the content is the route's."""
    return Snapshot.of([*edge(*clusters, content=content), *(resource for name in clusters for resource in system(name))])


@dataclass(frozen=True)
class Response:
    """What one response said: content by name, and (delta) the names that are gone."""

    type: ResourceType
    nonce: str
    version: str
    contents: Mapping[str, str]
    removed: tuple[str, ...] = ()


@dataclass
class ScriptedEnvoy:
    """One stream. `held` is what it took, by type and name, as Envoy would hold it."""

    call: Any
    protocol: str
    node_id: str
    held: dict[ResourceType, dict[str, str]] = field(default_factory=lambda: {kind: {} for kind in ResourceType})
    seen: list[Response] = field(default_factory=list)
    _names: dict[ResourceType, set[str]] = field(default_factory=dict)
    _nonces: dict[ResourceType, str] = field(default_factory=dict)
    _introduced: bool = False

    async def subscribe(self, kind: ResourceType, *names: str, has: Mapping[str, str] | None = None) -> None:
        """Ask for names, besides those asked for before; `has` are the versions that a returning Envoy holds (delta)."""
        wanted = self._names.setdefault(kind, set()) | set(names)
        added = sorted(set(names))
        self._names[kind] = wanted
        if self.protocol == "sotw":
            await self.send(kind, resource_names=sorted(wanted), response_nonce=self._nonces.get(kind, ""))
        else:
            await self.send(kind, resource_names_subscribe=added, initial_resource_versions=dict(has or {}))

    async def unsubscribe(self, kind: ResourceType, *names: str) -> None:
        """Ask for these names no longer."""
        self._names[kind] -= set(names)
        if self.protocol == "sotw":
            await self.send(kind, resource_names=sorted(self._names[kind]), response_nonce=self._nonces.get(kind, ""))
        else:
            await self.send(kind, resource_names_unsubscribe=sorted(names))

    async def next(self, within: float = 5.0) -> Response:
        """The next response; raises TimeoutError when there is none within so many seconds."""
        async with asyncio.timeout(within):
            message = await self.call.read()
        if message is grpc.aio.EOF:
            raise EOFError(f"{self.node_id}: the stream has ended")
        response = self._understood(message)
        self.seen.append(response)
        self._nonces[response.type] = response.nonce
        return response

    async def ack(self, response: Response) -> None:
        """Take a response."""
        held = self.held[response.type]
        if self.protocol == "sotw" and response.type in {CLUSTER, LISTENER}:
            held.clear()
        held.update(response.contents)
        for name in response.removed:
            held.pop(name, None)
        await self._answer(response, None)

    async def refuse(self, response: Response, message: str) -> None:
        """Do not take a response."""
        await self._answer(response, Status(code=3, message=message))

    async def obey(self, refusing: Callable[[Response], str | None] = lambda _: None) -> None:
        """Behave as Envoy does, until the stream ends."""
        await self.subscribe(CLUSTER)
        await self.subscribe(LISTENER)
        with suppress(EOFError):
            while True:
                response = await self.next(within=60)
                why = refusing(response)
                if why is not None:
                    await self.refuse(response, why)
                    continue
                await self.ack(response)
                for needed, by in ((ENDPOINT, CLUSTER), (ROUTE, LISTENER)):
                    if response.type is by:
                        await self._follow(needed, set(self.held[by]))

    async def send(self, kind: ResourceType | str, **fields: Any) -> None:
        """Send one raw request; the first carries the node."""
        if not self._introduced:
            fields["node"] = Node(id=self.node_id, cluster="edge")
            self._introduced = True
        request = discovery.DiscoveryRequest if self.protocol == "sotw" else discovery.DeltaDiscoveryRequest
        await self.call.write(request(type_url=kind if isinstance(kind, str) else kind.value, **fields))

    async def _follow(self, kind: ResourceType, names: set[str]) -> None:
        asked = self._names.get(kind, set())
        if names - asked:
            await self.subscribe(kind, *sorted(names - asked))
        if asked - names:
            await self.unsubscribe(kind, *sorted(asked - names))

    async def _answer(self, response: Response, error: Status | None) -> None:
        if self.protocol == "sotw":
            names = sorted(self._names.get(response.type, ()))
            await self.send(
                response.type,
                version_info="" if error else response.version,
                resource_names=names,
                response_nonce=response.nonce,
                error_detail=error,
            )
        else:
            await self.send(response.type, response_nonce=response.nonce, error_detail=error)

    def _understood(self, message: Any) -> Response:
        kind = ResourceType(message.type_url)
        packed = message.resources if self.protocol == "sotw" else [resource.resource for resource in message.resources]
        contents = dict(any_.value.decode().split("=", 1) for any_ in packed)
        if self.protocol == "sotw":
            return Response(kind, message.nonce, message.version_info, contents)
        return Response(kind, message.nonce, message.system_version_info, contents, tuple(message.removed_resources))


@asynccontextmanager
async def scripted_envoy(channel: grpc.aio.Channel, protocol: str, node_id: str = "edge-1") -> AsyncIterator[ScriptedEnvoy]:
    """Open a stream; it is cancelled at the end of the block."""
    sotw = protocol == "sotw"
    method = channel.stream_stream(
        f"/{SERVICE}/{'Stream' if sotw else 'Delta'}AggregatedResources",
        request_serializer=bytes,
        response_deserializer=(discovery.DiscoveryResponse if sotw else discovery.DeltaDiscoveryResponse).parse,
    )
    call = method()
    try:
        yield ScriptedEnvoy(call, protocol, node_id)
    finally:
        call.cancel()


@asynccontextmanager
async def obedient_envoy(
    channel: grpc.aio.Channel,
    protocol: str,
    node_id: str = "edge-1",
    refusing: Callable[[Response], str | None] = lambda _: None,
) -> AsyncIterator[ScriptedEnvoy]:
    """An Envoy that takes whatever comes, in the background, except what it is told to refuse."""
    async with scripted_envoy(channel, protocol, node_id) as envoy:
        following = asyncio.create_task(envoy.obey(refusing))
        try:
            yield envoy
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
