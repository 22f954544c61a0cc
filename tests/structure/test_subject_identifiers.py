"""Whom an operation was about can be found again: each contract marks what its data subjects are found by."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from every_message import every_message

from hub.cli.messages import installed
from metip.contracts import Operation
from metip.identifiers import PARSERS
from metip.masking import field_options

TOGETHER: Final = {"surname", "forename", "birth"}
"""Kinds that make a `name_and_birth` together."""
BIRTHS: Final = ("metip.common.v1.CivilDate", "metip.common.v1.DateRange")
BY_ID: Final = "moves or shows messages by their ids; whom a message is about was recorded when it was accepted and when it is handed over"
EXCHANGE: Final = "metip.exchange.v1.ExchangeService"
LEDGER: Final = "metip.ledger.v1.LedgerService"
ABOUT_RECORDS: Final = "is about records; whom it asks after stands in its own record, as tokens of what it asks by"
JOURNEY: Final = "metip.journey.v1.JourneyService"
BY_KEY: Final = "is found by any key; one that is an identifier stands in its own record, as the token of what it asks by"
RECORDINGS: Final = "metip.parity.v1.RecordingService"
BY_NAME: Final = "names a recording; whom its calls were about stands in the records of those calls, and of each one that is asked again"
WAIVED: Final = (
    {
        f"{EXCHANGE}/{name}": BY_ID
        for name in (
            "PauseSubscription",
            "ListOwners",
            "MoveOwner",
            "HandOver",
            "ListDeliveries",
            "GetMessage",
            "Decide",
            "PlanReplay",
            "ApproveReplay",
            "Replay",
            "NoteGroup",
        )
    }
    | {f"{EXCHANGE}/FindMessages": ABOUT_RECORDS}
    | {f"{JOURNEY}/GetJourney": BY_KEY}
    | {f"{RECORDINGS}/{name}": BY_NAME for name in ("StartRecording", "EraseRecording", "ReplayRecording")}
    | {
        f"{LEDGER}/{name}": ABOUT_RECORDS
        for name in ("SearchRecords", "GetRecord", "ReportAccess", "SummariseUse", "ExportRecords", "EraseRecords", "RotateKey")
    }
)
"""Operations that touch personal data and name nobody, with the reason."""
MESSAGES: Final = installed()
PERSONAL: Final = [one for one in MESSAGES.contracts.operations.values() if one.personal]
EVERY: Final = [one.DESCRIPTOR for one in every_message()]


def kind_of(field: Any) -> str:
    """The kind of identifier that a field is marked as; '' for none."""
    return str(field_options(field).subject_identifier)


def nested(message: Any, seen: set[str]) -> Iterator[Any]:
    """A message and every message that it can hold."""
    if message.full_name not in seen:
        seen.add(message.full_name)
        yield message
        for field in message.fields:
            if field.message_type is not None:
                yield from nested(field.message_type, seen)


def marks(message: Any) -> set[str]:
    """Kinds of identifiers that a message can hold; those that count together only where all of them can."""
    found = {kind_of(field) for one in nested(message, set()) for field in one.fields} - {""}
    return found if found >= TOGETHER else found - TOGETHER


def found_by(operation: Operation) -> set[str]:
    """Kinds of identifiers by which the data subjects of an operation can be found."""
    return {kind for name in (operation.request, operation.reply) for kind in marks(MESSAGES.kind(name).DESCRIPTOR)}


@pytest.mark.parametrize("operation", PERSONAL, ids=lambda one: one.name)
def test_an_operation_on_personal_data_names_whom_it_is_about(operation: Operation) -> None:
    if operation.name in WAIVED:
        assert not found_by(operation), "the waiver is no longer needed: drop it"
    else:
        assert found_by(operation), "mark a field of its request or reply with subject_identifier (metip/options/v1/options.proto)"


def test_every_waiver_is_of_an_operation_that_there_is() -> None:
    assert set(WAIVED) <= {one.name for one in PERSONAL}


def test_every_kind_is_in_the_dictionary_of_identifiers_or_counts_together_with_others() -> None:
    used = {(message.full_name, field.name): kind_of(field) for message in EVERY for field in message.fields if kind_of(field)}
    assert {place: kind for place, kind in used.items() if kind not in PARSERS.keys() | TOGETHER} == {}
    assert set(used.values()) >= TOGETHER | {"vrm", "pnc_id", "custody_number", "record_reference"}


def test_every_identifier_of_the_shared_types_is_marked() -> None:
    typed = [message for message in EVERY if [field.name for field in message.fields] == ["value", "as_received"]]
    assert len(typed) > 8
    assert [message.full_name for message in typed if kind_of(message.fields_by_name["value"]) not in PARSERS] == []


def test_a_birth_is_a_date_or_days_that_may_be_one() -> None:
    births = [field for message in EVERY for field in message.fields if kind_of(field) == "birth"]
    assert [field.full_name for field in births if field.message_type is None or field.message_type.full_name not in BIRTHS] == []


def test_surname_and_forename_stand_in_one_message() -> None:
    kinds = {message.full_name: {kind_of(field) for field in message.fields} for message in EVERY}
    assert [name for name, found in kinds.items() if ("surname" in found) != ("forename" in found)] == []


def test_every_date_of_birth_and_family_name_of_a_contract_is_marked() -> None:
    named = [
        field
        for message in EVERY
        for field in message.fields
        if field.name in ("date_of_birth", "family_name", "vrm", "vin", "pnc_id", "custody_number", "driver_number", "uprn")
    ]
    shared = [field for field in named if field.message_type is not None and field.message_type.full_name not in BIRTHS]
    assert [field.full_name for field in named if field not in shared and not kind_of(field)] == []
    assert [field.full_name for field in shared if not marks(field.message_type)] == []


def test_a_message_with_a_birth_holds_the_names_of_one_person_only() -> None:
    """Otherwise one person's name would be recorded with another's date of birth."""
    for message in EVERY:
        births = [field for field in message.fields if kind_of(field) == "birth"]
        inside = [one for one in nested(message, set()) if one is not message and any(kind_of(field) == "birth" for field in one.fields)]
        if births:
            assert len(inside) <= 1, f"{message.full_name} holds {[one.full_name for one in inside]}"
