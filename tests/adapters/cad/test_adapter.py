"""Commands and queries against the simulator, on real sockets: what the host has, what it keeps of a command, and every way it fails."""

from dataclasses import replace
from typing import Any

import grpc
import pytest
from adapter_rig import Rig, from_envoy

from adapters.cad.adapter import MOST_LINES
from adapters.kit.simulation.dials import Dial
from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1 import incident_service_pb2 as service
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.common.v1.identifiers_pb2 import CadNumber, CrimeReportNumber
from tests.adapters.cad.asking import ACCESS, MISSING_CHILD, STREET, VEHICLE_TAKEN, create, days, get, refused, update

pytestmark = pytest.mark.asyncio(loop_scope="module")
METADATA = from_envoy()


SYSTEM = "cad"
UNIT = "KD31"
"""A unit that is free when the simulator starts."""
UPSTREAM = {"failures_to_open": 1000}
"""The circuit stays closed, since these tests fail the host on purpose and one after the other."""


class Asking:
    """The operations, as an officer asks them."""

    def __init__(self, rig: Rig, timeout: float = 5) -> None:
        self._stub, self._timeout = rig.stub(IncidentServiceStub), timeout

    def __getattr__(self, operation: str) -> Any:
        return lambda request: getattr(self._stub, operation)(request, metadata=METADATA, timeout=self._timeout)

    async def opened(self, **more: Any) -> str:
        """Opens an incident and gives its number."""
        return str((await self.CreateIncident(create(**more))).cad_number.value)

    async def entries(self, number: str) -> list[str]:
        """What the lines of a log are."""
        return [line.WhichOneof("entry") for line in (await self.GetIncident(get(number))).incident.lines]


def position() -> cad.GridReference:
    return cad.GridReference(easting=691_000, northing=181_000)


async def test_a_call_is_opened_once_for_each_client_reference(rig: Rig) -> None:
    asking, request = Asking(rig), create()
    first, again = await asking.CreateIncident(request), await asking.CreateIncident(request)
    assert (first.already_recorded, again.already_recorded) == (False, True)
    assert first.cad_number == again.cad_number
    assert (await asking.CreateIncident(create())).cad_number != first.cad_number
    request.text = "Another text."
    assert await refused(asking.CreateIncident(request)) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "E03")


async def test_what_was_opened_is_given_and_found_by_place_and_street(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened(caller=cad.Caller(name="A Caller", do_not_contact=True))
    held = (await asking.GetIncident(get(number))).incident
    assert held.headline.state == cad.INCIDENT_STATE_OPEN
    assert (held.caller.name, held.caller.do_not_contact) == ("A CALLER", True)
    assert held.lines[0].opening.text == "A VAN ACROSS THE CROSSING."
    assert held.lines[0].operator == "P123456"
    assert held.headline.location.HasField("grid"), "the gazetteer knows the street"
    today = held.headline.opened_at.ToDatetime()
    opened = days((today.year, today.month, today.day), (today.year, today.month, today.day))
    around = service.Surroundings(centre=held.headline.location.grid, radius_m=1)
    for place in ({"surroundings": around}, {"street": STREET}):
        found = await asking.SearchIncidents(service.SearchIncidentsRequest(access=ACCESS, opened=opened, limit=200, **place))
        assert number in [one.cad_number.value for one in found.incidents]


async def test_a_place_that_the_gazetteer_does_not_know_is_kept_and_said_to_be_unknown(rig: Rig) -> None:
    asking = Asking(rig)
    done = await asking.CreateIncident(create(place="on the towpath"))
    assert [one.code for one in done.provenance.warnings] == ["GAZETTEER"]
    held = (await asking.GetIncident(get(done.cad_number.value))).incident
    assert not held.headline.location.HasField("grid")


async def test_an_incident_lives_from_opening_to_closure_and_again(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened()

    async def state() -> Any:
        return (await asking.GetIncident(get(number))).incident.headline.state

    assert await refused(asking.UpdateIncident(update(number, closure=cad.Closure()))) == ("FAILED_PRECONDITION", "PRECONDITION", "E04")
    await asking.UpdateIncident(update(number, assignment=cad.Assignment(call_sign="KD21")))
    assert await state() == cad.INCIDENT_STATE_ASSIGNED
    await asking.UpdateIncident(update(number, grading=cad.Grading(grade=cad.GRADE_EXTENDED)))
    crime = CrimeReportNumber(value="0123456/26")
    result = cad.Result(class_codes=["001", "004", "100", "800", "705"], crime_report_number=crime, text="Report taken.")
    await asking.UpdateIncident(update(number, result=result))
    assert await state() == cad.INCIDENT_STATE_RESULTED
    assert (await asking.UpdateIncident(update(number, closure=cad.Closure()))).line_number == 5
    assert await refused(asking.UpdateIncident(update(number, remark=cad.Remark(text="x")))) == (
        "FAILED_PRECONDITION",
        "PRECONDITION",
        "E04",
    )
    await asking.UpdateIncident(update(number, reopening=cad.Reopening(reason="Caller rang again.")))
    held = (await asking.GetIncident(get(number))).incident
    assert (held.headline.state, held.headline.grade) == (cad.INCIDENT_STATE_OPEN, cad.GRADE_EXTENDED)
    assert list(held.class_codes) == ["001", "004", "100", "800", "705"]
    assert [one.value for one in held.crime_report_numbers] == ["0123456/26"]
    assert await asking.entries(number) == ["opening", "assignment", "grading", "result", "closure", "reopening"]
    unit = await asking.GetResource(service.GetResourceRequest(access=ACCESS, call_sign="KD21"))
    assert (unit.resource.state, unit.resource.HasField("assigned_to")) == (cad.UNIT_STATE_AVAILABLE, False), "closing freed it"


async def test_a_retraction_is_a_new_line_and_takes_nothing_out(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened()
    line = (await asking.UpdateIncident(update(number, remark=cad.Remark(text="Two suspects.")))).line_number
    retraction = cad.Retraction(line_number=line, reason="Wrong log.")
    done = await asking.UpdateIncident(update(number, retraction=retraction))
    assert done.line_number == line + 1
    held = (await asking.GetIncident(get(number))).incident
    assert held.lines[line - 1].remark.text == "TWO SUSPECTS."
    assert held.lines[line].retraction.line_number == line
    for nothing in (done.line_number, 99):
        change = cad.Retraction(line_number=nothing, reason="Wrong.")
        assert await refused(asking.UpdateIncident(update(number, retraction=change))) == ("FAILED_PRECONDITION", "PRECONDITION", "E07")


async def test_a_unit_at_an_incident_writes_into_its_log(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened()
    await asking.UpdateIncident(update(number, assignment=cad.Assignment(call_sign=UNIT)))
    other = await asking.opened()
    assignment = cad.Assignment(call_sign=UNIT)
    assert await refused(asking.UpdateIncident(update(other, assignment=assignment))) == ("FAILED_PRECONDITION", "PRECONDITION", "E06")
    reference = "3f0c2a10-5d1e-4c57-9b6a-111111111111"
    state = service.SetResourceStateRequest(
        access=ACCESS, client_reference=reference, call_sign=UNIT, state=cad.UNIT_STATE_ON_SCENE, position=position()
    )
    done, again = await asking.SetResourceState(state), await asking.SetResourceState(state)
    assert (done.cad_number.value, done.line_number) == (again.cad_number.value, again.line_number) == (number, 3)
    unit = (await asking.GetResource(service.GetResourceRequest(access=ACCESS, call_sign=UNIT))).resource
    assert (unit.state, unit.assigned_to.value, unit.position) == (cad.UNIT_STATE_ON_SCENE, number, position())
    free = service.SetResourceStateRequest(
        access=ACCESS, client_reference=reference[:-1] + "2", call_sign=UNIT, state=cad.UNIT_STATE_AVAILABLE
    )
    assert (await asking.SetResourceState(free)).line_number == 4
    held = (await asking.GetIncident(get(number))).incident
    assert list(held.headline.call_signs) == []
    assert held.lines[3].unit_progress.state == cad.UNIT_STATE_AVAILABLE
    found = service.SearchIncidentsRequest(access=ACCESS, opened=_today(held), call_sign=UNIT)
    assert [one.cad_number.value for one in (await asking.SearchIncidents(found)).incidents] == [number]


async def test_a_unit_that_books_off_is_no_longer_there(rig: Rig) -> None:
    asking = Asking(rig)
    off = service.SetResourceStateRequest(
        access=ACCESS, client_reference="3f0c2a10-5d1e-4c57-9b6a-222222222222", call_sign="KG71", state=cad.UNIT_STATE_OFF_DUTY
    )
    done = await asking.SetResourceState(off)
    assert (done.HasField("cad_number"), done.line_number) == (False, 0)
    gone = service.GetResourceRequest(access=ACCESS, call_sign="KG71")
    assert await refused(asking.GetResource(gone)) == ("NOT_FOUND", "NO_TRACE", "E01")
    left = await asking.ListResources(service.ListResourcesRequest(access=ACCESS, station="01KG", state=cad.UNIT_STATE_AVAILABLE))
    assert "KG71" not in [one.call_sign for one in left.resources]


async def test_a_log_of_many_lines_comes_in_pages_and_the_rest_is_asked_for(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened()
    for place in range(MOST_LINES + 5):
        await asking.UpdateIncident(update(number, remark=cad.Remark(text=f"Line {place}.")))
    first = await asking.GetIncident(get(number))
    assert [line.number for line in first.incident.lines] == list(range(1, MOST_LINES + 1))
    assert first.provenance.truncated
    rest = await asking.GetIncident(get(number, after=MOST_LINES))
    assert [line.number for line in rest.incident.lines] == list(range(MOST_LINES + 1, MOST_LINES + 7))
    assert not rest.provenance.truncated
    assert not (await asking.GetIncident(get(number, after=9_999))).incident.lines


async def test_a_search_goes_on_over_pages_to_its_limit_and_says_when_there_is_more(rig: Rig) -> None:
    asking = Asking(rig)
    october = days((2026, 10, 1), (2026, 10, 31))
    some = await asking.SearchIncidents(service.SearchIncidentsRequest(access=ACCESS, opened=october, limit=50))
    every = await asking.SearchIncidents(service.SearchIncidentsRequest(access=ACCESS, opened=october, limit=200))
    assert (len(some.incidents), some.provenance.truncated) == (50, True)
    assert list(every.incidents[:50]) == list(some.incidents)
    opened = [one.opened_at.seconds for one in every.incidents]
    assert opened == sorted(opened, reverse=True)


async def test_the_text_of_200_rows_is_the_most(rig: Rig) -> None:
    asking = Asking(rig)
    number = await asking.opened(text="\n" * 199)
    remark = cad.Remark(text="\n" * 200)
    assert await refused(asking.UpdateIncident(update(number, remark=remark))) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "E02")
    remark = cad.Remark(text="\n" * 1_200)
    assert await refused(asking.UpdateIncident(update(number, remark=remark))) == ("RESOURCE_EXHAUSTED", "TOO_LARGE", "")


async def test_times_beyond_seven_days_or_ahead_are_refused_and_an_older_time_is_kept(rig: Rig) -> None:
    asking = Asking(rig)
    now = rig.simulator.host.now().timestamp()
    for at in (now - 8 * 86_400, now + 600):
        request = create()
        request.happened_at.FromSeconds(int(at))
        assert await refused(asking.CreateIncident(request)) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "E02")
    request = create()
    request.happened_at.FromSeconds(int(now - 2_400))
    line = (await asking.GetIncident(get((await asking.CreateIncident(request)).cad_number.value))).incident.lines[0]
    assert line.happened_at.seconds == int(now - 2_400)
    assert line.entered_at.seconds - line.happened_at.seconds >= 2_400


async def test_the_same_number_of_two_days_is_two_incidents(rig: Rig) -> None:
    asking, host = Asking(rig), rig.simulator.host
    await asking.opened()
    before = host.midnights
    numbers = []
    for midnights in (before + 1, before + 2):
        host.midnights = midnights
        numbers.append(await asking.opened(text=f"Day {midnights}."))
    host.midnights = before
    serials = [number.partition("/")[0] for number in numbers]
    assert serials[0] == serials[1]
    assert numbers[0] != numbers[1]
    texts = [(await asking.GetIncident(get(number))).incident.lines[0].opening.text for number in numbers]
    assert texts == [f"DAY {before + 1}.", f"DAY {before + 2}."]


async def test_the_stories_are_told_across_systems(rig: Rig) -> None:
    asking, population = Asking(rig), rig.population
    taken = (await asking.GetIncident(get(VEHICLE_TAKEN))).incident
    assert [one.value for one in taken.crime_report_numbers] == [population.crime(3).reference]
    assert population.vehicle_numbered(2).vrm in taken.lines[0].opening.text
    missing = (await asking.GetIncident(get(MISSING_CHILD))).incident
    assert missing.caller.telephone == population.person(population.person(2).guardian_number).phone
    arrest = (await asking.GetIncident(get("77919/01OCT26"))).incident
    assert [one.value for one in arrest.linked_incidents] == [population.crime(1).cad_number]
    assert population.arrest(1).custody_number in arrest.lines[-2].result.text


# How the host and the switch fail.


@pytest.mark.parametrize(
    ("dial", "reason"),
    [
        (Dial("code", "E09"), ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "E09")),
        (Dial("code", "E08"), ("RESOURCE_EXHAUSTED", "BUSY", "E08")),
        (Dial("code", "E77"), ("FAILED_PRECONDITION", "UPSTREAM_REFUSED", "E77")),
        (Dial("drop", times=1), ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "")),
        (Dial("truncate", times=1), ("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", "")),
        (Dial("garbage", times=1), ("INTERNAL", "UPSTREAM_FAULT", "")),
        (Dial("hang"), ("DEADLINE_EXCEEDED", "TIMED_OUT", "")),
        (Dial("half_open"), ("DEADLINE_EXCEEDED", "TIMED_OUT", "")),
        (Dial("delay", "5s"), ("DEADLINE_EXCEEDED", "TIMED_OUT", "")),
    ],
    ids=lambda dial: f"{dial.name} {dial.setting}".strip() if isinstance(dial, Dial) else "",
)
async def test_every_failure_is_a_fault_and_the_next_question_is_answered(rig: Rig, dial: Dial, reason: tuple[str, str, str]) -> None:
    assert rig.dials is not None
    await Asking(rig).GetIncident(get(VEHICLE_TAKEN))
    rig.dials.set([dial])
    assert await refused(Asking(rig, timeout=1.5).GetIncident(get(VEHICLE_TAKEN))) == reason
    rig.dials.clear()
    assert (await Asking(rig).GetIncident(get(VEHICLE_TAKEN))).incident.headline.cad_number.value == VEHICLE_TAKEN


async def test_a_command_whose_reply_was_lost_is_sent_again_and_done_once(rig: Rig) -> None:
    assert rig.dials is not None
    asking = Asking(rig)
    number = await asking.opened()
    request = update(number, remark=cad.Remark(text="Once."))
    rig.dials.set([Dial("drop", times=1)])
    assert (await refused(asking.UpdateIncident(request)))[0] == "UNAVAILABLE"
    done = await asking.UpdateIncident(request)
    assert (done.already_recorded, done.line_number) == (True, 2)
    assert await asking.entries(number) == ["opening", "remark"]


async def test_a_session_is_used_again_and_one_that_failed_is_not(rig: Rig) -> None:
    assert rig.dials is not None
    asking, counts = Asking(rig), rig.dials.exchanges
    await asking.GetIncident(get(VEHICLE_TAKEN))
    logons = counts["LGN"]
    for _ in range(5):
        await asking.GetIncident(get(VEHICLE_TAKEN))
    assert counts["LGN"] == logons
    rig.dials.set([Dial("garbage", times=1)])
    await refused(asking.GetIncident(get(VEHICLE_TAKEN)))
    await asking.GetIncident(get(VEHICLE_TAKEN))
    assert counts["LGN"] == logons + 1


async def test_the_answer_to_another_question_is_never_given(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = rig.simulator._answer
    monkeypatch.setattr(rig.simulator, "_answer", lambda asked: replace(answer(asked), number=asked.number + 1))
    assert await refused(Asking(rig).GetIncident(get(VEHICLE_TAKEN))) == ("INTERNAL", "UPSTREAM_FAULT", "")


async def test_an_answer_without_what_was_asked_for_is_a_fault(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = rig.simulator._answer
    monkeypatch.setattr(rig.simulator, "_answer", lambda asked: replace(answer(asked), incidents=(), lines=(), units=()))
    for question in (Asking(rig).GetIncident(get(VEHICLE_TAKEN)), Asking(rig).CreateIncident(create())):
        assert await refused(question) == ("INTERNAL", "UPSTREAM_FAULT", "")
    change = update(MISSING_CHILD, remark=cad.Remark(text="x"))
    assert await refused(Asking(rig).UpdateIncident(change)) == ("INTERNAL", "UPSTREAM_FAULT", "")


async def test_a_caller_and_a_place_are_in_no_error(rig: Rig) -> None:
    request = create(text="x", place="SECRET PLACE", opening_codes=["999"], caller=cad.Caller(name="SECRET NAME"))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await Asking(rig).CreateIncident(request)
    assert "SECRET" not in str(raised.value)


def _today(held: cad.Incident) -> Any:
    day = held.headline.opened_at.ToDatetime()
    return days((day.year, day.month, day.day), (day.year, day.month, day.day))


async def test_a_number_is_asked_for_in_its_canonical_form(rig: Rig) -> None:
    request = service.GetIncidentRequest(access=ACCESS, cad_number=CadNumber(value="CAD 93757/29OCT26"))
    assert (await refused(Asking(rig).GetIncident(request)))[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")
