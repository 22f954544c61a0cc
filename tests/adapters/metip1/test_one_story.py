"""One person, however they are asked for, by its owner or by way of the old bus, through the whole mesh; and who is said to answer."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from journals_of_mesh import records, traced
from mesh_rig import MeshRig, running_mesh

from adapters.kit.population import STORIES, Population
from adapters.kit.serving import installed_contracts
from adapters.metip1.services import BY_CONTRACT
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import CrimeReportNumber, MerlinReference, PncId
from metip.common.v1.pole_pb2 import Person
from metip.cris.v1.crime_report_service_pb2 import GetCrimeReportRequest
from metip.ledger.v1 import record_pb2 as ledger
from metip.merlin.v1.report_service_pb2 import GetReportRequest
from metip.options.v1.options_pb2 import PLATFORM_METIP, PLATFORM_METIP2, PURPOSE_CRIME_INVESTIGATION
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD = "metip1"
POPULATION = Population(2026)
CONTRACTS = installed_contracts(date.min)
WHY = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="A test of two platforms")
PERSON = "metip.pnc.v1.PersonEnquiryService/GetPerson"
CRIME = "metip.cris.v1.CrimeReportService/GetCrimeReport"
EPISODE = "metip.merlin.v1.ReportService/GetReport"
OWNERS = ("pnc", "cris", "merlin")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """The owners and the old platform."""
    async with running_mesh(tmp_path_factory.mktemp("o"), systems=(*OWNERS, OLD)) as rig:
        yield rig


async def told(mesh: MeshRig, system: str, operation: str, request: Any, *more: tuple[str, str]) -> Any:
    """What a system answers to a request, through the edge."""
    async with mesh.served_by(system, CONTRACTS.operations[operation]):
        call: Any = mesh.channel().unary_unary(f"/{operation}")
        sent = call(request.SerializeToString(), metadata=[*mesh.token(), *more], timeout=10)
        reply = BY_CONTRACT[operation].answer.made().FromString(await sent)
        served = [value for key, value in await sent.initial_metadata() if key == "x-metip-served-by"]
    assert served == [system]
    assert reply.provenance.system.casefold() == system
    return reply


def who(person: Person) -> tuple[Any, ...]:
    """A person by what the bus can't spoil: names in capitals and as long as it leaves them."""
    names = tuple(name.upper()[:30].rstrip() for name in (*person.name.given_names, person.name.family_name))
    return names, str(person.date_of_birth), person.sex, person.height_cm, person.pnc_id.value


async def test_a_person_is_the_same_by_pnc_and_by_the_old_bus_in_every_field(mesh: MeshRig) -> None:
    for story in ("wanted", "missing_child"):
        request = GetPersonRequest(access=WHY, pnc_id=PncId(value=POPULATION.person(STORIES[story]).pnc_id))
        new, old = [await told(mesh, system, PERSON, request) for system in ("pnc", OLD)]
        for reply in (new, old):
            reply.ClearField("provenance")
        assert str(old).splitlines() == str(new).splitlines()


async def test_who_is_in_a_crime_report_by_the_old_bus_is_who_pnc_knows(mesh: MeshRig) -> None:
    known = next(one for one in POPULATION.crimes() if not one.restricted and any(POPULATION.person(n).pnc_id for n in one.suspect_numbers))
    request = GetCrimeReportRequest(access=WHY, crime_report_number=CrimeReportNumber(value=known.reference))
    new, old = [await told(mesh, system, CRIME, request) for system in ("cris", OLD)]
    parties = [[(one.role, one.number, who(one.person)) for one in reply.report.sheet.parties] for reply in (new, old)]
    assert parties[0] == parties[1] != []
    suspect = next(one.person for one in old.report.sheet.parties if one.person.pnc_id.value and one.role == 2)
    by_pnc = await told(mesh, "pnc", PERSON, GetPersonRequest(access=WHY, pnc_id=suspect.pnc_id))
    assert who(by_pnc.nominal.person) == who(suspect)


async def test_a_child_in_merlin_by_the_old_bus_is_as_old_as_in_merlin(mesh: MeshRig) -> None:
    known = next(one for one in POPULATION.episodes() if not one.restricted and POPULATION.person(one.subject_number).guardian_number)
    request = GetReportRequest(access=WHY, merlin_reference=MerlinReference(value=known.reference))
    new, old = [await told(mesh, system, EPISODE, request) for system in ("merlin", OLD)]
    assert who(new.report.summary.person) == who(old.report.summary.person)
    assert who(new.report.people[0].person) == who(old.report.people[0].person)
    assert new.report.summary.created == old.report.summary.created


async def test_the_record_of_an_answer_says_which_platform_gave_it(mesh: MeshRig) -> None:
    request = GetPersonRequest(access=WHY, pnc_id=PncId(value=POPULATION.person(STORIES["wanted"]).pnc_id))
    for system, platform in (("pnc", PLATFORM_METIP2), (OLD, PLATFORM_METIP)):
        trace, header = traced()
        await told(mesh, system, PERSON, request, header)
        found = [one for one in records(mesh.home.journals) if one.trace_id == trace]
        assert [(one.kind, one.platform, one.generation, one.disclosed) for one in found] == [(ledger.KIND_OPERATION, system, platform, 1)]
