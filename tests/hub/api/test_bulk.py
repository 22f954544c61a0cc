"""A bulk hand-over keeps the order of its keys whatever finds no room; the store is the test's own."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from exchange_rig import PROBE, contracts, probe

from hub.api.bulk import Batch
from hub.exchange.accepting import acceptors_of
from hub.exchange.lots import Kept, Lot, kept_of
from hub.exchange.records import Accepted, FullError
from metip.call import Call
from metip.exchange.v1.exchange_service_pb2 import PublishBatchRequest, PublishBatchResponse

pytestmark = pytest.mark.asyncio(loop_scope="function")
CALL = Call("call-1", PROBE, "spiffe://metip.local/consumer/one", None, deadline=0.0)


class Store:
    """Keeps what it has room for: no message of those keys at the first asking."""

    def __init__(self, no_room_for: set[str]) -> None:
        self.kept: list[str] = []
        self.under_way = self.most_under_way = 0
        self._no_room_for = no_room_for

    async def accept_lot(self, lot: Lot) -> Kept:
        """Takes its time, so that whoever does not wait overtakes."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        full = {one.idempotency_key for one in lot.arrivals()} & self._no_room_for
        self._no_room_for -= full
        self.kept += [one.idempotency_key for one in lot.arrivals() if one.idempotency_key not in full]
        keys = list(lot.keys())
        return kept_of([FullError("no room") if key in full else Accepted(key, 0.0) for key in keys])


async def handed_over(store: Store, *parts: list[bytes]) -> PublishBatchResponse:
    """What the producer is told of so many parts."""

    async def judge(acceptor: Any, part: bytes, call: Call, officer: str, now: float) -> Any:
        return acceptor.judge_all(PublishBatchRequest.FromString(part).messages, call, officer, now)

    exchange: Any = SimpleNamespace(
        judges=SimpleNamespace(judge=judge), clock=lambda: 0.0, accepting=SimpleNamespace(calls=None), engine=store
    )
    batch = Batch(exchange, acceptors_of(contracts(), None, None)[PROBE], CALL, {})
    for messages in parts:
        await batch.take(PublishBatchRequest(operation=PROBE, messages=messages).SerializeToString())
    return await batch.close()


def refused(response: PublishBatchResponse) -> dict[int, tuple[str, str]]:
    return {one.place: (one.reason, one.text) for one in response.refused}


async def test_nothing_of_a_key_is_kept_after_what_found_no_room() -> None:
    store = Store({"a1"})
    first, second = [probe("a1", "a", 1), probe("b1", "b", 1)], [probe("a2", "a", 2), probe("b2", "b", 2), probe("c", "", 0)]
    response = await handed_over(store, first, second, [probe("a3", "a", 3)])
    assert store.kept == ["b1", "b2", "c"]
    assert list(response.message_ids) == ["", "b1", "", "b2", "c", ""]
    held = ("BUSY", "an earlier message of its ordering key was not kept")
    assert refused(response) == {0: ("BUSY", "no room"), 2: held, 5: held}


async def test_handed_over_again_all_is_kept_in_order() -> None:
    store = Store({"a1"})
    parts = [[probe("a1", "a", 1)], [probe("a2", "a", 2)]]
    await handed_over(store, *parts)
    assert refused(await handed_over(store, *parts)) == {}
    assert store.kept == ["a1", "a2"]


async def test_only_what_has_no_key_is_kept_side_by_side() -> None:
    ordered, free = Store(set()), Store(set())
    await handed_over(ordered, *([probe(f"a{place}", "a", place)] for place in range(4)))
    await handed_over(free, *([probe(f"f{place}")] for place in range(4)))
    assert (ordered.most_under_way, ordered.kept) == (1, ["a0", "a1", "a2", "a3"])
    assert free.most_under_way > 1
