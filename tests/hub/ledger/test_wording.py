"""A record in one line of plain English: complete, and without anything that is sealed."""

import pytest

from hub.ledger.wording import ACTIONS, DID, PURPOSES, sentence
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options

TABLET = "spiffe://metip.local/consumer/tablet"
EXAMPLE = "metip.example.v1.ExampleService/GetExampleList"


def record(**said: object) -> ledger.Record:
    return ledger.Record(**{"kind": ledger.KIND_OPERATION, "operation": EXAMPLE, "consumer": TABLET, "outcome": "OK", **said})  # type: ignore[arg-type]


STOP = {"verb": options.VERB_CONSULTATION, "purpose": options.PURPOSE_STREET_STOP}
LINES = [
    (
        record(force="01", unit="B", disclosed=1, **STOP),
        (
            "Somebody of unit B of 01, through consumer/tablet, looked something up in example (get example list) for a street stop:"
            " 1 record was disclosed."
        ),
    ),
    (
        record(disclosed=3, **STOP),
        "The workload consumer/tablet looked something up in example (get example list) for a street stop: 3 records were disclosed.",
    ),
    (
        record(outcome="NO_TRACE", **STOP),
        "The workload consumer/tablet looked something up in example (get example list) for a street stop, which ended NO_TRACE.",
    ),
    (
        record(kind=ledger.KIND_REFUSAL, outcome="RESTRICTED", verb=options.VERB_ERASURE),
        "The workload consumer/tablet erased something in example (get example list), and was refused: RESTRICTED.",
    ),
    (
        record(message_id="m-1", verb=options.VERB_DISCLOSURE),
        "The workload consumer/tablet handed message m-1 over: example (get example list).",
    ),
    (
        record(message_id="m-1", outcome="DUPLICATE", **STOP),
        (
            "The workload consumer/tablet handed message m-1 over once more: example (get example list) for a street stop,"
            " and nothing was kept of it."
        ),
    ),
    (
        record(message_id="m-1", recipient="far", disclosed=1),
        "The exchange handed message m-1 of the workload consumer/tablet to far: 1 record was disclosed.",
    ),
    (
        record(kind=ledger.KIND_ACTION, operation="exchange/release", consumer="os://desk/alex", message_id="m-1"),
        "The operator alex at desk let a delivery be tried again (message m-1).",
    ),
    (
        record(kind=ledger.KIND_ACTION, operation="ledger/search", consumer="sso://id.example/u-17", purpose=options.PURPOSE_AUDIT),
        "The operator u-17 at id.example searched the ledger for audit.",
    ),
    (record(kind=ledger.KIND_ACTION, operation="new/deed", consumer="", outcome="JOURNAL"), "Somebody did new/deed, which ended JOURNAL."),
    (ledger.Record(kind=ledger.KIND_OPENED, platform="hub", outcome="RECOVERED"), "The journal of hub was opened after a crash."),
    (ledger.Record(kind=ledger.KIND_HEARTBEAT, platform="hub"), "The journal of hub says that it is there; nothing happened."),
    (
        record(operation="", kind=ledger.KIND_REFUSAL, outcome="NO_ROUTE", consumer=""),
        "Somebody called nothing that is known, and was refused: NO_ROUTE.",
    ),
]


@pytest.mark.parametrize(("found", "line"), LINES, ids=[line[:40] for _, line in LINES])
def test_a_record_is_told_in_plain_english(found: ledger.Record, line: str) -> None:
    assert sentence(found) == line


def test_every_purpose_and_verb_has_words() -> None:
    assert set(PURPOSES) == set(options.Purpose.values()) - {0}
    assert set(DID) == set(options.Verb.values()) - {0, options.VERB_NONE}
    assert all(words == words.strip() for words in ACTIONS.values())
