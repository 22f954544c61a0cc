"""A browser's way to the edge: grpc-web, framed by hand over HTTP/1.1 and TLS, with no library that knows either.

A frame is a byte of flags, four of length, and as many of content; the flag 0x80 marks the trailers, which are lines of `name: value`. The
text variant is the same in base64, of which each chunk may be padded by itself (PROTOCOL-WEB of the gRPC project).
"""

import asyncio
import base64
import re
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesh_rig import MeshRig

from hub.laptop.layout import DEVELOPER

BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text+proto"
TRAILERS = 0x80


@dataclass(frozen=True)
class WebAnswer:
    """What came back."""

    http_status: int
    headers: Mapping[str, str]
    messages: Sequence[bytes]
    trailers: Mapping[str, str]
    """From the last frame, or from the headers when there was nothing to answer but a status; empty when Envoy itself refused, which a
    browser's library tells by the HTTP status."""

    @property
    def grpc_status(self) -> int:
        """The gRPC status code."""
        return int(self.trailers["grpc-status"])


def framed(message: bytes) -> bytes:
    """The message as a frame."""
    return struct.pack(">BI", 0, len(message)) + message


async def ask(
    rig: MeshRig, operation: str, message: bytes, *, kind: str = BINARY, name: str = DEVELOPER, token: bool = True, **headers: str
) -> WebAnswer:
    """Calls an operation at the edge's own port, where gRPC is spoken too."""
    context = ssl.create_default_context(cafile=str(rig.store.ca_certificate))
    context.load_cert_chain(rig.store.certificate(name), rig.store.key(name))
    context.set_alpn_protocols(["http/1.1"])
    body = framed(message) if kind == BINARY else base64.b64encode(framed(message))
    said = {
        "host": rig.edge,
        "content-type": kind,
        "accept": kind,
        "x-grpc-web": "1",
        "content-length": str(len(body)),
        "connection": "close",
        **(dict(rig.token(name)) if token else {}),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    head = f"POST /{operation} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in said.items())
    async with asyncio.timeout(15):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.ports.grpc, ssl=context, server_hostname="localhost")
        try:
            writer.write(f"{head}\r\n".encode() + body)
            await writer.drain()
            return read(await reader.read(-1))
        finally:
            writer.close()


def read(data: bytes) -> WebAnswer:
    """The answer in the bytes of a connection that the server closed."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = _fields(lines)
    if headers.get("transfer-encoding") == "chunked":
        body = _joined(body)
    kind = headers.get("content-type", "")
    if not kind.startswith("application/grpc-web"):  # Envoy itself refused, before anything was said in grpc-web
        body = b""
    elif kind.startswith(TEXT.removesuffix("+proto")):
        body = b"".join(base64.b64decode(part) for part in re.findall(rb"[^=]+=*", body))
    messages, trailers = list[bytes](), {key: value for key, value in headers.items() if key.startswith("grpc-")}
    while body:
        flags, length = struct.unpack(">BI", body[:5])
        content, body = body[5 : 5 + length], body[5 + length :]
        assert len(content) == length, "a frame was cut short"
        if flags & TRAILERS:
            trailers |= _fields(content.decode().splitlines())
            assert not body, "something came after the trailers"
        else:
            messages.append(content)
    return WebAnswer(int(first.split(" ")[1]), headers, messages, trailers)


def _joined(body: bytes) -> bytes:
    """The chunks of a body, without what is around them."""
    found = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            return found
        found, body = found + body[:length], body[length + 2 :]


def _fields(lines: Sequence[str]) -> dict[str, str]:
    parted = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in parted}
