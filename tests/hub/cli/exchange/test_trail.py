"""Messages, deliveries and accounts as people and programs read them, from the exchange's own answers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from hub.cli.exchange import documents, trail
from hub.cli.exchange.accounts import table, well
from hub.cli.exchange.deciding import summary
from hub.cli.exchange.finding import outlook
from hub.cli.exchange.finding import table as deliveries_table
from hub.cli.exchange.replaying import plan_lines
from metip.exchange.v1 import exchange_service_pb2 as api
from metip.exchange.v1 import message_pb2 as words

NOW = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
ID = "0197c5a0-0000-8000-8000-00000000002a"
FAR = "far:metip.example.v1.ExampleMessageService/PublishExample"
NEAR = "near:metip.example.v1.ExampleMessageService/PublishExample"


def ago(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW - timedelta(seconds=seconds))
    return stamp


def delivery(state: str = "PROCESSED", subscription: str = FAR, **more: Any) -> words.DeliveryState:
    number: Any = words.State.Value(f"STATE_{state}")
    return words.DeliveryState(message_id=ID, subscription=subscription, state=number, accepted=ago(60), **more)


def step(state: str, at: float, *, attempt: int = 0, took: float = 0.0, by: str = "exchange", **more: str) -> words.Step:
    number: Any = words.State.Value(f"STATE_{state}")
    began = ago(at + took) if attempt else None
    return words.Step(subscription=FAR, state=number, at=ago(at), attempt=attempt, began=began, by=by, status="", **more)


def told(*lines: str) -> list[str]:
    return [click.unstyle(line) for line in lines]


def reply(*steps: words.Step, **standing: Any) -> api.GetMessageResponse:
    message = words.MessageState(
        message_id=ID,
        operation=FAR.partition(":")[2],
        accepted=ago(60),
        producer="spiffe://metip.local/consumer/one",
        call_id="call-1",
        deliveries=[delivery(**standing)],
    )
    content = json.dumps({"id": 42, "name": "•••"})
    return api.GetMessageResponse(
        message=message, steps=steps, content_type="metip.example.v1.PublishExampleRequest", masked_content=content, content_bytes=17
    )


def test_a_trail_tells_each_attempt_each_decision_and_what_a_subscriber_learnt_later() -> None:
    steps = (
        step("PENDING", 50, attempt=1, took=0.03, reason="UNREACHABLE"),
        step("PARKED", 40, attempt=2, took=2, reason="TIMED_OUT"),
        step("PENDING", 30, by="100001XX", reason="The far system is back"),
        step("DELIVERED", 29, attempt=3, took=0.1),
        step("PROCESSED", 20, by="far", reason="1310"),
    )
    lines = told(*trail.trails(reply(*steps, attempts=3), NOW))
    assert lines == [
        "",
        "✓ processed  far:PublishExample, 3 attempts",
        "  2026-11-23 10:14:30.000  accepted",
        "  2026-11-23 10:14:39.970  attempt 1  took 30 ms   UNREACHABLE               → tried again",
        "  2026-11-23 10:14:48.000  attempt 2  took 2 s     TIMED_OUT                 → parked",
        "  2026-11-23 10:15:00.000  released                “The far system is back”  by 100001XX",
        "  2026-11-23 10:15:00.900  attempt 3  took 100 ms                            → delivered",
        "  2026-11-23 10:15:10.000  processed               1310                      by far",
    ]


COMES_NEXT = [
    pytest.param({"state": "ATTEMPT", "attempts": 2}, "now   attempt 2  is under way", id="under-way"),
    pytest.param({"state": "PENDING", "attempts": 1, "next_attempt": ago(-5)}, "next  attempt 2  in 5 s", id="due-later"),
    pytest.param({"state": "PENDING", "next_attempt": ago(3)}, "next  attempt 1  due for 3 s", id="due"),
    pytest.param({"state": "PENDING", "held_back": True}, "next  attempt 1  held back by its key", id="held-back"),
]


@pytest.mark.parametrize(("standing", "line"), COMES_NEXT)
def test_a_trail_ends_with_what_comes_by_itself(standing: dict[str, Any], line: str) -> None:
    assert " ".join(told(*trail.trails(reply(**standing), NOW))[-1].split()) == " ".join(line.split())


def test_steps_of_a_subscription_that_is_no_more_are_told_too() -> None:
    found = reply(step("PROCESSED", 20, attempt=1))
    del found.message.deliveries[:]
    assert "far:PublishExample  (this subscription is no more)" in told(*trail.trails(found, NOW))


def test_content_is_shown_as_it_was_masked_and_keys_only_when_asked() -> None:
    found = reply(ordering_key="01AB/1234/26")
    text = "\n".join([*trail.head(found.message, NOW), *trail.content(found), *trail.trails(found, NOW)])
    assert '"name": "•••"' in text
    assert "17 bytes" in text
    assert "accepted   2026-11-23 10:14:30 UTC, 1 min ago" in text
    assert "01AB/1234/26" not in text
    assert "in order with all of key 01AB/1234/26" in "\n".join(trail.trails(found, NOW, keys=True))


def test_a_message_of_an_operation_that_is_gone_has_no_content_to_show() -> None:
    (line,) = trail.content(api.GetMessageResponse(content_bytes=9))
    assert line == "content    9 bytes of an operation that is not loaded any more"


def test_what_others_wrote_can_not_move_the_cursor() -> None:
    found = reply(step("PARKED", 1, by="100001XX", reason="\x1b[2Jgone"), ordering_key="\x1b[2J", status="\x1b[2J")
    found.message.producer = "\x1b[2J"
    text = "\n".join([*trail.head(found.message, NOW), *trail.trails(found, NOW, keys=True), *trail.standings(found.message, NOW)])
    assert "\x1b[2J" not in text


def test_a_message_that_nobody_wants_says_so() -> None:
    assert trail.standings(words.MessageState(), NOW) == ["nobody subscribes to it, so there is nothing to deliver"]


def test_a_message_that_is_followed_tells_only_what_changed() -> None:
    changes = trail.Changes()
    message = words.MessageState(deliveries=[delivery("PENDING"), delivery("PENDING", NEAR)])
    assert len(changes.lines(message, NOW)) == 2
    assert changes.lines(message, NOW) == []
    later = words.MessageState(deliveries=[delivery("PENDING"), delivery("PROCESSED", NEAR)])
    (line,) = told(*changes.lines(later, NOW))
    assert line.split() == ["10:15:30", "✓", "processed", "near:PublishExample", "0", "attempts"]


ENDS = [
    ("PROCESSED", True),
    ("DELIVERED", True),
    ("PURGED", True),
    ("REFUSED", False),
    ("PARKED", False),
    ("IN_DOUBT", False),
    ("EXPIRED", False),
]


@pytest.mark.parametrize(("state", "good"), ENDS)
def test_a_message_ended_well_when_every_delivery_did(state: str, good: bool) -> None:
    assert trail.ended_well(words.MessageState(deliveries=[delivery(), delivery(state, NEAR)])) is good


def test_nothing_personal_is_exported_no_key_and_no_words_of_a_person() -> None:
    found = delivery("PARKED", ordering_key="01AB/1234/26", reason="Rang Mr Halzerwick about it", attempts=2)
    assert documents.nameless(found) == {
        "message_id": ID,
        "subscription": FAR,
        "state": "parked",
        "attempts": 2,
        "accepted": "2026-11-23T10:14:30Z",
        "reason": "IN_WORDS",
    }


@pytest.mark.parametrize("reason", ["TIMED_OUT", "1310", "HO-100325"])
def test_reasons_that_are_codes_are_exported(reason: str) -> None:
    assert documents.nameless(delivery(reason=reason))["reason"] == reason


def test_as_json_a_delivery_has_its_state_in_the_word_that_options_take_and_its_key_only_when_asked() -> None:
    found = delivery("IN_DOUBT", ordering_key="k", held_back=True, next_attempt=ago(-1.5))
    document = documents.delivery(found)
    assert (document["state"], document["held_back"], document["next_attempt"]) == ("in_doubt", True, "2026-11-23T10:15:31.500Z")
    assert "ordering_key" not in document
    assert documents.delivery(found, keys=True)["ordering_key"] == "k"


def test_as_json_a_message_has_its_content_and_every_step() -> None:
    document = documents.whole(reply(step("PARKED", 1, attempt=1, took=1, reason="TIMED_OUT")))
    assert document["content"] == {"id": 42, "name": "•••"}
    assert document["steps"] == [
        {
            "subscription": FAR,
            "state": "parked",
            "at": "2026-11-23T10:15:29Z",
            "attempt": 1,
            "began": "2026-11-23T10:15:28Z",
            "reason": "TIMED_OUT",
            "by": "exchange",
        }
    ]


def test_a_state_that_this_program_does_not_know_is_shown_by_its_number() -> None:
    found = words.DeliveryState(message_id=ID, subscription=FAR)
    found.state = 99  # type: ignore[assignment]  # a newer exchange may have more
    assert documents.delivery(found)["state"] == "99"
    assert "99" in deliveries_table([found], NOW)[1][0]


def account(name: str = FAR, **more: Any) -> words.SubscriptionState:
    states = {"STATE_PENDING": 3, "STATE_PROCESSED": 40} | more.pop("states", {})
    counts: Any = [words.StateCount(state=words.State.Value(state), deliveries=number) for state, number in states.items()]
    return words.SubscriptionState(subscription=name, system="far", operation="x", counts=counts, **more)


def test_accounts_have_a_column_for_each_state_that_something_is_in_and_add_up() -> None:
    columns, rows = table([account(oldest_waiting=ago(90)), account(NEAR, states={"STATE_PARKED": 2}, unreachable_since=ago(5))], NOW)
    assert columns == ("subscription", "pending", "processed", "parked", "total", "oldest waiting", "condition")
    assert told(*rows[0]) == ["✓ far:PublishExample", "3", "40", "0", "43", "1 min 30 s", "delivers"]
    assert told(*rows[1]) == ["✗ near:PublishExample", "3", "40", "2", "45", "", "unreachable for 5 s, since 2026-11-23 10:15:25 UTC"]


@pytest.mark.parametrize(
    ("found", "good"),
    [
        pytest.param(account(), True, id="delivers"),
        pytest.param(account(paused=True), True, id="paused"),
        pytest.param(account(unreachable_since=ago(1)), False, id="unreachable"),
        pytest.param(account(states={"STATE_IN_DOUBT": 1}), False, id="in-doubt"),
        pytest.param(account(states={"STATE_REFUSED": 1}), True, id="refused-is-done"),
    ],
)
def test_a_subscription_is_well_when_it_is_reached_and_nothing_waits_for_a_person(found: words.SubscriptionState, good: bool) -> None:
    assert well(found) is good


def test_a_subscription_as_json_adds_up() -> None:
    document = documents.subscription(account(paused=True, states={"STATE_PARKED": 2}))
    assert (document["counts"], document["total"], document["paused"]) == ({"pending": 3, "processed": 40, "parked": 2}, 45, True)


def test_what_a_decision_would_move_is_counted_by_subscription_and_state() -> None:
    lines = summary("would purge", [delivery("PARKED"), delivery("PARKED"), delivery("EXPIRED", NEAR)], NOW)
    assert lines == [
        "would purge 3 deliveries:",
        "  far:PublishExample   parked   2  oldest 1 min ago",
        "  near:PublishExample  expired  1  oldest 1 min ago",
    ]


def test_a_plan_says_what_a_replay_would_do_to_each_state_and_who_must_approve() -> None:
    counts: Any = [words.StateCount(state=words.STATE_PENDING, deliveries=1), words.StateCount(state=words.STATE_PROCESSED, deliveries=20)]
    counts.append(words.StateCount(state=words.STATE_PARKED, deliveries=3))
    lines = plan_lines(api.PlanReplayResponse(plan_id=ID, counts=counts, needs_approval=True, expires=ago(-3600)), NOW)
    assert lines == [
        f"plan       {ID}",
        "replays    24 deliveries",
        "  pending    1   left: it is delivered anyhow",
        "  processed  20  delivered once more",
        "  parked     3   released",
        "approval   is needed from a second person: some of its operations are not idempotent",
        "expires    2026-11-23 11:15:30 UTC, in 1 h 0 min",
    ]


def test_what_is_done_has_no_outlook() -> None:
    assert outlook(delivery(), NOW) == ""
