"""A message's part of a journey: that it was accepted, and its deliveries."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hub.journey.delivery import EXCHANGE, Delivery
from hub.journey.evidence import Evidence, Kept, Noted, Passed, Recorded, Source, Standing, Work
from hub.journey.making import NOBODY, step_id, unrecorded
from hub.journey.steps import Kind, State, Step
from hub.journey.words import OK, missing, short, state_of, workload
from metip.journal.records import DUPLICATE


@dataclass
class Accepted:
    """Everything that was told of one message."""

    kept: Kept
    known: bool = True
    """Whether the exchange still has it; otherwise it is put together of its records."""
    records: list[Recorded] = field(default_factory=list)
    handed: list[Recorded] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)

    def steps(self, parent: str, evidence: Evidence, work: Work) -> Iterator[Step]:
        """Its steps, the first one belonging to `parent`."""
        kept, proof = self.kept, next(iter(self.records), None)
        name = step_id("message", kept.message_id)
        told = ((Source.EXCHANGE, self.known), (Source.LEDGER, self.records))
        words = "once more, for one subscriber: a replay" if kept.replay_of else f"from {workload(kept.producer)}; it is on disk"
        text, record = f"The exchange accepted {short(kept.operation)} {words}.", proof.index if proof is not None else None
        yield Step(
            name, parent, Kind.ACCEPTED, State.DONE, text, at=kept.accepted, who=EXCHANGE, what=kept.operation, outcome=OK,
            call_id=kept.call_id, message_id=kept.message_id, record=record,
            told_by=frozenset(source for source, found in told if found),
        )  # fmt: skip
        if proof is None and work.personal:
            yield unrecorded(step_id("record", kept.message_id), name, evidence, kept.accepted, kept.call_id, kept.message_id)
        if not self.known:
            reach = evidence.reach.get(Source.EXCHANGE)
            text = missing("How often it was tried", reach, Source.EXCHANGE, kept.accepted, late=True, soon="")
            yield Step(
                step_id("history", kept.message_id), name, Kind.DELIVERY, State.MISSING, text, at=kept.accepted, who=EXCHANGE,
                what=kept.operation, call_id=kept.call_id, message_id=kept.message_id,
            )  # fmt: skip
        for standing in self._standings():
            system = standing.subscription.partition(":")[0]
            yield from Delivery(
                self.kept,
                standing,
                evidence,
                work,
                known=self.known,
                records=[one for one in self.handed if one.recipient == system],
                passed=[one for one in self.passed if one.system == system],
                noted=[one for one in self.noted if one.system == system],
            ).steps(name)

    def _standings(self) -> list[Standing]:
        """Its deliveries: those that the exchange knows, and others that are told of."""
        found = {one.subscription: one for one in self.kept.deliveries}
        operation = self.kept.operation
        others = {one.subscription for one in self.kept.steps}
        others |= {f"{one.recipient}:{operation}" for one in self.handed} | {
            f"{one.system}:{operation}" for one in self.passed if one.system
        }
        for name in sorted(others - found.keys()):
            found[name] = self._guessed(name)
        return [found[name] for name in sorted(found)]

    def _guessed(self, subscription: str) -> Standing:
        """A delivery that the exchange does not tell of, as its records end."""
        system = subscription.partition(":")[0]
        steps = [one for one in self.kept.steps if one.subscription == subscription]
        if steps:
            return Standing(subscription, steps[-1].state, max(one.attempt for one in steps), 0.0, steps[-1].status, steps[-1].reason)
        ended = [one.outcome for one in self.handed if one.recipient == system] or [
            one.outcome for one in self.passed if one.system == system
        ]
        state = "delivered" if OK in ended else "refused" if state_of(ended[-1]) is State.REFUSED else "pending"
        return Standing(subscription, state, len(ended), 0.0, "", "" if ended[-1] == OK else ended[-1])


def accepted_in(evidence: Evidence) -> dict[str, Accepted]:
    """Messages by id, each with what was told of it."""
    found = {one.message_id: Accepted(one) for one in evidence.messages}
    for record in evidence.records:
        if record.message_id and not record.action and not record.refused and record.outcome != DUPLICATE:
            if record.message_id not in found:
                found[record.message_id] = Accepted(_of_record(record), known=False)
            of = found[record.message_id]
            (of.handed if record.recipient else of.records).append(record)
    for line in evidence.passed:
        if line.message_id:
            if line.message_id not in found:
                kept = Kept(line.message_id, line.operation, "", line.call_id, line.trace, line.at)
                found[line.message_id] = Accepted(kept, known=False)
            found[line.message_id].passed.append(line)
    for one in found.values():
        _settle(one)
    for noted in evidence.noted:
        # A line of an adapter names the call. Where that brought one message only, it is that message's.
        of_call = [one for one in found.values() if one.kept.call_id == noted.call_id and one.kept.operation == noted.operation]
        if len(of_call) == 1 and noted.system and evidence.work.get(noted.operation, NOBODY).message:
            of_call[0].noted.append(noted)
    return {name: found[name] for name in sorted(found)}


def _settle(one: Accepted) -> None:
    """Puts what was told in order; of a message that only records tell of, its producer and its beginning."""
    one.records.sort(key=lambda record: record.index)
    one.handed.sort(key=lambda record: (record.at, record.index))
    one.passed.sort(key=lambda line: (line.at, line.attempt))
    if not one.known:
        told = [*one.records, *one.handed]
        begun = [record.at for record in one.records] or [record.at - (record.took or 0.0) for record in one.handed]
        begun += [] if one.records else [line.at for line in one.passed]
        producer = next((record.consumer for record in told), "")
        trace = next((record.trace for record in told if record.trace), one.kept.trace)
        one.kept = replace(one.kept, producer=producer, trace=trace, accepted=min(begun))


def _of_record(record: Recorded) -> Kept:
    return Kept(record.message_id, record.operation, record.consumer, record.call_id, record.trace, record.at)
