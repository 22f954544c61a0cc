"""Makes a journey of what the sources told: pure. Whatever the sources leave out, the tree holds together, and says what is missing.

call ─ Envoy ┬ adapter ┬ far system
             │         └ calls that the adapter made, each as here
             └ message accepted ─ delivery ┬ attempt ─ Envoy ─ adapter ─ far system
                                           └ report, decision
"""

from hub.journey.calls import Told, calls_of
from hub.journey.delivering import Accepted, accepted_in
from hub.journey.evidence import Evidence, Source, Work, trace_of
from hub.journey.making import (
    LOGGED_WITHIN,
    NOBODY,
    adapter_step,
    envoy_step,
    far_step,
    refused_by_envoy,
    step_id,
    under,
    unrecorded,
    unseen_by_envoy,
)
from hub.journey.steps import Journey, Kind, State, Step, Steps
from hub.journey.words import OK, ended, short, state_of, took, workload
from metip.journal.records import DUPLICATE
from metip.tracing import trace_id_of


def told(evidence: Evidence) -> Journey:
    """The journey. Raises `ValueError` where there is no evidence of anything."""
    return _Telling(evidence).told()


class _Telling:
    """One journey that is being told."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence, self._steps = evidence, Steps()
        self._messages = accepted_in(evidence)
        self._calls = calls_of(evidence, [one.kept for one in self._messages.values()])
        self._entrances: dict[str, str] = {}
        """By call: the step of Envoy, to which belongs what the call brought about."""
        self._makers: dict[str, str] = {}
        """By call: the step to which calls belong that it made."""

    def told(self) -> Journey:
        for one in self._calls.values():
            self._call(one)
        self._parents()
        for message in self._messages.values():
            self._message(message)
        self._actions()
        if not self._steps.found:
            raise ValueError("nothing is known of it")
        journey = self._journey_id()
        self._root(journey)
        if self._evidence.partial:
            text = "More belongs to this journey than is told here: ask by the id of one of its later calls or messages."
            self._steps.add(Step(step_id("more", journey), "", Kind.TRACE, State.MISSING, text))
        return Journey(journey, self._steps.ordered())

    def _work(self, operation: str) -> Work:
        return self._evidence.work.get(operation, NOBODY)

    def _call(self, one: Told) -> None:
        operation, outcome = one.operation, one.outcome
        ms = one.passed[0].ms if one.passed else None
        state = state_of(outcome) if outcome else State.WAITING
        ending = "" if not outcome else "and was answered" if state is State.DONE else f"and got {outcome}"
        asked = f"{workload(one.consumer)} asked the same of the other platform, to compare" if one.compares else ""
        text = f"{asked or f'{workload(one.consumer)} called {short(operation)}'} {ending}{took(ms) if outcome else ''}".rstrip() + "."
        if not operation and not outcome:
            state, text = State.MISSING, "A call of which nothing but its id is known."
        name = step_id("call", one.key)
        step = Step(
            name, "", Kind.CALL, state, text, at=one.at, ms=ms, who=one.consumer, what=operation, outcome=outcome, call_id=one.id,
            told_by=one.told_by,
        )  # fmt: skip
        self._makers[one.key] = self._steps.add(step)
        self._envoy(one, name)

    def _envoy(self, one: Told, call: str) -> None:
        name, refusal = step_id("envoy", one.key), one.refusal
        if one.passed:
            step = envoy_step(name, call, one.passed[0], None if one.passed[0].sent else refusal)
            for place, line in enumerate(one.passed[1:], 1):
                self._steps.add(envoy_step(f"{name}/{place}", call, line))
        elif refusal is not None:
            step = refused_by_envoy(name, call, refusal)
        else:
            step = unseen_by_envoy(name, call, self._evidence, one.at, one.id)
        self._entrances[one.key] = self._steps.add(step)
        if refusal is not None and step.record is None:  # what came back from whom it was sent to, and was recorded all the same
            self._steps.add(refused_by_envoy(f"{name}/refused", name, refusal))
        if one.handled or one.noted or any(line.answered for line in one.passed):
            self._adapter(one, name)

    def _adapter(self, one: Told, envoy: str) -> None:
        """What the adapter did. A message that was accepted is told of as that; one that was refused is told of here."""
        records, work = one.handled, self._work(one.operation)
        refused = bool(records) and all(record.refused for record in records)
        if one.brought:
            return
        if work.message and not refused:
            self._nothing_new(one, envoy)
            return
        line, noted = next((line for line in one.passed if line.answered), None), next(iter(one.noted), None)
        if not records and noted is None and line is None:
            return
        step = adapter_step(step_id("adapter", one.key), envoy, records, noted, line)
        self._makers[one.key] = self._steps.add(step)
        far = far_step(step, work, noted, refused=refused)
        if far is not None:
            self._steps.add(far)
        if not records and step.outcome == OK and work.personal:
            self._steps.add(unrecorded(step_id("record", one.key), step.id, self._evidence, step.at or one.at, one.id))

    def _nothing_new(self, one: Told, envoy: str) -> None:
        """A message that was handed over, of which the exchange has none: it had it before, or keeps it no more."""
        repeated = next((record for record in one.handled if record.outcome == DUPLICATE), None)
        if repeated is not None:
            text = f"The exchange had this message already, as {repeated.message_id}: it gave the same receipt, and kept nothing."
            step = Step(
                step_id("message", one.key), envoy, Kind.ACCEPTED, State.DONE, text, at=repeated.at, who="exchange", what=one.operation,
                outcome=DUPLICATE, call_id=one.id, message_id=repeated.message_id, record=repeated.index,
                told_by=frozenset({Source.LEDGER}),
            )  # fmt: skip
            self._steps.add(step)
            return
        if one.outcome != OK:
            return
        late = self._evidence.now - one.at > LOGGED_WITHIN
        why = "it had been handed over before, or is no longer kept." if late else "it is being looked for."
        text, name = f"No message of this call is in the exchange: {why}", step_id("message", one.key)
        step = Step(
            name, envoy, Kind.ACCEPTED, State.MISSING, text, at=one.at, who="exchange", what=one.operation, call_id=one.id, coming=not late
        )  # fmt: skip
        self._steps.add(step)

    def _parents(self) -> None:
        """Hangs each call below the one that made it. One that nobody told of, yet another names, is there as missing."""
        calls = self._calls
        for one in calls.values():
            if one.parent in calls and calls[one.parent].trace != one.trace:
                one.disown()  # it says so, but it is of another trace
        for call_id in sorted({one.parent for one in calls.values() if one.parent} - calls.keys()):
            at = min(one.at for one in self._calls.values() if one.parent == call_id)
            text = "The call that made this one is missing: no source has anything of it."
            step = Step(step_id("call", call_id), "", Kind.CALL, State.MISSING, text, at=at, call_id=call_id)
            self._makers[call_id] = self._steps.add(step)
        for one in self._calls.values():
            if one.parent:
                self._steps.add(under(self._steps.found[step_id("call", one.key)], self._makers[one.parent]))

    def _message(self, message: Accepted) -> None:
        kept = message.kept
        parent = step_id("message", kept.replay_of) if kept.replay_of in self._messages else self._entrances.get(kept.call_id, "")
        for step in message.steps(parent, self._evidence, self._work(kept.operation)):
            self._steps.add(step)

    def _actions(self) -> None:
        """What persons did that the exchange does not tell of by itself."""
        proofs = {step.record for step in self._steps.found.values()}
        for record in self._evidence.records:
            if not record.action or record.index in proofs:
                continue
            parent = step_id("message", record.message_id) if record.message_id else ""
            text = f"An operator did {record.operation}" + ("." if record.outcome == OK else f", which {ended(record.outcome)}.")
            step = Step(
                step_id("action", str(record.index)), parent, Kind.DECISION, state_of(record.outcome), text, at=record.at, who="operator",
                what=record.operation, outcome=record.outcome, message_id=record.message_id, record=record.index,
                told_by=frozenset({Source.LEDGER}),
            )  # fmt: skip
            self._steps.add(step)

    def _journey_id(self) -> str:
        """The trace of the first call; where there is none, of whatever is there."""
        calls = sorted(self._calls.values(), key=lambda one: (one.at or float("inf"), one.key))
        said = (
            [one.trace for one in calls]
            + [trace_of(one.kept) for one in self._messages.values()]
            + [*map(trace_of, self._evidence.records)]
        )
        return next(filter(None, said), "")

    def _root(self, journey: str) -> None:
        """Where several calls of a consumer share its trace, the trace itself is the first step."""
        tops = [one for one in self._steps.found.values() if one.parent not in self._steps.found]
        if len(tops) < 2:
            return
        root = next((one.id for one in tops if one.call_id and trace_id_of(one.call_id) == journey), "")
        if not root:
            text = f"{len(tops)} calls share a trace that began before they reached this platform."
            first = min((one.at for one in tops if one.at), default=0.0)
            root = self._steps.add(Step(step_id("trace", journey), "", Kind.TRACE, State.DONE, text, at=first, what=journey))
        for one in tops:
            self._steps.add(under(one, root if one.id != root else ""))
