"""Who owns messages that several platforms could deliver, as operators see it and change it."""

from abc import ABC, abstractmethod
from typing import Any

from hub.api.exchange_words import move, owner
from hub.exchange.owning import PATIENCE, Owners
from hub.exchange.records import UnknownError
from hub.exchange.running import Exchange
from metip.exchange.v1 import owner_pb2


class OwnersApi(ABC):
    """The part of the exchange's interface that is about owners. `_asked` admits an operator, records what came of it, and refuses."""

    _exchange: Exchange

    @abstractmethod
    def _asked(self, request: Any, context: Any, *, reason: bool = False) -> Any: ...

    async def ListOwners(self, request: owner_pb2.ListOwnersRequest, context: Any) -> owner_pb2.ListOwnersResponse:  # noqa: N802
        """Says who owns what; see the contract."""
        async with self._asked(request, context) as asked:
            found = await self._owners.owners(request.operation)
            tokens = [(one.post, await self._owners.engine.token(one.post, request.key)) for one in found if request.key]
            asked.disclosed = len(tokens)
            moves = await self._owners.engine.moves()
        return owner_pb2.ListOwnersResponse(
            owners=[owner(one) for one in found],
            moves=[move(one) for one in moves if request.operation in ("", one.post.partition(":")[2])],
            keys=[owner_pb2.KeyOwner(post=post, owner=one.owner, number=one.number) for post, one in tokens],
        )

    async def MoveOwner(self, request: owner_pb2.MoveOwnerRequest, context: Any) -> owner_pb2.MoveOwnerResponse:  # noqa: N802
        """Moves messages; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            done = await self._owners.move(
                request.operation,
                request.key or None,
                request.to,
                asked.who,
                request.access.justification,
                new_only=request.scope == owner_pb2.MOVE_SCOPE_NEW,
                patience=request.patience_seconds or PATIENCE,
            )
        return owner_pb2.MoveOwnerResponse(move=move(done))

    async def HandOver(self, request: owner_pb2.HandOverRequest, context: Any) -> owner_pb2.HandOverResponse:  # noqa: N802
        """Hands a subscription over; see the contract."""
        async with self._asked(request, context, reason=True) as asked:
            source = getattr(request, "from")
            done = await self._owners.hand_over(request.operation, source, request.to, asked.who, request.access.justification)
        return owner_pb2.HandOverResponse(move=move(done))

    @property
    def _owners(self) -> Owners:
        if self._exchange.owners is None:
            raise UnknownError("this exchange knows no owners")
        return self._exchange.owners
