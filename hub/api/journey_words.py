"""Journeys as their contract has them."""

from enum import Enum
from typing import Any

from hub.api.exchange_words import stamp
from hub.journey.evidence import Evidence, Source
from hub.journey.steps import Journey, Step
from metip.journey.v1 import journey_pb2 as words


def number(one: Enum) -> Any:
    """A value's number in the contract."""
    return one.value


def journey(one: Journey, evidence: Evidence) -> words.Journey:
    """A journey, and what it was read from."""
    found = {
        Source.LEDGER: len(evidence.records),
        Source.EXCHANGE: len(evidence.messages),
        Source.ENVOY: len(evidence.passed),
        Source.ADAPTER_LOG: len(evidence.noted),
    }
    sources = [
        words.SourceRead(source=number(source), found=found[source], reaches_back_to=stamp(reach.since), problem=reach.problem)
        for source, reach in evidence.reach.items()
    ]
    return words.Journey(journey_id=one.id, steps=map(step, one.steps), open=one.open, sources=sources)


def step(one: Step) -> words.Step:
    """One step."""
    return words.Step(
        step_id=one.id,
        parent_id=one.parent,
        kind=number(one.kind),
        state=number(one.state),
        at=stamp(one.at),
        milliseconds=one.ms,
        who=one.who,
        what=one.what,
        where=one.where,
        outcome=one.outcome,
        line=one.line,
        call_id=one.call_id,
        message_id=one.message_id,
        record=one.record,
        attempt=one.attempt,
        told_by=sorted(map(number, one.told_by)),
    )
