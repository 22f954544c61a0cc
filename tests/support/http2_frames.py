"""HTTP/2 by hand: frames as a hostile client writes them, with no library in between that would know better.

`hyperframe` and `hpack`, which come with grpclib, only write single frames and header blocks.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
Fields = Sequence[tuple[str | bytes, str | bytes]]


def request(path: str, *more: tuple[str | bytes, str | bytes]) -> list[tuple[str | bytes, str | bytes]]:
    """The header fields of a gRPC call."""
    return [(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost"), ("content-type", "application/grpc"),
            ("te", "trailers"), *more]  # fmt: skip


@dataclass
class Http2:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encoder: Encoder = field(default_factory=Encoder)
    decoder: Decoder = field(default_factory=lambda: Decoder(max_header_list_size=1 << 20))
    stream: int = -1
    closed: bool = False
    goaway: int | None = None
    """The error code of a GOAWAY that came."""

    def next_stream(self) -> int:
        """The id of a new stream."""
        self.stream += 2
        return self.stream

    def headers(self, fields: Fields, *, end: bool = True, stream: int | None = None, whole: bool = True) -> HeadersFrame:
        """A HEADERS frame that opens a stream; `whole` says whether no CONTINUATION follows."""
        frame = HeadersFrame(self.next_stream() if stream is None else stream, data=self.encoder.encode(fields))
        frame.flags |= {name for name, wanted in (("END_HEADERS", whole), ("END_STREAM", end)) if wanted}
        return frame

    async def send(self, *frames: Frame | bytes) -> bool:
        """Writes frames, or bytes as they are; False once the edge has closed the connection."""
        with suppress(OSError):
            self.writer.write(b"".join(one if isinstance(one, bytes) else one.serialize() for one in frames))
            await self.writer.drain()
            return not self.closed
        self.closed = True
        return False

    async def read(self) -> Frame | None:
        """The next frame; None when the connection is closed. Settings and pings are not answered."""
        try:
            head = await self.reader.readexactly(HEAD)
            frame, length = Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(await self.reader.readexactly(length)))
        except (asyncio.IncompleteReadError, OSError):
            self.closed = True
            return None
        if isinstance(frame, GoAwayFrame):
            self.goaway = frame.error_code
        return frame

    async def until(self, wanted: Callable[[Frame], bool], *, within: float = 5.0) -> Frame | None:
        """The first frame that is wanted; None when the connection closed or the time ran out before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while (frame := await self.read()) is not None:
                    if isinstance(frame, HeadersFrame):
                        frame.fields = self.decoder.decode(frame.data)  # type: ignore[attr-defined]  # kept where the test looks for it
                    if wanted(frame):
                        return frame
        return None

    async def answer(self, stream: int, *, within: float = 5.0) -> dict[str, str]:
        """The first header fields that come back on a stream; empty when it was reset, or the connection closed."""
        frame = await self.until(lambda one: one.stream_id == stream and isinstance(one, HeadersFrame | RstStreamFrame), within=within)
        return {_text(name): _text(value) for name, value in getattr(frame, "fields", ())}

    async def ends(self, *, within: float = 10.0) -> bool:
        """Whether the edge closes the connection within so many seconds."""
        await self.until(lambda _: False, within=within)
        return self.closed or self.goaway is not None


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def data(stream: int, content: bytes, *, end: bool = False) -> DataFrame:
    """A DATA frame."""
    frame = DataFrame(stream, data=content)
    frame.flags |= {"END_STREAM"} if end else set()
    return frame


def framed(message: bytes, *, compressed: bool = False) -> bytes:
    """A gRPC message with its five bytes in front."""
    return bytes([compressed]) + len(message).to_bytes(4, "big") + message


@asynccontextmanager
async def connected(port: int, context: ssl.SSLContext, *, settings: dict[int, int] | None = None) -> AsyncIterator[Http2]:
    """A connection that has said its preface and settings, and read nothing yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    connection = Http2(reader, writer)
    try:
        await connection.send(PREFACE, SettingsFrame(0, settings=settings or {}))
        yield connection
    finally:
        writer.transport.abort()  # a farewell by TLS would wait for the edge's, for a second
