"""Messages keep the trace of the call that handed them over, on every engine, and are found by call, trace, key and as replays."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import grpc
import pytest
from engines import NOW, OPERATION, Bench, Opening, Time, arrival, settled, sqlite, subscription

from hub.exchange.keys import fingerprints
from hub.exchange.life import Event
from hub.exchange.lots import Lot, packed
from hub.exchange.records import Accepted, Attempt, Filter, UnknownError
from hub.exchange.sending import Sender
from metip.contracts import Subscription
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.tracing import HEADER, context_of

pytestmark = pytest.mark.asyncio
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
CALL = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


async def accepted(bench: Bench, key: str, **more: Any) -> str:
    (found,) = await bench.engine.accept([arrival(key, **more)])
    assert isinstance(found, Accepted)
    return found.message_id


def lot(*keys: str) -> Lot:
    """Messages that one traced call hands over in bulk."""
    values = tuple(packed(key, "", key.encode()) for key in keys)
    prints = array("q", fingerprints(OPERATION, keys))
    return Lot(OPERATION, "spiffe://metip.local/consumer/test", "", CALL, 0.0, 0.0, 3600.0, values, prints, array("q"), True, PARENT)


async def sent(folder: Path, said: Subscription, attempts: Sequence[Attempt]) -> list[str]:
    """The `traceparent` that a subscriber is sent with each of these attempts."""
    came: list[str] = []

    async def take(_request: bytes, context: Any) -> bytes:
        came.append(dict(context.invocation_metadata())[HEADER])
        return Receipt().SerializeToString()

    class Plain(Sender):
        """Without TLS, which has tests of its own."""

        def channel(self) -> grpc.aio.Channel:
            return channel

    interface, _, method = said.operation.partition("/")
    handlers: Any = {method: grpc.unary_unary_rpc_method_handler(take)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(interface, handlers),))
    server.add_insecure_port(f"unix:{folder / 's'}")
    await server.start()
    async with grpc.aio.insecure_channel(f"unix:{folder / 's'}") as channel:
        for one in attempts:
            assert (await Plain("", folder, folder, folder).send(said, one)).processed
    await server.stop(0)
    return came


async def test_every_attempt_carries_the_trace_that_the_message_came_with(bench: Bench, tmp_path: Path) -> None:
    said = subscription()
    await bench.subscribe(said)
    await accepted(bench, "one", call_id=CALL, traceparent=PARENT)
    await bench.engine.accept_lot(lot("two", "three"))
    await accepted(bench, "four", call_id=CALL)
    first = await bench.take(said.name)
    assert [one.traceparent for one in first] == [PARENT, PARENT, PARENT, ""]
    assert await sent(tmp_path, said, first) == [PARENT, PARENT, PARENT, context_of("", CALL)]
    await bench.settle(first[0], Event.FAILED, retry_at=NOW)
    (again,) = await bench.take(said.name)
    assert (again.number, again.traceparent) == (2, PARENT)


async def test_a_message_and_its_replay_have_its_trace(bench: Bench) -> None:
    said = subscription()
    await bench.subscribe(said)
    message_id = await accepted(bench, "one", call_id=CALL, traceparent=PARENT)
    (attempt,) = await bench.take(said.name)
    await bench.settle(attempt, Event.CONFIRMED)
    plan = await bench.engine.plan(Filter(message_ids=(message_id,)), by="7", reason="a test", write_once=frozenset(), expires=NOW + 60)
    done = await bench.engine.replay(plan.plan_id, by="7", reason="a test")
    (again,) = done.message_ids
    assert again != message_id
    assert (await bench.engine.message(message_id)).traceparent == (await bench.engine.message(again)).traceparent == PARENT
    assert await bench.engine.replays(message_id) == [again]
    assert await bench.engine.replays(again) == []
    kept, _ = await bench.engine.accepted_after(0, 10, [OPERATION])
    assert [one.traceparent for one in kept] == [PARENT, PARENT]


async def test_messages_are_found_by_call_by_trace_and_by_time(
    bench: Bench,
) -> None:
    await bench.subscribe(subscription())
    ids = []
    for number in range(6):
        bench.time.now = NOW + number
        ids.append(
            await accepted(bench, f"k{number}", call_id=CALL if number % 2 else "other", traceparent=PARENT if number in (0, 3) else "")
        )
    find = bench.engine.handed_over
    assert await find([CALL], []) == [ids[1], ids[3], ids[5]]
    assert await find([], [TRACE]) == [ids[0], ids[3]]
    assert await find([CALL], [TRACE]) == [ids[0], ids[1], ids[3], ids[5]]
    assert await find([CALL], [], since=NOW + 2, before=NOW + 5) == [ids[3]]
    assert await find([CALL], [], since=NOW + 60) == await find([CALL], [], before=NOW - 60) == await find([], []) == []
    assert await find([CALL], [], limit=1) == [ids[1]]


async def test_messages_are_found_by_either_key_whether_or_not_anybody_subscribes(bench: Bench) -> None:
    first = await accepted(bench, "one", ordering="line")
    bench.time.now = NOW + 5
    second = await accepted(bench, "line", ordering="")
    find = bench.engine.with_key
    assert await find("line") == [second, first]
    assert await find("one") == [first]
    assert await find("line", before=NOW + 5) == [first]
    assert await find("line", since=NOW + 5) == [second]
    assert await find("line", limit=1) == [second]
    assert await find("nothing") == []


async def test_an_id_of_no_message_here_has_no_replays(bench: Bench) -> None:
    with pytest.raises(UnknownError):
        await bench.engine.replays(CALL)


async def test_a_file_from_before_traces_were_kept_is_opened_and_keeps_what_it_has(tmp_path: Path) -> None:
    said = subscription()
    async with sqlite(tmp_path, Time()) as bench:
        await bench.subscribe(said)
        before = await accepted(bench, "before", call_id=CALL)
    file = apsw.Connection(str(tmp_path / "exchange.sqlite"))
    file.execute("alter table message drop column traceparent")
    file.close()
    async with sqlite(tmp_path, Time()) as bench:
        await bench.subscribe(said)
        await accepted(bench, "after", call_id=CALL, traceparent=PARENT)
        assert [one.traceparent for one in await bench.take(said.name)] == ["", PARENT]
        assert (await bench.engine.message(before)).traceparent == ""


async def test_it_is_kept_whatever_ends_the_process(opening: Opening, tmp_path: Path) -> None:
    async with opening(tmp_path, Time()) as bench:
        await bench.subscribe(subscription())
        message_id = await accepted(bench, "one", call_id=CALL, traceparent=PARENT)
        (attempt,) = await bench.take(subscription().name)
        await bench.engine.turn(attempt.subscription, [settled(attempt, Event.FAILED, retry_at=NOW)], 0)
    async with opening(tmp_path, Time()) as bench:
        assert (await bench.engine.message(message_id)).traceparent == PARENT
