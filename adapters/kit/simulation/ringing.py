"""A simulated system that rings at doors (`adapters.kit.webhooks`): its feed of what happened, and the rings for what is new in it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from adapters.kit.errands import meanwhile
from adapters.kit.json_documents import encode
from adapters.kit.simulation.dials import Dials
from adapters.kit.simulation.rest import Refusal, Tree
from adapters.kit.simulation.transport import Http
from adapters.kit.webhooks import TAKEN, TAKEN_BEFORE, Headers, sign

RINGING_DIALS: Mapping[str, str] = {
    "burst": "so many more things happen, such as 50; each second again unless it is set for a number of times",
    "feed_forgets": "no longer has the changes after the token that is shown",
    "ring_lost": "does not ring for what is new",
    "ring_forged": "rings with a signature that does not fit",
    "ring_late": "rings with a timestamp of an hour ago",
    "ring_repeated": "rings a second time with the same bytes",
}
TICK, AGAIN = 1.0, 0.2
"""Seconds between two bursts, and until a ring that was not taken is repeated."""


class Feed:
    """What happened, in order; a token is how much of it somebody has."""

    def __init__(self) -> None:
        self.items: list[Tree] = []
        self.oldest = 0
        """How much of it is no longer kept."""
        self.news = asyncio.Event()

    def add(self, item: Tree) -> None:
        """Something happened."""
        self.items.append(item)
        self.news.set()

    def part(self, after: str, most: int) -> Tree:
        """What comes after a token. Raises `Refusal` for one that is too old."""
        start = int(after.removeprefix("t")) if after else self.oldest
        if start < self.oldest:
            raise Refusal(410, "feed-token-expired")
        end = min(start + most, len(self.items))
        return {"after": after, "next": f"t{end}", "more": end < len(self.items), "items": self.items[start:end]}


class Bells:
    """Rings at the door for what is new in a feed, until it is taken; `happen` makes one more thing happen."""

    def __init__(self, feed: Feed, headers: Headers, dials: Dials, happen: Callable[[], object]) -> None:
        self._feed, self._headers, self._dials, self._happen = feed, headers, dials, happen
        self._door: Mapping[str, str] = {}
        self._sent = 0
        self.answers: list[int] = []
        """What the door answered, ring by ring."""

    def subscribe(self, url: str, key: str) -> None:
        """Rings there from now on, for what is new."""
        if not self._door:
            self._sent = len(self._feed.items)
        self._door = {"url": url, "key": key}
        self._feed.news.set()

    async def burst(self) -> None:
        """Makes things happen, as the dial says, for ever."""
        while True:
            setting = self._dials.strike("burst")
            for _ in range(int(setting) if setting and re.fullmatch("[0-9]{1,6}", setting) else 0):
                self._happen()
            await asyncio.sleep(TICK)

    async def ring(self) -> None:
        """Rings for ever."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            while True:
                await self._feed.news.wait()
                self._feed.news.clear()
                while self._door and self._sent < len(self._feed.items):
                    part = self._feed.part(f"t{max(self._sent, self._feed.oldest)}", 100)
                    if self._dials.strike("ring_lost") is not None or await self._rung(session, encode(part)) in (TAKEN, TAKEN_BEFORE):
                        self._sent = int(part["next"].removeprefix("t"))
                    else:
                        await asyncio.sleep(AGAIN)

    async def _rung(self, session: aiohttp.ClientSession, body: bytes) -> int:
        moment = str(int(time.time()) - (3600 if self._dials.strike("ring_late") is not None else 0))
        key = "another" if self._dials.strike("ring_forged") is not None else self._door["key"]
        sealed = f"{self._headers.prefix}{sign(key.encode(), moment, body)}"
        headers, status = {self._headers.timestamp: moment, self._headers.signature: sealed}, 0
        for _ in range(2 if self._dials.strike("ring_repeated") is not None else 1):
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(self._door["url"], data=body, headers=headers) as response:
                    status = response.status
                    self.answers.append(status)
        return status


@dataclass(frozen=True)
class Ringing:
    """HTTP, and what the far system does by itself meanwhile."""

    http: Http
    bells: Bells

    @asynccontextmanager
    async def listening(self, host: str, port: int, dials: Dials) -> AsyncIterator[str]:
        """Listens for the length of the block and gives the base URL."""
        async with self.http.listening(host, port, dials) as address, meanwhile(self.bells.ring()), meanwhile(self.bells.burst()):
            yield address
