"""Vehicles and addresses over real adapters of every source: each source is named, asked or not, and its handling belongs to each match."""

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from consulted import Fleet, running_fleet

from adapters.kit.population import STORIES, Population
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import Vrm
from metip.options.v1 import options_pb2 as options
from metip.tablet.v1 import officer_search_service_pb2 as api
from metip.tablet.v1.officer_search_service_pb2_grpc import OfficerSearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOURCES = {"pnc", "cris", "merlin", "connect"}
STOLEN, OF_INTEREST = "UJ50DNP", "KE01CVV"
PEOPLE = Population(2026)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with running_fleet("tablet", tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture(scope="module")
def grpc_server(fleet: Fleet) -> Any:
    return fleet.rig.channel


@pytest.fixture(scope="module")
def grpc_stub_cls(grpc_channel: grpc.aio.Channel) -> type[OfficerSearchServiceStub]:
    return OfficerSearchServiceStub


@pytest.fixture(autouse=True)
def _dials_back(fleet: Fleet) -> Any:
    yield
    fleet.clear()


def access(purpose: options.Purpose.ValueType = options.PURPOSE_STREET_STOP) -> AccessContext:
    return AccessContext(purpose=purpose, justification="Stopped in the street")


async def read(stream: Any) -> tuple[list[Any], dict[str, str]]:
    """Matches in order, and how each source ended; each source has exactly one end, after its matches."""
    matches: list[Any] = []
    ends: dict[str, str] = {}
    async for reply in stream:
        if reply.HasField("outcome"):
            assert reply.outcome.source not in ends
            ends[reply.outcome.source] = api.SourceStatus.Name(reply.outcome.status).removeprefix("SOURCE_STATUS_")
        else:
            assert reply.match.source not in ends, "a match came after its source had ended"
            matches.append(reply.match)
    assert set(ends) == SOURCES
    return matches, ends


async def vehicles(stub: Any, vrm: str, *, within: float = 8.0) -> tuple[list[api.VehicleMatch], dict[str, str]]:
    request = api.SearchVehiclesRequest(access=access(), vrm=Vrm(value=vrm))
    return await read(stub.SearchVehicles(request, timeout=within, metadata=from_envoy()))


async def addresses(stub: Any, *, within: float = 8.0, **asked: str) -> tuple[list[api.AddressMatch], dict[str, str]]:
    request = api.SearchAddressesRequest(access=access(), **asked)
    return await read(stub.SearchAddresses(request, timeout=within, metadata=from_envoy()))


async def test_the_register_the_report_and_the_crime_are_three_matches_of_one_story(grpc_stub: Any) -> None:
    matches, ends = await vehicles(grpc_stub, STOLEN)
    register, report = (one for one in matches if one.source == "pnc")
    keeper = PEOPLE.person(STORIES["stolen_vehicle_keeper"])
    assert keeper.surname.upper() in register.keeper.upper()
    assert (register.role, report.role) == ("register", "lost stolen")
    assert [one.reference for one in matches if one.source == "cris"] == ["9923757/26"]
    assert [one.vehicle.vrm.value for one in matches if one.source == "connect"] == [STOLEN]
    assert ends == {"pnc": "ANSWERED", "cris": "ANSWERED", "merlin": "NOT_SEARCHABLE", "connect": "ANSWERED"}


async def test_handling_belongs_to_the_report_and_not_to_the_register(grpc_stub: Any) -> None:
    matches, _ = await vehicles(grpc_stub, OF_INTEREST)
    assert [(one.role, one.not_over_open_air) for one in matches if one.source == "pnc"] == [("register", False), ("of interest", True)]


@pytest.mark.parametrize("silent", ["pnc", "cris", "connect"])
async def test_a_source_that_hangs_holds_no_other_up(grpc_stub: Any, fleet: Fleet, silent: str) -> None:
    dials = fleet.rigs[silent].dials
    assert dials is not None
    dials.set([Dial("hang")])
    started = time.monotonic()
    matches, ends = await vehicles(grpc_stub, STOLEN, within=2.0)
    assert time.monotonic() - started < 2.0
    assert ends == {**dict.fromkeys(SOURCES, "ANSWERED"), "merlin": "NOT_SEARCHABLE", silent: "TIMED_OUT"}
    assert silent not in {one.source for one in matches}


async def test_an_address_is_asked_of_those_who_can_be_searched_by_one(grpc_stub: Any, fleet: Fleet) -> None:
    before = {source: len(fleet.rigs[source].entries) for source in SOURCES}
    matches, ends = await addresses(grpc_stub, postcode="ZZ12 3AQ")
    assert "9923757/26" in {one.reference for one in matches if one.source == "cris"}
    assert {one.address.postcode for one in matches if one.source == "connect"} == {"ZZ12 3AQ"}
    assert ends == {"pnc": "NOT_SEARCHABLE", "cris": "ANSWERED", "merlin": "NOT_SEARCHABLE", "connect": "ANSWERED"}
    asked = {source: len(fleet.rigs[source].entries) - count for source, count in before.items()}
    assert asked == {"pnc": 0, "cris": 1, "merlin": 0, "connect": 1}, "who is not asked has no consultation in its log"


async def test_half_a_postcode_finds_more_and_says_so(grpc_stub: Any) -> None:
    matches, _ = await addresses(grpc_stub, postcode="ZZ12")
    assert len([one for one in matches if one.source == "cris"]) > 1


async def test_an_address_of_a_restricted_report_leaves_no_trace(grpc_stub: Any) -> None:
    restricted = next(crime for crime in PEOPLE.crimes() if crime.restricted)
    venue = PEOPLE.address(restricted.venue_number)
    matches, _ = await addresses(grpc_stub, postcode=venue.postcode, street=venue.street)
    assert restricted.reference not in {one.reference for one in matches}
