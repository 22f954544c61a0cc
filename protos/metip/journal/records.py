"""Makes records: of a call that was answered or refused, of an operator's action, of a journal's own life.

The law: what is personal goes into the particulars, which are sealed; the rest of a record is for everybody who may see the ledger. No text
in it is longer than a contract would let it be, whatever a refused request held.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from metip.call import Call
from metip.contracts import Operation
from metip.journal.blinding import OFFICER, REFERENCE, IndexKeys, normal_form
from metip.journal.subjects import Subject, records
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options

MOST_TOKENS: Final = 256
LONGEST: Final = 250
"""Characters of any text; no contract allows more, and a refused request may hold anything."""
OK: Final = "OK"
CLEAN, RECOVERED = "CLEAN", "RECOVERED"
WRITES: Final = frozenset({"COLLECTION", "ALTERATION", "ERASURE"})
"""Verbs whose replies are receipts and disclose nothing."""
_TRACE: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_PURPOSES: Final = frozenset(options.Purpose.values())


@dataclass(slots=True)
class Draft:
    """A record before it is sealed. Not frozen, as `Call` is not."""

    record: ledger.Record
    particulars: ledger.Particulars | None = None


@dataclass(slots=True)
class Facts:
    """What is known of a call when it is recorded. Not frozen, as `Call` is not."""

    operation: Operation
    call: Call | None
    """None for a call that was refused before it was known who calls."""
    request: Message | None
    """None for a call that was refused before its request could be read."""
    outcome: str
    """`OK`, or the reason of the refusal or fault."""
    seconds: float
    disclosed: int = 0
    subjects: Sequence[Subject] = ()
    """Those of question and answer."""
    refused: bool = False
    """Whether no handler saw the call."""
    call_id: str = ""
    """For a call that is not known."""


class Recording:
    """Makes the records of one system."""

    def __init__(self, system: str, keys: IndexKeys, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._system, self._keys, self._clock_ns = system, keys, clock_ns

    def of_call(self, facts: Facts) -> list[Draft]:
        """The record of one call; where it names more subjects than a record may hold, more records of the same call that disclose 0."""
        call, operation = facts.call, facts.operation
        record = ledger.Record(
            kind=ledger.KIND_REFUSAL if facts.refused else ledger.KIND_OPERATION,
            operation=operation.name,
            verb=_verb(operation.verb),
            outcome=facts.outcome,
            platform=self._system,
            disclosed=facts.disclosed,
        )
        self._stamp(record)
        record.took.FromNanoseconds(int(facts.seconds * 1e9))
        particulars = ledger.Particulars()
        found = dict.fromkeys(facts.subjects)
        if call is not None:
            record.call_id, record.consumer = call.id[:LONGEST], call.consumer[:LONGEST]
            if call.traceparent and (traced := _TRACE.fullmatch(call.traceparent)):
                record.trace_id = traced[1]
            if call.officer is not None:
                record.force, record.unit = str(call.officer.force)[:LONGEST], str(call.officer.unit)[:LONGEST]
                particulars.officer = call.officer.warrant_number[:LONGEST]
                found[OFFICER, normal_form(OFFICER, particulars.officer)] = None
            if call.handover is not None:
                record.message_id, record.recipient = call.handover.message_id[:LONGEST], self._system
        else:
            record.call_id = facts.call_id[:LONGEST]
        access: Any = getattr(facts.request, "access", None)
        if access is not None:
            record.purpose = access.purpose if access.purpose in _PURPOSES else options.PURPOSE_UNSPECIFIED
            _explain(particulars, access)
            if particulars.reference:
                found[REFERENCE, normal_form(REFERENCE, particulars.reference)] = None
        return self._split(record, particulars, list(found))

    def of_action(
        self, action: str, *, by: str, detail: str, reason: str = "", reference: str = "", outcome: str = OK, message_id: str = ""
    ) -> Draft:
        """The record of what an operator did: `action` such as `exchange/replay`, `by` whom as `os://<host>/<user>`.

        `detail` says it by identifiers of messages or changes, `reason` in the operator's words; both are sealed.
        """
        record = ledger.Record(kind=ledger.KIND_ACTION, operation=action, outcome=outcome, platform=self._system)
        record.verb, record.consumer, record.message_id = options.VERB_NONE, by[:LONGEST], message_id
        self._stamp(record)
        particulars = ledger.Particulars(detail=detail, justification=reason[:LONGEST], reference=reference[:LONGEST])
        found = [(REFERENCE, normal_form(REFERENCE, particulars.reference))] if particulars.reference else []
        particulars.tokens.extend(self._tokens(found))
        return Draft(record, particulars)

    def _split(self, record: ledger.Record, particulars: ledger.Particulars, found: list[Subject]) -> list[Draft]:
        particulars.tokens.extend(self._tokens(found[:MOST_TOKENS]))
        drafts = [Draft(record, particulars)]
        for start in range(MOST_TOKENS, len(found), MOST_TOKENS):
            more, others = ledger.Record(), ledger.Particulars()
            more.CopyFrom(record)
            others.CopyFrom(particulars)
            more.disclosed = 0
            del others.tokens[:]
            others.tokens.extend(self._tokens(found[start : start + MOST_TOKENS]))
            drafts.append(Draft(more, others))
        return drafts

    def _tokens(self, found: Iterable[Subject]) -> list[ledger.Token]:
        token = self._keys.token
        return [ledger.Token(kind=one.kind, value=one.value, key=one.key) for one in (token(kind, normal) for kind, normal in found)]

    def _stamp(self, record: ledger.Record) -> None:
        record.at.seconds, record.at.nanos = divmod(self._clock_ns(), 1_000_000_000)


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


def _explain(particulars: ledger.Particulars, access: Any) -> None:
    """Copies why somebody asks; most of it is mostly empty, and setting a field costs more than looking."""
    if reference := access.reference:
        particulars.reference = reference[:LONGEST]
    if behalf := access.on_behalf_of:
        particulars.on_behalf_of = behalf[:LONGEST]
    if justification := access.justification:
        particulars.justification = justification[:LONGEST]
    if device := access.device_id:
        particulars.device_id = device[:LONGEST]


def _verb(word: str) -> "options.Verb.ValueType":
    return options.Verb.Value(f"VERB_{word}")
