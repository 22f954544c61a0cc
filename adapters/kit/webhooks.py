"""An adapter's own door, at which a far system rings when it has news: signed, bounded in time, each ring taken once.

The law: what rings is `HMAC-SHA256(key, timestamp + "." + body)`, in hexadecimal, beside its timestamp in Unix seconds. A timestamp that is
too old or too new, a signature that does not fit, and a ring that was taken before are refused before anybody reads the body. What was not
taken in the end may come again, as it is.
"""

import hashlib
import hmac
import re
import secrets
import time
from asyncio import timeout
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from adapters.kit.listening import http_listener
from metip.faults import Fault
from metip.logs import Log

TOLERANCE = 300
"""Seconds between a timestamp and our clock."""
PATIENCE = 20.0
"""Seconds that a ring waits until it is taken."""
LARGEST = 1024 * 1024
AT_ONCE = 16
"""Rings in progress; one more is told to come again."""
TAKEN, MALFORMED, UNSIGNED, TAKEN_BEFORE, NOT_TAKEN = 204, 400, 401, 409, 503


@dataclass(frozen=True)
class Headers:
    """Where a far system puts the two."""

    timestamp: str
    signature: str
    prefix: str = ""
    """What stands before the signature, such as `v1=`."""


class RingError(ValueError):
    """A body that is no news: it would be no better if it came again."""


def sign(key: bytes, timestamp: str, body: bytes) -> str:
    """The signature of a body at a time."""
    return hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Seals:
    """Tells rings of one key from others, and remembers those that were taken for as long as their time allows."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._taken: OrderedDict[str, float] = OrderedDict()

    def admit(self, timestamp: str, signature: str, body: bytes) -> int:
        """0 for a ring that is to be taken, and counts as taken from now on; otherwise the HTTP status that refuses it."""
        now = self._clock()
        while self._taken and next(iter(self._taken.values())) < now:
            self._taken.popitem(last=False)
        if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(int(timestamp) - now) > TOLERANCE:
            return UNSIGNED
        if not hmac.compare_digest(sign(self._key, timestamp, body).encode(), signature.encode("utf-8", "replace")):
            return UNSIGNED
        if signature in self._taken:
            return TAKEN_BEFORE
        self._taken[signature] = now + 2 * TOLERANCE
        return 0

    def forget(self, signature: str) -> None:
        """The ring was not taken after all, and may come again."""
        self._taken.pop(signature, None)


class Door:
    """An HTTP listener in front of `take`, which returns once the news is safe and raises `RingError` or `Fault`."""

    def __init__(self, key: bytes, headers: Headers, take: Callable[[bytes], Awaitable[None]], log: Log) -> None:
        self._seals, self._headers, self._take, self._log = Seals(key), headers, take, log
        self._inside = 0

    def listening(self, host: str, port: int) -> AbstractAsyncContextManager[str]:
        """Listens for the length of the block and gives the base URL."""
        return http_listener(host, port, self._answer, largest=LARGEST, method="POST")

    async def _answer(self, request: web.Request) -> web.Response:
        if self._inside >= AT_ONCE:
            return web.Response(status=NOT_TAKEN)
        self._inside += 1
        try:
            status = await self._taken(request)
        finally:
            self._inside -= 1
        if status != TAKEN:
            self._log.line("ring_refused", status=status)
        return web.Response(status=status)

    async def _taken(self, request: web.Request) -> int:
        body = await request.read()
        timestamp, signature = (request.headers.get(name, "") for name in (self._headers.timestamp, self._headers.signature))
        signature = signature.removeprefix(self._headers.prefix)
        if status := self._seals.admit(timestamp, signature, body):
            return status
        status = NOT_TAKEN
        try:
            async with timeout(PATIENCE):
                await self._take(body)
            status = TAKEN
        except RingError:
            status = MALFORMED
        except (Fault, TimeoutError):
            pass
        finally:
            if status != TAKEN:
                self._seals.forget(signature)
        return status


@dataclass(frozen=True)
class Bell:
    """Where an adapter is to be rung at."""

    listen: str
    """`host:port`; '' is nowhere."""
    url: str
    """The URL under which the far system reaches that, where it is not the address itself."""
    headers: Headers

    @asynccontextmanager
    async def ringing(self, take: Callable[[bytes], Awaitable[None]], log: Log) -> AsyncIterator[tuple[str, str] | None]:
        """A door for the length of the block: its URL and its key, which is made anew each time. None where there is no door."""
        if not self.listen:
            yield None
            return
        host, _, port = self.listen.rpartition(":")
        key = secrets.token_hex(32)
        async with Door(key.encode(), self.headers, take, log).listening(host, int(port)) as address:
            yield self.url or address, key
