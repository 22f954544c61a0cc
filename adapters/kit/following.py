"""Following a change feed from token to token, so that no change is lost and none overtakes another.

The law: one reader at a time; the token moves on only after everything before it was passed on; what a far system rings at the door is a
part of the same feed, and is taken from the ring only where it begins at our token. Otherwise the feed is read, which has it too.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from adapters.kit.errands import meanwhile, repeat
from adapters.kit.json_documents import DocumentError, decode
from adapters.kit.webhooks import Bell, RingError
from metip.faults import Fault, Reason
from metip.logs import Log

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Part(Protocol[T_co]):
    """What lies between two tokens of a feed; '' is before the oldest change that there is."""

    @property
    def after(self) -> str: ...
    @property
    def next(self) -> str: ...
    @property
    def more(self) -> bool: ...
    @property
    def items(self) -> Sequence[T_co]: ...


@dataclass(frozen=True)
class Resume:
    """Where the token is kept; '' keeps it nowhere, so that a new process begins with the oldest change."""

    path: str

    def read(self) -> str:
        """The token; '' when there is none."""
        return Path(self.path).read_text(encoding="ascii").strip() if self.path and Path(self.path).exists() else ""

    def write(self, token: str) -> None:
        """Keeps a token; it is on disk, or the old one still is."""
        if not self.path:
            return
        new = Path(f"{self.path}.new")
        with new.open("w", encoding="ascii") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


class Follower(Generic[T]):
    """Passes a feed on. `read` gives what comes after a token, and raises `Fault` PRECONDITION for one that is too old."""

    def __init__(
        self, read: Callable[[str], Awaitable[Part[T]]], pass_on: Callable[[T], Awaitable[None]], resume: Resume, log: Log
    ) -> None:
        self._read, self._pass_on, self._resume, self._log = read, pass_on, resume, log
        self._token = resume.read()
        self._turn = asyncio.Lock()

    async def look(self) -> bool:
        """Takes the next part of the feed; whether there is more. Raises `Fault`."""
        async with self._turn:
            return await self._looked()

    async def take(self, part: Part[T]) -> None:
        """Takes what was rung, and returns once everything up to it was passed on. Raises `Fault`."""
        async with self._turn:
            if part.after == self._token and part.next:
                await self._taken(part)
                return
            while await self._looked():
                pass

    async def _looked(self) -> bool:
        try:
            part = await self._read(self._token)
        except Fault as fault:
            if fault.reason is not Reason.PRECONDITION or not self._token:
                raise
            # Changes between our token and the oldest that is left are gone; whoever keeps copies must be told by people.
            self._log.line("changes_lost")
            self._token = ""
            return True
        if part.more and part.next in ("", self._token):
            raise Fault(Reason.UPSTREAM_FAULT, "the far system's feed does not go on")
        await self._taken(part)
        return part.more

    async def _taken(self, part: Part[T]) -> None:
        for item in part.items:
            await self._pass_on(item)
        if part.next and part.next != self._token:
            await asyncio.to_thread(self._resume.write, part.next)
            self._token = part.next


@asynccontextmanager
async def following(
    follower: Follower[T], kind: type[Part[T]], bell: Bell, subscribe: Callable[[str, str], Awaitable[None]], every: float, log: Log
) -> AsyncIterator[None]:
    """Follows for the length of the block: reads the feed so often, and takes at once what rings at the door, a document of that kind.

    `subscribe` tells the far system of the door, its URL and its key, before each reading, since it may have forgotten.
    """

    async def take(body: bytes) -> None:
        try:
            part = decode(kind, body)
        except DocumentError:
            raise RingError from None
        await follower.take(part)

    async with bell.ringing(take, log) as door:

        async def look() -> bool:
            if door:
                await subscribe(*door)
            return await follower.look()

        async with meanwhile(repeat(look, every=every)):
            yield
