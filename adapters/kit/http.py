"""HTTP for adapters: a client that maps every failure of the network to a fault, and bounds what it reads."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import aiohttp

from adapters.kit.upstream import Guard, Limits, Passage
from metip.faults import Fault, Reason
from metip.logs import Log
from metip.settings import SettingsError
from metip.tracing import HEADER as TRACE_HEADER

LARGEST_REPLY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the far system answered: status and body, whatever they mean."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """In any case of letters."""

    @property
    def retry_after(self) -> timedelta | None:
        """How long the far system asks to be left alone (RFC 9110, section 10.2.3, in seconds); None when it says nothing of it."""
        said = self.headers.get("Retry-After", "")
        return timedelta(seconds=int(said)) if re.fullmatch("[0-9]{1,5}", said) else None


class HttpClient:
    """Asks one base URL. Connections are pooled; bulkhead, breaker and time limit are the guard's, which the caller passes first."""

    def __init__(self, limits: Limits, log: Log, session: aiohttp.ClientSession) -> None:
        self.guard = Guard(limits, log)
        self._address = limits.address
        self._session = session

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, limits: Limits, log: Log, *, authority_file: str = "", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Self]:
        """A client for the length of the block. `authority_file` has the certificates of who signed an HTTPS server's; without one, the
        machine's own authorities count. `tls` is all of what an HTTPS client shows and accepts, in its place. Raises `SettingsError` when
        the file can't be read."""
        connector = aiohttp.TCPConnector(limit=limits.sessions, keepalive_timeout=30, ssl=tls or _trusting(authority_file))
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            yield cls(limits, log, session)

    async def exchange(
        self,
        method: str,
        path: str,
        passage: Passage,
        *,
        headers: Mapping[str, str],
        data: bytes = b"",
        query: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """One request within the `passage` that the guard gave.

        Raises `Fault`: UPSTREAM_UNAVAILABLE without a connection, or when it broke, or for a gateway's 502, 503 and 504; UPSTREAM_FAULT for
        a body of more than `LARGEST_REPLY` bytes. What any other status means is the caller's to say.
        """
        # What comes back is read as it is: nothing compressed, and nothing from any place but the one that was set.
        sent = {**headers, "Accept-Encoding": "identity"}
        if trace := passage.traceparent:
            sent[TRACE_HEADER] = trace
        try:
            passage.sent = True  # aiohttp connects and sends in one step, so from here on the request may have left
            url = f"{self._address}{path}"
            async with self._session.request(method, url, data=data or None, params=query, headers=sent, allow_redirects=False) as response:
                answer = HttpAnswer(response.status, await _bounded(response.content), response.headers)
        except aiohttp.ClientConnectorError:
            passage.sent = False
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "no connection to the far system") from None
        except (aiohttp.ClientError, asyncio.IncompleteReadError, ConnectionError):
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, "the connection to the far system broke") from None
        if len(answer.body) > LARGEST_REPLY:
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered more than {LARGEST_REPLY} bytes")
        if answer.status in (502, 503, 504):
            text = f"the far system answered HTTP {answer.status}"
            raise Fault(Reason.UPSTREAM_UNAVAILABLE, text, retry_after=answer.retry_after)
        return answer


def _trusting(authority_file: str) -> ssl.SSLContext | bool:
    if not authority_file:
        return True
    # Not `create_default_context(cadata=...)`: for an empty file it would trust every authority of the machine.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=Path(authority_file).read_text(encoding="ascii"))
    except (OSError, ValueError):  # an SSLError is an OSError
        raise SettingsError("authority_file", ("can't be used: it must hold certificates as PEM",)) from None
    return context


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """The whole body, or one byte more than is allowed."""
    reply = bytearray()
    async for chunk in content.iter_any():
        reply += chunk
        if len(reply) > LARGEST_REPLY:
            break
    return bytes(reply)
