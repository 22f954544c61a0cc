"""A façade on a real port for a test, with real certificates on both sides, before a gRPC server that stands where Envoy would."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import requests
import zeep
from google.protobuf.message import Message
from lxml import etree

from adapters.kit.soap import ENVELOPE, Element, SoapFault, envelope, open_envelope
from adapters.metip1.facade.__main__ import made
from adapters.metip1.facade.serving import Facade
from adapters.metip1.security import token_header
from adapters.metip1.services import CONTEXT, OPERATIONS, SoapOperation
from adapters.metip1.wire import Record, element_of
from hub.identity import Store, issue
from metip.logs import Log
from metip.metip1.v1.facade_pb2 import FacadeSettings
from metip.settings import parse_settings

DOMAIN = "metip.local"
CONSUMER = f"spiffe://{DOMAIN}/consumer/crime-desk"
TOKEN = "aaaa.bbbb.cccc"
CONTEXT_RECORD: Record = {"Purpose": "04", "Reference": "1234/23NOV26", "Justification": "A test of the way"}
BY_NAME = {one.name: one for one in OPERATIONS}


@dataclass
class Seen:
    """A call as it arrived where Envoy would be."""

    path: str
    request: bytes
    metadata: dict[str, str]
    peer: str
    remaining: float


@dataclass
class Edge:
    """Answers every call with what the test set: a message, an error as a callable that gets the context, or nothing for ever."""

    answer: Message | Callable[[Any], Any] | None = None
    seen: list[Seen] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a call."""

    def service(self, details: Any) -> Any:
        """Where any method ends up."""

        async def answer(request: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            peer = context.auth_context()["peer_spiffe_id"][0].decode()
            self.seen.append(Seen(details.method, request, metadata, peer, context.time_remaining() or 0.0))
            self.asked.set()
            await context.send_initial_metadata((("x-request-id", "call-7"),))
            if self.answer is None:
                await asyncio.Event().wait()
            if isinstance(self.answer, Message):
                return self.answer.SerializeToString()
            assert self.answer is not None
            await self.answer(context)
            raise AssertionError("the error should have ended the call")

        return grpc.unary_unary_rpc_method_handler(answer)


@dataclass
class Answered:
    """What a client got."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def element(self) -> Element:
        """The element in the body. Raises `SoapFault` when it is one."""
        return open_envelope(self.body)

    @property
    def fault(self) -> SoapFault:
        """The fault in the body."""
        try:
            open_envelope(self.body)
        except SoapFault as fault:
            return fault
        raise AssertionError("there is no fault")


@dataclass
class Rig:
    """A façade, and a consumer's way to it."""

    store: Store
    edge: Edge
    facade: Facade
    address: str
    log: StringIO
    settings: str
    """As YAML; paths are relative to the store's parent."""

    def client(self, name: str | None = "crime-desk", files: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """What a client shows: the certificate of an identity, other files, or none."""
        context = ssl.create_default_context(cafile=str(self.store.ca_certificate))
        if files is not None or name is not None:
            context.load_cert_chain(*(files or (self.store.certificate(name or ""), self.store.key(name or ""))))
        return context

    async def send(
        self, path: str, data: bytes | None = None, *, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> Answered:
        """Posts, or with no data gets."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls or self.client())) as session:
            method = "GET" if data is None else "POST"
            async with session.request(method, f"{self.address}{path}", data=data, headers=headers) as response:
                return Answered(response.status, await response.read(), response.headers)

    async def call(
        self, operation: SoapOperation, record: Record, more: Mapping[str, str] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> Answered:
        """A call as the WSDL has it, with context and token; `more` headers go before those."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"', **(more or {})}
        return await self.send(operation.service.path, document(operation, record), headers=headers, tls=tls)

    def lines(self) -> str:
        """The log so far."""
        return self.log.getvalue()

    async def zeep(self, path: str) -> Any:
        """A zeep client made from the description, in the shape of its default service."""

        def make() -> Any:
            session = requests.Session()
            session.cert = (str(self.store.certificate("crime-desk")), str(self.store.key("crime-desk")))
            session.verify = str(self.store.ca_certificate)
            session.trust_env = False
            client: Any = zeep.Client
            transport: Any = zeep.Transport
            return client(f"{self.address}{path}?wsdl", transport=transport(session=session), wsse=Wsse(TOKEN)).service

        return await asyncio.to_thread(make)


@dataclass
class Wsse:
    """zeep's hook for WS-Security: puts the officer's token into the header."""

    token: str

    def apply(self, document: Any, headers: Any) -> Any:
        """Adds the header."""
        header = document.find(f"{{{ENVELOPE}}}Header")
        if header is None:
            header = etree.Element(f"{{{ENVELOPE}}}Header")
            document.insert(0, header)
        header.append(token_header(self.token))
        return document, headers

    def verify(self, document: Any) -> None:
        """Nothing is signed."""


def document(operation: SoapOperation, record: Record, *more: Element, context: Record | None = None, token: str = TOKEN) -> bytes:
    """A request as the WSDL has it."""
    headers = [element_of(CONTEXT, CONTEXT_RECORD if context is None else context)]
    return envelope(element_of(operation.asked, record), *headers, *([token_header(token)] if token else ()), *more)


@asynccontextmanager
async def running_facade(folder: Path, *, log: StringIO | None = None, **settings: object) -> AsyncIterator[Rig]:
    """A façade for the length of the block; `settings` go before those of the rig."""
    store = Store(folder / "identity")
    store.ensure(trust_domain=DOMAIN)
    for name in ("edge", "facade"):
        issue(store, f"spiffe://{DOMAIN}/{name}", name=name, dns=("localhost",), addresses=("127.0.0.1",))
    for name, spiffe_id in (("crime-desk", CONSUMER), ("held-crime-desk", CONSUMER), ("stranger", f"spiffe://{DOMAIN}/consumer/stranger")):
        issue(store, spiffe_id, name=name)
    edge = Edge()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Any(edge),))
    pair = (store.key("edge").read_bytes(), store.certificate("edge").read_bytes())
    credentials = grpc.ssl_server_credentials([pair], store.ca_certificate.read_bytes(), require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    wanted = {
        "listen": "127.0.0.1:0",
        "identity": "identity/facade",
        "authority": "identity/ca.pem",
        "consumers": ["identity/held-crime-desk"],
        "edge": f"127.0.0.1:{port}",
        **settings,
    }
    lines = log or StringIO()
    text = "\n".join(f"{key}: {value}" for key, value in wanted.items())
    facade = made(parse_settings(text, FacadeSettings, source="test"), folder)
    facade.log = Log(lines)
    facade.__post_init__()
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop, None)
        stack.push_async_callback(facade.consumers.close)
        address = await stack.enter_async_context(facade.listening("127.0.0.1", 0, 2.0))
        yield Rig(store, edge, facade, address, lines, text)


class _Any(grpc.GenericRpcHandler):
    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def service(self, handler_call_details: Any) -> Any:
        return self._edge.service(handler_call_details)
