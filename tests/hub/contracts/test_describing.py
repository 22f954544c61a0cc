"""Contracts as people read them, of every interface there is: nothing is without its comment; marks and rules are the contract's own."""

from datetime import date

import pytest

from hub.contracts import load
from hub.contracts.describing import Described, Describing, Enumeration
from hub.contracts.messages import Messages

CONTRACTS = load(date.min)
DESCRIBING = Describing(Messages(CONTRACTS))


def types_of(name: str) -> tuple[dict[str, Described], dict[str, Enumeration]]:
    """Messages and enums of an interface, by name."""
    messages, enums = DESCRIBING.types_of(CONTRACTS.interface(name))
    return {one.name: one for one in messages}, {one.name: one for one in enums}


@pytest.mark.parametrize("name", [one.name for one in CONTRACTS.interfaces if not one.private])
def test_everything_in_an_interface_has_the_words_of_its_contract(name: str) -> None:
    messages, enums = types_of(name)
    assert {one for operation in CONTRACTS.interface(name).operations for one in (operation.request, operation.reply)} <= set(messages)
    for message in messages.values():
        assert message.description, message.name
        assert all(field.description for field in message.fields), message.name
    for enum in enums.values():
        assert enum.description, enum.name
        assert all(value.description for value in enum.values), enum.name


def test_a_field_says_its_type_marks_and_rules() -> None:
    messages, _ = types_of("metip.hub.v1.CatalogueService")
    field = next(one for one in messages["metip.hub.v1.GetInterfaceRequest"].fields if one.name == "interface")
    assert (field.kind, field.number, field.repeated, field.personal) == ("string", 1, False, "NONE")
    assert set(field.rules) == {"string.min_len: 1", "string.max_len: 200"}
    detail = next(one for one in messages["metip.hub.v1.GetInterfaceResponse"].fields if one.name == "operations")
    assert (detail.kind, detail.repeated) == ("metip.hub.v1.OperationDetail", True)


def test_what_has_no_mark_is_personal_and_what_leads_to_a_person_says_so() -> None:
    fields = [field for interface in CONTRACTS.interfaces for message in types_of(interface.name)[0].values() for field in message.fields]
    assert {field.personal for field in fields} == {"NONE", "PERSONAL", "SENSITIVE", "CRIMINAL_OFFENCE"}
    assert {"surname", "vrm"} <= {field.subject_identifier for field in fields}


@pytest.mark.parametrize("name", [one.name for one in CONTRACTS.interfaces if one.of_messages])
def test_keys_of_messages_are_told(name: str) -> None:
    messages, _ = types_of(name)
    for operation in CONTRACTS.interface(name).operations:
        told = {field.name for field in messages[operation.request].fields if field.idempotency_key}
        assert {one for one in operation.idempotency_fields if "." not in one} <= told


def test_an_enum_lists_its_values_with_their_numbers() -> None:
    _, enums = types_of(next(one.name for one in CONTRACTS.interfaces if any(operation.personal for operation in one.operations)))
    purposes = enums["metip.options.v1.Purpose"]
    assert next(one.number for one in purposes.values if one.name == "PURPOSE_STREET_STOP") == 1


def test_types_of_protobuf_itself_are_left_out() -> None:
    for interface in CONTRACTS.interfaces:
        messages, _ = DESCRIBING.types_of(interface)
        assert not [one.name for one in messages if not one.name.startswith("metip.")]
