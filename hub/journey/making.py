"""Steps as they are made of what a source told: what Envoy did with a call, what an adapter did, what its far system said."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.journey.evidence import Evidence, Noted, Passed, Recorded, Source, Work
from hub.journey.steps import Kind, State, Step
from hub.journey.words import NOT_ASKED, ended, missing, state_of, took

GATHERED_WITHIN: Final = 60.0
"""Seconds after which a record is missing that is not gathered; the ledger's own reconciliation waits as long."""
LOGGED_WITHIN: Final = 3.0
"""Seconds after which a line of Envoy's log is missing: it writes them together."""
EDGE: Final = "edge"
"""Envoy, as the platform of records of what it refused."""
NOBODY: Final = Work(far=False)


def step_id(kind: str, *names: str) -> str:
    """The id of a step: the same each time that the journey is told."""
    return ":".join((kind, "/".join(names)))


def under(step: Step, parent: str) -> Step:
    """The step, belonging to another one."""
    return replace(step, parent=parent)


def envoy_step(name: str, parent: str, line: Passed, refusal: Recorded | None = None) -> Step:
    """What Envoy did with a call; `refusal` is the record of its having answered by itself."""
    whom, told, outcome = line.system or "an instance", frozenset({Source.ENVOY}), line.outcome
    if line.answered:
        text, state = f"Envoy sent it to {whom}, which answered{took(line.ms)}.", state_of(outcome)
    elif line.sent:
        text, state = f"Envoy sent it to {whom}, whose answer never came in full: {outcome}.", State.FAILED
    else:
        outcome = refusal.outcome if refusal is not None else outcome
        text, state = f"Envoy answered by itself: {outcome}.", state_of(outcome)
    return Step(
        name, parent, Kind.ENVOY, state, text, at=line.at, ms=line.ms, who="envoy", what=line.operation, where=line.upstream or line.system,
        outcome=outcome, call_id=line.call_id, message_id=line.message_id, attempt=line.attempt,
        record=refusal.index if refusal is not None else None, told_by=told | {Source.LEDGER} if refusal is not None else told,
    )  # fmt: skip


def refused_by_envoy(name: str, parent: str, record: Recorded) -> Step:
    """The same, where only its record is left."""
    text = f"Envoy answered by itself: {record.outcome}."
    return Step(
        name, parent, Kind.ENVOY, State.REFUSED, text, at=record.at, who="envoy", what=record.operation, outcome=record.outcome,
        call_id=record.call_id, record=record.index, told_by=frozenset({Source.LEDGER}),
    )  # fmt: skip


def unseen_by_envoy(name: str, parent: str, evidence: Evidence, at: float, call_id: str, message_id: str = "", attempt: int = 0) -> Step:
    """A line of Envoy's that should be there."""
    late = evidence.now - at > LOGGED_WITHIN
    text = missing("What Envoy saw", evidence.reach.get(Source.ENVOY), Source.ENVOY, at, late=late, soon="it is written within a moment")
    return Step(
        name, parent, Kind.ENVOY, State.MISSING, text, at=at, who="envoy", call_id=call_id, message_id=message_id, attempt=attempt,
        coming=not late,
    )  # fmt: skip


def unrecorded(name: str, parent: str, evidence: Evidence, at: float, call_id: str, message_id: str = "", attempt: int = 0) -> Step:
    """A record that should be there."""
    reach, late = evidence.reach.get(Source.LEDGER), evidence.now - at > GATHERED_WITHIN
    text = missing("Its record", reach, Source.LEDGER, at, late=late, soon="it is not gathered yet")
    return Step(
        name, parent, Kind.ADAPTER, State.MISSING, text, at=at, who="ledger", call_id=call_id, message_id=message_id, attempt=attempt,
        coming=not late and reach is not None and not reach.problem,
    )  # fmt: skip


def adapter_step(
    name: str, parent: str, records: Sequence[Recorded], noted: Noted | None, line: Passed | None, message_id: str = "", attempt: int = 0
) -> Step:
    """What an adapter did: by its record, its own log, or what Envoy saw of it; at least one of them is there."""
    record = records[0] if records else None
    first = record or noted or line
    assert first is not None, "somebody told of it"
    system = record.platform if record is not None else noted.system if noted is not None else line.system if line is not None else ""
    ms: float | None = None
    if noted is not None:
        at, ms = noted.at - noted.ms / 1000, noted.ms
    elif record is not None:
        at, ms = record.at - (record.took or 0.0), None if record.took is None else record.took * 1000
    else:
        at = line.at if line is not None else 0.0
    more = f" and {len(records) - 1} more" if len(records) > 1 else ""
    proof = f" (record {record.index}{more})" if record is not None else ""
    text = f"The adapter of {system or 'the system'} {ended(first.outcome)}{took(ms)}{proof}."
    told = ((Source.LEDGER, record), (Source.ADAPTER_LOG, noted), (Source.ENVOY, line))
    return Step(
        name, parent, Kind.ADAPTER, state_of(first.outcome), text, at=at, ms=ms, who=system, what=first.operation,
        where=line.upstream if line is not None else "", outcome=first.outcome, call_id=first.call_id, message_id=message_id,
        attempt=attempt, record=record.index if record is not None else None,
        told_by=frozenset(source for source, found in told if found is not None),
    )  # fmt: skip


def far_step(adapter: Step, work: Work, noted: Noted | None, *, refused: bool = False) -> Step | None:
    """What the far system behind an adapter said; None where it was not asked. `refused` says that no handler saw the call."""
    spent = (noted.far_ms or None) if noted is not None else None
    if not work.far or refused or (spent is None and adapter.outcome in NOT_ASKED):
        return None
    name, state = adapter.who or "The far system", state_of(adapter.outcome)
    text = f"{name} answered{took(spent)}." if state is State.DONE else f"{name} was asked, which {ended(adapter.outcome)}{took(spent)}."
    return replace(adapter, id=f"far:{adapter.id}", parent=adapter.id, kind=Kind.FAR_SYSTEM, line=text, ms=spent, record=None, where="")
