"""What every engine does: accepts durably, delivers in order, doubles nothing, loses nothing, and keeps accounts that add up.

Long because every rule of the port is tried here once, on each engine.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from engines import NOW, OPERATION, Bench, Opening, Time, arrival, settled, subscription

from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, Arrival, Filter, ForbiddenError, FullError, NotAllowedError, Note, UnknownError
from metip.contracts import Start

pytestmark = pytest.mark.asyncio(loop_scope="function")
FAR = subscription().name
HOUR = 3600.0


async def test_what_was_accepted_is_there_after_a_new_start(opening: Opening, tmp_path: Path) -> None:
    async with opening(tmp_path, Time()) as first:
        await first.subscribe(subscription())
        message_id = await first.accept("a")
    async with opening(tmp_path, Time()) as again:
        await again.subscribe(subscription())
        (attempt,) = await again.take(FAR)
        assert (attempt.message_id, attempt.body, attempt.number, attempt.redelivery) == (message_id, b"a", 1, False)


async def test_accepting_tells_every_subscription_that_it_has_something(bench: Bench) -> None:
    await bench.subscribe(subscription("one"), subscription("two"))
    await bench.accept("a")
    assert set(bench.ready) == {subscription("one").name, subscription("two").name}


async def test_each_subscription_is_given_every_message(bench: Bench) -> None:
    await bench.subscribe(subscription("one"), subscription("two"))
    for key in "abc":
        await bench.accept(key)
    assert await bench.bodies(subscription("one").name) == ["a", "b", "c"]
    assert await bench.bodies(subscription("two").name, 2) == ["a", "b"]
    assert await bench.bodies(subscription("two").name) == ["c"]


async def test_the_same_key_within_the_window_is_a_duplicate_and_after_it_is_not(bench: Bench) -> None:
    await bench.subscribe(subscription())
    first = await bench.accept("a")
    bench.time.now += 71 * HOUR
    (again,) = await bench.engine.accept([arrival("a")])
    assert again == Accepted(first, NOW, duplicate_of=first)
    bench.time.now += 2 * HOUR
    (later,) = await bench.engine.accept([arrival("a")])
    assert isinstance(later, Accepted)
    assert later.duplicate_of == ""
    assert await bench.bodies(FAR) == ["a", "a"]


async def test_the_same_key_of_another_operation_is_another_message(bench: Bench) -> None:
    await bench.accept("a")
    (other,) = await bench.engine.accept([Arrival(OPERATION + "Else", b"a", "a")])
    assert isinstance(other, Accepted)
    assert other.duplicate_of == ""


async def test_duplicates_within_one_batch_are_found(bench: Bench) -> None:
    await bench.subscribe(subscription())
    found = await bench.engine.accept([arrival("a"), arrival("b"), arrival("a")])
    assert [isinstance(one, Accepted) and bool(one.duplicate_of) for one in found] == [False, False, True]
    assert await bench.bodies(FAR) == ["a", "b"]


async def test_a_large_batch_is_kept_as_its_messages_would_be_one_by_one(bench: Bench) -> None:
    await bench.subscribe(subscription(backlog=12))
    before = await bench.accept("k3")
    found = await bench.engine.accept([arrival(f"k{number % 10}") for number in range(15)])
    ids = [one.message_id for one in found if isinstance(one, Accepted)]
    assert ids[3] == before
    assert ids[10:] == ids[:5]
    assert [bool(one.duplicate_of) for one in found if isinstance(one, Accepted)] == [n == 3 or n >= 10 for n in range(15)]
    more = await bench.engine.accept([arrival(f"m{number}") for number in range(10)])
    assert [type(one) for one in more] == [Accepted] * 2 + [FullError] * 8
    assert await bench.bodies(FAR) == ["k3", *(f"k{number}" for number in range(10) if number != 3), "m0", "m1"]


async def test_messages_of_one_key_are_given_one_at_a_time_in_order(bench: Bench) -> None:
    await bench.subscribe(subscription())
    for key in ("a1", "a2", "b1"):
        await bench.accept(key, key[0])
    attempts = await bench.take(FAR)
    assert [one.body for one in attempts] == [b"a1", b"b1"]
    assert await bench.bodies(FAR) == []
    again = await bench.take(FAR, 10, [settled(attempts[0], Event.ACKNOWLEDGED)])
    assert [one.body for one in again] == [b"a2"]


async def test_a_failed_attempt_comes_back_at_its_time_and_says_that_it_is_a_redelivery(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    turn = await bench.engine.turn(FAR, [settled(attempt, Event.FAILED, retry_at=NOW + 5)], 10)
    assert (turn.attempts, turn.due) == ((), NOW + 5)
    bench.time.now += 5
    (again,) = await bench.take(FAR)
    assert (again.number, again.redelivery, again.first_began) == (2, True, NOW)


@pytest.mark.parametrize(("blocks", "left"), [(True, []), (False, ["a2"])], ids=["blocking", "passing"])
async def test_a_parked_message_holds_back_its_own_key_or_not_as_the_contract_says(bench: Bench, blocks: bool, left: list[str]) -> None:
    await bench.subscribe(subscription(parked_blocks=blocks))
    for key in ("a1", "a2", "b1", "b2"):
        await bench.accept(key, key[0])
    first, other = await bench.take(FAR)
    await bench.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    await bench.settle(other, Event.ACKNOWLEDGED)
    assert sorted(await bench.bodies(FAR)) == [*left, "b2"]


async def test_a_released_message_goes_before_those_that_came_after_it_and_the_person_is_kept(bench: Bench) -> None:
    await bench.subscribe(subscription())
    for key in ("a1", "a2"):
        await bench.accept(key, "a")
    (first,) = await bench.take(FAR)
    await bench.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    assert await bench.engine.decide([(first.message_id, FAR)], Event.RELEASE, by="P1", reason="mended") == 1
    assert await bench.bodies(FAR) == ["a1"]
    steps = await bench.engine.steps(first.message_id)
    assert [(one.state, one.attempt, one.reason, one.by) for one in steps] == [
        (State.PARKED, 1, "NO_TRACE", "exchange"),
        (State.PENDING, 0, "mended", "P1"),
    ]


async def test_decisions_are_all_or_none(bench: Bench) -> None:
    await bench.subscribe(subscription())
    parked, done = await bench.accept("a"), await bench.accept("b")
    for attempt in await bench.take(FAR):
        await bench.settle(attempt, Event.GAVE_UP if attempt.message_id == parked else Event.CONFIRMED)
    with pytest.raises(NotAllowedError):
        await bench.engine.decide([(parked, FAR), (done, FAR)], Event.PURGE, by="P1", reason="wrong")
    assert await bench.counts(FAR) == {State.PARKED: 1, State.PROCESSED: 1}
    with pytest.raises(UnknownError):
        await bench.engine.decide([(parked, "nobody:nothing")], Event.PURGE, by="P1", reason="wrong")


async def test_a_settlement_of_an_older_attempt_changes_nothing(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    (first,) = await bench.take(FAR)
    await bench.settle(first, Event.FAILED, retry_at=NOW)
    (second,) = await bench.take(FAR)
    await bench.settle(first, Event.ACKNOWLEDGED)
    assert await bench.counts(FAR) == {State.ATTEMPT: 1}
    await bench.settle(second, Event.ACKNOWLEDGED)
    assert await bench.counts(FAR) == {State.DELIVERED: 1}


async def test_after_a_crash_a_repeatable_attempt_comes_back_and_a_write_once_one_is_in_doubt(opening: Opening, tmp_path: Path) -> None:
    both = (subscription("again"), subscription("once", write_once=True))
    async with opening(tmp_path, Time()) as first:
        await first.subscribe(*both)
        await first.accept("a")
        for one in both:
            assert await first.bodies(one.name) == ["a"]
    async with opening(tmp_path, Time()) as bench:
        await bench.subscribe(*both)
        (again,) = await bench.take(both[0].name)
        assert again.redelivery
        assert await bench.bodies(both[1].name) == []
        assert await bench.counts(both[1].name) == {State.IN_DOUBT: 1}


async def test_a_full_backlog_refuses_and_keeps_nothing(bench: Bench) -> None:
    await bench.subscribe(subscription(backlog=2))
    found = await bench.engine.accept([arrival(key) for key in "abc"])
    assert [type(one) for one in found] == [Accepted, Accepted, FullError]
    assert await bench.counts(FAR) == {State.PENDING: 2}
    (attempt, _) = await bench.take(FAR)
    await bench.settle(attempt, Event.CONFIRMED)
    await bench.accept("c")
    assert await bench.counts(FAR) == {State.PENDING: 1, State.ATTEMPT: 1, State.PROCESSED: 1}


@pytest.mark.parametrize(
    ("changes", "given"),
    [({"start": Start.NOW}, []), ({"start": Start.BEGINNING}, ["a", "b"]), ({"start": Start.TIME, "start_at": NOW + 5}, ["b"])],
    ids=["now", "beginning", "time"],
)
async def test_a_new_subscription_looks_back_as_far_as_it_asked(bench: Bench, changes: dict[str, Any], given: list[str]) -> None:
    await bench.accept("a")
    bench.time.now += 10
    await bench.accept("b")
    await bench.subscribe(subscription(**changes))
    assert await bench.bodies(FAR) == given


async def test_a_subscription_that_is_gone_gets_no_more_and_keeps_nobody_waiting(bench: Bench) -> None:
    await bench.subscribe(subscription("one"), subscription("two"))
    await bench.subscribe(subscription("one"))
    await bench.accept("a")
    assert await bench.bodies(subscription("one").name) == ["a"]
    with pytest.raises(UnknownError):
        await bench.take(subscription("two").name)


async def test_a_delayed_message_waits_for_its_time(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a", not_before=NOW + 60)
    turn = await bench.engine.turn(FAR, [], 10)
    assert (turn.attempts, turn.due) == ((), NOW + 60)
    bench.time.now += 60
    assert await bench.bodies(FAR) == ["a"]


async def test_a_message_that_grew_too_old_expires_and_waits_for_a_person(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a", expires=NOW + 60)
    bench.time.now += 61
    assert await bench.bodies(FAR) == []
    assert await bench.bodies(FAR) == []
    assert await bench.counts(FAR) == {State.EXPIRED: 1}
    assert [one.example for one in await bench.engine.groups()] == [message_id]


async def test_what_a_person_releases_begins_anew_and_grows_too_old_no_more(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a", expires=NOW + 60)
    (first,) = await bench.take(FAR)
    await bench.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    bench.time.now += 3600
    await bench.engine.decide([(message_id, FAR)], Event.RELEASE, by="P1", reason="mended")
    (again,) = await bench.take(FAR)
    assert (again.number, again.tries, again.first_began) == (2, 1, NOW + 3600)


async def test_what_the_cursor_has_not_passed_is_parked_and_taken_out_where_it_stands(bench: Bench) -> None:
    await bench.subscribe(subscription())
    ids = [await bench.accept(f"a{number}", "a") for number in range(4)]
    await bench.engine.decide([(ids[2], FAR)], Event.PARK, by="P1", reason="not yet")
    await bench.engine.decide([(ids[1], FAR)], Event.PURGE, by="P1", reason="not at all")
    assert await bench.counts(FAR) == {State.PENDING: 2, State.PARKED: 1, State.PURGED: 1}
    assert [one.message_id for one in await bench.find(subscription=FAR)] == ids
    (first,) = await bench.take(FAR)
    assert first.body == b"a0"
    assert await bench.take(FAR, 10, [settled(first, Event.CONFIRMED)]) == []
    await bench.engine.decide([(ids[2], FAR)], Event.RELEASE, by="P1", reason="now")
    (third,) = await bench.take(FAR)
    assert third.body == b"a2"
    (last,) = await bench.take(FAR, 10, [settled(third, Event.CONFIRMED)])
    assert last.body == b"a3"


@pytest.mark.parametrize("event", [Event.CONFIRMED, Event.REFUSED])
async def test_only_a_doubt_is_settled_by_a_persons_word(bench: Bench, event: Event) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a")
    await bench.take(FAR)
    with pytest.raises(NotAllowedError):
        await bench.engine.decide([(message_id, FAR)], event, by="P1", reason="it is done")


async def test_a_persons_words_stay_with_the_step_and_are_no_cause(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a")
    await bench.engine.decide([(message_id, FAR)], Event.PARK, by="P1", reason="her solicitor rang")
    assert [one.cause.reason for one in await bench.engine.groups()] == ["PERSON"]
    assert [(one.reason, one.by) for one in await bench.engine.steps(message_id)] == [("her solicitor rang", "P1")]


async def test_the_oldest_that_waits_is_the_oldest_whatever_comes_due_first(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    bench.time.now += 5
    await bench.accept("b")
    first, second = await bench.take(FAR)
    await bench.engine.turn(FAR, [settled(first, Event.FAILED, retry_at=NOW + 500), settled(second, Event.FAILED, retry_at=NOW + 10)], 0)
    assert [one.oldest_waiting for one in await bench.engine.accounts()] == [NOW]


async def test_a_paused_subscription_is_given_nothing_and_loses_nothing(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.engine.pause(FAR, paused=True, by="P1", reason="maintenance")
    await bench.accept("a")
    assert await bench.bodies(FAR) == []
    assert [one.paused for one in await bench.engine.accounts()] == [True]
    await bench.engine.pause(FAR, paused=False, by="P1", reason="done")
    assert await bench.bodies(FAR) == ["a"]


async def test_what_a_subscriber_learns_later_is_kept_once(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    await bench.settle(attempt, Event.ACKNOWLEDGED)
    for _ in range(2):
        await bench.engine.confirm(message_id, "far", Event.REFUSED, "1310")
    assert await bench.counts(FAR) == {State.REFUSED: 1}
    assert [(one.state, one.by) for one in await bench.engine.steps(message_id)] == [
        (State.DELIVERED, "exchange"),
        (State.REFUSED, "far"),
    ]
    with pytest.raises(UnknownError):
        await bench.engine.confirm(message_id, "nobody", Event.CONFIRMED, "")


async def test_an_outcome_that_overtakes_its_own_receipt_is_not_lost(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    await bench.engine.confirm(message_id, "far", Event.CONFIRMED, "")
    await bench.settle(attempt, Event.ACKNOWLEDGED)
    assert await bench.counts(FAR) == {State.PROCESSED: 1}


async def test_deliveries_are_found_by_key_state_id_and_page_whether_or_not_the_cursor_has_passed_them(bench: Bench) -> None:
    await bench.subscribe(subscription("one"), subscription("two"))
    ids = [await bench.accept(f"k{number}", "even" if number % 2 == 0 else "odd") for number in range(6)]
    one, two = subscription("one").name, subscription("two").name
    (first, _) = await bench.take(one)
    await bench.settle(first, Event.GAVE_UP, reason="NO_TRACE")
    assert [found.message_id for found in await bench.find(subscription=one, key="even")] == [ids[0], ids[2], ids[4]]
    assert [found.held_back for found in await bench.find(subscription=one, key="even")] == [False, True, True]
    assert [found.subscription for found in await bench.find(key="k3")] == [one, two]
    assert [found.message_id for found in await bench.find(states=frozenset({State.PARKED}))] == [ids[0]]
    assert [found.message_id for found in await bench.find(reason="NO_TRACE")] == [ids[0]]
    assert len(await bench.find(message_ids=(ids[1], ids[5]))) == 4
    interface, _, method = OPERATION.partition("/")
    assert await bench.find(operation=interface) == await bench.find(operation=OPERATION) == await bench.find()
    for stranger in (interface[:-1], f"{interface}/{method[:-1]}", method):
        assert await bench.find(operation=stranger) == []
    pages: list[tuple[str, str]] = []
    after = (0, "")
    while page := await bench.engine.deliveries(Filter(), after=after, limit=5):
        pages += [(found.message_id, found.subscription) for found in page]
        after = (page[-1].sequence, page[-1].subscription)
    assert pages == [(message_id, name) for message_id in ids for name in (one, two)]


async def test_a_message_is_shown_as_it_came(bench: Bench) -> None:
    message_id = await bench.accept("a")
    found = await bench.engine.message(message_id)
    assert (found.operation, found.body, found.producer, found.call_id) == (OPERATION, b"a", "spiffe://metip.local/consumer/test", "call-1")
    for nobody in ("00000000-0000-8000-8000-000000000001", message_id[:-1] + ("0" if message_id[-1] != "0" else "1")):
        with pytest.raises(UnknownError):
            await bench.engine.message(nobody)


async def test_a_replay_needs_a_second_person_when_the_operation_is_not_idempotent(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    await bench.settle(attempt, Event.CONFIRMED)
    plan = await bench.engine.plan(Filter(), by="P1", reason="lost there", write_once=frozenset({OPERATION}), expires=NOW + 60)
    assert plan.counts == {State.PROCESSED: 1}
    with pytest.raises(NotAllowedError):
        await bench.engine.replay(plan.plan_id, by="P1", reason="lost there")
    with pytest.raises(ForbiddenError):
        await bench.engine.approve(plan.plan_id, by="P1", reason="mine")
    await bench.engine.approve(plan.plan_id, by="P2", reason="agreed")
    told = [await bench.engine.replay(plan.plan_id, by="P1", reason="lost there") for _ in range(2)]
    assert [(one.replayed, one.left) for one in told] == [(1, 0), (1, 0)]
    (again,) = await bench.take(FAR)
    assert told[0].message_ids == (again.message_id,)
    assert (again.body, again.redelivery, again.number) == (b"a", True, 1)
    assert (await bench.engine.message(again.message_id)).replay_of == attempt.message_id


async def test_a_replay_is_of_the_deliveries_that_the_plan_found_and_of_no_later_ones(bench: Bench) -> None:
    await bench.subscribe(subscription("one"), subscription("two"))
    for key in "ab":
        await bench.accept(key)
    one, two = subscription("one").name, subscription("two").name
    for name in (one, two):
        for attempt in await bench.take(name):
            await bench.settle(attempt, Event.GAVE_UP)
    wanted = Filter(subscription=one, states=frozenset({State.PARKED}))
    plan = await bench.engine.plan(wanted, by="P1", reason="mended", write_once=frozenset(), expires=NOW + 60)
    await bench.accept("c")
    (later,) = await bench.take(one)
    await bench.settle(later, Event.GAVE_UP)
    done = await bench.engine.replay(plan.plan_id, by="P1", reason="mended")
    assert (done.replayed, done.left) == (2, 0)
    assert await bench.bodies(one) == ["a", "b"]
    assert await bench.counts(two) == {State.PARKED: 2, State.PENDING: 1}
    with pytest.raises(UnknownError):
        await bench.engine.replay("00000000-0000-4000-8000-000000000000", by="P1", reason="")


async def test_what_has_been_done_for_long_is_forgotten_and_nothing_else(bench: Bench) -> None:
    await bench.subscribe(subscription())
    done, parked = await bench.accept("a"), await bench.accept("b")
    bench.time.now += 100 * HOUR
    for attempt in await bench.take(FAR):
        await bench.settle(attempt, Event.CONFIRMED if attempt.message_id == done else Event.GAVE_UP)
    assert await bench.engine.retain({OPERATION: 90 * HOUR}) == 0
    bench.time.now += 100 * HOUR
    fresh = await bench.accept("c")
    assert await bench.engine.retain({OPERATION: 90 * HOUR}) == 1
    with pytest.raises(UnknownError):
        await bench.engine.message(done)
    assert [(await bench.engine.message(one)).message_id for one in (parked, fresh)] == [parked, fresh]
    assert await bench.counts(FAR) == {State.PARKED: 1, State.PENDING: 1}


async def test_time_that_was_put_back_delays_nothing(opening: Opening, tmp_path: Path) -> None:
    async with opening(tmp_path, Time()) as first:
        await first.subscribe(subscription())
        await first.accept("a")
        (attempt,) = await first.take(FAR)
        await first.settle(attempt, Event.FAILED, retry_at=NOW + 1)
    async with opening(tmp_path, Time(NOW - HOUR)) as again:
        await again.subscribe(subscription())
        again.time.now += 1
        assert await again.bodies(FAR) == ["a"]


async def test_a_backup_ends_and_is_of_one_moment_while_work_goes_on(bench: Bench, tmp_path: Path) -> None:
    await bench.subscribe(subscription())
    await bench.engine.accept([arrival(f"k{number}", window=0.0) for number in range(2000)])
    backup = asyncio.create_task(bench.engine.backup(tmp_path / "backup.sqlite"))
    accepted = 2000
    while not backup.done():
        await bench.accept(f"k{accepted}")
        accepted += 1
    await backup
    copy = apsw.Connection(str(tmp_path / "backup.sqlite"))
    ((messages, last),) = copy.execute("select count(*), max(sequence) from message")
    copy.close()
    assert 2000 <= messages == last <= accepted


async def test_what_was_parked_before_its_turn_and_released_still_goes_after_what_came_before_it(bench: Bench) -> None:
    await bench.subscribe(subscription())
    first, second = await bench.accept("a1", "a"), await bench.accept("a2", "a")
    await bench.engine.decide([(second, FAR)], Event.PARK, by="P1", reason="wait")
    await bench.engine.decide([(second, FAR)], Event.RELEASE, by="P1", reason="go")
    (attempt,) = await bench.take(FAR)
    assert attempt.message_id == first
    await bench.settle(attempt, Event.CONFIRMED)
    assert await bench.bodies(FAR) == ["a2"]


async def test_a_delivery_that_is_released_after_it_was_given_up_says_that_it_may_have_arrived_before(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    await bench.settle(attempt, Event.GAVE_UP)
    await bench.engine.decide([(attempt.message_id, FAR)], Event.RELEASE, by="P1", reason="mended")
    (again,) = await bench.take(FAR)
    assert again.redelivery


async def test_what_was_accepted_is_read_in_order_and_none_before_one_that_was_read(bench: Bench) -> None:
    await bench.subscribe(subscription())
    first, second, third = [await bench.accept(key) for key in "abc"]
    found, last = await bench.engine.accepted_after(0, 2, {OPERATION})
    assert [(one.message_id, one.body, one.operation) for one in found] == [(first, b"a", OPERATION), (second, b"b", OPERATION)]
    rest, end = await bench.engine.accepted_after(last, 10, {OPERATION})
    assert [one.message_id for one in rest] == [third]
    assert await bench.engine.accepted_after(end, 10, {OPERATION}) == ([], end)


async def test_what_is_read_of_some_operations_passes_those_of_others(bench: Bench) -> None:
    await bench.subscribe(subscription())
    for key in "abc":
        await bench.accept(key)
    _, end = await bench.engine.accepted_after(0, 10, {OPERATION})
    assert await bench.engine.accepted_after(0, 10, set()) == ([], end)
    fourth = await bench.accept("d")
    found, _ = await bench.engine.accepted_after(end, 10, {OPERATION, "metip.other.v1.OtherService/PublishOther"})
    assert [one.message_id for one in found] == [fourth]


async def test_what_persons_did_is_read_in_order(bench: Bench) -> None:
    await bench.subscribe(subscription())
    message_id = await bench.accept("a")
    await bench.engine.pause(FAR, paused=True, by="P1", reason="works")
    await bench.engine.decide([(message_id, FAR)], Event.PARK, by="P2", reason="wrong")
    plan = await bench.engine.plan(Filter(message_ids=(message_id,)), by="P1", reason="again", write_once=frozenset(), expires=NOW + HOUR)
    await bench.engine.replay(plan.plan_id, by="P1", reason="again")
    acts = await bench.engine.acts_after(0, 10)
    assert [(one.place, one.by, one.what) for one in acts] == [
        (1, "P1", "pause"),
        (2, "P2", "park"),
        (3, "P1", "plan"),
        (4, "P1", "replay"),
    ]
    assert acts[1].subject == f"{message_id} {FAR}"
    assert await bench.engine.acts_after(4, 10) == []


async def test_a_note_stays_with_its_group_through_a_new_start_and_names_who_left_it(opening: Opening, tmp_path: Path) -> None:
    async with opening(tmp_path, Time()) as first:
        await first.subscribe(subscription())
        await first.accept("a")
        (attempt,) = await first.take(FAR)
        await first.settle(attempt, Event.GAVE_UP, reason="TIMED_OUT")
        (group,) = await first.engine.groups()
        assert group.notes == ()
        kept = await first.engine.note(group.cause, "The far system is away until noon", by="100001XX")
        assert kept == Note(NOW, "100001XX", "The far system is away until noon")
        other = replace(group.cause, reason="REFUSED")
        with pytest.raises(UnknownError):
            await first.engine.note(other, "nothing waits for that", by="100001XX")
        assert [one.what for one in await first.engine.acts_after(0, 10)] == ["note"]
    async with opening(tmp_path, Time()) as again:
        await again.subscribe(subscription())
        assert [one.notes for one in await again.engine.groups()] == [(kept,)]


async def test_of_notes_the_latest_come_first_few_are_kept_and_old_ones_go(bench: Bench) -> None:
    await bench.subscribe(subscription())
    await bench.accept("a")
    (attempt,) = await bench.take(FAR)
    await bench.settle(attempt, Event.GAVE_UP, reason="TIMED_OUT")
    (group,) = await bench.engine.groups()
    for number in range(25):
        await bench.engine.note(group.cause, f"note {number}", by="100001XX")
    (found,) = await bench.engine.groups()
    assert [one.words for one in found.notes] == [f"note {number}" for number in range(24, 4, -1)]
    bench.time.now += 91 * 24 * HOUR
    await bench.engine.note(group.cause, "the last", by="100001XX")
    (found,) = await bench.engine.groups()
    assert [one.words for one in found.notes] == ["the last"]
