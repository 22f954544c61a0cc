"""Views over real adapters of every source: what each status means, that nothing leaks, and that one source down is one section less."""

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from adapter_rig import from_envoy
from consulted import Fleet, running_fleet

from adapters.iportal.sources import SOURCES
from adapters.kit.population import STORIES, Population
from adapters.kit.simulation.dials import Dial
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CrimeReportNumber, MerlinReference, PncId
from metip.common.v1.time_pb2 import CivilDate
from metip.iportal.v1 import portal_service_pb2 as api
from metip.iportal.v1.portal_service_pb2_grpc import PortalServiceStub
from metip.iportal.v1.view_pb2 import Section, SectionStatus
from metip.options.v1 import options_pb2 as options

pytestmark = pytest.mark.asyncio(loop_scope="module")
PEOPLE = Population(2026)
OF_A_PERSON = ("pnc", "connect", "cris", "merlin")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with running_fleet("iportal", tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture(scope="module")
def grpc_server(fleet: Fleet) -> Any:
    return fleet.rig.channel


@pytest.fixture(scope="module")
def grpc_stub_cls(grpc_channel: grpc.aio.Channel) -> type[PortalServiceStub]:
    return PortalServiceStub


@pytest.fixture(autouse=True)
def _dials_back(fleet: Fleet) -> Any:
    yield
    fleet.clear()


def access(purpose: options.Purpose.ValueType = options.PURPOSE_CRIME_INVESTIGATION) -> AccessContext:
    return AccessContext(purpose=purpose, reference="1234/23NOV26", justification="Suspect in a burglary")


def by_name(story: str, **said: Any) -> api.ComposePersonViewRequest:
    person = PEOPLE.person(STORIES[story])
    born = person.date_of_birth
    description = api.PersonDescription(
        family_name=person.surname[:35],
        given_names=person.forenames[0],
        date_of_birth=CivilDate(year=born.year, month=born.month, day=born.day),
    )
    return api.ComposePersonViewRequest(access=access(**said), description=description)


def by_number(story: str) -> api.ComposePersonViewRequest:
    return api.ComposePersonViewRequest(access=access(), pnc_id=PncId(value=PEOPLE.person(STORIES[story]).pnc_id))


async def compose(ask: Any, request: Any, *, within: float = 8.0) -> list[Section]:
    return list((await ask(request, timeout=within, metadata=from_envoy())).sections)


def statuses(sections: list[Section]) -> dict[str, str]:
    return {one.source: SectionStatus.Name(one.status).removeprefix("SECTION_STATUS_") for one in sections}


async def test_sections_come_in_the_order_of_the_table_however_slow_the_first_is(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rigs["pnc"].dials
    assert dials is not None
    dials.set([Dial("delay", "400ms")])
    sections = await compose(grpc_stub.ComposePersonView, by_name("known_offender"))
    assert [one.source for one in sections] == list(OF_A_PERSON)
    assert set(statuses(sections).values()) == {"ANSWERED"}


async def test_it_is_the_same_person_in_every_section(grpc_stub: Any) -> None:
    born = PEOPLE.person(STORIES["known_offender"]).date_of_birth
    for section in await compose(grpc_stub.ComposePersonView, by_name("known_offender")):
        assert section.entries
        for entry in section.entries:
            assert (entry.person.date_of_birth.year, entry.person.date_of_birth.month) == (born.year, born.month)
            assert entry.reference


async def test_by_number_the_others_are_asked_for_the_name_and_show_the_same(grpc_stub: Any) -> None:
    named = await compose(grpc_stub.ComposePersonView, by_name("known_offender"))
    numbered = await compose(grpc_stub.ComposePersonView, by_number("known_offender"))
    assert [[entry.reference for entry in one.entries] for one in named[2:]] == [
        [entry.reference for entry in one.entries] for one in numbered[2:]
    ]


async def test_each_section_says_how_old_it_is(grpc_stub: Any) -> None:
    for section in await compose(grpc_stub.ComposePersonView, by_name("known_offender")):
        assert section.HasField("as_of") == section.HasField("freshness")
        assert section.freshness.seconds >= 0
    assert any(one.HasField("as_of") for one in await compose(grpc_stub.ComposePersonView, by_name("known_offender")))


FAULTS = [
    ("hang", "", "TIMED_OUT"),
    ("half_open", "", "TIMED_OUT"),
    ("delay", "6s", "TIMED_OUT"),
    ("drop", "", "UNAVAILABLE"),
    ("truncate", "", "UNAVAILABLE"),
    ("garbage", "", "UNAVAILABLE"),
]


@pytest.mark.parametrize("silent", OF_A_PERSON)
@pytest.mark.parametrize(("dial", "setting", "status"), FAULTS, ids=[row[0] for row in FAULTS])
async def test_a_source_that_fails_is_a_section_that_says_how_and_the_others_show_theirs(
    grpc_stub: Any, fleet: Fleet, silent: str, dial: str, setting: str, status: str
) -> None:
    dials = fleet.rigs[silent].dials
    assert dials is not None
    dials.set([Dial(dial, setting)])
    started = time.monotonic()
    sections = await compose(grpc_stub.ComposePersonView, by_name("known_offender"), within=2.0)
    assert time.monotonic() - started < 2.0
    said = statuses(sections)
    assert said.pop(silent) == status
    assert set(said.values()) == {"ANSWERED"}
    broken = next(one for one in sections if one.source == silent)
    assert (len(broken.entries), broken.HasField("as_of")) == (0, False)
    assert broken.error


async def test_all_sources_silent_is_still_a_page_in_time(grpc_stub: Any, fleet: Fleet) -> None:
    for source in OF_A_PERSON:
        dials = fleet.rigs[source].dials
        assert dials is not None
        dials.set([Dial("hang")])
    sections = await compose(grpc_stub.ComposePersonView, by_name("known_offender"), within=1.5)
    assert statuses(sections) == dict.fromkeys(OF_A_PERSON, "TIMED_OUT")


async def test_a_pnc_that_hangs_leaves_the_others_to_connects_name_and_the_page_in_time(grpc_stub: Any, fleet: Fleet) -> None:
    pnc, connect = fleet.rigs["pnc"].dials, fleet.rigs["connect"].dials
    assert pnc is not None
    assert connect is not None
    pnc.set([Dial("hang")])
    started = time.monotonic()
    sections = await compose(grpc_stub.ComposePersonView, by_number("known_offender"), within=3.0)
    assert time.monotonic() - started < 3.0
    assert statuses(sections) == {**dict.fromkeys(OF_A_PERSON, "ANSWERED"), "pnc": "TIMED_OUT"}
    connect.set([Dial("hang")])
    sections = await compose(grpc_stub.ComposePersonView, by_number("known_offender"), within=2.0)
    assert statuses(sections) == {"pnc": "TIMED_OUT", "connect": "TIMED_OUT", "cris": "NOT_ASKED", "merlin": "NOT_ASKED"}


def unlike_only_in_name(section: Section) -> bytes:
    """What of a section could tell one record from another."""
    bare = Section()
    bare.CopyFrom(section)
    bare.ClearField("as_of")
    bare.ClearField("freshness")
    return bare.SerializeToString()


async def test_a_restricted_victim_reads_as_somebody_who_does_not_exist(grpc_stub: Any) -> None:
    hidden = await compose(grpc_stub.ComposePersonView, by_name("restricted_victim"))
    request = by_name("restricted_victim")
    request.description.family_name = "Zzyxnobody"
    nobody = await compose(grpc_stub.ComposePersonView, request)
    crimes, none = next(one for one in hidden if one.source == "cris"), next(one for one in nobody if one.source == "cris")
    assert unlike_only_in_name(crimes) == unlike_only_in_name(none)
    assert crimes.HasField("as_of") == none.HasField("as_of")


RESTRICTED = next(one for one in PEOPLE.crimes() if one.restricted)
RESTRICTED_EPISODE = next(one for one in PEOPLE.episodes() if one.restricted)


HIDDEN = {
    "crime report": (
        {"crime_report_number": CrimeReportNumber(value=RESTRICTED.reference)},
        {"crime_report_number": CrimeReportNumber(value="0000001/26")},
    ),
    "safeguarding report": (
        {"merlin_reference": MerlinReference(value=RESTRICTED_EPISODE.reference)},
        {"merlin_reference": MerlinReference(value="26MIS000001")},
    ),
}


@pytest.mark.parametrize(("hidden", "unknown"), HIDDEN.values(), ids=HIDDEN)
async def test_a_restricted_record_reads_as_one_that_does_not_exist_to_the_last_byte(grpc_stub: Any, hidden: Any, unknown: Any) -> None:
    one = await compose(grpc_stub.ComposeIncidentView, api.ComposeIncidentViewRequest(access=access(), **hidden))
    other = await compose(grpc_stub.ComposeIncidentView, api.ComposeIncidentViewRequest(access=access(), **unknown))
    assert [section.SerializeToString() for section in one] == [section.SerializeToString() for section in other]
    assert "NOTHING_TO_SHOW" in statuses(one).values()


async def test_an_address_with_a_restricted_crime_counts_only_what_it_shows(grpc_stub: Any) -> None:
    postcode = PEOPLE.address(RESTRICTED.venue_number).postcode
    at = [one for one in PEOPLE.crimes() if PEOPLE.address(one.venue_number).postcode == postcode]
    request = api.ComposeAddressViewRequest(access=access(), postcode=postcode)
    section = next(one for one in await compose(grpc_stub.ComposeAddressView, request) if one.source == "cris")
    assert {entry.reference for entry in section.entries} == {one.reference for one in at if not one.restricted}
    assert not section.truncated


async def test_a_purpose_that_a_source_does_not_permit_is_refused_there_only(grpc_stub: Any) -> None:
    sections = await compose(grpc_stub.ComposePersonView, by_name("known_offender", purpose=options.PURPOSE_PROSECUTION))
    assert statuses(sections) == {"pnc": "REFUSED", "connect": "ANSWERED", "cris": "ANSWERED", "merlin": "REFUSED"}


async def test_each_view_is_recorded_once_here_and_once_at_each_source_that_was_asked(grpc_stub: Any, fleet: Fleet) -> None:
    before = {name: len(rig.entries) for name, rig in fleet.rigs.items()}
    await compose(grpc_stub.ComposePersonView, by_number("known_offender"))
    fresh = {name: fleet.rigs[name].entries[count:] for name, count in before.items()}
    assert {name: len(found) for name, found in fresh.items()} == {**dict.fromkeys(fresh, 0), **dict.fromkeys(("iportal", *OF_A_PERSON), 1)}
    for name in OF_A_PERSON:
        (entry,) = fresh[name]
        assert entry.call.consumer.rpartition("/")[2] == "iportal"
        assert entry.call.officer is not None


async def test_the_status_tells_what_was_seen_and_asks_nobody(grpc_stub: Any, fleet: Fleet) -> None:
    dials = fleet.rigs["merlin"].dials
    assert dials is not None
    dials.set([Dial("drop")])
    await compose(grpc_stub.ComposePersonView, by_name("known_offender"))
    before = {name: len(rig.entries) for name, rig in fleet.rigs.items()}
    told = {one.source: one for one in (await grpc_stub.GetStatus(api.GetStatusRequest(), metadata=from_envoy(officer=None))).sources}
    assert {name: len(rig.entries) for name, rig in fleet.rigs.items()} == before
    assert tuple(told) == SOURCES
    assert (told["cris"].answers, told["merlin"].answers) == (True, False)
    assert told["merlin"].HasField("last_asked")
    assert told["cris"].last_answered.ToNanoseconds() >= told["merlin"].last_answered.ToNanoseconds()
    dials.clear()
    await compose(grpc_stub.ComposePersonView, by_name("known_offender"))
    (merlin,) = (await grpc_stub.GetStatus(api.GetStatusRequest(sources=["merlin"]), metadata=from_envoy(officer=None))).sources
    assert merlin.answers


async def test_no_error_names_anybody(grpc_stub: Any, fleet: Fleet) -> None:
    for source in OF_A_PERSON:
        dials = fleet.rigs[source].dials
        assert dials is not None
        dials.set([Dial("garbage")])
    asked = by_name("known_offender")
    for section in await compose(grpc_stub.ComposePersonView, asked):
        assert section.error
        assert asked.description.family_name.lower() not in section.error.lower()
