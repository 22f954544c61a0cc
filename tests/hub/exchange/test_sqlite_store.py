"""The store of the exchange, by itself: durable acceptance, one life for each delivery, order by key, accounts that add up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.exchange.life import DONE, NEXT, ContradictionError, Event, State, after
from hub.exchange.records import Arrival, Attempt, ExchangeFullError, Settlement, Start, Subscription
from hub.exchange.sqlite_store import SqliteStore

OPERATION = "metip.example.v1.ExampleService/PutExample"
WINDOW = 72 * 3600.0
NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = SqliteStore(tmp_path / "exchange.sqlite")
    yield found
    found.close()


def subscription(system: str = "far", **changes: bool) -> Subscription:
    return Subscription(system, OPERATION, **changes)


def arrival(key: str, ordering: str = "", not_before: float = 0.0) -> Arrival:
    return Arrival(OPERATION, key.encode(), idempotency_key=key, ordering_key=ordering, not_before=not_before)


def accept(store: SqliteStore, key: str, ordering: str = "", *, now: float = NOW, limit: int = 0, not_before: float = 0.0) -> str:
    return store.accept(arrival(key, ordering, not_before), now, window=WINDOW, limit=limit).message_id


def taken(store: SqliteStore, name: str, limit: int = 100, now: float = NOW) -> list[str]:
    return [attempt.body.decode() for attempt in store.take(name, limit, now)]


def settle(store: SqliteStore, attempt: Attempt, event: Event, *, now: float = NOW, retry_at: float = 0.0) -> bool:
    return store.settle(Settlement(attempt.sequence, attempt.subscription, attempt.number, event, retry_at=retry_at), now)


def test_every_state_that_is_not_done_has_a_way_out() -> None:
    assert {state for state, _ in NEXT} | DONE == set(State)
    for state in DONE - {State.DELIVERED}:
        assert not any(known is state for known, _ in NEXT)


def test_a_move_that_the_table_lacks_is_a_contradiction() -> None:
    with pytest.raises(ContradictionError):
        after(State.PROCESSED, Event.SEND)


def test_what_was_accepted_is_there_after_the_file_was_opened_again(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "e")
    first.run([lambda: first.subscribe(subscription(), NOW), lambda: accept(first, "a")])
    first.close()
    again = SqliteStore(tmp_path / "e")
    assert taken(again, subscription().name) == ["a"]
    again.close()


def test_the_same_key_within_the_window_is_a_duplicate_and_after_it_is_not(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    first = store.accept(arrival("a"), NOW, window=WINDOW, limit=0)
    again = store.accept(arrival("a"), NOW + WINDOW - 1, window=WINDOW, limit=0)
    assert (again.message_id, again.duplicate_of) == (first.message_id, first.message_id)
    assert store.accept(arrival("a"), NOW + WINDOW + 1, window=WINDOW, limit=0).duplicate_of == ""


def test_messages_of_one_key_are_given_one_at_a_time_in_order(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    for key in ("a1", "a2", "b1"):
        accept(store, key, key[0])
    attempts = store.take(subscription().name, 10, NOW)
    assert [one.body for one in attempts] == [b"a1", b"b1"]
    assert store.take(subscription().name, 10, NOW) == []
    settle(store, attempts[0], Event.ACKNOWLEDGED)
    assert taken(store, subscription().name) == ["a2"]


def test_a_failed_attempt_comes_back_at_its_time_and_says_that_it_is_a_redelivery(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    accept(store, "a")
    (attempt,) = store.take(subscription().name, 1, NOW)
    assert (attempt.number, attempt.redelivery) == (1, False)
    settle(store, attempt, Event.FAILED, retry_at=NOW + 5)
    assert taken(store, subscription().name, now=NOW + 4) == []
    (again,) = store.take(subscription().name, 1, NOW + 5)
    assert (again.number, again.redelivery) == (2, True)


@pytest.mark.parametrize(("blocks", "left"), [(True, []), (False, ["a2"])], ids=["blocking", "passing"])
def test_a_parked_message_holds_back_its_own_key_or_not_as_the_contract_says(store: SqliteStore, blocks: bool, left: list[str]) -> None:
    store.subscribe(subscription(parked_blocks=blocks), NOW)
    for key in ("a1", "a2", "b1", "b2"):
        accept(store, key, key[0])
    first, other = store.take(subscription().name, 10, NOW)
    settle(store, first, Event.GAVE_UP)
    settle(store, other, Event.ACKNOWLEDGED)
    assert taken(store, subscription().name) == [*left, "b2"]


def test_a_released_message_goes_before_those_that_came_after_it(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    for key in ("a1", "a2"):
        accept(store, key, "a")
    (first,) = store.take(subscription().name, 10, NOW)
    settle(store, first, Event.GAVE_UP)
    store.steer(first.sequence, first.subscription, Event.RELEASE, NOW, by="P1", reason="mended")
    assert taken(store, subscription().name) == ["a1"]
    assert [step.by for step in store.history(first.message_id)] == ["exchange", "exchange", "exchange", "P1", "exchange"]


def test_a_settlement_of_an_older_attempt_changes_nothing(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    accept(store, "a")
    (first,) = store.take(subscription().name, 1, NOW)
    settle(store, first, Event.FAILED, retry_at=NOW)
    (second,) = store.take(subscription().name, 1, NOW)
    assert not settle(store, first, Event.ACKNOWLEDGED)
    assert settle(store, second, Event.ACKNOWLEDGED)


def test_after_a_crash_a_repeatable_attempt_comes_back_and_a_write_once_one_is_in_doubt(store: SqliteStore) -> None:
    store.subscribe(subscription("again"), NOW)
    store.subscribe(subscription("once", write_once=True), NOW)
    accept(store, "a")
    for system in ("again", "once"):
        store.take(subscription(system).name, 1, NOW)
    assert store.recover(NOW + 1) == (1, 1)
    (again,) = store.take(subscription("again").name, 1, NOW + 1)
    assert again.redelivery
    assert store.take(subscription("once").name, 1, NOW + 1) == []
    assert store.counts()[subscription("once").name] == {State.IN_DOUBT: 1}


def test_a_full_backlog_refuses_and_keeps_nothing(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    accept(store, "a", limit=1)
    (result,) = store.run([lambda: accept(store, "b", limit=1)])
    assert isinstance(result, ExchangeFullError)
    assert store.counts()[subscription().name] == {State.PENDING: 1}


def test_one_job_that_fails_takes_no_other_with_it(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    results = store.run(
        [lambda: accept(store, "a"), lambda: store.steer(99, "x", Event.PARK, NOW, by="P", reason=""), lambda: accept(store, "b")]
    )
    assert isinstance(results[1], LookupError)
    assert taken(store, subscription().name) == ["a", "b"]


@pytest.mark.parametrize(
    ("start", "since", "given_"),
    [(Start.NOW, 0.0, []), (Start.BEGINNING, 0.0, ["a", "b"]), (Start.TIME, NOW + 5, ["b"])],
    ids=lambda one: str(one),
)
def test_a_new_subscription_looks_back_as_far_as_it_asked(store: SqliteStore, start: Start, since: float, given_: list[str]) -> None:
    accept(store, "a")
    accept(store, "b", now=NOW + 10)
    store.subscribe(subscription(), NOW + 20, start, since)
    assert taken(store, subscription().name, now=NOW + 20) == given_


def test_a_delayed_message_waits_for_its_time(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    accept(store, "a", not_before=NOW + 60)
    assert taken(store, subscription().name, now=NOW + 59) == []
    assert taken(store, subscription().name, now=NOW + 60) == ["a"]


def test_a_paused_subscription_is_given_nothing_and_loses_nothing(store: SqliteStore) -> None:
    store.subscribe(subscription(), NOW)
    store.pause(subscription().name, paused=True)
    accept(store, "a")
    assert taken(store, subscription().name) == []
    store.pause(subscription().name, paused=False)
    assert taken(store, subscription().name) == ["a"]


STEP = st.sampled_from(["accept", "take", "ok", "fail", "park", "refuse", "release", "crash"])


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(STEP, st.sampled_from("abc")), max_size=60), blocks=st.booleans(), once=st.booleans())
def test_whatever_happens_order_by_key_holds_and_the_accounts_add_up(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]], blocks: bool, once: bool
) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("s") / "e")
    one = subscription(parked_blocks=blocks, write_once=once)
    store.subscribe(one, NOW)
    under_way: list[Attempt] = []
    effects: list[str] = []
    accepted = 0
    for number, (step, key) in enumerate(steps):
        if step == "accept":
            accept(store, f"{key}{number:03d}", key)
            accepted += 1
        elif step == "take":
            under_way += store.take(one.name, 2, NOW)
        elif step == "crash":
            store.recover(NOW)
            under_way.clear()
        elif step == "release":
            for delivery in store.deliveries(subscription=one.name, state=State.PARKED):
                store.steer(delivery.sequence, one.name, Event.RELEASE, NOW, by="P", reason="try again")
        elif under_way:
            attempt = under_way.pop(0)
            event = {"ok": Event.ACKNOWLEDGED, "fail": Event.FAILED, "park": Event.GAVE_UP, "refuse": Event.REFUSED}[step]
            assert settle(store, attempt, event, retry_at=NOW)
            if event is Event.ACKNOWLEDGED:
                effects.append(attempt.body.decode())
        assert sum(store.counts()[one.name].values()) == accepted
    if blocks:
        for key in "abc":
            mine = [effect for effect in effects if effect.startswith(key)]
            assert mine == sorted(mine), "effects of one key in the order of acceptance"
    assert len(set(effects)) == len(effects)
    store.close()
