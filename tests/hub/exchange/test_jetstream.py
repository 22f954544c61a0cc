"""Several hubs on one log: work is shared, a dead hub's attempts are taken over once, and no acknowledged message is lost or doubled."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from engines import NOW, Bench, arrival, subscription
from hubs import LEASE, WITHIN, Hubs, caught_up, content_of, engine_of, has, stream_of
from waiting import until

from hub.exchange.jetstream.leases import Watch
from hub.exchange.jetstream.sequencer import Append, Told
from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, BrokenError, Filter, FullError, UnknownError
from metip.exchange.v1 import log_pb2 as log

FAR = subscription().name
ONCE = subscription("once", write_once=True).name


def _ids(found: Sequence[Accepted | FullError]) -> list[str]:
    return [one.message_id for one in found if isinstance(one, Accepted)]


@pytest.mark.asyncio(loop_scope="function")
async def test_what_one_hub_accepts_another_delivers_and_both_say_the_same_of_it(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await two.subscribe(subscription())
    message_id = await one.accept("a")
    await until(lambda: has(two, FAR, State.PENDING), WITHIN)
    assert FAR in two.ready
    (attempt,) = await two.take(FAR)
    assert (attempt.message_id, attempt.body) == (message_id, b"a")
    await caught_up(one, two)
    assert await one.take(FAR) == []
    await two.settle(attempt, Event.CONFIRMED)
    await caught_up(one, two)
    assert await one.counts(FAR) == await two.counts(FAR) == {State.PROCESSED: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_hubs_that_take_turns_at_once_give_each_message_once(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await two.subscribe(subscription())
    keys = [f"k{number}" for number in range(40)]
    await asyncio.gather(*((one, two)[number % 2].accept(key) for number, key in enumerate(keys)))
    given: list[str] = []
    async with asyncio.timeout(WITHIN):
        while len(given) < len(keys):
            for bodies in await asyncio.gather(one.bodies(FAR, 3), two.bodies(FAR, 3)):
                given += bodies
    assert sorted(given) == sorted(keys)
    await caught_up(one, two)
    assert await one.counts(FAR) == {State.ATTEMPT: 40}


@pytest.mark.asyncio(loop_scope="function")
async def test_files_of_all_hubs_are_the_same_to_the_last_row(hubs: Hubs) -> None:
    one, two = await hubs.open("one", lease=60), await hubs.open("two", lease=60)
    await one.subscribe(subscription(backlog=6), subscription("once", write_once=True))
    for number in range(8):
        hubs.time.now += 1
        await (one, two)[number % 2].engine.accept([arrival(f"k{number % 5}", str(number % 2))])
    (first, other) = await two.take(FAR)
    await two.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    await two.settle(other, Event.FAILED, retry_at=NOW)
    plan = await one.engine.plan(Filter(states=frozenset({State.PARKED})), by="P1", reason="x", write_once=frozenset(), expires=NOW + 99)
    await one.engine.replay(plan.plan_id, by="P1", reason="x")
    await hubs.open("three", lease=60)

    def alike() -> bool:
        one, two, three = (content_of(hubs.folder, name) for name in ("one", "two", "three"))
        return bool(one["message"]) and one == two == three

    await until(alike, WITHIN)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_dead_hubs_attempts_are_taken_over_once(hubs: Hubs) -> None:
    one, two, three = await hubs.open("one"), await hubs.open("two"), await hubs.open("three")
    for bench in (one, two, three):
        await bench.subscribe(subscription(), subscription("once", write_once=True))
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await one.take(ONCE)
    await caught_up(one, two, three)
    assert await two.take(FAR) == []
    await engine_of(one).halt()
    await until(lambda: has(two, FAR, State.PENDING), WITHIN)
    await caught_up(two, three)
    taken = [again for bench in (two, three) for again in await bench.take(FAR)]
    assert [(again.message_id, again.number, again.redelivery) for again in taken] == [(attempt.message_id, 2, True)]
    assert await two.counts(ONCE) == {State.IN_DOUBT: 1}
    steps = [one.reason for one in await two.engine.steps(attempt.message_id)]
    assert steps == ["PROCESS_ENDED", "PROCESS_ENDED"]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_living_hubs_attempts_stay_its_own_when_another_joins_subscribes_or_leaves(hubs: Hubs) -> None:
    one = await hubs.open("one")
    await one.subscribe(subscription())
    await one.accept("a")
    await one.take(FAR)
    two = await hubs.open("two")
    await two.subscribe(subscription())
    await one.subscribe(subscription())
    await two.engine.close()
    assert await one.counts(FAR) == {State.ATTEMPT: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_restarted_hub_takes_its_own_attempts_back_at_once(hubs: Hubs) -> None:
    one = await hubs.open("one", lease=3600)
    two = await hubs.open("two", lease=3600)
    await one.subscribe(subscription())
    await one.accept("a")
    await one.take(FAR)
    await engine_of(one).halt()
    again = await hubs.open("one", lease=3600)
    assert engine_of(again).recovered == (1, 0)
    (attempt,) = await again.take(FAR)
    assert attempt.redelivery
    await caught_up(again, two)
    assert await two.counts(FAR) == {State.ATTEMPT: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hub_whose_lease_ran_out_while_it_lived_joins_again_and_loses_nothing_that_it_is_told(hubs: Hubs) -> None:
    one, two = await hubs.open("one", lease=3600), await hubs.open("two", lease=LEASE)
    await one.subscribe(subscription())
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await caught_up(one, two)
    await until(lambda: has(two, FAR, State.PENDING), WITHIN)
    await one.accept("b")
    await one.settle(attempt, Event.CONFIRMED)
    await caught_up(one, two)
    assert await two.counts(FAR) == {State.PENDING: 2}
    assert not one.broken


@pytest.mark.asyncio(loop_scope="function")
async def test_a_second_process_of_the_same_hub_ends_the_first(hubs: Hubs) -> None:
    first = await hubs.open("one")
    second = await _other_folder(hubs, "one")
    await until(lambda: first.broken, WITHIN)
    with pytest.raises(BrokenError):
        await first.accept("a")
    await second.accept("a")


async def _other_folder(hubs: Hubs, name: str) -> Bench:
    folder = hubs.folder / "elsewhere"
    folder.mkdir()
    elsewhere = Hubs(hubs.server, folder, hubs.time, hubs.stack)
    return await elsewhere.open(name, stream=stream_of(hubs.folder))


class LosesAcks:
    """Writes entries and forgets that they were acknowledged, so often."""

    def __init__(self, losses: int) -> None:
        self.losses = losses

    def __call__(self, append: Append) -> Append:
        async def lossy(entry_id: str, data: bytes) -> Told:
            told = await append(entry_id, data)
            if self.losses:
                self.losses -= 1
                return Told.UNKNOWN
            return told

        return lossy


class ForgetsIds(LosesAcks):
    """Also writes under an id of its own each time, as when the log's memory of ids is too short."""

    def __call__(self, append: Append) -> Append:
        tries = 0

        async def lossy(entry_id: str, data: bytes) -> Told:
            nonlocal tries
            tries += 1
            return await super(ForgetsIds, self).__call__(append)(f"{entry_id}.{tries}", data)

        return lossy


@pytest.mark.parametrize("losing", [LosesAcks, ForgetsIds], ids=["kept once by the log", "written thrice"])
@pytest.mark.asyncio(loop_scope="function")
async def test_an_entry_whose_acknowledgement_was_lost_is_not_doubled(hubs: Hubs, losing: type[LosesAcks]) -> None:
    losses = losing(0)
    bench = await hubs.open("one", append=losses, lease=3600)
    await bench.subscribe(subscription())
    losses.losses = 2
    # No idempotency window: only the log's own care can keep this from being doubled.
    message_id = await bench.accept("a", window=0.0)
    await bench.accept("b", window=0.0)
    assert losses.losses == 0
    attempts = await bench.take(FAR)
    assert [one.body for one in attempts] == [b"a", b"b"]
    assert attempts[0].message_id == message_id


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hub_starts_from_a_snapshot_and_what_the_log_still_has(hubs: Hubs) -> None:
    one = await hubs.open("one", snapshot_every=1, lease=3600)
    await one.subscribe(subscription())
    ids = [await one.accept(f"k{number}") for number in range(5)]
    applied = await engine_of(one).snapshot()
    assert (await engine_of(one)._log.span())[0] >= applied
    ids.append(await one.accept("late"))
    two = await hubs.open("two", lease=3600)
    assert [found.message_id for found in await two.find()] == ids
    assert [attempt.message_id for attempt in await two.take(FAR)] == ids
    await engine_of(two).halt()
    again = await hubs.open("two", lease=3600)
    assert engine_of(again).recovered == (6, 0)


@pytest.mark.asyncio(loop_scope="function")
async def test_snapshots_are_kept_as_the_log_grows_and_it_is_bounded(hubs: Hubs) -> None:
    one = await hubs.open("one", snapshot_every=10, lease=3600)
    for number in range(60):
        await one.accept(f"k{number}")

    async def bounded() -> bool:
        return (await engine_of(one)._log.span())[0] > 10

    await until(bounded, WITHIN)
    assert len(await (await hubs.open("two")).find()) == 0
    assert (await (await hubs.open("three")).engine.message(await one.accept("k59"))).body == b"k59"


@pytest.mark.asyncio(loop_scope="function")
async def test_a_message_larger_than_the_log_takes_is_refused_alone(hubs: Hubs) -> None:
    bench = await hubs.open("one")
    large = arrival("large")
    found = await bench.engine.accept([arrival("a"), _with_body(large, b"x" * 2_000_000), arrival("b")])
    assert [type(one) for one in found] == [Accepted, FullError, Accepted]
    many = [_with_body(arrival(f"m{number}"), b"y" * 100_000) for number in range(30)]
    assert len(_ids(await bench.engine.accept(many))) == 30


def _with_body(one: Any, body: bytes) -> Any:
    return replace(one, body=body)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_plan_of_one_hub_is_carried_out_by_another(hubs: Hubs) -> None:
    one, two = await hubs.open("one"), await hubs.open("two")
    await one.subscribe(subscription())
    await one.accept("a")
    (attempt,) = await one.take(FAR)
    await one.settle(attempt, Event.GAVE_UP)
    plan = await one.engine.plan(Filter(), by="P1", reason="mended", write_once=frozenset(), expires=NOW + 60)
    assert (await two.engine.replay(plan.plan_id, by="P2", reason="mended")).replayed == 1
    with pytest.raises(UnknownError):
        await two.engine.approve("00000000-0000-4000-8000-000000000000", by="P2", reason="")


def test_a_process_is_silent_only_after_a_lease_without_an_entry() -> None:
    watch = Watch(10)
    assert watch.silent({"a": 1, "b": 2}, 100) == []
    assert watch.silent({"a": 1, "b": 3}, 109) == []
    assert watch.silent({"a": 1, "b": 3}, 111) == [("a", 1)]
    watch.forget()
    assert watch.silent({"a": 1, "b": 3}, 200) == []


class CountsTurns:
    """Writes entries, and counts those that have a turn."""

    turns = 0

    def __call__(self, append: Append) -> Append:
        async def counting(entry_id: str, data: bytes) -> Told:
            self.turns += any(one.HasField("turn") for one in log.LogEntry.FromString(data).commands)
            return await append(entry_id, data)

        return counting


@pytest.mark.asyncio(loop_scope="function")
async def test_a_turn_that_would_change_nothing_is_not_written(hubs: Hubs) -> None:
    counts = CountsTurns()
    bench = await hubs.open("one", append=counts)
    await bench.subscribe(subscription())
    assert await bench.take(FAR) == []
    await bench.accept("a", not_before=NOW + 60)
    assert (await bench.engine.turn(FAR, [], 0)).attempts == ()
    assert counts.turns == 0
    for _ in range(2):
        turn = await bench.engine.turn(FAR, [], 10)
        assert (turn.attempts, turn.due) == ((), NOW + 60)
    assert counts.turns == 1
