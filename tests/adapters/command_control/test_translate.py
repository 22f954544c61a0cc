"""Contract and records: what comes back, how a message is known, and who is told."""

import dataclasses
import uuid
from typing import Any

import pytest

from adapters.command_control import translate
from adapters.command_control.records import DUPLICATE, Ack, Header, Message, Reference
from adapters.command_control.translate import MIRROR
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1 import resource_pb2 as resources
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS
from metip.options.v1 import options_pb2
from tests.adapters.command_control.asking import AT, FIRE, OWN, ROOM, create, handover, incident, origin, update

ENUMS = {one.name: one for file in (contract, resources) for one in file.DESCRIPTOR.enum_types_by_name.values()}


def test_an_incident_comes_back_whole() -> None:
    assert MIRROR.message(MIRROR.alike(incident("1")), contract.Incident) == incident("1")


@pytest.mark.parametrize("enum", ENUMS.values(), ids=ENUMS)
def test_every_value_has_a_code_of_its_own(enum: Any) -> None:
    codes = [MIRROR.code(enum, one.number) for one in enum.values]
    assert codes[0] == ""
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("field", "number", "code"),
    [
        ("Priority", contract.PRIORITY_IMMEDIATE, "I"),
        ("Priority", contract.PRIORITY_REFERRED, "R"),
        ("CasualtySeverity", contract.CASUALTY_SEVERITY_DELAYED, "P3"),
        ("ResourceState", resources.RESOURCE_STATE_EMERGENCY, "0"),
        ("ResourceState", resources.RESOURCE_STATE_PRISONER, "9"),
        ("IncidentType", contract.INCIDENT_TYPE_HAZARDOUS_RELEASE, "HAZARDOUS_RELEASE"),
    ],
)
def test_codes_are_those_of_the_tables(field: str, number: int, code: str) -> None:
    assert MIRROR.code(ENUMS[field], number) == code


def test_a_code_that_nobody_knows_is_unspecified_and_the_senders_own_code_stays() -> None:
    record = dataclasses.replace(MIRROR.alike(incident("1")), type="DRAGON", priority="X", agency_type_code="D1")
    found = MIRROR.message(record, contract.Incident)
    assert (found.type, found.priority, found.agency_type_code) == (0, 0, "D1")


def test_a_cad_number_that_is_none_is_kept_as_it_came() -> None:
    record = dataclasses.replace(MIRROR.alike(incident("1")), cad_number="LOG 7")
    found = MIRROR.message(record, contract.Incident)
    assert (found.cad_number.value, found.cad_number.as_received) == ("", "LOG 7")
    assert MIRROR.alike(found).cad_number == "LOG 7"


def created_as(request: service.CreateIncidentRequest) -> str:
    """The id of its message."""
    return translate.command(request, request.incident.origin, incident_create=request.incident).header.message_id


def test_a_creation_is_known_by_its_origin_and_whether_it_is_a_test() -> None:
    first = created_as(create("1"))
    assert uuid.UUID(first)
    assert created_as(create("1", incident=incident("1", narrative="More."))) == first
    assert len({first, created_as(create("2")), created_as(create("1", test=True))}) == 3


def test_an_update_is_known_by_its_number() -> None:
    ids = [translate.command(request, request.origin).header.message_id for request in (update("1", 1), update("1", 1), update("1", 2))]
    assert ids[0] == ids[1] != ids[2]


def test_each_request_for_help_is_another_message() -> None:
    request = service.RequestAssistanceRequest(origin=origin("1"), assistance=resources.AssistanceRequest(reason="help"))
    made = [translate.command(request, request.origin, incident_request_assistance=request.assistance) for _ in range(2)]
    assert made[0].header.message_id != made[1].header.message_id
    assert made[0].incident_request_assistance.reason == "help"


@pytest.mark.parametrize("field", ["incident_update", "incident_close", "free_text"])
def test_an_update_has_the_content_that_was_asked_for(field: str) -> None:
    contents: dict[str, Any] = {
        "incident_update": contract.IncidentChange(narrative="x"),
        "incident_close": contract.IncidentClosure(remark="x"),
        "free_text": contract.FreeText(text="x"),
    }
    request = update("1", 1, **{field: contents[field]})
    message = translate.command(request, request.origin)
    assert [name for name in contents if getattr(message, name) is not None] == [field]
    assert (message.origin, message.update_number) == (Reference(agency=OWN, reference="1"), 1)


def test_a_handover_leaves_out_its_sender() -> None:
    message = translate.handed_on(handover("1", from_agency=FIRE, to_agencies=[FIRE, ROOM]), "m-1")
    assert (message.header.message_id, message.header.from_agency, message.header.to_agencies) == ("m-1", FIRE, ROOM)
    assert translate.handed_on(handover("1", from_agency=FIRE, to_agencies=[FIRE]), "m-1").header.to_agencies == ""


def partners(**more: Any) -> Message:
    """What a partner sends: what we would, in its name."""
    message = translate.handed_on(handover("7", from_agency=FIRE), str(uuid.uuid4()))
    header = dataclasses.replace(message.header, to_agencies=f"{OWN} {OWN}", sent_at=AT, version="1.0", **more.pop("header", {}))
    return dataclasses.replace(message, header=header, **more)


def test_a_partners_message_becomes_a_handover() -> None:
    request = translate.handed_over(partners())
    assert (request.from_agency, list(request.to_agencies), request.protocol_version) == (FIRE, [OWN], "1.0")
    assert (request.origin_agency, request.origin_reference) == (OWN, "7")
    assert request.direction == HANDOVER_DIRECTION_FROM_PARTNERS
    assert request.incident_create == incident("7")
    assert request.sent_at.ToSeconds() == int(AT.timestamp())
    assert request.access.purpose == options_pb2.PURPOSE_INCIDENT_RESPONSE


def test_a_creation_has_the_same_id_whatever_its_sender_calls_it_and_another_for_each_sender() -> None:
    first, second = (translate.handed_over(partners()).message_id for _ in range(2))
    assert first == second
    assert translate.handed_over(partners(header={"from_agency": "AMB-LAS"})).message_id != first


def test_an_exercise_is_published_for_training() -> None:
    request = translate.handed_over(partners(header={"test": True}))
    assert (request.test, request.access.purpose) == (True, options_pb2.PURPOSE_TRAINING)


@pytest.mark.parametrize(
    "wrong",
    [
        {"incident_create": None, "origin": None},
        {"incident_create": None},
        {"free_text": MIRROR.alike(contract.FreeText(text="x"))},
    ],
    ids=["no origin", "nothing in it", "two contents"],
)
def test_what_lacks_what_a_message_needs_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs"):
        translate.handed_over(partners(**wrong))


def test_without_an_answer_somebody_must_ring() -> None:
    assert translate.acknowledgement("m-1", None) == service.Acknowledgement(message_id="m-1", voice_fallback=True)


def test_an_answer_says_whose_incident_it_became() -> None:
    ack = Ack(message_id="m-1", accepted=True, code=DUPLICATE, their_incident=Reference(agency=ROOM, reference="CC26-1"))
    found = translate.acknowledgement("m-1", Message(header=Header(message_id="m-2", sent_at=AT), ack=ack))
    assert (found.accepted, found.already_existed, found.voice_fallback) == (True, True, False)
    assert found.their_incident == contract.AgencyReference(agency=ROOM, reference="CC26-1")
    assert found.acknowledged_at.ToSeconds() == int(AT.timestamp())
