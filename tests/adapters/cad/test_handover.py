"""What other control rooms hand over: it is in the log once, in CAD's own terms, nothing is lost, and nothing goes back."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import protovalidate
import pytest
import pytest_asyncio
from adapter_rig import Rig, from_envoy

from adapters.kit.simulation.dials import Dial
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import resource_pb2 as resources
from metip.command_control.v1.handover_service_pb2 import HANDOVER_DIRECTION_TO_PARTNERS, PublishHandoverRequest
from metip.command_control.v1.handover_service_pb2_grpc import HandoverServiceStub
from metip.exchange.v1.receipt_pb2 import PROGRESS_PROCESSED
from tests.adapters.cad.asking import create, get, refused, update
from tests.adapters.cad.handed import FIRE, OWN, ROOM, SECRET, graded, handover, incident, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "cad"
UPSTREAM = {"failures_to_open": 1000}
METADATA = from_envoy()
TOLD = """SMOKE FROM THE ROOF.
TYPE: FIRE
AGENCY TYPE CODE: 214
MAJOR INCIDENT
LOCATION: 999000007919, 51.5, 0.0, FILLED.COUNT.SOAP
HAZARDS: FIRE, GAS BOTTLES
HAZARDS: STRUCTURE
ACCESS ROUTE: FROM THE NORTH
CASUALTIES: URGENT, 2
INVOLVED: AMB-LAS, REQUIRED
CALLER: AT SCENE
STATUS: OPEN"""


class Rooms:
    """Hands over as the exchange does, and reads logs as an officer does."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._far, self._log = rig, rig.stub(HandoverServiceStub), rig.stub(IncidentServiceStub)

    async def hand(self, *messages: PublishHandoverRequest) -> None:
        """Delivers them, one after the other; each must be PROCESSED."""
        for one in messages:
            protovalidate.validate(one)
            assert (await self._far.PublishHandover(one, metadata=METADATA, timeout=5)).progress == PROGRESS_PROCESSED

    async def refused(self, message: PublishHandoverRequest) -> tuple[str, str, str]:
        """Delivers one that must be refused."""
        protovalidate.validate(message)
        return await refused(self._far.PublishHandover(message, metadata=METADATA, timeout=5))

    async def change(self, number: str, **change: Any) -> None:
        """An operator's own line."""
        await self._log.UpdateIncident(update(number, **change), metadata=METADATA, timeout=5)

    async def opened(self) -> str:
        """An incident of CAD's own."""
        return str((await self._log.CreateIncident(create(), metadata=METADATA, timeout=5)).cad_number.value)

    async def held(self, number: str) -> cad.Incident:
        """The incident of that number."""
        held: cad.Incident = (await self._log.GetIncident(get(number), metadata=METADATA, timeout=5)).incident
        return held

    def numbers(self, reference: str, agency: str = FIRE) -> list[str]:
        """Numbers of what the host has under an origin."""
        logs = self._rig.simulator.host.logs
        return [number for number, log in logs.items() if log.incident.agency_reference == f"{agency} {reference}"]

    async def only(self, reference: str) -> cad.Incident:
        """The one incident of an origin."""
        (number,) = self.numbers(reference)
        return await self.held(number)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rooms(rig: Rig) -> AsyncIterator[Rooms]:
    yield Rooms(rig)


def entries(held: cad.Incident) -> list[str]:
    return [line.WhichOneof("entry") or "" for line in held.lines]


async def test_a_creation_opens_an_incident_in_cads_own_terms(rooms: Rooms) -> None:
    message = handover("OPENS-1")
    await rooms.hand(message)
    held = await rooms.only("OPENS-1")
    assert (held.headline.grade, list(held.headline.opening_codes), held.origin) == (cad.GRADE_SIGNIFICANT, ["900"], cad.ORIGIN_AGENCY)
    assert held.headline.location.text == "BEHIND THE STATION NORTH SIDE, 12, TEST ROAD, ZZ2 2AB"
    assert held.headline.location.grid == cad.GridReference(easting=691_363, northing=181_474)
    assert (held.caller.name, held.caller.telephone, held.caller.do_not_contact) == (SECRET.upper(), "07700 900123", True)
    assert held.agency_reference == "FRS-LFB OPENS-1"
    assert (held.lines[0].agency, held.lines[0].operator) == (FIRE, "")
    assert held.lines[0].happened_at == message.incident_create.opened_at
    assert held.lines[0].opening.text == TOLD


async def test_an_incident_that_is_older_than_the_host_takes_is_opened_now_and_its_time_is_words(rooms: Rooms) -> None:
    old = incident("OLD-1", narrative="Missing for a month.")
    old.opened_at.FromSeconds(1_790_000_000)
    message = handover("OLD-1", incident_create=old)
    await rooms.hand(message)
    line = (await rooms.only("OLD-1")).lines[0]
    assert line.opening.text.startswith("MISSING FOR A MONTH.\nOPENED AT: 2026-09-21T")
    assert 0 <= message.sent_at.seconds - line.happened_at.seconds < 60


async def test_a_creation_that_comes_again_opens_nothing_and_adds_nothing(rooms: Rooms) -> None:
    message = handover("AGAIN-1")
    await rooms.hand(message, message, words("AGAIN-1", "More."), message)
    assert entries(await rooms.only("AGAIN-1")) == ["opening", "remark"]


async def test_a_creation_whose_answer_was_lost_is_done_once(rig: Rig, rooms: Rooms) -> None:
    assert rig.dials is not None
    message = handover("LOST-1")
    await rooms.hand(words((await rooms.opened()), "x", origin_agency=OWN))  # a session is there
    rig.dials.set([Dial("drop", share=1.0, times=2)])
    assert (await rooms.refused(message))[0] == "UNAVAILABLE"
    rig.dials.clear()
    await rooms.hand(message)
    assert entries(await rooms.only("LOST-1")) == ["opening"]


async def test_a_second_agency_that_tells_of_the_same_incident_adds_words(rooms: Rooms) -> None:
    second = handover("TWICE-1", from_agency=ROOM)
    await rooms.hand(handover("TWICE-1"), second, second)
    held = await rooms.only("TWICE-1")
    assert [line.agency for line in held.lines] == [FIRE, ROOM]
    assert held.lines[1].remark.text.startswith("ALSO LOGGED THERE\n")
    assert "LOCATION: BEHIND THE STATION" in held.lines[1].remark.text


async def test_the_same_reference_of_two_agencies_is_two_incidents(rooms: Rooms) -> None:
    other = incident("BOTH-1", "AMB-LAS")
    await rooms.hand(handover("BOTH-1"), handover("BOTH-1", origin_agency="AMB-LAS", from_agency="AMB-LAS", incident_create=other))
    assert len(rooms.numbers("BOTH-1")) == len(rooms.numbers("BOTH-1", "AMB-LAS")) == 1


CONTENTS: dict[str, tuple[dict[str, Any], str]] = {
    "words": ({"free_text": contract.FreeText(text="Hose is laid.\nRoof is open.")}, "HOSE IS LAID.\nROOF IS OPEN."),
    "a change": (
        {"incident_update": contract.IncidentChange(type=contract.INCIDENT_TYPE_RESCUE, major_incident=True, narrative="One trapped.")},
        "TYPE: RESCUE\nMAJOR INCIDENT\nONE TRAPPED.",
    ),
    "help": (
        {
            "incident_request_assistance": resources.AssistanceRequest(
                needs=[
                    resources.ResourceNeed(kind=resources.RESOURCE_KIND_TRAFFIC, count=2),
                    resources.ResourceNeed(kind=resources.RESOURCE_KIND_DOG, count=1),
                ],
                reason="Road to be closed.",
            )
        },
        "ASKS FOR HELP\nNEEDS: TRAFFIC, 2\nNEEDS: DOG, 1\nREASON: ROAD TO BE CLOSED.",
    ),
    "a resource": (
        {"resource_status": resources.Resource(callsign="F231", agency=FIRE, state=resources.RESOURCE_STATE_ON_SCENE)},
        "TELLS OF A RESOURCE\nCALLSIGN: F231\nAGENCY: FRS-LFB\nSTATE: ON SCENE",
    ),
}


@pytest.mark.parametrize("content", CONTENTS)
async def test_what_follows_is_a_remark_in_the_log_once(rooms: Rooms, content: str) -> None:
    reference = f"FOLLOWS-{content.replace(' ', '-')}"
    said, text = CONTENTS[content]
    message = handover(reference, **said)
    await rooms.hand(handover(reference), message, message)
    held = await rooms.only(reference)
    assert entries(held) == ["opening", "remark"]
    assert (held.lines[1].remark.text, held.lines[1].agency) == (text, FIRE)


async def test_a_closure_there_closes_nothing_here_and_is_nothing_to_a_closed_log(rooms: Rooms) -> None:
    closure = contract.IncidentClosure(code=contract.CLOSURE_CODE_RESOLVED, remark="Out.")
    closure.closed_at.FromSeconds(1_795_421_700)
    closes = handover("CLOSES-1", incident_close=closure)
    await rooms.hand(handover("CLOSES-1"), closes)
    held = await rooms.only("CLOSES-1")
    assert held.headline.state == cad.INCIDENT_STATE_OPEN
    assert held.lines[1].remark.text == "CLOSED THERE\nCODE: RESOLVED\nCLOSED AT: 2026-11-23T08:15:00Z\nREMARK: OUT."
    (number,) = rooms.numbers("CLOSES-1")
    await rooms.change(number, result=cad.Result(class_codes=["800"]))
    await rooms.change(number, closure=cad.Closure())
    await rooms.hand(handover("CLOSES-1", incident_close=closure))
    assert await rooms.refused(words("CLOSES-1", "Smoke again.")) == ("FAILED_PRECONDITION", "PRECONDITION", "E04")
    assert len((await rooms.held(number)).lines) == 4


async def test_a_priority_grades_anew_and_the_rest_is_words(rooms: Rooms) -> None:
    both = graded("GRADES-1", contract.PRIORITY_IMMEDIATE, 1, narrative="It spreads.")
    await rooms.hand(handover("GRADES-1"), both, both)
    held = await rooms.only("GRADES-1")
    assert held.headline.grade == cad.GRADE_IMMEDIATE
    assert entries(held) == ["opening", "grading", "remark"]
    assert held.lines[2].remark.text == "IT SPREADS."


async def test_a_late_update_is_words_and_changes_nothing(rooms: Rooms) -> None:
    await rooms.hand(handover("LATE-1"), graded("LATE-1", contract.PRIORITY_IMMEDIATE, 2))
    await rooms.hand(graded("LATE-1", contract.PRIORITY_REFERRED, 1))
    held = await rooms.only("LATE-1")
    assert held.headline.grade == cad.GRADE_IMMEDIATE
    assert held.lines[-1].remark.text == "UPDATE 1 CAME LATE\nPRIORITY: REFERRED"


async def test_a_later_update_counts_whatever_another_sender_has_reached(rooms: Rooms) -> None:
    await rooms.hand(handover("COUNTS-1"), words("COUNTS-1", "Ours.", from_agency=ROOM, update_number=9))
    await rooms.hand(graded("COUNTS-1", contract.PRIORITY_IMMEDIATE, 3), graded("COUNTS-1", contract.PRIORITY_EXTENDED, 4))
    assert (await rooms.only("COUNTS-1")).headline.grade == cad.GRADE_EXTENDED


async def test_a_late_update_is_known_in_a_log_of_many_pages(rooms: Rooms) -> None:
    await rooms.hand(handover("LONG-1"), *(words("LONG-1", f"Line {number}.", update_number=number) for number in range(1, 231)))
    await rooms.hand(graded("LONG-1", contract.PRIORITY_REFERRED, 229))
    assert (await rooms.only("LONG-1")).headline.grade == cad.GRADE_SIGNIFICANT


async def test_words_about_an_incident_of_cads_own_go_into_its_log(rooms: Rooms) -> None:
    number = await rooms.opened()
    await rooms.hand(words(number, "Crew is there.", origin_agency=OWN, from_agency=ROOM))
    held = await rooms.held(number)
    assert (held.lines[1].remark.text, held.lines[1].agency, held.agency_reference) == ("CREW IS THERE.", ROOM, "")


@pytest.mark.parametrize(
    "message",
    [
        words("NOBODY-1", "x"),
        words("NOBODY-1", "x", origin_agency=OWN, from_agency=ROOM),
        words("1/23NOV26", "x", origin_agency=OWN, from_agency=ROOM),
    ],
    ids=["another's", "no number", "a number that nobody has"],
)
async def test_what_is_about_no_known_incident_is_refused(rooms: Rooms, message: PublishHandoverRequest) -> None:
    assert await rooms.refused(message) == ("NOT_FOUND", "NO_TRACE", "E01")


NOT_FOR_CAD: dict[str, dict[str, Any]] = {
    "what the force's own rooms send": {"direction": HANDOVER_DIRECTION_TO_PARTNERS},
    "what is for others": {"to_agencies": [ROOM, "AMB-LAS"]},
    "what CAD sent": {"from_agency": OWN},
    "an incident of CAD's own": {"origin_agency": OWN, "from_agency": ROOM, "incident_create": incident("PASSED-1", OWN)},
    "a test": {"test": True},
}


@pytest.mark.parametrize("kind", NOT_FOR_CAD)
async def test_what_is_not_for_cad_is_passed_over_and_never_asked_about(rig: Rig, rooms: Rooms, kind: str) -> None:
    assert rig.dials is not None
    before = rig.dials.exchanges.total()
    await rooms.hand(handover("PASSED-1", **NOT_FOR_CAD[kind]))
    assert rig.dials.exchanges.total() == before


UNHELD: dict[str, tuple[dict[str, Any], str]] = {
    "no priority": ({"priority": 0}, "incident_create.priority"),
    "a place of too many characters": ({"location": contract.Location(description="x" * 131)}, "incident_create.location.description"),
    "a caller's name of too many": ({"caller": contract.Caller(name=SECRET + "x" * 54)}, "caller.name"),
    "a story of too many": ({"narrative": "x" * 12_001}, "text"),
}


@pytest.mark.parametrize(("said", "field"), UNHELD.values(), ids=UNHELD)
async def test_what_the_host_cant_hold_is_refused_by_the_fields_name_alone(
    rig: Rig, rooms: Rooms, said: dict[str, Any], field: str
) -> None:
    stub: Any = rig.stub(HandoverServiceStub)
    message = handover("UNHELD-1", incident_create=incident("UNHELD-1", **said))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.PublishHandover(message, metadata=METADATA, timeout=5)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in str(raised.value.details())
    assert SECRET not in str(raised.value) + str(raised.value.trailing_metadata())
    assert rooms.numbers("UNHELD-1") == []


async def test_a_story_of_too_many_rows_is_refused_by_the_host(rooms: Rooms) -> None:
    rows = incident("ROWS-1", narrative="\n" * 201)
    assert await rooms.refused(handover("ROWS-1", incident_create=rows)) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "E02")
