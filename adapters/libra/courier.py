"""The simulator's postman: deliveries that wait until they are due, and are pushed until the receiver acknowledges them."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from adapters.kit.binding import WireError
from adapters.libra import codes
from adapters.libra.envelopes import DeliverResponse, SubmitResponse
from adapters.libra.wire import decode

AGAIN = 0.5
"""Seconds before a delivery that was not acknowledged is made again; the real exchange waits minutes."""
PATIENCE = 25.0
AT_ONCE = 16
REMEMBERED = 10_000
"""Deliveries that are kept to be looked at, done or not."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One document on its way to the force."""

    body: bytes
    """As it is pushed: in a SOAP envelope, or alone."""
    text: str
    """As `retrieve` gives it."""
    due: float
    """On the clock of the event loop."""
    pushed: bool = True
    """Whether it is pushed at all, rather than left for `retrieve`."""
    made: datetime = field(default_factory=lambda: datetime.now(UTC))
    answers: list[int] = field(default_factory=list)
    """Response codes of the receiver, oldest first; -1 where there was none."""

    @property
    def done(self) -> bool:
        """Whether the receiver acknowledged it, or refused it for good."""
        return bool(self.answers) and self.answers[-1] not in (-1, *codes.RETRY)


class Courier:
    """Makes deliveries, a few at a time, in the order in which they fell due."""

    def __init__(self) -> None:
        self.address = ""
        """Where the force takes deliveries; empty until it is known."""
        self.tls: ssl.SSLContext | None = None
        """The exchange's own certificate, and whose it trusts; for a force that demands both."""
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self._open: list[Delivery] = []
        self._news = asyncio.Event()

    def send(self, delivery: Delivery) -> None:
        """Puts a delivery on its way."""
        self.deliveries.append(delivery)
        self._open.append(delivery)
        self._news.set()

    def moved(self, address: str) -> None:
        """Learns where the force takes deliveries."""
        if address and address != self.address:
            self.address = address
            self._news.set()

    def waiting(self, since: datetime, until: datetime) -> list[Delivery]:
        """What was made in that time and is not acknowledged."""
        return [one for one in self._open if not one.done and since <= one.made <= until]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Delivers for the length of the block."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
            task = asyncio.create_task(self._work(http))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait((task,))

    async def _work(self, http: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            pushed = sorted((one for one in self._open if one.pushed), key=lambda one: one.due) if self.address else []
            due = [one for one in pushed if one.due <= loop.time()][:AT_ONCE]
            await asyncio.gather(*(self._make(one, http) for one in due))
            self._open = [one for one in self._open if not one.done]
            if due:
                continue
            try:
                async with asyncio.timeout(max(0.0, pushed[0].due - loop.time()) if pushed else None):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _make(self, delivery: Delivery, http: aiohttp.ClientSession) -> None:
        delivery.answers.append(await self._push(delivery, http))
        if not delivery.done:
            delivery.due = asyncio.get_running_loop().time() + AGAIN

    async def _push(self, delivery: Delivery, http: aiohttp.ClientSession) -> int:
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8"}
            async with http.post(self.address, data=delivery.body, headers=headers, ssl=self.tls or True) as response:
                answer = decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, WireError):
            return -1
        known = isinstance(answer, (SubmitResponse, DeliverResponse)) and answer.code is not None
        return int(answer.code) if known else -1
