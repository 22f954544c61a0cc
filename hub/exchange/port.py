"""The port behind which the exchange keeps messages: what every engine does, and when it says that it is done.

The law: nothing is told to anybody before it is durable. Whatever an engine keeps it can find again after its process, or its machine,
stopped at any instant. One engine is `hub.exchange.sqlite`, another `hub.exchange.jetstream`; the same conformance suite runs against each.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from hub.exchange.life import Event
from hub.exchange.lots import Kept, Lot
from hub.exchange.records import (
    Accepted,
    Account,
    Act,
    Arrival,
    Cause,
    Delivery,
    Fence,
    Filter,
    FullError,
    Group,
    Message,
    Move,
    Note,
    Ownership,
    Plan,
    Replayed,
    Scope,
    Settlement,
    Step,
    Turn,
)
from metip.contracts import Subscription
from metip.tokens import Token

Ready = Callable[[str], None]
"""Is told the name of a subscription that may have something to deliver."""


class Engine(Protocol):
    """Keeps messages and what became of them. Every method raises `BrokenError` once something could not be made durable."""

    async def subscribe(self, subscriptions: Sequence[Subscription], ready: Ready) -> None:
        """Makes these all the subscriptions there are. A new one begins where it says; one that is gone keeps what it had and gets no more.

        Attempts that were under way when the last process ended are put back, or are in doubt where the operation is write-once.
        """

    async def accept(self, arrivals: Sequence[Arrival]) -> list[Accepted | FullError]:
        """Keeps messages, in order; each is on disk when this returns, or its place holds why it is not."""

    async def accept_lot(self, lot: Lot) -> Kept:
        """The same for messages that were handed over in bulk."""

    async def turn(self, subscription: str, settlements: Sequence[Settlement], limit: int) -> Turn:
        """Records how attempts ended and begins up to `limit` new ones, each recorded before it is given.

        Of each ordering key only the first message that is not done is ever given; a settlement of an attempt that is not the latest one is
        ignored. Raises `UnknownError` for a subscription that there is not.
        """

    async def confirm(self, message_id: str, system: str, event: Event, reason: str) -> None:
        """Records what a subscriber learnt later: `CONFIRMED` or `REFUSED`; again changes nothing. Raises `UnknownError`."""

    async def decide(self, deliveries: Sequence[tuple[str, str]], event: Event, *, by: str, reason: str) -> int:
        """A person moves deliveries (message id, subscription), all or none. Raises `UnknownError` and `NotAllowedError`."""

    async def pause(self, subscription: str, *, paused: bool, by: str, reason: str) -> None:
        """Stops or resumes a subscription. Raises `UnknownError`."""

    async def message(self, message_id: str) -> Message:
        """One message. Raises `UnknownError`."""

    async def deliveries(self, wanted: Filter, *, after: tuple[int, str] = (0, ""), limit: int = 100) -> list[Delivery]:
        """Deliveries that a filter finds, by (sequence, subscription), those after `after`."""

    async def steps(self, message_id: str) -> list[Step]:
        """Every step of every delivery of a message, oldest first. Raises `UnknownError`."""

    async def accepted_after(self, sequence: int, limit: int, operations: Collection[str]) -> tuple[list[Message], int]:
        """Messages of some operations in order of acceptance, those after one place; and up to which place there are no more of them.

        Nothing that is accepted later ever comes before that place.
        """

    async def handed_over(
        self, calls: Collection[str], traces: Collection[str], *, since: float = 0.0, before: float = 0.0, limit: int = 1000
    ) -> list[str]:
        """Ids of messages that some calls, or calls of some traces, handed over, accepted within a time; without one, of the latest."""

    async def with_key(self, key: str, *, since: float = 0.0, before: float = 0.0, limit: int = 100) -> list[str]:
        """Ids of messages with an idempotency or ordering key, in full, accepted within a time, the latest first."""

    async def replays(self, message_id: str) -> list[str]:
        """Ids of the messages that are replays of one. Raises `UnknownError` for an id of no message of this exchange."""

    async def acts_after(self, place: int, limit: int) -> list[Act]:
        """What persons did, in order, after one place; none is ever forgotten."""

    async def accounts(self) -> list[Account]:
        """Every subscription, by name, with its counts."""

    async def groups(self, subscription: str = "") -> list[Group]:
        """What waits for a person, by cause, the largest group first, each with what was said of it."""

    async def note(self, cause: Cause, words: str, *, by: str) -> Note:
        """Says something of a group. Raises `UnknownError` where nothing waits for that cause."""

    async def plan(self, wanted: Filter, *, by: str, reason: str, write_once: frozenset[str], expires: float) -> Plan:
        """Fixes the deliveries that a filter finds now."""

    async def approve(self, plan_id: str, *, by: str, reason: str) -> None:
        """Approves a plan. Raises `UnknownError`, `NotAllowedError`, and `ForbiddenError` to whoever made it."""

    async def replay(self, plan_id: str, *, by: str, reason: str) -> Replayed:
        """Carries out a plan, once. Raises `UnknownError`, `NotAllowedError` when it needs an approval and has none."""

    async def begin_move(self, post: str, to: str, scope: Scope, key: str, *, move_id: str, by: str, reason: str) -> Move:
        """Begins to move the messages of a post to a system, or says how far the same move is; `key` for one key, empty otherwise.

        Raises `UnknownError`, and `NotAllowedError` while another move is under way or something waits that may have had its effect.
        """

    async def advance(self, move_id: str) -> Move:
        """Takes a move as far as it goes by itself, and says what it waits for. Raises `UnknownError`."""

    async def fenced(self, move_id: str) -> Move:
        """Says that every instance that this hub knows of the other systems holds the move's fence; then it is carried out. Raises
        `UnknownError`."""

    async def take_back(self, move_id: str, *, by: str, reason: str) -> Move:
        """Ends a move that was not carried out. Raises `UnknownError`."""

    async def moves(self) -> list[Move]:
        """Moves that are not ended, the oldest first."""

    async def owners(self) -> list[Ownership]:
        """Who owns what, by post."""

    async def token(self, post: str, key: str) -> Token:
        """Whose the next message of a key is. Raises `UnknownError`."""

    async def fences(self, system: str, after: int, limit: int = 1000) -> list[Fence]:
        """What a system must not take any more, by number, after one number."""

    async def retain(self, retention: dict[str, float], limit: int = 1000) -> int:
        """Forgets up to `limit` messages whose deliveries have all been done for as long as their operation's retention, in seconds."""

    async def backup(self, path: Path) -> None:
        """Copies everything into a file, as of one moment, while work goes on. Raises `NotAllowedError` where it can not."""

    async def close(self) -> None:
        """Finishes what was begun and lets go."""
