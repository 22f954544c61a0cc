"""One delivery of a message: each attempt with what Envoy, the adapter and the far system made of it, and what happened between them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from hub.journey.evidence import Evidence, Kept, Noted, Passed, Recorded, Source, Standing, Stepped, Work
from hub.journey.making import adapter_step, envoy_step, far_step, step_id, unrecorded, unseen_by_envoy
from hub.journey.steps import Kind, State, Step
from hub.journey.words import OK, state_of, took

EXCHANGE, PERSON = "exchange", "person"
APART: Final = 0.25
"""Seconds by which clocks of two processes, or what they call the beginning, may differ."""
STATES: Final = {
    "pending": State.WAITING,
    "attempt": State.WAITING,
    "delivered": State.DONE,
    "processed": State.DONE,
    "refused": State.REFUSED,
    "parked": State.NEEDS_A_PERSON,
    "in_doubt": State.NEEDS_A_PERSON,
    "expired": State.NEEDS_A_PERSON,
    "purged": State.REFUSED,
}
SAYS: Final = {
    "pending": "waits for its turn or its time",
    "attempt": "is being sent",
    "delivered": "has it",
    "processed": "has done it",
    "refused": "refused it, for good",
    "parked": "could not be given it, which waits for a person",
    "in_doubt": "may have done it, which a person has to find out",
    "expired": "was not given it before it grew too old, which waits for a person",
    "purged": "is not given it: a person took it out",
}
DECIDED: Final = {
    "pending": "released it",
    "processed": "settled it as done",
    "refused": "settled it as not done",
    "parked": "held it back",
    "purged": "took it out",
}
"""What a person did who moved a delivery to a state."""


class Delivery:
    """One delivery of one message."""

    def __init__(
        self,
        kept: Kept,
        standing: Standing,
        evidence: Evidence,
        work: Work,
        *,
        known: bool,
        records: Sequence[Recorded],
        passed: Sequence[Passed],
        noted: Sequence[Noted],
    ) -> None:
        """`records`, `passed` and `noted` are those of this delivery. `known` says whether the exchange itself tells of it."""
        self._kept, self._standing, self._evidence, self._work = kept, standing, evidence, work
        self._known, self._records, self._passed, self._noted = known, records, passed, noted
        self._system = standing.subscription.partition(":")[0]
        self._steps = [one for one in kept.steps if one.subscription == standing.subscription]

    def steps(self, parent: str) -> Iterator[Step]:
        """Its steps, the first one belonging to `parent`."""
        standing, kept = self._standing, self._kept
        name = step_id("delivery", kept.message_id, standing.subscription)
        state = STATES.get(standing.state, State.WAITING)
        last = max((one.at for one in self._steps), default=0.0)
        ms = max(0.0, last - kept.accepted) * 1000 if last and state is not State.WAITING else None
        cause = f", last for {standing.reason or standing.status}" if standing.reason or standing.status not in ("", OK) else ""
        held = ", behind an earlier message of its key" if standing.held_back else ""
        told = ((Source.EXCHANGE, self._known), (Source.LEDGER, self._records), (Source.ENVOY, self._passed))
        text = f"{self._system} {SAYS.get(standing.state, standing.state)}{held}{cause}."
        yield Step(
            name, parent, Kind.DELIVERY, state, text, at=kept.accepted, ms=ms, who=EXCHANGE, what=kept.operation,
            where=standing.subscription, outcome=standing.state.upper(), call_id=kept.call_id, message_id=kept.message_id,
            told_by=frozenset(source for source, found in told if found), coming=state is State.WAITING,
        )  # fmt: skip
        attempts = [one for one in self._steps if one.attempt]
        records = _dealt(attempts, self._records)
        for place, step in enumerate(attempts):
            yield from self._attempt(name, step, records[place])
        yield from self._under_way(name, attempts)
        yield from self._beside(name, attempts, records[len(attempts)])
        for place, step in enumerate(self._steps):
            if not step.attempt:
                yield self._moved(name, step, place)

    def _attempt(self, parent: str, step: Stepped, records: Sequence[Recorded]) -> Iterator[Step]:
        kept, number = self._kept, step.attempt
        name = step_id("attempt", kept.message_id, step.subscription, str(number))
        ms = max(0.0, step.at - step.began) * 1000
        good = step.state in ("delivered", "processed")
        outcome = OK if good else step.reason or step.status or step.state.upper()
        after = "" if good else "; it is tried again" if step.state == "pending" else f"; it is {step.state.replace('_', ' ')}"
        text = f"Attempt {number} {'reached' if good else 'at'} {self._system}{took(ms)}{'' if good else f': {outcome}'}{after}."
        yield Step(
            name, parent, Kind.ATTEMPT, State.DONE if good else state_of(outcome), text, at=step.began, ms=ms, who=EXCHANGE,
            what=kept.operation, where=step.subscription, outcome=outcome, call_id=kept.call_id, message_id=kept.message_id, attempt=number,
            told_by=frozenset({Source.EXCHANGE}),
        )  # fmt: skip
        line = next((one for one in self._passed if one.attempt == number), None)
        under = step_id("envoy", kept.message_id, self._system, str(number))
        if line is not None:
            yield envoy_step(under, name, line)
        else:
            yield unseen_by_envoy(under, name, self._evidence, step.at, kept.call_id, kept.message_id, number)
        noted = self._line_of(step)
        if records or noted is not None or (line is not None and line.answered):
            answered = line if line is not None and line.answered else None
            yield from self._adapter(under, records, noted, answered, number, step.at, good=good)

    def _adapter(
        self, parent: str, records: Sequence[Recorded], noted: Noted | None, line: Passed | None, number: int, at: float, *, good: bool
    ) -> Iterator[Step]:
        kept = self._kept
        name = step_id("adapter", kept.message_id, self._system, str(number))
        adapter = adapter_step(name, parent, records, noted, line, kept.message_id, number)
        yield adapter
        far = far_step(adapter, replace(self._work, far=True), noted, refused=bool(records) and all(one.refused for one in records))
        if far is not None:
            yield far
        if not records and good and self._work.personal:
            under = step_id("record", kept.message_id, self._system, str(number))
            yield unrecorded(under, name, self._evidence, at, kept.call_id, kept.message_id, number)

    def _under_way(self, parent: str, attempts: Sequence[Stepped]) -> Iterator[Step]:
        """The attempt that has not ended."""
        number, kept = self._standing.attempts, self._kept
        if self._standing.state != "attempt" or any(one.attempt == number for one in attempts):
            return
        name = step_id("attempt", kept.message_id, self._standing.subscription, str(number))
        yield Step(
            name, parent, Kind.ATTEMPT, State.WAITING, f"Attempt {number} at {self._system} is under way.",
            at=max([kept.accepted, *(one.at for one in attempts)]), who=EXCHANGE, what=kept.operation, where=self._standing.subscription,
            call_id=kept.call_id, message_id=kept.message_id, attempt=number, told_by=frozenset({Source.EXCHANGE}), coming=True,
        )  # fmt: skip

    def _beside(self, parent: str, attempts: Sequence[Stepped], records: Sequence[Recorded]) -> Iterator[Step]:
        """What was told of attempts of which the exchange does not tell."""
        numbers = {one.attempt for one in attempts}
        kept, left = self._kept, [one for one in self._passed if one.attempt not in numbers]
        for place, line in enumerate(left):
            yield envoy_step(step_id("envoy", kept.message_id, self._system, f"beside-{place}"), parent, line)
        for record in records:
            yield adapter_step(
                step_id("adapter", kept.message_id, self._system, f"record-{record.index}"), parent, [record], None, None, kept.message_id
            )
        done = self._standing.state in ("delivered", "processed")
        if done and not attempts and not self._records and self._work.personal:
            name = step_id("record", kept.message_id, self._system)
            yield unrecorded(name, parent, self._evidence, kept.accepted, kept.call_id, kept.message_id)

    def _moved(self, parent: str, step: Stepped, place: int) -> Step:
        """A step that was no attempt: a person's decision, what the subscriber learnt later, or what the exchange did by itself."""
        kept = self._kept
        name = step_id("moved", kept.message_id, step.subscription, str(place))
        state = STATES.get(step.state, State.WAITING)
        if step.by == PERSON:
            kind, who, text = Kind.DECISION, "operator", f"A person {DECIDED.get(step.state, f'moved it to {step.state}')}."
            reason = ""
        else:
            reason = step.reason
            words = f"{self._system} reported: it {'is done' if step.state == 'processed' else 'was refused'}"
            own = f"The exchange moved it: {step.state.replace('_', ' ')}"
            kind, who = (Kind.DELIVERY, EXCHANGE) if step.by == EXCHANGE else (Kind.REPORT, self._system)
            text = (own if step.by == EXCHANGE else words) + (f", {reason}." if reason else ".")
        return Step(
            name, parent, kind, state, text, at=step.at, who=who, what=kept.operation, where=step.subscription,
            outcome=reason or step.state.upper(), call_id=kept.call_id, message_id=kept.message_id, told_by=frozenset({Source.EXCHANGE}),
        )  # fmt: skip

    def _line_of(self, step: Stepped) -> Noted | None:
        """The adapter's own line of an attempt: it names no attempt, so it is known by its time."""
        within = [one for one in self._noted if step.began - APART <= one.at <= step.at + APART]
        return min(within, key=lambda one: abs(one.at - step.at), default=None)


def _dealt(attempts: Sequence[Stepped], records: Sequence[Recorded]) -> list[list[Recorded]]:
    """Records by attempt, and last those of none: a record names the message and not the attempt, so it is known by its time."""
    found: list[list[Recorded]] = [[] for _ in range(len(attempts) + 1)]
    for record in records:
        fits = [(abs(record.at - one.at), place) for place, one in enumerate(attempts) if one.began - APART <= record.at <= one.at + APART]
        found[min(fits)[1] if fits else len(attempts)].append(record)
    return found
