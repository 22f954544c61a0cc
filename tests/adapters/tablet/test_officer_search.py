"""The officer's search over real adapters of every source: what each status means, and that none is ever mistaken for another.

pytest-grpc gives the stub; its server is the adapter's own (see tests/adapters/conftest.py).
"""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from consulted import Fleet, running_fleet

from adapters.kit.population import STORIES, Population
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.time_pb2 import CivilDate
from metip.options.v1 import options_pb2 as options
from metip.tablet.v1 import officer_search_service_pb2 as api
from metip.tablet.v1.officer_search_service_pb2_grpc import OfficerSearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOURCES = ("pnc", "cris", "merlin", "connect")
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


def request(story: str, purpose: options.Purpose.ValueType = options.PURPOSE_STREET_STOP) -> api.SearchPersonsRequest:
    person = PEOPLE.person(STORIES[story])
    born = person.date_of_birth
    return api.SearchPersonsRequest(
        access=AccessContext(purpose=purpose, justification="Stopped in the street"),
        family_name=person.surname[:35],
        given_names=person.forenames[0],
        date_of_birth=CivilDate(year=born.year, month=born.month, day=born.day),
    )


async def search(
    stub: Any, asked: api.SearchPersonsRequest, *, within: float = 8.0
) -> tuple[list[api.PersonMatch], Mapping[str, api.SourceOutcome]]:
    """Matches in order, and outcomes by source; each source must have exactly one, after its matches."""
    matches: list[api.PersonMatch] = []
    outcomes: dict[str, api.SourceOutcome] = {}
    async for reply in stub.SearchPersons(asked, timeout=within, metadata=from_envoy()):
        if reply.HasField("outcome"):
            assert reply.outcome.source not in outcomes
            outcomes[reply.outcome.source] = reply.outcome
        else:
            assert reply.match.source not in outcomes, "a match came after its source had ended"
            matches.append(reply.match)
    assert set(outcomes) == set(SOURCES)
    return matches, outcomes


def all_of(status: str, **otherwise: str) -> dict[str, str]:
    """Every source with that status, but for those named."""
    return {source: otherwise.get(source, status) for source in SOURCES}


def statuses(outcomes: Mapping[str, api.SourceOutcome]) -> dict[str, str]:
    return {source: api.SourceStatus.Name(one.status).removeprefix("SOURCE_STATUS_") for source, one in outcomes.items()}


async def test_a_known_person_is_found_in_every_source_and_is_the_same_person(grpc_stub: Any) -> None:
    matches, outcomes = await search(grpc_stub, request("known_offender"))
    assert statuses(outcomes) == all_of("ANSWERED")
    born = PEOPLE.person(STORIES["known_offender"]).date_of_birth
    for match in matches:
        assert (match.person.date_of_birth.year, match.person.date_of_birth.month) == (born.year, born.month)
        assert match.reference
        assert match.role
    counted = {source: sum(match.source == source for match in matches) for source in SOURCES}
    assert counted == {source: outcomes[source].matches for source in SOURCES}


async def test_nobody_is_no_trace_in_every_source(grpc_stub: Any) -> None:
    asked = request("no_trace")
    asked.family_name = "Nobodyofthatname"
    matches, outcomes = await search(grpc_stub, asked)
    assert matches == []
    assert statuses(outcomes) == all_of("NO_TRACE")


FAULTS = [
    ("hang", "", "TIMED_OUT"),
    ("half_open", "", "TIMED_OUT"),
    ("delay", "6s", "TIMED_OUT"),
    ("drop", "", "UNAVAILABLE"),
    ("truncate", "", "UNAVAILABLE"),
    ("garbage", "", "UNAVAILABLE"),
]


@pytest.mark.parametrize("silent", SOURCES)
@pytest.mark.parametrize(("dial", "setting", "status"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_a_source_that_fails_says_how_and_the_others_answer(
    grpc_stub: Any, fleet: Fleet, silent: str, dial: str, setting: str, status: str
) -> None:
    dials = fleet.rigs[silent].dials
    assert dials is not None
    dials.set([Dial(dial, setting)])
    started = time.monotonic()
    matches, outcomes = await search(grpc_stub, request("known_offender"), within=2.0)
    assert time.monotonic() - started < 2.0
    assert statuses(outcomes) == all_of("ANSWERED", **{silent: status})
    assert outcomes[silent].matches == 0
    assert "may know something" in outcomes[silent].explanation
    assert not any(match.source == silent for match in matches)


async def test_all_sources_silent_is_still_an_answer_in_time(grpc_stub: Any, fleet: Fleet) -> None:
    for source in SOURCES:
        dials = fleet.rigs[source].dials
        assert dials is not None
        dials.set([Dial("hang")])
    _, outcomes = await search(grpc_stub, request("known_offender"), within=1.5)
    assert statuses(outcomes) == all_of("TIMED_OUT")


async def test_a_purpose_that_one_source_does_not_permit_is_refused_there_only(grpc_stub: Any) -> None:
    _, outcomes = await search(grpc_stub, request("known_offender", options.PURPOSE_ROAD_TRAFFIC))
    assert statuses(outcomes) == all_of("ANSWERED", merlin="REFUSED")
    assert "PURPOSE_NOT_PERMITTED" in outcomes["merlin"].explanation


async def test_each_source_records_a_consultation_of_its_own(grpc_stub: Any, fleet: Fleet) -> None:
    before = {source: len(fleet.rigs[source].entries) for source in SOURCES}
    await search(grpc_stub, request("known_offender"))
    for source in SOURCES:
        fresh = fleet.rigs[source].entries[before[source] :]
        assert [entry.call.consumer.rpartition("/")[2] for entry in fresh] == ["tablet"]
        assert fresh[0].call.officer is not None


async def test_a_restricted_report_leaves_no_trace_in_the_search(grpc_stub: Any) -> None:
    matches, outcomes = await search(grpc_stub, request("restricted_victim"))
    assert statuses(outcomes)["cris"] == "NO_TRACE"
    assert not any(match.source == "cris" for match in matches)


async def test_no_explanation_names_anybody(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rigs["cris"].dials
    assert dials is not None
    dials.set([Dial("garbage")])
    asked = request("known_offender")
    _, outcomes = await search(grpc_stub, asked)
    for outcome in outcomes.values():
        assert asked.family_name.lower() not in outcome.explanation.lower()
