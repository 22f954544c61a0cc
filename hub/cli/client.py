"""The ways from the command line into a mesh: the hub by its socket, the edge by mutual TLS, Envoy by its admin socket."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.message import Message

from hub import settings as settings_files
from hub.cli.contexts.keeping import file_of, read
from hub.cli.contexts.model import Context
from hub.cli.messages import Messages
from hub.cli.options import Problem
from hub.contracts import Operation
from hub.laptop.layout import DEVELOPER, TRUST_DOMAIN, Home
from hub.mesh.admin import Admin
from metip.hub.v1 import catalogue_service_pb2 as catalogue_api
from metip.hub.v1 import mesh_service_pb2 as mesh_api
from metip.hub.v1 import settings_pb2
from metip.hub.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceStub
from metip.settings import SettingsError

if TYPE_CHECKING:  # the generated modules have these for the type checker only, and not every command needs an identity
    from hub.identity import Officer, Store
    from metip.hub.v1.catalogue_service_pb2_grpc import CatalogueServiceAsyncStub
    from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceAsyncStub

SERVER_NAME: Final = "localhost"
LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 5.0
SPARE: Final = 1.0
"""Seconds that a call may take beyond its operation's timeout, so that the far end's own words about it still arrive."""
GONE: Final = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)
"""How a hub looks that is away, or that goes away while it is asked."""
CHANNEL_OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)


class HubGoneError(Problem):
    """The hub does not answer."""


@dataclass(frozen=True)
class Place:
    """A mesh as its home folder describes it."""

    home: Home
    settings: settings_files.Settings
    context: Context | None = None
    """The context that says more than a home folder, or other than it."""

    @property
    def edge(self) -> str:
        """`host:port` of the edge for gRPC. Raises `Problem` where the context names none."""
        return self._said("edge") or f"{self.settings.edge.address or LOOPBACK}:{self.settings.edge.port}"

    @property
    def edge_json(self) -> str:
        """`host:port` of the edge for JSON. Raises `Problem` where the context names none."""
        return self._said("json") or f"{self.settings.edge.address or LOOPBACK}:{self.settings.edge.json_port}"

    @property
    def elsewhere(self) -> bool:
        """Whether it is known by addresses alone: its home folder is on another machine, or another user's."""
        return self.context is not None and not self.context.home

    @property
    def from_afar(self) -> bool:
        """Whether no edge is known: the exchange is then asked through the console, as the hub is."""
        return self.context is not None and self.elsewhere and not self.context.edge

    @property
    def hub(self) -> str:
        """Where the hub is asked: its socket, or the console."""
        context = self.context
        return context.console if context is not None and not context.home and not context.hub else str(self.settings.socket)

    @property
    def remedy(self) -> str:
        """What to do where the hub does not answer."""
        if self.context is None or self.context.home:
            return "start it with `metip up`"
        return f"`metip context show {self.context.name}` says how it is reached; whoever runs it can say whether it is up"

    def _said(self, field: str) -> str:
        """An address of the context; empty where its home folder says it."""
        if self.context is None or self.context.home:
            return ""
        said: str = getattr(self.context, field)
        if not said:
            raise Problem(f"the context {self.context.name} names no {field}", f"add it anew with --{field}")
        return said

    @cached_property
    def store(self) -> "Store":
        """The identities."""
        from hub.identity import Store

        return Store(self.home.identity)

    @property
    def admin(self) -> Admin:
        """Envoy's admin interface."""
        return Admin(self.home.admin_socket)

    def identity(self, name: str = DEVELOPER) -> "Identity":
        """An identity of the home, or the one of the context. Raises `Problem` when it is not there."""
        if self.context is not None and self.context.certificate:
            return Identity(Path(self.context.certificate), Path(self.context.key), self.authority)
        if self.context is not None and not self.context.home:
            raise Problem(f"the context {self.context.name} names no certificate", "add it anew with --certificate and --key")
        folder = self.store.folder(name)
        if not self.store.certificate(name).exists():
            others = ", ".join(self.store.names()) or "none"
            raise Problem(
                f"there is no identity {name} in {self.home.identity}; there are {others}",
                f"run: metip identity issue consumer/{name} --name {name}",
            )
        return Identity(self.store.certificate(name), folder / "key.pem", self.store.ca_certificate)

    @property
    def authority(self) -> Path:
        """The file of the authorities that servers' certificates may be from."""
        return Path(self.context.authority) if self.context is not None and self.context.authority else self.store.ca_certificate

    @property
    def server_name(self) -> str:
        """The name that servers' certificates bear; empty for that of the address."""
        return self.context.server_name if self.context is not None and not self.context.home else SERVER_NAME

    def spiffe_id(self, name: str = DEVELOPER) -> str:
        """The SPIFFE ID of an identity. Raises `Problem` when its certificate names none."""
        from hub.identity import IdentityError, describe

        try:
            found = describe(self.identity(name).certificate, datetime.now(UTC)).spiffe_ids
        except IdentityError as error:
            raise Problem(error.fault.problem, error.fault.fix) from None
        if len(found) != 1:
            raise Problem(f"the certificate of {name} has {len(found)} SPIFFE IDs, not one", f"run: metip identity check {name}")
        return found[0]

    def token(self, name: str = DEVELOPER, officer: "Officer | None" = None) -> str:
        """A token of that officer, or of the usual one, for that consumer; or the context's own. Raises `Problem` without an issuer."""
        from hub.identity import IdentityError, issue_token

        if self.context is not None and self.context.token:
            return token_in(Path(self.context.token))
        try:
            return issue_token(self.store, officer or usual_officer(), authorised_party=self.spiffe_id(name), now=datetime.now(UTC))
        except IdentityError as error:
            raise Problem(error.fault.problem, error.fault.fix) from None


@dataclass(frozen=True)
class Identity:
    """Files of one identity, and of the authority by which its peers are known."""

    certificate: Path
    key: Path
    authority: Path

    def credentials(self) -> grpc.ChannelCredentials:
        """Credentials for mutual TLS. Raises `Problem` for a file that can't be read."""
        try:
            return grpc.ssl_channel_credentials(self.authority.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes())
        except OSError as error:
            raise Problem(f"{error.filename} can't be read: {error.strerror}", "run: metip identity check") from None


def usual_officer() -> "Officer":
    """The synthetic officer behind calls from the command line."""
    from hub.identity import Officer

    return Officer("100001XX", "01", "CO10", ("response",))


def token_in(path: Path) -> str:
    """The token in a file. Raises `Problem`."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise Problem(f"{path} can't be read as a token", "the context names it: have a new one issued, and write it there") from None


def place(path: Path) -> Place:
    """The mesh of a home folder, or of a context's file. Raises `Problem` when there is none, or its settings can't be used."""
    if path.is_file():
        return _place_of(read(path))
    home = Home.at(path)
    if not home.hub_settings.exists():
        raise Problem(f"there is no mesh in {path}", "start one with `metip up`, or name its folder with --home or METIP_HOME")
    try:
        return Place(home, settings_files.read(home.hub_settings, judged=False))
    except SettingsError as error:
        raise Problem(str(error), f"correct it; `metip up --home {path}` writes it anew") from None


def _place_of(context: Context) -> Place:
    """The mesh of a context."""
    if context.home:
        return replace(place(Path(context.home)), context=context)
    home = Home.at(file_of(context.name).with_suffix(""))  # it is not there, as a command says that looks for something in it
    settings = settings_files.Settings(
        trust_domain=TRUST_DOMAIN,
        socket=Path(context.hub) if context.hub else home.hub_socket,
        state=home.state,
        access=home.access,
        edge=settings_pb2.Edge(),
        exchange=None,
        folder=home.root,
    )
    found = Place(home, settings, context)
    if not context.certificate:
        return found
    return replace(found, settings=replace(settings, trust_domain=found.spiffe_id().split("/")[2]))


@dataclass(frozen=True)
class HubClient:
    """What the hub says about itself and the mesh. Every method raises `HubGoneError` when it does not answer."""

    channel: grpc.aio.Channel
    where: Place

    async def mesh(self) -> mesh_api.GetMeshResponse:
        """The state of the mesh."""
        stub: MeshServiceAsyncStub = MeshServiceStub(self.channel)
        found: mesh_api.GetMeshResponse = await self._ask(stub.GetMesh, mesh_api.GetMeshRequest())
        return found

    async def changes(self, limit: int) -> tuple[mesh_api.Change, ...]:
        """The last changes, newest first."""
        stub: MeshServiceAsyncStub = MeshServiceStub(self.channel)
        return tuple((await self._ask(stub.ListChanges, mesh_api.ListChangesRequest(limit=limit))).changes)

    async def interfaces(self) -> catalogue_api.ListInterfacesResponse:
        """What is loaded, and what is wrong with the rest."""
        stub: CatalogueServiceAsyncStub = CatalogueServiceStub(self.channel)
        found: catalogue_api.ListInterfacesResponse = await self._ask(stub.ListInterfaces, catalogue_api.ListInterfacesRequest())
        return found

    async def explain(self, operation: str) -> catalogue_api.ExplainOperationResponse:
        """One operation. Raises `Problem` when the hub has not loaded it."""
        stub: CatalogueServiceAsyncStub = CatalogueServiceStub(self.channel)
        found: catalogue_api.ExplainOperationResponse = await self._ask(
            stub.ExplainOperation, catalogue_api.ExplainOperationRequest(operation=operation)
        )
        return found

    async def _ask(self, ask: Any, request: Message) -> Any:
        try:
            return await ask(request, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            if error.code() in GONE:
                raise HubGoneError(
                    f"the hub at {self.where.hub} does not answer", f"{self.where.remedy}; `metip check` says what else is wrong"
                ) from None
            raise Problem(error.details() or error.code().name) from None


@asynccontextmanager
async def hub_client(where: Place) -> AsyncIterator[HubClient]:
    """The hub, for the length of the block; nothing is asked yet."""
    async with hub_channel(where) as channel:
        yield HubClient(channel, where)


@asynccontextmanager
async def hub_channel(where: Place, *, token: str = "") -> AsyncIterator[grpc.aio.Channel]:
    """The hub's own services for the length of the block: by its socket, or through the console where a context names no socket.

    There the call bears the context's token, unless another is given. Raises `Problem` where the context names neither.
    """
    context = where.context
    if context is None or context.home or context.hub:
        async with grpc.aio.insecure_channel(f"unix:{where.settings.socket}", options=[*CHANNEL_OPTIONS]) as channel:
            yield channel
        return
    if not context.console:
        fix = "add it anew with --console, or on the hub's machine with --hub"
        raise Problem(f"the context {context.name} names no way to the hub", fix)
    if not (token or context.token):
        raise Problem(f"the context {context.name} names no token", "add it anew with --token-file")
    try:
        transport = grpc.ssl_channel_credentials(where.authority.read_bytes() if context.authority else None)
    except OSError as error:
        raise Problem(f"{error.filename} can't be read: {error.strerror}", f"metip context show {context.name}") from None
    call = grpc.access_token_call_credentials(token or token_in(Path(context.token)))
    options = [*CHANNEL_OPTIONS, *_name_option(where)]
    async with grpc.aio.secure_channel(context.console, grpc.composite_channel_credentials(transport, call), options=options) as channel:
        yield channel


def _name_option(where: Place) -> list[tuple[str, str]]:
    return [("grpc.ssl_target_name_override", where.server_name)] if where.server_name else []


@asynccontextmanager
async def edge_channel(where: Place, identity: Identity) -> AsyncIterator[grpc.aio.Channel]:
    """The edge under an identity, for the length of the block."""
    options = [*CHANNEL_OPTIONS, *_name_option(where)]
    async with grpc.aio.secure_channel(where.edge, identity.credentials(), options=options) as channel:
        yield channel


@dataclass(frozen=True)
class Edge:
    """Calls through the edge, by operation. Every method raises `grpc.aio.AioRpcError` as the call does."""

    channel: grpc.aio.Channel
    messages: Messages

    async def replies(
        self,
        operation: Operation,
        request: Message,
        *,
        token: str = "",
        within: float | None = None,
        metadata: Mapping[str, str] | None = None,
        called: Callable[[Any], None] = lambda _: None,
    ) -> AsyncIterator[Message]:
        """Replies as they come; a unary operation has one. `called` is given the call itself as soon as it is made."""
        kind = self.messages.kind(operation.reply)
        shape = self.channel.unary_stream if operation.server_streams else self.channel.unary_unary
        ask: Any = shape(operation.path, request_serializer=_bytes, response_deserializer=kind.FromString)
        sent = list((metadata or {}).items())
        if token:
            sent.append(("authorization", f"Bearer {token}"))
        call = ask(request, timeout=operation.timeout + SPARE if within is None else within, metadata=sent)
        called(call)
        if operation.server_streams:
            async for reply in call:
                yield reply
        else:
            yield await call


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()
