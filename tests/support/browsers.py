"""A browser's way to the console: HTTP and grpc-web over TLS without a certificate of its own, with cookies."""

import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_web import BINARY, WebAnswer, framed, read
from yarl import URL

CODES = {
    0: "OK", 3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION",
    12: "UNIMPLEMENTED", 14: "UNAVAILABLE", 16: "UNAUTHENTICATED",
}  # fmt: skip


Headers = Mapping[str, str]
NONE: Headers = {}


@dataclass(frozen=True)
class Answered:
    """What came of a call."""

    http_status: int
    headers: Mapping[str, str]
    messages: tuple[bytes, ...]
    trailers: Mapping[str, str]

    @property
    def status(self) -> str:
        """The gRPC status by name; of what is no answer of gRPC, `HTTP` and its status."""
        return CODES[int(self.trailers["grpc-status"])] if "grpc-status" in self.trailers else f"HTTP {self.http_status}"

    @property
    def reason(self) -> str:
        """The reason in its details, where a browser's library reads them."""
        import base64

        details = self.trailers.get("grpc-status-details-bin", "")
        for one in status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4))).details:
            info = error_details_pb2.ErrorInfo()
            if one.Unpack(info):
                return str(info.reason)
        return ""


@dataclass(frozen=True)
class Got:
    """What is at an address."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Browser:
    """One browser, with its cookies."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session, self.address = session, address

    async def get(self, path: str, *, method: str = "GET") -> Got:
        """What is at a path, exactly as it is written; read, and redirects are not followed."""
        url = URL(path if "://" in path else f"{self.address}{path}", encoded=True)
        async with self.session.request(method, url, allow_redirects=False) as answer:
            found = Got(answer.status, answer.headers, await answer.read())
        jar: Any = self.session.cookie_jar
        jar.clear(lambda one: one.value == "deleted")  # which it only would when they are next due
        return found

    async def call(
        self,
        operation: str,
        message: Message | None = None,
        *,
        token: str = "",
        kind: str = BINARY,
        headers: Headers = NONE,
    ) -> Answered:
        """Calls an operation in grpc-web."""
        said = {"content-type": kind, "accept": kind, "x-grpc-web": "1", **headers}
        if token:
            said["authorization"] = f"Bearer {token}"
        body = framed(message.SerializeToString() if message is not None else b"")
        url = URL(f"{self.address}/{operation}", encoded=True)
        async with self.session.post(url, data=body, headers=said, allow_redirects=False) as answer:
            return _answered(answer.status, answer.headers, await answer.read())

    async def stream(self, operation: str, message: Message, *, token: str) -> AsyncIterator[bytes]:
        """The messages of a stream as they come."""
        said = {"content-type": BINARY, "accept": BINARY, "x-grpc-web": "1", "authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.address}/{operation}", data=framed(message.SerializeToString()), headers=said) as answer:
            while True:
                flags, length = struct.unpack(">BI", await answer.content.readexactly(5))
                content = await answer.content.readexactly(length)
                if flags & 0x80:
                    return
                yield content


def _answered(status: int, headers: Mapping[str, str], body: bytes) -> Answered:
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items() if name.lower() != "transfer-encoding")
    found: WebAnswer = read(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)
    return Answered(status, found.headers, tuple(found.messages), found.trailers)


@asynccontextmanager
async def browser(port: int, authority: Path, *, host: str = "localhost") -> AsyncIterator[Browser]:
    """A browser that trusts that authority, for the length of the block."""
    connector: Any = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(authority)))
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.CookieJar(quote_cookie=False), timeout=aiohttp.ClientTimeout(15)
    ) as session:
        yield Browser(session, f"https://{host}:{port}")
