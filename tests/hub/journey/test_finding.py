"""Finding what belongs together: the same journey from every id of it, whatever else the sources hold."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journeys import LATER, NOW, SYSTEMS, TABLET, WORK, Archive, call_id, message, search, together

from hub.journey import finding
from hub.journey.evidence import Evidence, Passed
from hub.journey.finding import Names, gathered
from hub.journey.telling import told
from metip.tracing import trace_id_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOISE = together(search(seed=30, at=NOW + 0.02, first_record=500), message(seed=40, at=NOW + 0.5, first_record=600))
JOURNEYS = {
    "a search": search(),
    "a search of a consumer that traces": search(trace=TRACE),
    "a message": message(),
    "a message of a consumer that traces": message(trace=TRACE),
    "a search and a message of one trace": together(search(), message(trace=trace_id_of(call_id(1)), at=NOW + 0.05)),
}


def names_of(one: Evidence) -> list[Names]:
    """Each id by which a journey may be asked for."""
    found = [Names(calls={line.call_id}) for line in one.passed] + [Names(traces={line.trace}) for line in one.passed[:1]]
    found += [Names(messages={kept.message_id}, calls={kept.message_id}) for kept in one.messages]
    return found + [Names(calls={kept.call_id}) for kept in one.messages]


async def found(archive: Archive, names: Names) -> Evidence:
    return await gathered(archive, names, WORK, clock=lambda: LATER)


@pytest.mark.parametrize("name", JOURNEYS)
def test_each_id_of_a_journey_tells_the_same_one_and_nothing_of_others(name: str) -> None:
    whole = JOURNEYS[name]
    archive = Archive(together(whole, NOISE))
    expected = told(whole)
    assert len(expected.steps) > 10
    for names in names_of(whole):
        assert told(asyncio.run(found(archive, names))) == expected
    for record in whole.records:
        evidence = asyncio.run(gathered(archive, Names(), WORK, first=[record], clock=lambda: LATER))
        assert told(evidence) == expected


@settings(max_examples=30)
@given(st.sampled_from(sorted(JOURNEYS)), st.data())
def test_with_any_source_gone_each_id_that_is_left_tells_the_same_one(name: str, data: st.DataObject) -> None:
    whole = JOURNEYS[name]
    without = (replace(whole, records=()), replace(whole, passed=()), replace(whole, noted=()), replace(whole, messages=()))
    whole = data.draw(st.sampled_from(without))
    archive = Archive(together(whole, NOISE))
    journeys = [told(asyncio.run(found(archive, names))) for names in names_of(whole)]
    assert all(one == journeys[0] for one in journeys)


def test_a_message_that_was_replayed_a_day_later_is_of_the_same_journey() -> None:
    whole = message()
    first, again = whole.messages[0], whole.messages[1]
    if first.replay_of:
        first, again = again, first
    late = replace(
        again,
        accepted=again.accepted + 86_400,
        steps=tuple(replace(one, at=one.at + 86_400, began=one.began + 86_400) for one in again.steps),
    )
    archive = Archive(replace(whole, messages=(first, late), records=(), passed=(), noted=()))
    assert {one.message_id for one in asyncio.run(found(archive, Names(messages={late.message_id}))).messages} == {
        first.message_id,
        late.message_id,
    }
    assert {one.message_id for one in asyncio.run(found(archive, Names(messages={first.message_id}))).messages} == {
        first.message_id,
        late.message_id,
    }


def test_a_stranger_s_call_that_names_one_of_the_journey_s_is_not_drawn_in() -> None:
    whole, stranger = search(), call_id(77)
    line = Passed(
        NOW + 0.01, "metip.two.v1.PartService/Find", stranger, TABLET, True, "OK", 1, trace=trace_id_of(stranger), parent=call_id(1)
    )
    archive = Archive(together(whole, replace(whole, records=(), noted=(), passed=(line,))))
    assert told(asyncio.run(found(archive, Names(calls={call_id(1)})))) == told(whole)


def test_a_journey_that_is_too_large_is_told_in_part_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_CALLS", len(SYSTEMS))
    evidence = asyncio.run(found(Archive(search()), Names(calls={call_id(1)})))
    assert evidence.partial
    assert any("More belongs to this journey" in one.line for one in told(evidence).steps)


def test_an_id_that_no_source_knows_is_no_journey() -> None:
    evidence = asyncio.run(found(Archive(NOISE), Names(calls={call_id(99)}, messages={call_id(99)})))
    assert not evidence.records + evidence.passed + evidence.messages
