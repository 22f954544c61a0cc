"""A record of the ledger in one line of plain English: who did what, why, and what came of it. Pure; only what is in clear is told.

`Somebody of unit B of 01, through consumer/tablet, looked something up in pnc (get person) for a street stop: 1 record was disclosed.`
"""

import re
from typing import Final

from metip.journal.records import DUPLICATE, OK
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options

DID: Final = {
    options.VERB_COLLECTION: "entered something in",
    options.VERB_ALTERATION: "changed something in",
    options.VERB_CONSULTATION: "looked something up in",
    options.VERB_DISCLOSURE: "disclosed something from",
    options.VERB_COMBINATION: "searched several sources through",
    options.VERB_ERASURE: "erased something in",
}
PURPOSES: Final = {
    options.PURPOSE_STREET_STOP: "a street stop",
    options.PURPOSE_ROAD_TRAFFIC: "road traffic",
    options.PURPOSE_ARREST_DETENTION: "arrest or detention",
    options.PURPOSE_CRIME_INVESTIGATION: "the investigation of a crime",
    options.PURPOSE_INCIDENT_RESPONSE: "the response to an incident",
    options.PURPOSE_SAFEGUARDING: "safeguarding",
    options.PURPOSE_PROSECUTION: "a prosecution",
    options.PURPOSE_LICENSING_VETTING: "licensing or vetting",
    options.PURPOSE_OTHER_AGENCY: "another agency",
    options.PURPOSE_AUDIT: "audit",
    options.PURPOSE_MIGRATION_TEST: "the comparison of two platforms",
    options.PURPOSE_TRAINING: "training",
}
ACTIONS: Final = {
    "access_policy_change": "changed the access policy",
    "access_policy_change_refused": "changed the access policy, which Envoy did not take",
    "call/unmask": "had the answer to a call shown without masks",
    "exchange/approve": "approved a replay of messages",
    "exchange/confirmed": "settled a delivery in doubt as done",
    "exchange/note": "left a note on messages that wait",
    "exchange/park": "held a delivery back",
    "exchange/pause": "stopped the deliveries of a subscription",
    "exchange/plan": "planned a replay of messages",
    "exchange/purge": "took a delivery out for good",
    "exchange/refused": "settled a delivery in doubt as not done",
    "exchange/release": "let a delivery be tried again",
    "exchange/replay": "replayed messages",
    "exchange/resume": "resumed the deliveries of a subscription",
    "ledger/erase": "erased particulars whose time was over",
    "ledger/export": "took records out of the ledger for a case",
    "ledger/report-access": "had a report made of who looked at somebody",
    "ledger/rotate-key": "put a new key of the ledger in use",
    "ledger/search": "searched the ledger",
    "ledger/show": "looked at a record of the ledger",
    "ledger/summarise": "counted the use of personal data",
    "messages/hand-over": "handed a subscription over to another platform",
    "messages/owner-back": "took back a move of messages to another platform",
    "messages/unmask": "had a message shown without masks",
    "migration/cancel": "called off a step of a migration",
    "migration/refused": "asked for a step of a migration, which was refused",
    "migration/step": "moved an interface between the platforms",
    "migration/undone": "took back a step of a migration",
    "parity/accept": "accepted a difference between the platforms",
    "parity/case": "made a case file of a difference between the platforms",
    "parity/sample": "had a call asked of both platforms",
    "parity/withdraw": "took back the acceptance of a difference",
    "traffic/change": "changed the traffic",
    "traffic/override": "set a key of Envoy by hand",
    "traffic/refused": "changed the traffic, which Envoy did not take",
}
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORKLOAD: Final = re.compile(r"spiffe://[^/]+/(.+)")
_OPERATOR: Final = re.compile(r"(?:os|sso)://([^/]+)/(.+)")
_OPERATION: Final = re.compile(r"metip\.([a-z0-9_]+)\..*/([A-Za-z0-9]+)")


def sentence(record: ledger.Record) -> str:
    """The line."""
    if record.kind == ledger.KIND_OPENED:
        return f"The journal of {record.platform} was opened{' after a crash' if record.outcome == 'RECOVERED' else ''}."
    if record.kind == ledger.KIND_HEARTBEAT:
        return f"The journal of {record.platform} says that it is there; nothing happened."
    if record.kind == ledger.KIND_ACTION:
        done = ACTIONS.get(record.operation, f"did {record.operation}")
        message = f" (message {record.message_id})" if record.message_id else ""
        return f"{_who(record)} {done}{message}{_purpose(record)}{_ending(record)}"
    if record.recipient:
        who = _who(record)
        return f"The exchange handed message {record.message_id} of {who[0].lower()}{who[1:]} to {record.recipient}{_ending(record)}"
    if record.message_id:
        over, ending = ("over once more", ", and nothing was kept of it.") if record.outcome == DUPLICATE else ("over", _ending(record))
        return f"{_who(record)} handed message {record.message_id} {over}: {_operation(record)}{_purpose(record)}{ending}"
    return f"{_who(record)} {DID.get(record.verb, 'called')} {_operation(record)}{_purpose(record)}{_ending(record)}"


def _who(record: ledger.Record) -> str:
    workload, operator = _WORKLOAD.fullmatch(record.consumer), _OPERATOR.fullmatch(record.consumer)
    if operator:
        return f"The operator {operator[2]} at {operator[1]}"
    through = workload[1] if workload else record.consumer
    if record.force or record.unit:
        of = " of ".join(filter(None, ("unit " + record.unit if record.unit else "", record.force)))
        return f"Somebody of {of}{', through ' + through + ',' if through else ''}"
    return f"The workload {through}" if through else "Somebody"


def _operation(record: ledger.Record) -> str:
    found = _OPERATION.fullmatch(record.operation)
    if found is None:
        return record.operation or "nothing that is known"
    return f"{found[1]} ({_WORDS.sub(' ', found[2]).lower()})"


def _purpose(record: ledger.Record) -> str:
    return f" for {PURPOSES[record.purpose]}" if record.purpose in PURPOSES else ""


def _ending(record: ledger.Record) -> str:
    if record.kind == ledger.KIND_REFUSAL:
        return f", and was refused: {record.outcome}."
    if record.outcome not in ("", OK):
        return f", which ended {record.outcome}."
    if record.kind != ledger.KIND_OPERATION or not record.disclosed:
        return "."
    return f": {record.disclosed} record{' was' if record.disclosed == 1 else 's were'} disclosed."
