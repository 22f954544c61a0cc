"""Who delivers messages, as the exchange keeps it: the `Writers` of a hub."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.exchange.owning import Owners
from hub.exchange.records import NotAllowedError, UnknownError
from hub.migration.ports import RefusedError

PATIENCE: Final = 20.0
"""Seconds for which a move waits for what is under way."""


@dataclass(frozen=True)
class Fenced:
    """Moves messages by the exchange's own fences. What is no message is not the exchange's: of that the shares alone decide."""

    owners: Callable[[], Owners | None]
    old: Callable[[], str]
    """The system that is the old platform."""

    async def writer(self, operation: str) -> str:
        """The system that owns the messages to come; empty for what is no message."""
        owners = self.owners()
        if owners is None:
            return ""
        try:
            return (await owners.token(operation, "", self.old())).owner
        except UnknownError:
            return ""

    async def move(self, operation: str, to: str, author: str, because: str) -> None:
        """Drains, fences, then moves all keys. Raises `RefusedError` where something is in doubt or under way too long."""
        owners = self.owners()
        if owners is None or not await self.writer(operation):
            return
        try:
            await owners.move(operation, None, to, author, because, patience=PATIENCE)
        except (NotAllowedError, UnknownError) as error:
            raise RefusedError(str(error)) from None

    async def in_doubt(self, operation: str) -> int:
        """Deliveries in doubt, at most a thousand."""
        owners = self.owners()
        return await owners.in_doubt(operation) if owners is not None else 0
