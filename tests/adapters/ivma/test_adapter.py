"""Checks over the real adapter, the real PNC adapter and both simulators on real sockets: who holds whom up, and what a crew is told."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from consulted import Fleet, running_fleet

from adapters.ivma import answers
from adapters.kit.simulation.dials import Dial
from metip.cad.v1 import incident_pb2 as incidents
from metip.cad.v1 import incident_service_pb2 as cad
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import Vrm
from metip.ivma.v1 import vehicle_check_service_pb2 as api
from metip.ivma.v1.vehicle_check_service_pb2_grpc import VehicleCheckServiceStub
from metip.options.v1 import options_pb2 as options

pytestmark = pytest.mark.asyncio(loop_scope="module")
STOLEN, OF_INTEREST, UNINSURED = "UJ50DNP", "KE01CVV", "FO00FHK"
PATIENCE = 2.5
"""Seconds, as the settings have it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with running_fleet("ivma", tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture(scope="module")
def grpc_server(fleet: Fleet) -> Any:
    return fleet.rig.channel


@pytest.fixture(scope="module")
def grpc_stub_cls(grpc_channel: grpc.aio.Channel) -> type[VehicleCheckServiceStub]:
    return VehicleCheckServiceStub


@pytest.fixture(autouse=True)
def _dials_back(fleet: Fleet) -> Any:
    yield
    fleet.clear()


def access(purpose: options.Purpose.ValueType = options.PURPOSE_ROAD_TRAFFIC) -> AccessContext:
    return AccessContext(purpose=purpose, justification="Stopped at the roadside", reference="1240/23NOV26")


async def check(stub: Any, vrm: str, *, within: float = 8.0, **more: Any) -> api.CheckVehicleResponse:
    request = api.CheckVehicleRequest(access=access(), vrm=Vrm(value=vrm), **more)
    answer: api.CheckVehicleResponse = await stub.CheckVehicle(request, timeout=within, metadata=from_envoy())
    assert answers.size(answer) <= 1200
    return answer


def statuses(answer: api.CheckVehicleResponse | api.EnrichAnprHitResponse) -> dict[str, str]:
    return {one.source: api.SourceStatus.Name(one.status).removeprefix("SOURCE_STATUS_") for one in answer.sources}


def turn(fleet: Fleet, system: str, dial: str, setting: str = "", times: int = 0) -> None:
    dials = fleet.rigs[system].dials
    assert dials is not None
    dials.set([Dial(dial, setting, times=times)])


SLOW = {
    "the PNC hangs": ("pnc", "hang", "pnc", "dvla"),
    "the PNC is half open": ("pnc", "half_open", "pnc", "dvla"),
    "the register hangs": ("ivma", "hang", "dvla", "pnc"),
    "the register is half open": ("ivma", "half_open", "dvla", "pnc"),
}


@pytest.mark.parametrize(("system", "dial", "silent", "other"), SLOW.values(), ids=SLOW)
async def test_a_slow_source_holds_no_other_up_and_is_told_as_missing(
    grpc_stub: Any, fleet: Fleet, system: str, dial: str, silent: str, other: str
) -> None:
    turn(fleet, system, dial)
    started = time.monotonic()
    answer = await check(grpc_stub, UNINSURED)
    assert time.monotonic() - started < PATIENCE + 1.5, "the caller had eight seconds, and should not need them"
    assert (statuses(answer)[silent], statuses(answer)[other]) == ("TIMED_OUT", "ANSWERED")
    assert answer.facts.make == "MINI"


async def test_a_caller_with_less_time_than_the_patience_gets_what_came_in_time(grpc_stub: Any, fleet: Fleet) -> None:
    turn(fleet, "pnc", "hang")
    answer = await check(grpc_stub, UNINSURED, within=1.0)
    assert statuses(answer) == {"pnc": "TIMED_OUT", "dvla": "ANSWERED", "cad": "NOT_SEARCHABLE"}


FAILING = {
    "maintenance": ("", "UPSTREAM_UNAVAILABLE"),
    "key_refused": ("", "UPSTREAM_UNAVAILABLE"),
    "system_error": ("", "UPSTREAM_FAULT"),
    "another": ("", "UPSTREAM_FAULT"),
    "garbage": ("", "UPSTREAM_FAULT"),
    "truncate": ("", "UPSTREAM_UNAVAILABLE"),
    "drop": ("", "UPSTREAM_UNAVAILABLE"),
}


@pytest.mark.parametrize(("dial", "said"), FAILING.items(), ids=FAILING)
async def test_a_register_that_fails_never_looks_like_one_that_knows_nothing(
    grpc_stub: Any, fleet: Fleet, dial: str, said: tuple[str, str]
) -> None:
    setting, reason = said
    turn(fleet, "ivma", dial, setting)
    answer = await check(grpc_stub, STOLEN)
    assert statuses(answer)["dvla"] == "UNAVAILABLE"
    assert next(one.reason for one in answer.sources if one.source == "dvla") == reason
    assert answer.markers[0].mark == api.MARK_STOLEN, "the PNC's answer does not wait for the register's"


async def test_a_register_that_asks_for_time_gets_it(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rig.dials
    assert dials is not None
    turn(fleet, "ivma", "limit", "1", times=1)
    asked = dials.exchanges["vehicles"]
    for _ in range(3):
        answer = await check(grpc_stub, STOLEN)
        assert next(one.reason for one in answer.sources if one.source == "dvla") == "BUSY"
    assert dials.exchanges["vehicles"] == asked + 1, "it was asked again while it wanted to be left alone"
    while statuses(await check(grpc_stub, STOLEN))["dvla"] != "ANSWERED":
        assert dials.exchanges["vehicles"] == asked + 1


async def test_a_foreign_mark_is_not_put_to_the_register(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rig.dials
    assert dials is not None
    asked = dials.exchanges["vehicles"]
    answer = await check(grpc_stub, "ZZABC123456")
    assert statuses(answer) == {"pnc": "NO_TRACE", "dvla": "NOT_SEARCHABLE", "cad": "NOT_SEARCHABLE"}
    assert dials.exchanges["vehicles"] == asked


async def test_an_old_vehicle_of_which_the_register_says_little(grpc_stub: Any, fleet: Fleet) -> None:
    turn(fleet, "ivma", "sparse")
    facts = (await check(grpc_stub, STOLEN)).facts
    assert (facts.colour, facts.fuel, facts.year, facts.mot) == ("WHITE", "", 0, api.MOT_STATUS_VALID)


async def test_handling_belongs_to_each_item(grpc_stub: Any) -> None:
    open_screen = await check(grpc_stub, OF_INTEREST)
    (marker,) = open_screen.markers
    assert (marker.mark, marker.not_over_open_air) == (api.MARK_OF_INTEREST, True)
    assert open_screen.HasField("keeper")
    overlooked = await check(grpc_stub, OF_INTEREST, screen_overlooked=True)
    assert (len(overlooked.markers), overlooked.withheld, overlooked.HasField("keeper")) == (0, 1, False)


async def test_a_fresh_sighting_of_a_stolen_car_is_immediate(grpc_stub: Any) -> None:
    request = api.EnrichAnprHitRequest(access=access(), vrm=Vrm(value=STOLEN), camera="CAR-0117")
    request.seen_at.GetCurrentTime()
    answer = await grpc_stub.EnrichAnprHit(request, timeout=8.0, metadata=from_envoy())
    assert (answer.priority, answer.stale, answer.expect) == (api.HIT_PRIORITY_IMMEDIATE, False, "WHITE FORD FOCUS")


async def test_a_sighting_while_the_pnc_is_away_is_never_worth_nothing(grpc_stub: Any, fleet: Fleet) -> None:
    turn(fleet, "pnc", "drop")
    request = api.EnrichAnprHitRequest(access=access(), vrm=Vrm(value=STOLEN), camera="CAR-0117")
    request.seen_at.GetCurrentTime()
    answer = await grpc_stub.EnrichAnprHit(request, timeout=8.0, metadata=from_envoy())
    assert answer.priority == api.HIT_PRIORITY_UNSPECIFIED
    assert statuses(answer)["dvla"] == "ANSWERED"


async def test_a_check_that_waited_asks_nobody(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rig.dials
    assert dials is not None
    before = (dials.exchanges["vehicles"], len(fleet.rigs["pnc"].entries))
    request = api.CheckVehicleRequest(access=access(), vrm=Vrm(value=STOLEN))
    request.asked_at.FromSeconds(1_763_900_000)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await grpc_stub.CheckVehicle(request, timeout=8.0, metadata=from_envoy())
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (dials.exchanges["vehicles"], len(fleet.rigs["pnc"].entries)) == before


async def test_the_pnc_records_a_consultation_with_what_the_vehicle_did(grpc_stub: Any, fleet: Fleet) -> None:
    await check(grpc_stub, STOLEN, situation=api.VEHICLE_SITUATION_MOVING)
    entry: Any = fleet.rigs["pnc"].entries[-1]
    assert entry.call.consumer.rpartition("/")[2] == "ivma"
    assert entry.request.access.justification == "VEHICLE MOVING: Stopped at the roadside"


async def incident(fleet: Fleet, grade: incidents.Grade.ValueType) -> incidents.Incident:
    """An incident that is opened now at a place in the gazetteer, as CAD has it."""
    stub: Any = IncidentServiceStub(fleet.rigs["cad"].channel)
    because = AccessContext(purpose=options.PURPOSE_INCIDENT_RESPONSE)
    create = cad.CreateIncidentRequest(
        access=because,
        client_reference=str(uuid4()),
        origin=incidents.ORIGIN_EMERGENCY_CALL,
        grade=grade,
        opening_codes=["004"],
        location=incidents.IncidentLocation(text="outside 2 Jasjorham Street"),
        text="Two people demanded a telephone and ran off.",
    )
    created = await stub.CreateIncident(create, timeout=10, metadata=from_envoy())
    asked = cad.GetIncidentRequest(access=because, cad_number=created.cad_number)
    found: incidents.Incident = (await stub.GetIncident(asked, timeout=10, metadata=from_envoy())).incident
    assert found.headline.location.HasField("grid")
    return found


async def test_an_incident_close_by_is_told_by_grade_time_and_number_and_nothing_else(grpc_stub: Any, fleet: Fleet) -> None:
    held = (await incident(fleet, incidents.GRADE_IMMEDIATE)).headline
    at = held.location.grid
    answer = await check(grpc_stub, UNINSURED, position=api.Position(easting=at.easting + 300, northing=at.northing))
    assert statuses(answer) == {"pnc": "ANSWERED", "dvla": "ANSWERED", "cad": "ANSWERED"}
    (told,) = [one for one in answer.markers if one.reference == held.cad_number.value]
    assert (told.mark, told.source, told.text[:2]) == (api.MARK_OPEN_INCIDENT, "cad", "I ")
    assert "JASJORHAM" not in str(answer).upper()
    far = await check(grpc_stub, UNINSURED, position=api.Position(easting=at.easting + 600, northing=at.northing))
    assert held.cad_number.value not in {one.reference for one in far.markers}


@pytest.mark.parametrize(("dial", "status"), [("hang", "TIMED_OUT"), ("drop", "UNAVAILABLE")])
async def test_cad_holds_nobody_up(grpc_stub: Any, fleet: Fleet, dial: str, status: str) -> None:
    turn(fleet, "cad", dial)
    started = time.monotonic()
    answer = await check(grpc_stub, STOLEN, position=api.Position(easting=694_068, northing=182_923))
    assert time.monotonic() - started < PATIENCE + 1.5
    assert statuses(answer) == {"pnc": "ANSWERED", "dvla": "ANSWERED", "cad": status}
