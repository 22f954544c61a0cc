"""The simulator's room: the shared population's stories in it, its own rules, and that it misbehaves only when it is told to."""

import uuid
from typing import Any

import pytest

from adapters.command_control import records
from adapters.command_control.records import QUESTIONS, Header, Message, Reference
from adapters.command_control.room import AGENCIES, ROOM, Change, Room, Text, incident_of, story
from adapters.kit.population import STORIES, Population
from tests.adapters.command_control.asking import AT, FIRE, OWN

POPULATION = Population()
GET, SEARCH, LIST = QUESTIONS


@pytest.fixture
def room() -> Room:
    """A room with what it holds before anybody says anything."""
    return Room(POPULATION)


def message(room: Room, kind: str = "free_text", number: int = 1, **header: Any) -> Message:
    """A message about the first incident that the room holds."""
    contents = {"free_text": Text(text="x"), "incident_update": Change(priority="E")}
    said = {"message_id": str(uuid.uuid4()), "version": "1.0", **header}
    origin = incident_of(room.calls[0], ROOM).origin
    return Message(header=Header(**said), origin=origin, update_number=number, **{kind: contents[kind]})


def test_the_room_holds_the_call_about_the_missing_child(room: Room) -> None:
    child = POPULATION.person(STORIES["missing_child"])
    guardian = POPULATION.person(child.guardian_number)
    held = room.answer(GET(incident=Reference(agency=ROOM, reference="X26-800001"))).incident
    assert held.incident.type == "MISSING_PERSON"
    assert guardian.surname in held.incident.caller.name
    assert held.incident.caller.telephone == guardian.phone


def test_nobody_called_about_what_is_restricted(room: Room) -> None:
    victim = POPULATION.person(STORIES["restricted_victim"])
    found = room.answer(SEARCH(opened_from=AT.replace(year=2024), limit=100)).incidents
    assert len(found) == len(room.calls)
    assert not [one for one in found if victim.surname in one.incident.caller.name]


def test_a_rooms_own_incidents_have_one_name(room: Room) -> None:
    found = room.answer(SEARCH(opened_from=AT.replace(year=2024), limit=100)).incidents
    assert all(one.held_as == one.incident.origin for one in found)


def test_a_list_that_is_cut_says_so(room: Room) -> None:
    found = room.answer(LIST(limit=3))
    assert (len(found.resources), found.provenance.truncated) == (3, True)
    assert not room.answer(LIST(limit=500)).provenance.truncated


def test_what_is_not_held_is_refused_by_code(room: Room) -> None:
    assert room.answer(GET(incident=Reference(agency=ROOM, reference="none"))).code == records.UNKNOWN_INCIDENT


@pytest.mark.parametrize("agency", AGENCIES)
def test_each_agency_acknowledges_for_itself_and_once(room: Room, agency: str) -> None:
    said = message(room)
    assert room.take(said, agency).accepted
    assert room.take(said, agency) == room.take(said, agency)


def test_a_message_that_comes_twice_is_taken_once(room: Room) -> None:
    said = message(room)
    for _ in range(2):
        room.take(said, ROOM)
    held = room.answer(GET(incident=said.origin)).incident
    assert held.incident.narrative.count("\nx") == 1


@pytest.mark.parametrize(
    ("header", "room_name", "code"),
    [({}, "FRS-NOBODY", records.UNKNOWN_AGENCY), ({"version": "2.0"}, ROOM, records.VERSION), ({"version": ""}, ROOM, records.VERSION)],
    ids=["agency", "version", "no version"],
)
def test_what_the_room_refuses_has_a_code(room: Room, header: dict[str, Any], room_name: str, code: str) -> None:
    ack = room.take(message(room, **header), room_name)
    assert (ack.accepted, ack.code) == (False, code)


def test_a_test_changes_nothing(room: Room) -> None:
    created, *_ = story(room.calls[0], FIRE, ROOM)
    said = Message(header=Header(message_id="1", version="1.0", test=True), incident_create=created.incident_create)
    assert room.take(said, ROOM).code == records.TEST
    assert not room.effects


def test_a_state_that_is_late_is_refused_and_words_are_not(room: Room) -> None:
    assert room.take(message(room, "incident_update", 5), ROOM).accepted
    assert room.take(message(room, "incident_update", 5), ROOM).code == records.SUPERSEDED
    assert room.take(message(room, "free_text", 4), ROOM).accepted


def test_a_story_is_an_incident_and_two_updates_from_one_agency(room: Room) -> None:
    told = story(room.calls[2], FIRE, OWN)
    assert [one.update_number for one in told] == [0, 1, 2]
    assert {one.header.from_agency for one in told} == {FIRE}
    assert len({one.header.message_id for one in told}) == 3
    assert story(room.calls[2], FIRE, OWN) == told
