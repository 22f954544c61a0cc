"""What was told of each call of a journey, put together by the call's id."""

from collections.abc import Iterable
from typing import Final

from hub.journey.evidence import Evidence, Kept, Noted, Passed, Recorded, Source, trace_of
from hub.journey.making import EDGE, NOBODY
from hub.journey.words import OK
from metip.journal.records import DUPLICATE
from metip.tracing import trace_id_of

LONE: Final = "record-"
"""Begins the key of something that has no call id: a connection that never became a call."""


class Told:
    """Everything that was told of one call."""

    def __init__(self, key: str, call_id: str, compares: str = "") -> None:
        self.key, self.id = key, call_id
        self.compares = compares
        """The call that it is compared with, where the hub made it for that."""
        self._disowned = False
        self.records: list[Recorded] = []
        self.passed: list[Passed] = []
        self.noted: list[Noted] = []
        self.brought: list[Kept] = []
        """Messages that it handed over."""

    @property
    def parent(self) -> str:
        """The call that made it; empty where nobody says so."""
        if self._disowned:
            return ""
        said = [one.parent for one in self.passed] + [one.parent for one in self.records]
        return self.compares or next((one for one in said if one and one != self.key), "")

    def disown(self) -> None:
        """Takes no word for who made it."""
        self._disowned = True

    @property
    def trace(self) -> str:
        """Its trace."""
        said = [*map(trace_of, self.passed), *map(trace_of, self.records), *map(trace_of, self.brought)]
        return next(filter(None, said), trace_id_of(self.id))

    @property
    def operation(self) -> str:
        """What was called; empty where nobody says."""
        said = [one.operation for one in self.passed] + [one.operation for one in self.records] + [one.operation for one in self.noted]
        return next(filter(None, said), next((one.operation for one in self.brought), ""))

    @property
    def consumer(self) -> str:
        """Who called."""
        said = [one.consumer for one in self.passed] + [one.consumer for one in self.records] + [one.consumer for one in self.noted]
        return next(filter(None, said), next((one.producer for one in self.brought), ""))

    @property
    def at(self) -> float:
        """When it began, as far as anybody can say."""
        if self.passed:
            return self.passed[0].at
        begun = [one.at - (one.took or 0.0) for one in self.records] + [one.at - one.ms / 1000 for one in self.noted]
        return min((*begun, *(one.accepted for one in self.brought)), default=0.0)

    @property
    def outcome(self) -> str:
        """How it ended: in the words of whoever ended it. Empty where nobody says."""
        if self.passed and not self.passed[0].answered:
            return next((one.outcome for one in self.records if one.platform == EDGE), self.passed[0].outcome)
        said = [one.outcome for one in self.records] + [one.outcome for one in self.noted] + [one.outcome for one in self.passed]
        return next(filter(None, said), OK if self.brought else "")

    @property
    def refusal(self) -> Recorded | None:
        """The record of Envoy's having refused it."""
        return next((one for one in self.records if one.platform == EDGE), None)

    @property
    def handled(self) -> list[Recorded]:
        """Records of whoever had it behind Envoy."""
        return [one for one in self.records if one.platform != EDGE]

    @property
    def told_by(self) -> frozenset[Source]:
        """Who told of it."""
        told = (
            (Source.LEDGER, self.records),
            (Source.ENVOY, self.passed),
            (Source.ADAPTER_LOG, self.noted),
            (Source.EXCHANGE, self.brought),
        )
        return frozenset(source for source, found in told if found)


def calls_of(evidence: Evidence, messages: Iterable[Kept]) -> dict[str, Told]:
    """Calls by key, which is the call id but for comparisons, which go by the id of the call that they compare."""
    calls: dict[str, Told] = {}

    def call(call_id: str, compared: str = "") -> Told:
        key = f"{call_id}/{compared}" if compared else call_id
        return calls.setdefault(key, Told(key, call_id, call_id if compared else ""))

    for line in evidence.passed:
        if not line.message_id:
            call(line.call_id, line.system if line.comparing else "").passed.append(line)
    for record in evidence.records:
        if not record.call_id and not record.action and not record.recipient:
            key = f"{LONE}{record.index}"
            calls.setdefault(key, Told(key, "")).records.append(record)
        elif of_call(record):
            call(record.call_id, record.platform if record.comparing else "").records.append(record)
    for noted in evidence.noted:
        if not evidence.work.get(noted.operation, NOBODY).message:
            call(noted.call_id, noted.system if noted.comparing else "").noted.append(noted)
    for message in messages:
        if message.call_id:
            call(message.call_id).brought.append(message)
    for one in calls.values():
        one.passed.sort(key=lambda line: (line.at, line.outcome, line.upstream))
        one.records.sort(key=lambda record: record.index)
        one.noted.sort(key=lambda noted: (noted.at, noted.system))
        one.brought.sort(key=lambda kept: kept.message_id)
    return calls


def of_call(record: Recorded) -> bool:
    """Whether a record is of a call, rather than of a message that was accepted or handed over, or of what a person did."""
    return not record.action and not record.recipient and (not record.message_id or record.refused or record.outcome == DUPLICATE)
