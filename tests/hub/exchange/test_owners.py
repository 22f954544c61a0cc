"""Who owns a message where two platforms might deliver it: the same on every engine."""

import pytest
from engines import OPERATION, Bench, Opening, Time, settled, subscription

from hub.exchange.life import Event, State
from hub.exchange.records import Attempt, Filter, Move, NotAllowedError, Scope, Stage, UnknownError
from metip.tokens import Token, token_of

pytestmark = pytest.mark.asyncio(loop_scope="function")
NEW, OLD = f"new:{OPERATION}", f"old:{OPERATION}"
WHO = {"by": "1234", "reason": "the board said so"}
MOVE = "0197c5a0-0000-8000-8000-0000000000aa"


def platforms(**changes: object) -> tuple[object, object]:
    """The new platform's subscription, and the old platform's in its place."""
    return subscription("new", **changes), subscription("old", instead_of="new", **changes)


async def opened(bench: Bench, **changes: object) -> Bench:
    """Both platforms, nothing accepted yet."""
    await bench.subscribe(*platforms(**changes))  # type: ignore[arg-type]
    return bench


async def begin(bench: Bench, to: str, scope: Scope = Scope.ALL, key: str = "", move_id: str = MOVE) -> Move:
    return await bench.engine.begin_move(NEW, to, scope, key, move_id=move_id, **WHO)


async def moved(bench: Bench, to: str, scope: Scope = Scope.ALL, key: str = "", move_id: str = MOVE) -> Move:
    """A move of which every instance said that it is fenced."""
    move = await begin(bench, to, scope, key, move_id)
    return await bench.engine.fenced(move.move_id) if move.stage is Stage.FENCING else move


def token(attempt: Attempt) -> Token:
    return token_of(attempt.token)


async def done(bench: Bench, attempts: list[Attempt]) -> None:
    for one in attempts:
        await bench.settle(one, Event.CONFIRMED)


async def test_each_message_is_given_to_one_platform_only(bench: Bench) -> None:
    await opened(bench)
    for one in range(10):
        await bench.accept(f"m{one}", f"k{one % 3}")
    assert [one.body for one in await bench.take(OLD)] == []
    assert len(await bench.take(NEW)) == 3  # one of each key; the others wait for it
    assert sum((await bench.counts(NEW)).values()) == 10
    assert await bench.counts(OLD) == {}


async def test_what_lies_beyond_the_cursor_is_counted_and_listed_once(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    assert (await bench.counts(NEW), await bench.counts(OLD)) == ({State.PENDING: 1}, {})
    assert [one.subscription for one in await bench.find()] == [NEW]


async def test_a_delivery_carries_its_owner_a_number_and_no_key(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "SUSPECT/42")
    (attempt,) = await bench.take(NEW)
    assert token(attempt).owner == "new"
    assert token(attempt).number > 0
    assert "SUSPECT" not in attempt.token
    assert token(attempt) == await bench.engine.token(NEW, "SUSPECT/42")


async def test_a_subscription_of_its_own_gets_everything_and_no_token(bench: Bench) -> None:
    await bench.subscribe(*platforms(), subscription("third"))  # type: ignore[arg-type]
    await bench.accept("m1", "k")
    (attempt,) = await bench.take(f"third:{OPERATION}")
    assert attempt.token == ""
    assert len(await bench.take(NEW)) == 1


async def test_a_moved_key_goes_to_the_other_platform_in_order(bench: Bench) -> None:
    await opened(bench)
    for one in ("m1", "m2", "m3"):
        await bench.accept(one, "k")
    first = await bench.take(NEW)
    before = token(first[0]).number
    await done(bench, first)
    move = await moved(bench, "old", Scope.KEY, "k")
    assert (move.stage, move.deliveries) == (Stage.MOVED, 2)
    assert await bench.take(NEW) == []
    (attempt,) = await bench.take(OLD)
    assert attempt.body == b"m2"
    assert token(attempt).owner == "old"
    assert token(attempt).number > before
    await done(bench, [attempt])
    assert await bench.bodies(OLD) == ["m3"]


async def test_a_move_waits_for_what_is_under_way_and_begins_nothing_meanwhile(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k1")
    under_way = await bench.take(NEW)
    await bench.accept("m2", "k1")
    await bench.accept("m3", "k2")
    move = await begin(bench, "old")
    assert move.stage is Stage.DRAINING
    assert "1 under way at new" in move.waits_for
    assert await bench.take(NEW) == []
    assert await bench.take(OLD) == []
    await done(bench, under_way)
    assert (await bench.engine.advance(move.move_id)).stage is Stage.FENCING
    assert await bench.take(NEW) == []
    assert await bench.take(OLD) == []
    assert (await bench.engine.fenced(move.move_id)).stage is Stage.MOVED
    assert sorted(await bench.bodies(OLD)) == ["m2", "m3"]


async def test_what_a_platform_may_have_had_ends_there_before_its_key_moves(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    (attempt,) = await bench.take(NEW)
    await bench.settle(attempt, Event.FAILED, reason="TIMED_OUT", retry_at=bench.time.now)
    move = await begin(bench, "old")
    assert move.stage is Stage.DRAINING
    (again,) = await bench.take(NEW)
    assert again.number == 2
    await done(bench, [again])
    assert (await bench.engine.advance(move.move_id)).stage is Stage.FENCING


async def test_what_certainly_reached_nobody_may_move(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    (attempt,) = await bench.take(NEW)
    await bench.settle(attempt, Event.FAILED, reason="UNREACHABLE", retry_at=bench.time.now + 60)
    assert (await moved(bench, "old")).deliveries == 1
    bench.time.now += 61
    assert await bench.bodies(OLD) == ["m1"]


async def test_a_message_in_doubt_never_moves_and_the_refusal_names_it(bench: Bench) -> None:
    await opened(bench, write_once=True)
    message_id = await bench.accept("m1", "k")
    (attempt,) = await bench.take(NEW)
    await bench.settle(attempt, Event.DOUBTED, reason="NO_ANSWER")
    for scope, key in ((Scope.KEY, "k"), (Scope.ALL, "")):
        with pytest.raises(NotAllowedError, match=f"1 at new in doubt.*{message_id}"):
            await begin(bench, "old", scope, key)
    assert (await moved(bench, "old", Scope.KEY, "another")).stage is Stage.MOVED


async def test_a_doubt_that_comes_up_while_it_drains_holds_the_move_until_a_person_settles_it(bench: Bench) -> None:
    await opened(bench, write_once=True)
    message_id = await bench.accept("m1", "k")
    await bench.accept("m2", "k")
    (attempt,) = await bench.take(NEW)
    move = await begin(bench, "old")
    await bench.settle(attempt, Event.DOUBTED, reason="NO_ANSWER")
    found = await bench.engine.advance(move.move_id)
    assert (found.stage, "in doubt" in found.waits_for) == (Stage.DRAINING, True)
    await bench.engine.decide([(message_id, NEW)], Event.CONFIRMED, by="1234", reason="it is there")
    assert (await bench.engine.advance(move.move_id)).stage is Stage.FENCING
    await bench.engine.fenced(move.move_id)
    assert await bench.bodies(OLD) == ["m2"]


async def test_a_move_that_is_taken_back_leaves_everything_where_it_was(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    first = await bench.take(NEW)
    await bench.accept("m2", "k")
    move = await begin(bench, "old")
    await done(bench, first)
    move = await bench.engine.advance(move.move_id)
    assert move.stage is Stage.FENCING
    assert (await bench.engine.take_back(move.move_id, **WHO)).stage is Stage.TAKEN_BACK
    (attempt,) = await bench.take(NEW)
    assert attempt.body == b"m2"
    assert token(attempt).number >= move.number  # the fence that it may hold lets it through
    assert await bench.take(OLD) == []


async def test_a_begun_case_stays_where_it_began_when_only_new_ones_are_routed(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "old case")
    await done(bench, await bench.take(NEW))
    assert (await begin(bench, "old", Scope.NEW)).stage is Stage.MOVED
    await bench.accept("m2", "old case")
    await bench.accept("m3", "new case")
    assert await bench.bodies(NEW) == ["m2"]
    assert await bench.bodies(OLD) == ["m3"]


async def test_cases_that_began_before_there_was_a_second_platform_stay_too(bench: Bench) -> None:
    await bench.subscribe(subscription("new"))
    await bench.accept("m1", "old case")
    await done(bench, await bench.take(NEW))
    await bench.accept("m2", "open case")
    await bench.take(NEW)
    await opened(bench)
    await begin(bench, "old", Scope.NEW)
    await bench.accept("m3", "old case")
    assert await bench.bodies(OLD) == []
    assert "m3" in await bench.bodies(NEW)


async def test_an_ejected_key_is_remembered_when_all_others_move(bench: Bench) -> None:
    await opened(bench)
    await moved(bench, "old", Scope.KEY, "k1")
    await moved(bench, "old", move_id="a")
    await moved(bench, "new", move_id="b")
    await bench.accept("m1", "k1")
    await bench.accept("m2", "k2")
    (one,) = await bench.take(NEW)
    (other,) = await bench.take(OLD)
    assert (one.body, other.body) == (b"m2", b"m1")
    fences = [one for one in await bench.engine.fences("old", 0) if not one.digest]
    assert token(other).number >= fences[-1].number  # what it was fenced by with all others does not keep it out
    (post,) = await bench.engine.owners()
    assert (post.owner, post.ejected) == ("new", {"old": 1})


async def test_one_move_at_a_time_and_the_same_move_again_is_the_same(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    await bench.take(NEW)
    move = await begin(bench, "old", Scope.KEY, "k")
    assert (await begin(bench, "old", Scope.KEY, "k", "another id")).move_id == move.move_id
    with pytest.raises(NotAllowedError, match="one move at a time"):
        await begin(bench, "old", Scope.ALL, "", "another id")


async def test_moving_to_whom_it_is_already_changes_nothing(bench: Bench) -> None:
    await opened(bench)
    before = (await moved(bench, "new")).number
    assert (await moved(bench, "new")).number == before
    assert await bench.engine.fences("old", 0) == []


async def test_what_has_one_platform_and_what_is_no_platform_is_refused(bench: Bench) -> None:
    await opened(bench)
    with pytest.raises(UnknownError, match="one platform only"):
        await bench.engine.begin_move("far:other", "old", Scope.ALL, "", move_id=MOVE, **WHO)
    with pytest.raises(UnknownError, match="its platforms are new, old"):
        await begin(bench, "third")


async def test_a_subscription_handed_over_at_a_cut_loses_and_doubles_nothing(bench: Bench) -> None:
    await opened(bench)
    for one in range(6):
        await bench.accept(f"m{one}", f"k{one % 2}")
    under_way = await bench.take(NEW)  # m0, m1; m2 to m5 have passed too, and are held back
    handed = await begin(bench, "old", Scope.CUT)
    assert handed.stage is Stage.FINISHING
    for one in range(6, 10):
        await bench.accept(f"m{one}", f"k{one % 2}")
    got: dict[str, list[str]] = {NEW: [one.body.decode() for one in under_way], OLD: []}
    while under_way:
        await done(bench, under_way)
        under_way = []
        for name in (NEW, OLD):
            some = await bench.take(name)
            got[name] += [one.body.decode() for one in some]
            under_way += some
    assert sorted(got[NEW] + got[OLD]) == sorted(f"m{one}" for one in range(10))
    assert set(got[OLD]) >= {f"m{one}" for one in range(6, 10)}
    for key in (0, 1):
        order = [one for one in got[NEW] + got[OLD] if int(one[1:]) % 2 == key]
        assert order == sorted(order)
    assert (await bench.engine.advance(handed.move_id)).stage is Stage.MOVED
    assert [one.number for one in await bench.engine.fences("new", 0)] == [handed.number]


async def test_after_a_cut_a_key_waits_for_what_the_other_platform_has_of_it(bench: Bench) -> None:
    await opened(bench, write_once=True)
    message_id = await bench.accept("m1", "k1")
    (attempt,) = await bench.take(NEW)
    await bench.settle(attempt, Event.DOUBTED)
    await begin(bench, "old", Scope.CUT)
    await bench.accept("m2", "k1")
    await bench.accept("m3", "k2")
    assert await bench.bodies(OLD) == ["m3"]
    await bench.engine.decide([(message_id, NEW)], Event.CONFIRMED, by="1234", reason="it is there")
    assert await bench.bodies(OLD) == ["m2"]


async def test_a_cut_can_be_undone_before_it_is_finished(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k1")
    first = await bench.take(NEW)
    await begin(bench, "old", Scope.CUT)
    await begin(bench, "new", Scope.CUT, "", "back")
    await bench.accept("m2", "k1")
    await done(bench, first)
    assert await bench.bodies(NEW) == ["m2"]
    assert [one.to for one in await bench.engine.moves()] == []
    assert await bench.engine.fences("new", 0) == []


async def test_a_replay_goes_to_whoever_owns_the_key_now(bench: Bench) -> None:
    await opened(bench)
    message_id = await bench.accept("m1", "k")
    await done(bench, await bench.take(NEW))
    await moved(bench, "old", Scope.KEY, "k")
    (found,) = await bench.find(message_ids=(message_id,))
    plan = await bench.engine.plan(
        Filter(message_ids=(found.message_id,)),
        by="1234",
        reason="again",
        write_once=frozenset(),
        expires=bench.time.now + 60,
    )
    await bench.engine.replay(plan.plan_id, by="1234", reason="again")
    assert await bench.bodies(NEW) == []
    assert await bench.bodies(OLD) == ["m1"]


async def test_a_persons_word_on_a_doubt_makes_the_token_of_the_key_grow(bench: Bench) -> None:
    await opened(bench, write_once=True)
    message_id = await bench.accept("m1", "k")
    await bench.accept("m2", "k")
    (first,) = await bench.take(NEW)
    await bench.settle(first, Event.DOUBTED)
    await bench.engine.decide([(message_id, NEW)], Event.REFUSED, by="1234", reason="it is not there")
    (second,) = await bench.take(NEW)
    assert token(second).number > token(first).number
    assert [one.number for one in await bench.engine.fences("new", 0)] == [token(second).number]


async def test_moves_and_owners_survive_the_end_of_the_process(opening: Opening, tmp_path: object) -> None:
    time = Time()
    async with opening(tmp_path, time) as bench:  # type: ignore[arg-type]
        await opened(bench)
        await bench.accept("m1", "k1")
        await bench.take(NEW)
        await bench.accept("m2", "k2")
        move = await begin(bench, "old")
    async with opening(tmp_path, time) as bench:  # type: ignore[arg-type]
        await opened(bench)
        assert [one.move_id for one in await bench.engine.moves()] == [move.move_id]
        assert await bench.bodies(OLD) == []
        (again,) = await bench.take(NEW)  # its attempt was cut, so it ends where it began
        assert again.redelivery
        await done(bench, [again])
        assert (await bench.engine.advance(move.move_id)).stage is Stage.FENCING
    async with opening(tmp_path, time) as bench:  # type: ignore[arg-type]
        await opened(bench)
        assert await bench.take(OLD) == []
        await bench.engine.fenced(move.move_id)
        assert await bench.bodies(OLD) == ["m2"]
        assert await bench.engine.moves() == []


async def test_who_leaves_the_contract_keeps_what_is_its_until_it_is_moved(bench: Bench) -> None:
    await opened(bench)
    await moved(bench, "old")
    await bench.accept("m1", "k")
    await bench.subscribe(subscription("new"))
    assert await bench.bodies(NEW) == []
    assert (await bench.counts(OLD))[State.PENDING] == 1
    with pytest.raises(UnknownError):
        await moved(bench, "old", Scope.KEY, "other", "x")
    await moved(bench, "new", move_id="back")
    assert await bench.bodies(NEW) == ["m1"]


async def test_an_attempt_of_the_old_owner_that_ends_late_changes_nothing(bench: Bench) -> None:
    await opened(bench)
    await bench.accept("m1", "k")
    (first,) = await bench.take(NEW)
    await bench.settle(first, Event.FAILED, reason="UNREACHABLE", retry_at=bench.time.now)
    await moved(bench, "old")
    await bench.engine.turn(NEW, [settled(first, Event.CONFIRMED)], 0)
    assert await bench.bodies(OLD) == ["m1"]
