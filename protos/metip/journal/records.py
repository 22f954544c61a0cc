"""Makes records: of a call that was answered or refused, of an operator's action, of a journal's own life.

The law: what is personal goes into the particulars, which are sealed; the rest of a record is for everybody who may see the ledger. No text
in it is longer than a contract would let it be, whatever a refused request held.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import Message

from metip.call import Call, Officer
from metip.contracts import Operation
from metip.journal.blinding import OFFICER, REFERENCE, IndexKeys, normal_form
from metip.journal.subjects import Subject, records
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options
from metip.tracing import trace_id, trace_id_of

MOST_TOKENS: Final = 256
LONGEST: Final = 250
"""Characters of any text; no contract allows more, and a refused request may hold anything."""
OK: Final = "OK"
DUPLICATE: Final = "DUPLICATE"
"""How the hand-over of a message ended that the exchange had already, and of which it kept nothing."""
CLEAN, RECOVERED = "CLEAN", "RECOVERED"
WRITES: Final = frozenset({"COLLECTION", "ALTERATION", "ERASURE"})
"""Verbs whose replies are receipts and disclose nothing."""
REMEMBERED: Final = 8192
_SECOND: Final = 1_000_000_000
_PURPOSES: Final = frozenset(options.Purpose.values())


@dataclass(slots=True)
class Draft:
    """A record before it is sealed. Not frozen, as `Call` is not."""

    record: ledger.Record
    particulars: ledger.Particulars | None = None
    mark: tuple[str, int] | None = None
    """A source and how far it was read when this was made of it; kept with the record, so that each thing is recorded once."""


@dataclass(slots=True)
class Facts:
    """What is known of a call when it is recorded. Not frozen, as `Call` is not."""

    operation: Operation
    call: Call | None
    """None for a call that was refused before it was known who calls."""
    request: Message | None
    """None for a call that was refused before its request could be read."""
    outcome: str
    """`OK`, `DUPLICATE`, or the reason of the refusal or fault."""
    seconds: float
    disclosed: int = 0
    subjects: Sequence[Subject] = ()
    """Those of question and answer."""
    refused: bool = False
    """Whether no handler saw the call."""
    call_id: str = ""
    """For a call that is not known."""
    at_ns: int = 0
    """When the call had come so far, Unix time in ns; 0 where that is when its record is made."""


class Recording:
    """Makes the records of one system. What many records have in common is made once: of a protobuf, to copy costs less than to fill in."""

    def __init__(
        self,
        system: str,
        keys: IndexKeys,
        *,
        platform: "options.Platform.ValueType" = options.PLATFORM_UNSPECIFIED,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`platform` is the one of the two that run in parallel to which the system belongs."""
        self._system, self._keys, self._platform, self._clock_ns = system, keys, platform, clock_ns
        self._begun = lru_cache(maxsize=REMEMBERED)(self._begin)
        self._token = lru_cache(maxsize=REMEMBERED)(self._encode)

    def of_call(self, facts: Facts) -> list[Draft]:
        """The record of one call; where it names more subjects than a record may hold, more records of the same call that disclose 0."""
        call = facts.call
        officer = call.officer if call is not None else None
        record, particulars = ledger.Record(), ledger.Particulars()
        record.CopyFrom(self._begun(facts.operation.name, facts.operation.verb, facts.refused, call.consumer if call else "", officer))
        self._stamp(record, facts.seconds, facts.at_ns)
        record.outcome = facts.outcome
        if facts.disclosed:
            record.disclosed = facts.disclosed
        found = dict.fromkeys(facts.subjects)
        if officer is not None:
            number = officer.warrant_number[:LONGEST]
            particulars.officer = number
            found[OFFICER, number] = None
        record.call_id = (call.id if call is not None else facts.call_id)[:LONGEST]
        if call is not None:
            record.trace_id = trace_id(call.traceparent, call.id)
            if call.parent:
                record.parent_call_id = call.parent
            if call.handover is not None:
                record.message_id, record.recipient = call.handover.message_id[:LONGEST], self._system
        access: Any = getattr(facts.request, "access", None)
        if access is not None:
            purpose = access.purpose
            record.purpose = purpose if purpose in _PURPOSES else options.PURPOSE_UNSPECIFIED
            if reference := _explain(particulars, access):
                found[REFERENCE, reference] = None
        return self._split(record, particulars, list(found))

    def of_refusal(self, operation: Operation | None, *, consumer: str, call_id: str, outcome: str, at_ns: int) -> Draft:
        """The record of a call that Envoy refused, `operation` None where it was of none, and of a connection that never became a call."""
        record = ledger.Record(kind=ledger.KIND_REFUSAL, outcome=outcome[:LONGEST], platform=self._system, verb=options.VERB_NONE)
        record.consumer, record.call_id, record.trace_id = consumer[:LONGEST], call_id[:LONGEST], trace_id_of(call_id)
        if operation is not None:
            record.operation, record.verb = operation.name, _verb(operation.verb)
        record.at.FromNanoseconds(at_ns)
        return Draft(record)

    def of_action(
        self,
        action: str,
        *,
        by: str,
        detail: str,
        officer: str = "",
        reason: str = "",
        reference: str = "",
        outcome: str = OK,
        message_id: str = "",
    ) -> Draft:
        """The record of what an operator did: `action` such as `exchange/replay`, `by` whom as `os://<host>/<user>`, or an `officer` by
        warrant number.

        `detail` says it by identifiers of messages or changes, `reason` in the operator's words; both are sealed.
        """
        record = ledger.Record(kind=ledger.KIND_ACTION, operation=action, outcome=outcome, platform=self._system)
        record.verb, record.consumer, record.message_id = options.VERB_NONE, by[:LONGEST], message_id
        self._stamp(record)
        particulars = ledger.Particulars(
            detail=detail, officer=officer[:LONGEST], justification=reason[:LONGEST], reference=reference[:LONGEST]
        )
        named = ((REFERENCE, particulars.reference), (OFFICER, particulars.officer))
        self._index(particulars, [(kind, text) for kind, text in named if text])
        return Draft(record, particulars)

    def _begin(self, operation: str, verb: str, refused: bool, consumer: str, officer: Officer | None) -> ledger.Record:
        """What records of one operation, consumer and officer have in common."""
        record = ledger.Record(kind=ledger.KIND_REFUSAL if refused else ledger.KIND_OPERATION, operation=operation, verb=_verb(verb))
        record.platform, record.consumer = self._system, consumer[:LONGEST]
        record.generation = self._platform
        if officer is not None:
            record.force, record.unit = str(officer.force)[:LONGEST], str(officer.unit)[:LONGEST]
        return record

    def _split(self, record: ledger.Record, particulars: ledger.Particulars, found: list[Subject]) -> list[Draft]:
        if len(found) <= MOST_TOKENS:
            self._index(particulars, found)
            return [Draft(record, particulars)]
        drafts = []
        for start in range(0, len(found), MOST_TOKENS):
            one, said = ledger.Record(), ledger.Particulars()
            one.CopyFrom(record)
            said.CopyFrom(particulars)
            one.disclosed = 0 if start else record.disclosed
            self._index(said, found[start : start + MOST_TOKENS])
            drafts.append(Draft(one, said))
        return drafts

    def _index(self, particulars: ledger.Particulars, found: Iterable[Subject]) -> None:
        """Adds tokens."""
        number, token = self._keys.in_use(), self._token
        particulars.MergeFromString(b"".join([token(kind, normal, number) for kind, normal in found]))

    def _encode(self, kind: str, text: str, number: int) -> bytes:
        """The token of a subject's normal form, or of an officer or a reference as they were given, as it stands in particulars."""
        one = self._keys.token(kind, normal_form(kind, text) if kind in (OFFICER, REFERENCE) else text)
        return ledger.Particulars(tokens=[ledger.Token(kind=kind, value=one.value, key=one.key)]).SerializeToString()

    def _stamp(self, record: ledger.Record, seconds: float = 0.0, at_ns: int = 0) -> None:
        """The instant, and how long it took."""
        now, at = at_ns or self._clock_ns(), record.at
        at.seconds, at.nanos = now // _SECOND, now % _SECOND
        if seconds > 0:
            taken, took = int(seconds * _SECOND), record.took
            if taken >= _SECOND:
                took.seconds = taken // _SECOND
            took.nanos = taken % _SECOND


def disclosed(operation: Operation, call: Call, reply: Message) -> int:
    """How many records an answer discloses: those in the reply of a consultation or combination; the one in the request of a disclosure and
    of a message that is handed over; none for what only takes data in, changes or erases it."""
    if call.handover is not None or operation.verb == "DISCLOSURE":
        return 1
    return 0 if operation.verb in WRITES else records(reply)


def of_journal(kind: "ledger.Kind.ValueType", outcome: str, system: str, now_ns: int) -> Draft:
    """The record of a journal's own life: that it was opened, or that nothing happened."""
    record = ledger.Record(kind=kind, outcome=outcome, platform=system, verb=options.VERB_NONE)
    record.at.seconds, record.at.nanos = divmod(now_ns, 1_000_000_000)
    return Draft(record)


def _explain(particulars: ledger.Particulars, access: Any) -> str:
    """Copies why somebody asks, and gives the reference; most of it is mostly empty, and setting a field costs more than looking."""
    if behalf := access.on_behalf_of:
        particulars.on_behalf_of = behalf[:LONGEST]
    if justification := access.justification:
        particulars.justification = justification[:LONGEST]
    if device := access.device_id:
        particulars.device_id = device[:LONGEST]
    reference = str(access.reference[:LONGEST])
    if reference:
        particulars.reference = reference
    return reference


def _verb(word: str) -> "options.Verb.ValueType":
    return options.Verb.Value(f"VERB_{word}")
