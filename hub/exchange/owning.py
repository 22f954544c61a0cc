"""Who owns messages that several platforms could deliver, and how that changes: drain, fence, then move.

The law: nothing moves while it is under way or in doubt; whoever loses it holds a fence, on disk, before anybody else is given it. A move
is kept in the engine step by step, so a hub that starts again goes on with it; one that can't end in its time is taken back.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.exchange.life import State
from hub.exchange.port import Engine
from hub.exchange.records import BrokenError, ExchangeError, Fence, Filter, Move, NotAllowedError, Ownership, Scope, Stage, UnknownError
from metip.contracts import Contracts
from metip.logs import Log
from metip.options.v1.options_pb2 import PURPOSE_AUDIT
from metip.tokens import Token

PATIENCE: Final = 60.0
"""Seconds after which a move that has not ended is taken back."""
EVERY: Final = 0.1
IDLE: Final = 2.0
"""Seconds between two looks for moves that somebody else began, such as another hub, or this one before it started again."""
HUB: Final = "hub"


class Record(Protocol):
    """Writes the record of one action before it is done. Raises `Fault` JOURNAL."""

    async def __call__(self, action: str, author: str, purpose: int, detail: str) -> None:
        """See `hub.api.actions.Recorder`."""


Unfenced = Callable[[Collection[str], str, int], tuple[str, ...]]
"""Instances of some systems that serve an interface and do not hold a fence of that number yet."""


@dataclass
class Owners:
    """Owners of the messages of one exchange."""

    engine: Engine
    contracts: Contracts
    unfenced: Unfenced
    record: Record
    log: Log
    steady: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)
    """When each move is taken back if it has not ended by then."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def move(
        self,
        operation: str,
        key: str | None,
        to: str,
        author: str,
        because: str,
        *,
        new_only: bool = False,
        patience: float = PATIENCE,
    ) -> Move:
        """Moves a key, or all keys, or only those to come, to a system; returns when that is so.

        Raises `UnknownError` for what there is not; `NotAllowedError` when something is in doubt, is under way for longer than `patience`
        seconds, or an instance does not take its fence; then nothing has moved. Raises `Fault` JOURNAL when it can't be recorded.
        """
        if key == "":
            raise UnknownError("a message without an ordering key is nobody's in particular: move all keys, or those to come")
        scope = Scope.NEW if new_only else Scope.ALL if key is None else Scope.KEY
        post = self._post(operation, to)
        what = f"key {key} of {post}" if key else post
        await self._recorded(f"messages/owner-{scope.value}", author, f"{what} to {to}: {because}")
        begun = await self._begun(post, to, scope, key or "", author, because)
        return await self._ended(begun, patience)

    async def hand_over(self, operation: str, source: str, to: str, author: str, because: str) -> Move:
        """Hands the subscription of one system over to another: what came before now is finished by the first, all else is the other's.

        Raises as `move` does, at once: nothing has to end first.
        """
        post = self._post(operation, to)
        if self._post(operation, source) != post:
            raise UnknownError(f"{source} and {to} do not deliver in each other's place")
        owner = (await self.engine.token(post, "")).owner
        if owner not in (source, to):
            raise NotAllowedError(f"{operation} is {owner}'s, and not {source}'s to hand over")
        await self._recorded("messages/hand-over", author, f"{post} from {source} to {to}: {because}")
        begun = await self._begun(post, to, Scope.CUT, "", author, because)
        self._wake.set()
        return begun

    async def take_back(self, move_id: str, author: str, because: str) -> Move:
        """Ends a move that was not carried out; everything stays whose it was. Raises `UnknownError`, and `Fault` JOURNAL."""
        await self._recorded("messages/owner-back", author, f"{move_id}: {because}")
        return await self.engine.take_back(move_id, by=author, reason=because)

    async def token(self, operation: str, key: str, system: str = "") -> Token:
        """Whose the next message of a key is, and under which number; `system`, where an operation has several posts, is one of it.

        Raises `UnknownError`.
        """
        return await self.engine.token(self._post(operation, system), key)

    async def owners(self, operation: str = "") -> list[Ownership]:
        """Who owns what."""
        return [one for one in await self.engine.owners() if operation in ("", one.operation)]

    async def in_doubt(self, operation: str) -> int:
        """Deliveries of an operation that are in doubt, at whatever system; at most a thousand are counted."""
        return len(await self.engine.deliveries(Filter(operation=operation, states=frozenset({State.IN_DOUBT})), limit=1000))

    async def fences(self, system: str, held: int) -> Sequence[Fence]:
        """What a system must not execute any more, above what it holds."""
        return await self.engine.fences(system, held)

    async def run(self) -> None:
        """Goes on with moves until it is cancelled: those of this hub, of one that ended, and of others on the same log."""
        while True:
            self._wake.clear()
            try:
                moves = await self.engine.moves()
                for one in moves:
                    await self._step(one)
            except BrokenError:
                raise
            except ExchangeError as error:
                moves = []
                self.log.line("move_failed", problem=str(error))
            if moves:
                await asyncio.sleep(EVERY)
            else:
                self._until.clear()
                await self._sleep()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(IDLE):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _step(self, move: Move) -> Move:
        """What can be done of a move now. One that nobody waits for is given `PATIENCE`."""
        if move.stage is Stage.FENCING and not self._left(move):
            return await self.engine.fenced(move.move_id)
        if move.stage in (Stage.DRAINING, Stage.FINISHING) and not move.waits_for:
            return await self.engine.advance(move.move_id)
        until = self._until.setdefault(move.move_id, self.steady() + PATIENCE)
        if move.stage in (Stage.DRAINING, Stage.FENCING) and self.steady() > until:
            self.log.line("move_taken_back", post=move.post, to=move.to)
            return await self.engine.take_back(move.move_id, by=HUB, reason=f"it took too long: {self._words(move)}")
        return move

    def _words(self, move: Move) -> str:
        """What a move waits for."""
        if move.waits_for:
            return move.waits_for
        left = self._left(move) if move.stage is Stage.FENCING else ()
        return f"{', '.join(left)} to hold the fence" if left else ""

    async def _begun(self, post: str, to: str, scope: Scope, key: str, author: str, because: str) -> Move:
        return await self.engine.begin_move(post, to, scope, key, move_id=str(uuid.uuid4()), by=author, reason=because)

    async def _ended(self, move: Move, patience: float) -> Move:
        """The move, once it is carried out. Raises `NotAllowedError` once it is taken back."""
        words = ""
        self._until[move.move_id] = self.steady() + patience
        while move.stage in (Stage.DRAINING, Stage.FENCING):
            words = self._words(move) or words
            move = await self._step(move)
            if move.stage in (Stage.DRAINING, Stage.FENCING):
                await asyncio.sleep(EVERY)
                move = await self.engine.advance(move.move_id)
        if move.stage is Stage.TAKEN_BACK:
            raise NotAllowedError(f"nothing was moved: it waited too long for {words}")
        return move

    def _left(self, move: Move) -> tuple[str, ...]:
        """Instances that have to hold the move's fence and do not."""
        operation = move.post.partition(":")[2]
        others = {one.system for one in self.contracts.subscriptions if one.post == move.post and one.system != move.to}
        return self.unfenced(others, operation.partition("/")[0], move.number)

    def _post(self, operation: str, system: str) -> str:
        """The post of an operation's messages in which a system may deliver them. Raises `UnknownError`."""
        posts = {one.system: one.post for one in self.contracts.subscriptions if one.operation == operation}
        shared = {post for post in posts.values() if list(posts.values()).count(post) > 1}
        if system in posts and posts[system] in shared:
            return posts[system]
        if not system and len(shared) == 1:
            return shared.pop()
        if not shared:
            raise UnknownError(f"{operation} has one platform only, so it has no owner to move")
        names = ", ".join(sorted(name for name, post in posts.items() if post in shared))
        raise UnknownError(f"{system or 'nobody'} is no platform of {operation}; {names} are")

    async def _recorded(self, action: str, author: str, detail: str) -> None:
        await self.record(action, author, PURPOSE_AUDIT, detail)
