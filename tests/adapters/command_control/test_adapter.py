"""Commands and handovers to the control rooms on real sockets: what is sent, what becomes of it, and when somebody must ring."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from waiting import until

from adapters.command_control.records import Ack, Header, Message
from adapters.kit.simulation.dials import Dial
from metip.cad.v1 import incident_pb2 as cad
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1 import resource_pb2 as resources
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_FROM_PARTNERS
from metip.exchange.v1.receipt_pb2 import PROGRESS_DELIVERED, PROGRESS_PROCESSED
from tests.adapters.command_control.asking import ACCESS, FIRE, OWN, ROOM, SECRET, create, handover, incident, line, opening, origin, update
from tests.adapters.command_control.rooms_rig import SOON, RoomsRig, reason_of, rooms_rig

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RoomsRig]:
    async with rooms_rig(tmp_path_factory.mktemp("rooms"), acknowledged_within={"seconds": 2}) as rig:
        yield rig


@pytest.fixture
def rooms(running: RoomsRig) -> Any:
    """The rig, with every dial back."""
    yield running
    running.dials.clear()


async def created(rooms: RoomsRig, request: service.CreateIncidentRequest) -> service.Acknowledgement:
    """What became of a creation."""
    reply: service.CreateIncidentResponse = await rooms.incidents.CreateIncident(request, timeout=SOON, metadata=from_envoy())
    return reply.acknowledgement


async def updated(rooms: RoomsRig, request: service.UpdateIncidentRequest) -> service.Acknowledgement:
    """What became of an update."""
    reply: service.UpdateIncidentResponse = await rooms.incidents.UpdateIncident(request, timeout=SOON, metadata=from_envoy())
    return reply.acknowledgement


async def held(rooms: RoomsRig, reference: str, agency: str = OWN) -> service.HeldIncident:
    """An incident as the room holds it."""
    request = service.GetIncidentRequest(access=ACCESS, incident=origin(reference, agency))
    reply: service.GetIncidentResponse = await rooms.incidents.GetIncident(request, timeout=SOON, metadata=from_envoy())
    return reply.incident


def sent(rooms: RoomsRig) -> list[Message]:
    """Messages that the hub was sent, oldest first."""
    return [document for _, document in rooms.simulator.seen if isinstance(document, Message)]


async def test_an_incident_arrives_whole(rooms: RoomsRig) -> None:
    ack = await created(rooms, create("whole"))
    assert (ack.accepted, ack.voice_fallback, ack.already_existed) == (True, False, False)
    assert ack.their_incident.agency == ROOM
    assert ack.HasField("acknowledged_at")
    found = await held(rooms, ack.their_incident.reference, ROOM)
    assert found.incident == incident("whole")
    assert found.held_as == ack.their_incident


async def test_each_message_says_who_sends_it_to_whom_and_by_which_officer(rooms: RoomsRig) -> None:
    await created(rooms, create("header", to_agency=FIRE))
    user, message = rooms.simulator.seen[-1]
    header = message.header
    assert (user, header.from_agency, header.to_agencies, header.version, header.test) == ("P123456", OWN, FIRE, "1.0", False)
    assert header.reply_to.startswith("https://127.0.0.1:")


async def test_the_same_incident_again_is_not_logged_again(rooms: RoomsRig) -> None:
    first = await created(rooms, create("once"))
    before = rooms.simulator.room.effects["created"]
    again = await created(rooms, create("once"))
    assert again.their_incident == first.their_incident
    assert rooms.simulator.room.effects["created"] == before


async def test_an_incident_that_came_by_another_way_is_given(rooms: RoomsRig) -> None:
    await rooms.deliver(handover("other-way"))
    ack = await created(rooms, create("other-way"))
    assert ack.already_existed
    assert ack.code == "DUPLICATE"
    assert (await held(rooms, "other-way")).held_as == ack.their_incident


async def test_without_an_acknowledgement_in_time_somebody_must_ring(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("no_ack")])
    told, began = rooms.logged("voice_fallback"), time.monotonic()
    ack = await created(rooms, create("silent"))
    assert 2 <= time.monotonic() - began < SOON
    assert (ack.accepted, ack.voice_fallback) == (False, True)
    assert uuid.UUID(ack.message_id)
    assert rooms.logged("voice_fallback") == told + 1


async def test_a_caller_that_waits_less_learns_it_in_its_own_time(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("no_ack")])
    reply = await rooms.incidents.CreateIncident(create("hurried"), timeout=1.5, metadata=from_envoy())
    assert reply.acknowledgement.voice_fallback


async def test_an_acknowledgement_that_comes_late_is_told_and_harms_nobody(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("late_ack", "3s", times=1)])
    told = rooms.logged("late_acknowledgement")
    assert (await created(rooms, create("late"))).voice_fallback
    await until(lambda: rooms.logged("late_acknowledgement") == told + 1)
    assert (await created(rooms, create("late"))).accepted


async def test_an_acknowledgement_that_comes_twice_is_one(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("repeat_ack")])
    assert (await created(rooms, create("twice"))).accepted
    assert (await created(rooms, create("twice-more"))).accepted


async def test_an_acknowledgement_of_another_room_is_none_of_this_one(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("no_ack")])
    asked = asyncio.create_task(created(rooms, create("other-room")))
    await until(lambda: sent(rooms)[-1].origin and sent(rooms)[-1].origin.reference == "other-room")
    ack = Ack(message_id=sent(rooms)[-1].header.message_id, accepted=True)
    header = Header(message_id=str(uuid.uuid4()), from_agency="AMB-LAS", to_agencies=OWN)
    assert await rooms.simulator.push(Message(header=header, ack=ack)) == 202
    assert (await asked).voice_fallback


async def test_a_creation_while_the_hub_is_closed_may_have_gone_on(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("closed")])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await created(rooms, create("closed"))
    assert reason_of(told.value)[1] == "IN_DOUBT"


REFUSALS = {
    "UNKNOWN_INCIDENT": ("NOT_FOUND", "NO_TRACE"),
    "SUPERSEDED": ("ABORTED", "CONFLICT"),
    "BUSY": ("RESOURCE_EXHAUSTED", "BUSY"),
    "UNKNOWN_AGENCY": ("FAILED_PRECONDITION", "UPSTREAM_REFUSED"),
    "VERSION": ("FAILED_PRECONDITION", "UPSTREAM_REFUSED"),
    "ANYTHING_ELSE": ("FAILED_PRECONDITION", "UPSTREAM_REFUSED"),
    "Mrs Quackenbush": ("FAILED_PRECONDITION", "UPSTREAM_REFUSED"),
}


@pytest.mark.parametrize(("code", "expected"), REFUSALS.items(), ids=REFUSALS)
async def test_each_code_of_a_room_has_its_reason(rooms: RoomsRig, code: str, expected: tuple[str, str]) -> None:
    rooms.dials.set([Dial("reject", code)])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await updated(rooms, update("once", 7))
    assert reason_of(told.value) == (*expected, code if code.isupper() else "OTHER")


HUBS = {
    "busy": ("RESOURCE_EXHAUSTED", "BUSY", "429"),
    "stranger": ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "403"),
    "closed": ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", ""),
}


@pytest.mark.parametrize(("dial", "expected"), HUBS.items(), ids=HUBS)
async def test_what_the_hub_does_not_take_is_not_in_doubt_for_an_update(rooms: RoomsRig, dial: str, expected: tuple[str, ...]) -> None:
    rooms.dials.set([Dial(dial)])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await updated(rooms, update("once", 8))
    assert reason_of(told.value) == expected


async def test_a_creation_that_the_hub_plainly_refused_is_not_in_doubt(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("stranger")])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await created(rooms, create("refused-plainly"))
    assert reason_of(told.value)[1] == "UPSTREAM_UNAVAILABLE"


async def test_an_update_changes_what_it_names_and_nothing_else(rooms: RoomsRig) -> None:
    await created(rooms, create("changing"))
    change = contract.IncidentChange(priority=contract.PRIORITY_SIGNIFICANT, narrative="The fire is out.")
    assert (await updated(rooms, update("changing", 1, incident_update=change))).accepted
    found = await held(rooms, "changing")
    assert found.update_number == 1
    expected = incident("changing", priority=contract.PRIORITY_SIGNIFICANT, narrative="Smoke from the roof.\nThe fire is out.")
    assert found.incident == expected


async def test_a_change_that_a_later_one_has_overtaken_is_refused_and_late_words_are_taken(rooms: RoomsRig) -> None:
    await created(rooms, create("order"))
    change = contract.IncidentChange(priority=contract.PRIORITY_EXTENDED)
    await updated(rooms, update("order", 5, incident_update=change))
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await updated(rooms, update("order", 4, incident_update=contract.IncidentChange(priority=contract.PRIORITY_REFERRED)))
    assert reason_of(told.value) == ("ABORTED", "CONFLICT", "SUPERSEDED")
    assert (await updated(rooms, update("order", 3))).accepted
    found = await held(rooms, "order")
    assert (found.incident.priority, found.update_number) == (contract.PRIORITY_EXTENDED, 5)
    assert found.incident.narrative.endswith("Line 3")


async def test_an_update_that_is_sent_again_is_taken_once(rooms: RoomsRig) -> None:
    await created(rooms, create("again"))
    for _ in range(2):
        await updated(rooms, update("again", 1))
    assert (await held(rooms, "again")).incident.narrative.count("Line 1") == 1


async def test_an_incident_is_closed_and_found_as_closed(rooms: RoomsRig) -> None:
    await created(rooms, create("closing"))
    closure = contract.IncidentClosure(code=contract.CLOSURE_CODE_RESOLVED)
    closure.closed_at.GetCurrentTime()
    await updated(rooms, update("closing", 1, incident_close=closure))
    request = service.SearchIncidentsRequest(access=ACCESS, status=contract.INCIDENT_STATUS_CLOSED)
    request.opened_from.FromDatetime(incident("closing").opened_at.ToDatetime())
    reply = await rooms.incidents.SearchIncidents(request, timeout=SOON, metadata=from_envoy())
    assert "closing" in [one.incident.origin.reference for one in reply.incidents]


async def test_help_is_asked_for_once_for_each_request(rooms: RoomsRig) -> None:
    await created(rooms, create("help"))
    need = resources.ResourceNeed(kind=resources.RESOURCE_KIND_DOG, count=2)
    asking = resources.AssistanceRequest(needs=[need], reason="Search of a wood")
    request = service.RequestAssistanceRequest(access=ACCESS, origin=origin("help"), assistance=asking)
    before = rooms.simulator.room.effects["crews"]
    for _ in range(2):
        reply = await rooms.incidents.RequestAssistance(request, timeout=SOON, metadata=from_envoy())
        assert reply.acknowledgement.accepted
    assert rooms.simulator.room.effects["crews"] == before + 4


async def test_help_whose_answer_is_lost_is_in_doubt_and_somebody_must_ring(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("drop")])
    need = resources.ResourceNeed(kind=resources.RESOURCE_KIND_DOG, count=1)
    asking = resources.AssistanceRequest(needs=[need], reason="Search of a wood")
    request = service.RequestAssistanceRequest(access=ACCESS, origin=origin("help"), assistance=asking)
    before = rooms.dials.exchanges["incident_request_assistance"]
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await rooms.incidents.RequestAssistance(request, timeout=SOON, metadata=from_envoy())
    assert reason_of(told.value)[1] == "IN_DOUBT"
    assert rooms.dials.exchanges["incident_request_assistance"] == before + 1


async def test_a_handover_is_brought_to_the_room(rooms: RoomsRig) -> None:
    receipt = await rooms.deliver(handover("handed"))
    assert receipt.progress == PROGRESS_PROCESSED
    assert (await held(rooms, "handed")).incident == incident("handed")


async def test_a_handover_that_is_delivered_again_is_taken_once(rooms: RoomsRig) -> None:
    request, message_id = handover("delivered-again"), str(uuid.uuid4())
    before = rooms.simulator.room.effects["created"]
    for _ in range(3):
        assert (await rooms.deliver(request, message_id)).progress == PROGRESS_PROCESSED
    assert rooms.simulator.room.effects["created"] == before + 1


async def test_a_handover_goes_to_everybody_but_the_agency_that_sends_it(rooms: RoomsRig) -> None:
    await rooms.deliver(handover("to-all", from_agency=FIRE, to_agencies=[ROOM, FIRE, "AMB-LAS"]))
    header = sent(rooms)[-1].header
    assert (header.from_agency, header.to_agencies.split()) == (FIRE, [ROOM, "AMB-LAS"])


BACK = {
    "to nobody but its sender": {"from_agency": FIRE, "to_agencies": [FIRE]},
    "from a partner": {"direction": HANDOVER_DIRECTION_FROM_PARTNERS, "from_agency": FIRE},
    "from Command and Control": {"direction": HANDOVER_DIRECTION_FROM_PARTNERS, "from_agency": ROOM, "to_agencies": [OWN]},
}


@pytest.mark.parametrize("said", BACK.values(), ids=BACK)
async def test_a_message_never_goes_back(rooms: RoomsRig, said: dict[str, Any]) -> None:
    before = len(sent(rooms)), dict(rooms.dials.exchanges)
    assert (await rooms.deliver(handover("back", **said))).progress == PROGRESS_PROCESSED
    assert (len(sent(rooms)), dict(rooms.dials.exchanges)) == before


async def test_what_the_room_says_late_is_the_outcome_of_a_handover(rooms: RoomsRig) -> None:
    message_id = str(uuid.uuid4())
    rooms.dials.set([Dial("late_ack", "3s")])
    assert (await rooms.deliver(handover("late-handover"), message_id)).progress == PROGRESS_DELIVERED
    await until(lambda: message_id in rooms.exchange.outcomes)
    assert rooms.exchange.outcomes[message_id] == (True, "")


async def test_a_late_rejection_is_the_outcome_too(rooms: RoomsRig) -> None:
    message_id = str(uuid.uuid4())
    rooms.dials.set([Dial("late_ack", "3s"), Dial("reject", "NOT_OURS")])
    assert (await rooms.deliver(handover("late-rejection"), message_id)).progress == PROGRESS_DELIVERED
    await until(lambda: message_id in rooms.exchange.outcomes)
    assert rooms.exchange.outcomes[message_id] == (False, "NOT_OURS")


async def test_a_handover_that_one_of_several_rooms_rejects_is_refused(rooms: RoomsRig) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await rooms.deliver(handover("one-of-several", to_agencies=[ROOM, "FRS-NOBODY"]))
    assert reason_of(told.value) == ("FAILED_PRECONDITION", "UPSTREAM_REFUSED", "UNKNOWN_AGENCY")
    assert (await held(rooms, "one-of-several")).held_as.agency == ROOM


async def test_a_change_that_a_later_handover_has_overtaken_is_done_with(rooms: RoomsRig) -> None:
    await rooms.deliver(handover("overtaken"))
    for number, priority in ((4, contract.PRIORITY_EXTENDED), (3, contract.PRIORITY_REFERRED)):
        change = contract.IncidentChange(priority=priority)
        receipt = await rooms.deliver(handover("overtaken", incident_update=change, update_number=number))
        assert receipt.progress == PROGRESS_PROCESSED
    assert (await held(rooms, "overtaken")).incident.priority == contract.PRIORITY_EXTENDED


async def test_an_extension_goes_on_with_its_message(rooms: RoomsRig) -> None:
    extension = '<Extension xmlns="urn:x-mait:incident-transfer:1.0"><own xmlns="urn:x">1 &amp; 2</own></Extension>'
    await rooms.deliver(handover("extended", extension=extension))
    assert sent(rooms)[-1].extension == extension


@pytest.mark.parametrize(
    "extension", ["<own/>", "no xml", '<!DOCTYPE a [<!ENTITY e "x">]><Extension>&e;</Extension>'], ids=["another", "none", "entity"]
)
async def test_an_extension_that_is_none_is_refused(rooms: RoomsRig, extension: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await rooms.deliver(handover("not-extended", extension=extension))
    assert reason_of(told.value)[1] == "INVALID_REQUEST"


async def test_an_incident_of_the_legacy_system_appears_in_command_and_control(rooms: RoomsRig) -> None:
    number = "90123/23NOV26"
    words = cad.Remark(text="Second caller, same place.")
    progress = cad.UnitProgress(call_sign="ZD95X", state=cad.UNIT_STATE_ON_SCENE)
    for one in (
        opening(cad_number=number),
        line(2, cad_number=number, remark=words),
        line(3, cad_number=number, unit_progress=progress),
        line(4, cad_number=number, closure=cad.Closure()),
    ):
        assert (await rooms.deliver_line(one)).progress == PROGRESS_PROCESSED
    found = await held(rooms, number)
    assert found.incident.cad_number.value == number
    assert found.incident.priority == contract.PRIORITY_SIGNIFICANT
    assert found.incident.narrative == "Smoke from the roof.\nSecond caller, same place."
    assert (found.incident.status, found.update_number) == (contract.INCIDENT_STATUS_CLOSED, 4)
    request = service.ListResourcesRequest(access=ACCESS, agency=OWN)
    reply = await rooms.incidents.ListResources(request, timeout=SOON, metadata=from_envoy())
    assert [(one.callsign, one.state, one.assigned_to.reference) for one in reply.resources] == [
        ("ZD95X", resources.RESOURCE_STATE_ON_SCENE, number)
    ]


async def test_an_incident_that_an_agency_passed_to_the_police_is_not_sent_round_in_a_circle(rooms: RoomsRig) -> None:
    number = "90124/23NOV26"
    before = rooms.dials.exchanges["incident_create"]
    assert (await rooms.deliver_line(opening(cad_number=number, origin_of=cad.ORIGIN_AGENCY))).progress == PROGRESS_PROCESSED
    assert rooms.dials.exchanges["incident_create"] == before
    # What is said of it later is about an incident that the room does not know by that number, and is done with.
    assert (await rooms.deliver_line(line(2, cad_number=number, remark=cad.Remark(text="More.")))).progress == PROGRESS_PROCESSED


async def test_many_at_once_each_get_their_own_acknowledgement(rooms: RoomsRig) -> None:
    acks = await asyncio.gather(*(created(rooms, create(f"many-{number}")) for number in range(20)))
    assert len({ack.their_incident.reference for ack in acks}) == 20


async def test_nothing_personal_is_logged_or_told_in_an_error(rooms: RoomsRig) -> None:
    rooms.dials.set([Dial("reject", "NOT_OURS")])
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await created(rooms, create("private"))
    for text in (str(told.value.details()), rooms.log.read_text()):
        assert SECRET not in text
        assert "Played." not in text
