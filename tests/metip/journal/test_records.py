"""What a record says, and that nothing personal is outside what is sealed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from journals import CALL, OPERATION, SYSTEM, Ledger
from sample_contract import asking, message

from metip.call import Handover
from metip.common.v1.access_pb2 import AccessContext
from metip.journal.records import LONGEST, MOST_TOKENS, Facts, Recording, disclosed
from metip.ledger.v1 import record_pb2 as ledger
from metip.options.v1 import options_pb2 as options
from metip.tracing import trace_id_of

Asked, Told, Seen = message("Asked"), message("Told"), message("Seen")
NOW = 1_795_600_000
REQUEST = Asked(
    access=asking(reference="90001/23nov26", justification="a synthetic reason", on_behalf_of="Sgt Nobody", device_id="device-1"),
    surname="NOBODYATALL",
)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Makes records at one instant."""
    return Ledger(tmp_path / "ledger").recording(clock_ns=lambda: NOW * 10**9)


def facts(**changed: Any) -> Facts:
    """Facts of a call that was answered."""
    return replace(Facts(OPERATION, CALL, REQUEST, "OK", 0.0125, 2, [("vrm", "AB12CDE"), ("vrm", "AB12CDE")]), **changed)


def test_an_operation_is_recorded_with_all_that_section_62_wants(recording: Recording) -> None:
    (draft,) = recording.of_call(facts())
    record = draft.record
    assert record == ledger.Record(
        at=record.at,
        kind=ledger.KIND_OPERATION,
        call_id="call-1",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        operation=OPERATION.name,
        verb=options.VERB_CONSULTATION,
        consumer="spiffe://metip.local/consumer/test",
        force="01",
        unit="ZD",
        purpose=options.PURPOSE_STREET_STOP,
        disclosed=2,
        outcome="OK",
        took=record.took,
        platform=SYSTEM,
    )
    assert (record.at.ToMilliseconds(), record.took.ToMilliseconds()) == (NOW * 1000, 12)


def test_a_record_that_is_made_later_has_the_time_of_its_call(recording: Recording) -> None:
    (draft,) = recording.of_call(facts(at_ns=(NOW - 3) * 10**9 + 5))
    assert (draft.record.at.seconds, draft.record.at.nanos) == (NOW - 3, 5)


def test_what_is_personal_is_in_the_particulars_alone(recording: Recording) -> None:
    (draft,) = recording.of_call(facts())
    said = draft.particulars
    assert said is not None
    assert (said.officer, said.reference, said.on_behalf_of) == ("P123456", "90001/23nov26", "Sgt Nobody")
    assert (said.justification, said.device_id) == ("a synthetic reason", "device-1")
    assert [token.kind for token in said.tokens] == ["vrm", "officer", "reference"]
    clear = draft.record.SerializeToString() + b"".join(token.value for token in said.tokens)
    for word in (b"P123456", b"90001", b"Nobody", b"NOBODYATALL", b"synthetic", b"device-1", b"AB12CDE"):
        assert word not in clear


def test_a_token_of_a_record_is_the_one_that_a_search_makes(recording: Recording, tmp_path: Path) -> None:
    (draft,) = recording.of_call(facts())
    assert draft.particulars is not None
    (token,) = [one for one in draft.particulars.tokens if one.kind == "reference"]
    again = Ledger(tmp_path / "ledger").recording()._keys.token("reference", "90001/23NOV26")
    assert (token.value, token.key) == (again.value, again.key)


def test_a_message_is_recorded_with_its_id_and_who_got_it(recording: Recording) -> None:
    call = replace(CALL, officer=None, handover=Handover("message-1", 1, False, 0.0))
    (draft,) = recording.of_call(facts(call=call))
    assert (draft.record.message_id, draft.record.recipient) == ("message-1", SYSTEM)
    assert (draft.record.force, draft.particulars and draft.particulars.officer) == ("", "")


def test_a_refusal_is_recorded_with_what_is_known(recording: Recording) -> None:
    unknown = facts(call=None, request=None, outcome="CONSUMER_UNKNOWN", refused=True, call_id="call-2", disclosed=0, subjects=())
    (draft,) = recording.of_call(unknown)
    record = draft.record
    assert (record.kind, record.outcome, record.call_id, record.consumer) == (ledger.KIND_REFUSAL, "CONSUMER_UNKNOWN", "call-2", "")
    assert record.purpose == options.PURPOSE_UNSPECIFIED
    assert draft.particulars is not None
    assert list(draft.particulars.tokens) == []


def test_a_refused_request_can_not_make_a_record_large_or_wrong(recording: Recording) -> None:
    access = AccessContext(reference="R" * 60_000, justification="J" * 60_000, on_behalf_of="B" * 60_000, device_id="D" * 60_000)
    access.purpose = 4711  # type: ignore[assignment]  # what no contract has
    call = replace(CALL, id="I" * 60_000, traceparent="00-zz-1-1")
    (draft,) = recording.of_call(facts(request=Asked(access=access), call=call, refused=True))
    assert draft.particulars is not None
    assert draft.record.ByteSize() + draft.particulars.ByteSize() < 8 * LONGEST
    assert draft.record.purpose == options.PURPOSE_UNSPECIFIED
    assert draft.record.trace_id == trace_id_of(call.id), "what is no trace context is as good as none"


def test_more_subjects_than_a_record_holds_are_in_more_records_that_disclose_nothing_more(recording: Recording) -> None:
    many = [("vrm", f"V{number}") for number in range(2 * MOST_TOKENS)]
    drafts = recording.of_call(facts(subjects=many, disclosed=512))
    assert [draft.record.disclosed for draft in drafts] == [512, 0, 0]
    assert {draft.record.call_id for draft in drafts} == {"call-1"}
    held = [len(draft.particulars.tokens) for draft in drafts if draft.particulars]
    assert held == [MOST_TOKENS, MOST_TOKENS, 2]


DISCLOSED = [("CONSULTATION", 2), ("COMBINATION", 2), ("DISCLOSURE", 1), ("COLLECTION", 0), ("ALTERATION", 0), ("ERASURE", 0)]


@pytest.mark.parametrize(("verb", "number"), DISCLOSED, ids=[verb.lower() for verb, _ in DISCLOSED])
def test_what_was_disclosed_depends_on_the_verb(verb: str, number: int) -> None:
    assert disclosed(replace(OPERATION, verb=verb), CALL, Told(many=[Seen(), Seen()])) == number


def test_a_message_that_is_handed_over_discloses_itself() -> None:
    call = replace(CALL, handover=Handover("message-1", 1, False, 0.0))
    assert disclosed(replace(OPERATION, verb="COLLECTION"), call, Told()) == 1


def test_an_operators_action_is_recorded_with_its_words_sealed(recording: Recording) -> None:
    draft = recording.of_action("exchange/replay", by="os://host/somebody", detail="plan 1", reason="asked by the court", reference="1/2")
    record, said = draft.record, draft.particulars
    assert (record.kind, record.operation, record.consumer, record.outcome) == (
        ledger.KIND_ACTION,
        "exchange/replay",
        "os://host/somebody",
        "OK",
    )
    assert said is not None
    assert (said.detail, said.justification, [token.kind for token in said.tokens]) == ("plan 1", "asked by the court", ["reference"])
