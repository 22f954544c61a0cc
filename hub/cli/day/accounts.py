"""The exchange's accounts of a day: what each subscription was given and what became of it, how much waited, what waits still, and why."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hub.exchange.life import State

if TYPE_CHECKING:
    from hub.cli.exchange.asking import Exchange

ENTRIES: Final[Mapping[str, tuple[State, ...]]] = {
    "delivered": (State.DELIVERED, State.PROCESSED),
    "refused": (State.REFUSED,),
    "parked": (State.PARKED, State.EXPIRED, State.PURGED),
    "in_doubt": (State.IN_DOUBT,),
    "pending": (State.PENDING, State.ATTEMPT),
}
"""The entries of an account, each with its states: accepted = delivered + refused + parked + in doubt + pending."""
SAMPLE: Final = 200
"""Deliveries of one subscription that are looked at for their times."""
AT_ONCE: Final = 8
PAGE: Final = 1000
OFTEN: Final = 2.0
"""Seconds between two looks at what waits."""
WHY: Final = "The accounts of a simulated day"
DONE: Final = frozenset({State.DELIVERED.value, State.PROCESSED.value})


@dataclass(frozen=True)
class Account:
    """What became of a subscription's deliveries, by entry."""

    entries: Mapping[str, int]
    oldest: float = 0.0
    """Seconds that the oldest pending one has waited."""
    brought: int = 0
    """Deliveries that were pending at an earlier reading, and are in the entries too."""

    @property
    def given(self) -> int:
        """Deliveries that came, in whatever state they are; after the earlier reading where there is one."""
        return sum(self.entries.values()) - self.brought

    @property
    def pending(self) -> int:
        """Deliveries that wait or are under way."""
        return self.entries.get("pending", 0)

    def since(self, before: "Account | None") -> "Account":
        """What became of what came after an earlier reading of it, and of what was pending then."""
        if before is None:
            return self
        moved = {name: number - before.entries.get(name, 0) for name, number in self.entries.items() if name != "pending"}
        return Account({**moved, "pending": self.pending}, self.oldest, before.pending)


@dataclass(frozen=True)
class Cause:
    """Why deliveries of a subscription have not arrived, by the codes of their last attempt."""

    subscription: str
    state: str
    status: str
    reason: str


async def accounts(exchange: "Exchange") -> dict[str, Account]:
    """By subscription; empty where there is no exchange."""
    now, found = datetime.now(UTC), {}
    for one in await exchange.subscriptions():
        numbers = _by_state(one)
        entries = {name: sum(numbers.get(state.value, 0) for state in states) for name, states in ENTRIES.items()}
        oldest = (now - one.oldest_waiting.ToDatetime(UTC)).total_seconds() if one.HasField("oldest_waiting") else 0.0
        found[one.subscription] = Account(entries, max(0.0, oldest))
    return found


def _by_state(one: Any) -> dict[str, int]:
    from hub.cli.exchange.documents import counts

    return counts(one.counts)


@dataclass
class Backlog:
    """How much waited at each subscription, as seen every two seconds."""

    most: dict[str, int] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)
    """Seconds that the oldest waited."""

    def saw(self, found: Mapping[str, Account]) -> None:
        """Remembers one look."""
        for name, account in found.items():
            self.most[name] = max(self.most.get(name, 0), account.pending)
            self.longest[name] = max(self.longest.get(name, 0.0), account.oldest if account.pending else 0.0)

    async def watch(self, exchange: "Exchange") -> None:
        """Looks until cancelled; a look that the edge refuses is left out."""
        import grpc

        while True:
            await asyncio.sleep(OFTEN)
            try:
                self.saw(await accounts(exchange))
            except grpc.aio.AioRpcError:
                continue


async def at_rest(exchange: "Exchange", patience: float) -> dict[str, Account]:
    """The accounts when nothing is pending and nothing came for a second, or when so many seconds are over.

    A look that is refused is repeated meanwhile. Raises `grpc.aio.AioRpcError` when the last one was.
    """
    import grpc

    until, before = time.monotonic() + patience, -1
    while True:
        try:
            found = await accounts(exchange)
        except grpc.aio.AioRpcError:
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(1)
            continue
        given = sum(one.given for one in found.values())
        if time.monotonic() >= until or (given == before and not any(one.pending for one in found.values())):
            return found
        before = given
        await asyncio.sleep(1)


async def causes(exchange: "Exchange") -> Counter[Cause]:
    """Why deliveries wait for a person, or still wait for their turn."""
    from hub.cli.exchange.documents import CODE, group, nameless
    from metip.exchange.v1.exchange_service_pb2 import GroupWaitingRequest

    found: Counter[Cause] = Counter()
    for one in (await exchange.ask("GroupWaiting", GroupWaitingRequest())).groups:
        said = group(one)
        reason = said["reason"] if CODE.fullmatch(said["reason"]) else "IN_WORDS"  # a person's own, which may name somebody
        found[Cause(said["subscription"], said["state"], said["status"], reason)] += said["deliveries"]
    for one in await _listed(exchange, states=ENTRIES["pending"]):
        said = nameless(one)
        reason = "HELD_BACK" if one.held_back else said.get("reason", "") or "ITS_TURN"
        found[Cause(said["subscription"], said["state"], said.get("status", ""), reason)] += 1
    return found


async def delays(exchange: "Exchange", names: Sequence[str], since: datetime, seed: int) -> dict[str, list[float]]:
    """Seconds from acceptance to arrival, in order, of a sample of each subscription's deliveries; one that is not told is left out."""
    import grpc

    from hub.cli.exchange.asking import access
    from hub.cli.exchange.filters import state_of
    from metip.exchange.v1.exchange_service_pb2 import GetMessageRequest

    chance, turn = random.Random(seed), asyncio.Semaphore(AT_ONCE)  # noqa: S311 - a sample

    async def took(message_id: str, name: str) -> float | None:
        async with turn:
            try:
                reply = await exchange.ask("GetMessage", GetMessageRequest(access=access(WHY), message_id=message_id))
            except grpc.aio.AioRpcError:
                return None
        ends = [one.at for one in reply.steps if one.subscription == name and state_of(one.state) in DONE]
        return (ends[0].ToNanoseconds() - reply.message.accepted.ToNanoseconds()) / 1e9 if ends else None

    found = {}
    for name in names:
        listed = [one.message_id for one in await _listed(exchange, name, states=ENTRIES["delivered"], since=since)]
        times = await asyncio.gather(*(took(one, name) for one in chance.sample(listed, min(SAMPLE, len(listed)))))
        found[name] = sorted(one for one in times if one is not None)
    return found


async def _listed(exchange: "Exchange", name: str = "", *, states: Sequence[State], since: datetime | None = None) -> list[Any]:
    from hub.cli.exchange.asking import access
    from hub.cli.exchange.filters import number_of
    from metip.exchange.v1.exchange_service_pb2 import ListDeliveriesRequest
    from metip.exchange.v1.message_pb2 import DeliveryFilter

    wanted = DeliveryFilter(subscription=name, states=[number_of(state) for state in states])
    if since is not None:
        wanted.accepted_from.FromDatetime(since)
    found: list[Any] = []
    token = ""
    while True:
        request = ListDeliveriesRequest(access=access(WHY), filter=wanted, page_size=PAGE, page_token=token)
        reply = await exchange.ask("ListDeliveries", request)
        found += reply.deliveries
        token = reply.next_page_token
        if not token:
            return found


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which such a share lies; 0 of nothing."""
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))] if ordered else 0.0
