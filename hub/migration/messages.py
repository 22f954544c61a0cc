"""Positions, guards and evidence as messages, for the file, the ledger and whoever asks."""

from typing import Final

from hub.migration import guards
from hub.migration.guards import Facts, Judgement
from hub.migration.states import Platform, Position, State
from metip.migration.v1 import step_pb2

STATES: Final = {state: step_pb2.State.Value(f"STATE_{state.name}") for state in State}
NAMES: Final = {number: state for state, number in STATES.items()}
PLATFORMS: Final = {
    step_pb2.PLATFORM_METIP: Platform.METIP,
    step_pb2.PLATFORM_METIP2: Platform.METIP2,
}


def message_of(position: Position) -> step_pb2.Position:
    """A position as a message."""
    return step_pb2.Position(state=STATES[position.state], percent=position.percent)


def position_of(message: step_pb2.Position) -> Position:
    """A message as a position; the per cent may be left out where it follows from the state. Raises ValueError."""
    state = NAMES[message.state]
    percent = 100 if state in (State.PRIMARY, State.NEW) and not message.percent else message.percent
    return Position(state, percent)


def finding_of(one: Judgement) -> step_pb2.GuardFinding:
    """A judgement as a message."""
    return step_pb2.GuardFinding(guard=one.guard.value, passed=one.passed, overridden=one.overridden, found=one.found, remedy=one.remedy)


def figures_of(facts: Facts) -> step_pb2.Figures:
    """The evidence as a message. In the shadow the new platform answers the comparator only, and these answers stand for it."""
    evidence, rules = facts.evidence, facts.rules
    found = step_pb2.Figures()
    found.since.FromMicroseconds(int(facts.since * 1e6))
    if evidence is not None:
        found.compared, found.differing, found.parity, found.lower = (
            evidence.compared,
            evidence.differing,
            evidence.parity,
            evidence.lower,
        )
        found.differing_fields.extend(guards.differing_fields(evidence))
    for side, system, tally in ((found.old_platform, rules.old, facts.old), (found.new_platform, rules.system, facts.new)):
        side.system, side.calls, side.errors, side.p99_ms = system, tally.calls, tally.errors, tally.p99_ms
    if evidence is not None and not facts.here.percent and not facts.new.calls:
        new, old = found.new_platform, found.old_platform
        new.calls, new.errors, new.p99_ms = evidence.compared, evidence.shadow_errors, evidence.shadow_p99_ms
        if not old.calls:
            old.calls, old.errors, old.p99_ms = evidence.compared, evidence.primary_errors, evidence.primary_p99_ms
    return found
