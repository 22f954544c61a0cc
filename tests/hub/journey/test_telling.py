"""What a journey says, whatever its sources leave out."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journeys import LATER, MESSAGE, NOW, PART, REACHED, SEARCH, SYSTEMS, TABLET, WORK, call_id, message, search, together

from hub.journey.evidence import Evidence, Noted, Passed, Reach, Recorded, Source, Standing
from hub.journey.steps import Journey, Kind, State, Step
from hub.journey.telling import told
from metip.tracing import trace_id_of

WHOLE = together(search(), message(trace=trace_id_of(call_id(1)), at=NOW + 0.05))
"""A search, and a message that is of the same trace."""


def by_kind(journey: Journey, kind: Kind) -> list[Step]:
    return [one for one in journey.steps if one.kind is kind]


def check_tree(journey: Journey) -> None:
    """One root; every other step after the step that it belongs to; no id twice."""
    seen: set[str] = set()
    for place, one in enumerate(journey.steps):
        assert one.id not in seen
        assert (one.parent == "") == (place == 0)
        assert place == 0 or one.parent in seen
        assert one.line.endswith(".")
        seen.add(one.id)


def subsets(whole: Evidence) -> st.SearchStrategy[Evidence]:
    """The same with any part of what each source tells, and with sources that reach back to any instant or are not there."""

    def some(values: tuple[Any, ...]) -> Any:
        return st.lists(st.booleans(), min_size=len(values), max_size=len(values)).map(
            lambda kept: tuple(value for value, keep in zip(values, kept, strict=True) if keep)
        )

    reach = st.fixed_dictionaries(
        {source: st.sampled_from((Reach(), Reach("is not kept here"), Reach(since=NOW + 30), Reach(since=NOW - 30))) for source in Source}
    )
    return st.builds(
        lambda records, passed, noted, messages, reach, now: replace(
            whole, records=records, passed=passed, noted=noted, messages=messages, reach=reach, now=now
        ),
        some(whole.records), some(whole.passed), some(whole.noted), some(whole.messages), reach,
        st.sampled_from((NOW + 1, NOW + 30, LATER)),
    )  # fmt: skip


@given(subsets(WHOLE))
def test_any_part_of_the_evidence_makes_a_tree_that_leaves_none_of_it_out(evidence: Evidence) -> None:
    if not (evidence.records or evidence.passed or evidence.messages):
        return
    journey = told(evidence)
    check_tree(journey)
    steps = journey.steps
    assert {one.index for one in evidence.records} <= {one.record for one in steps}
    assert {one.call_id for one in evidence.passed} <= {one.call_id for one in steps}
    told_of = {one.message_id for one in by_kind(journey, Kind.ACCEPTED)}
    named = {one.message_id for one in evidence.messages} | {one.message_id for one in evidence.records}
    assert (named | {one.message_id for one in evidence.passed}) - {""} <= told_of
    attempts = {(one.message_id, one.attempt, one.where.partition(":")[0]) for one in by_kind(journey, Kind.ATTEMPT)}
    kept = {
        (one.message_id, step.attempt, step.subscription.partition(":")[0])
        for one in evidence.messages
        for step in one.steps
        if step.attempt
    }
    assert attempts >= kept
    lines = [one for one in by_kind(journey, Kind.ENVOY) if Source.ENVOY in one.told_by]
    assert len(lines) == len(evidence.passed)


def test_a_search_is_told_with_every_system_that_it_asked() -> None:
    journey = told(search())
    check_tree(journey)
    root = journey.steps[0]
    assert (root.kind, root.who, root.what, root.outcome, root.state) == (Kind.CALL, TABLET, SEARCH, "OK", State.DONE)
    assert journey.id == trace_id_of(root.call_id)
    asked = by_kind(journey, Kind.FAR_SYSTEM)
    assert [(one.who, one.ms) for one in asked] == [(system, 40.0) for system in SYSTEMS]
    assert [one.state for one in asked] == [State.DONE, State.DONE, State.FAILED]
    adapter = next(one for one in by_kind(journey, Kind.ADAPTER) if one.who == "one")
    assert {one.parent for one in by_kind(journey, Kind.CALL)} == {"", adapter.id}
    assert not journey.open


def test_a_message_is_told_with_every_attempt_its_report_and_its_replay() -> None:
    journey = told(message())
    check_tree(journey)
    accepted = by_kind(journey, Kind.ACCEPTED)
    assert [one.parent.partition(":")[0] for one in accepted] == ["envoy", "message"]
    assert [(one.attempt, one.outcome, one.state) for one in by_kind(journey, Kind.ATTEMPT)] == [
        (1, "UPSTREAM_UNAVAILABLE", State.FAILED),
        (2, "OK", State.DONE),
        (1, "OK", State.DONE),
        (1, "OK", State.DONE),
    ]
    assert [one.who for one in by_kind(journey, Kind.REPORT)] == ["five"]
    under = {one.id: one.parent for one in journey.steps}
    adapters = [one for one in by_kind(journey, Kind.ADAPTER) if one.record is not None]
    assert all(under[one.parent].startswith("attempt:") for one in adapters), "each record stands at its own attempt"
    assert len({one.parent for one in adapters}) == 4


MISSING = {
    "rotated": (Reach(since=NOW + 30), LATER, "does not reach back that far"),
    "unwritten": (Reach(), NOW + 0.5, "within a moment"),
    "nowhere": (Reach(), LATER, "has nothing of it"),
    "unkept": (Reach("is not kept here"), LATER, "is not kept here"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_envoy_does_not_tell_is_said_to_be_missing_with_the_reason(name: str) -> None:
    reach, now, words = MISSING[name]
    whole = search()
    journey = told(replace(whole, passed=(), reach={**REACHED, Source.ENVOY: reach}, now=now))
    missing = [one for one in by_kind(journey, Kind.ENVOY) if one.state is State.MISSING]
    assert len(missing) == 4
    assert all(words in one.line for one in missing)
    assert journey.open is (name == "unwritten")


def test_a_record_that_is_not_gathered_yet_is_coming_and_one_that_never_came_is_missing() -> None:
    whole = replace(search(), records=())
    soon, late = told(replace(whole, now=NOW + 10)), told(whole)
    assert (soon.open, late.open) == (True, False)
    assert [one.line for one in soon.steps if one.id.startswith("record:")] == ["Its record is missing: it is not gathered yet."] * 3
    assert [one.line for one in late.steps if one.id.startswith("record:")] == ["Its record is missing: the ledger has nothing of it."] * 3


def test_a_message_that_the_exchange_forgot_is_told_by_its_records() -> None:
    journey = told(replace(message(), messages=(), passed=()))
    check_tree(journey)
    deliveries = [one for one in by_kind(journey, Kind.DELIVERY) if one.state is not State.MISSING]
    assert {one.where.partition(":")[0]: one.state for one in deliveries} == {"four": State.DONE, "five": State.DONE}
    assert any("How often it was tried is missing" in one.line for one in journey.steps)


def test_a_call_that_nobody_told_of_yet_others_name_is_there_as_missing() -> None:
    whole = search()
    root = call_id(1)
    rest = replace(
        whole,
        records=tuple(one for one in whole.records if one.call_id != root),
        passed=tuple(one for one in whole.passed if one.call_id != root),
        noted=(),
    )
    journey = told(rest)
    check_tree(journey)
    assert (journey.steps[0].call_id, journey.steps[0].state) == (root, State.MISSING)


def test_a_call_that_claims_another_trace_s_call_as_its_maker_is_not_taken_at_its_word() -> None:
    victim, liar = search(seed=1), search(seed=3)
    lie = replace(liar.passed[0], parent=call_id(1))
    journey = told(together(victim, replace(liar, passed=(lie, *liar.passed[1:]))))
    check_tree(journey)
    adapter = next(one for one in journey.steps if one.kind is Kind.ADAPTER and one.call_id == call_id(1))
    assert all(one.parent != adapter.id for one in journey.steps if one.call_id == call_id(3))


def test_calls_that_name_each_other_still_make_a_tree() -> None:
    first, second = call_id(8), call_id(9)
    trace = trace_id_of(first)
    passed = tuple(
        Passed(NOW, PART, one, TABLET, True, "OK", 1, system="two", trace=trace, parent=other)
        for one, other in ((first, second), (second, first))
    )
    check_tree(told(Evidence(passed=passed, reach=REACHED, work=WORK, now=LATER)))


def test_calls_that_share_a_trace_of_the_consumer_s_have_the_trace_as_their_beginning() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    journey = told(together(search(seed=1, trace=trace), search(seed=3, trace=trace, at=NOW + 1, first_record=30)))
    check_tree(journey)
    assert (journey.id, journey.steps[0].kind) == (trace, Kind.TRACE)
    assert sum(one.parent == journey.steps[0].id for one in journey.steps) == 2


def test_what_envoy_refused_is_told_with_the_record_of_it_and_asks_no_adapter() -> None:
    one = call_id(5)
    line = Passed(NOW, PART, one, TABLET, False, "NOT_GRANTED", 0, sent=False, trace=trace_id_of(one))
    record = Recorded(7, NOW, PART, TABLET, "NOT_GRANTED", one, trace_id_of(one), platform="edge", refused=True)
    for evidence in (
        Evidence((record,), (line,), reach=REACHED, work=WORK, now=LATER),
        Evidence((record,), (), reach={**REACHED, Source.ENVOY: Reach(since=LATER)}, work=WORK, now=LATER),
    ):
        call, envoy = told(evidence).steps
        assert (call.outcome, call.state) == ("NOT_GRANTED", State.REFUSED)
        assert (envoy.record, envoy.line) == (7, "Envoy answered by itself: NOT_GRANTED.")


def test_a_comparison_stands_beside_the_call_that_it_compares() -> None:
    whole, hub = search(), "spiffe://metip.local/hub"
    part = whole.passed[1].call_id
    line = Passed(NOW + 0.2, PART, part, hub, True, "OK", 30, system="six", trace=whole.passed[1].trace, comparing=True)
    record = Recorded(90, NOW + 0.2, PART, hub, "OK", part, whole.passed[1].trace, platform="six", comparing=True)
    journey = told(together(whole, replace(whole, records=(record,), passed=(line,), noted=())))
    check_tree(journey)
    (compared,) = [one for one in by_kind(journey, Kind.CALL) if one.who == hub]
    assert "to compare" in compared.line
    assert compared.call_id == part


def test_a_second_hand_over_of_a_message_says_that_nothing_new_was_accepted() -> None:
    one = call_id(6)
    line = Passed(NOW, MESSAGE, one, TABLET, True, "OK", 2, system="exchange", trace=trace_id_of(one))
    journey = told(Evidence(passed=(line,), reach=REACHED, work=WORK, now=LATER))
    assert journey.steps[-1].line == "No message of this call is in the exchange: it had been handed over before, or is no longer kept."


def test_a_second_hand_over_that_was_recorded_names_the_message_that_it_repeats() -> None:
    first, again = call_id(6), call_id(7)
    lines = tuple(
        Passed(at, MESSAGE, one, TABLET, True, "OK", 2, system="exchange", trace=trace_id_of(one))
        for at, one in ((NOW, first), (NOW + 9, again))
    )
    records = (
        Recorded(70, NOW, MESSAGE, TABLET, "OK", first, trace_id_of(first), platform="exchange", message_id="m-1"),
        Recorded(71, NOW + 9, MESSAGE, TABLET, "DUPLICATE", again, trace_id_of(again), platform="exchange", message_id="m-1"),
    )
    journey = told(Evidence(records=records, passed=lines, reach=REACHED, work=WORK, now=LATER))
    check_tree(journey)
    accepted = [one for one in by_kind(journey, Kind.ACCEPTED) if one.record is not None]
    assert [(one.record, one.call_id, one.outcome) for one in accepted] == [(70, first, "OK"), (71, again, "DUPLICATE")]
    assert accepted[1].line == "The exchange had this message already, as m-1: it gave the same receipt, and kept nothing."
    assert {one.state for one in by_kind(journey, Kind.CALL)} == {State.DONE}


STANDINGS = {
    "pending": (State.WAITING, True),
    "attempt": (State.WAITING, True),
    "parked": (State.NEEDS_A_PERSON, False),
    "in_doubt": (State.NEEDS_A_PERSON, False),
    "expired": (State.NEEDS_A_PERSON, False),
    "refused": (State.REFUSED, False),
    "purged": (State.REFUSED, False),
}


@pytest.mark.parametrize("state", STANDINGS)
def test_where_a_delivery_stands_is_told_and_whether_it_is_over(state: str) -> None:
    whole = message()
    standing = Standing(f"four:{MESSAGE}", state, 3, NOW + 9, "UNAVAILABLE", "UPSTREAM_UNAVAILABLE")
    kept = replace(whole.messages[0], deliveries=(standing,), steps=(), replay_of="")
    journey = told(Evidence(messages=(kept,), reach=REACHED, work=WORK, now=LATER))
    check_tree(journey)
    delivery = next(one for one in by_kind(journey, Kind.DELIVERY))
    assert (delivery.state, journey.open) == STANDINGS[state]
    assert "UPSTREAM_UNAVAILABLE" in delivery.line
    assert bool(by_kind(journey, Kind.ATTEMPT)) is (state == "attempt")


def test_nothing_is_not_a_journey() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        told(Evidence(noted=(Noted(NOW, "four", MESSAGE, "OK", 1.0, call_id(1)),), work=WORK))
