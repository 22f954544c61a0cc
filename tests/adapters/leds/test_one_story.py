"""What a court decides reaches both back ends from one typed message, through the whole mesh; then both tell the same story of the person.

A case is submitted at the edge, the courts' simulator decides it and delivers the result on its own wire, the exchange hands it to both.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cases import case_files, read_case
from command_line import metip
from mesh_rig import MeshRig, running_mesh, until

from adapters.kit.population import Arrest, Population
from adapters.kit.population.standing import Standing, standing
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, PtiUrn
from metip.common.v1.time_pb2 import CivilDate
from metip.libra.v1.case_service_pb2 import SubmitCaseRequest
from metip.libra.v1.case_service_pb2_grpc import CaseServiceStub
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION, PURPOSE_PROSECUTION
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest, GetArrestSummonsResponse
from metip.pnc.v1.case_update_service_pb2 import RecordRemandRequest
from metip.pnc.v1.case_update_service_pb2_grpc import CaseUpdateServiceStub
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest, GetPersonResponse

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 2026
POPULATION = Population(SEED)
SUBMITTED = next(one for one in map(read_case, case_files(("libra",))) if one.case.sample and one.path.stem == "submit_case")
ASK = next(one for one in map(read_case, case_files(("pnc",))) if one.path.stem == "get_arrest_summons").operation
GET_PERSON = next(one for one in map(read_case, case_files(("pnc",))) if one.path.stem == "get_person_wanted").operation
REMAND = next(one for one in map(read_case, case_files(("pnc",))) if one.path.stem == "record_remand")
BACK_ENDS = ("pnc", "leds")


def open_arrests() -> list[Arrest]:
    """Charged with different offences, undecided; the first four of those, apart from one that cases use."""
    found = [one for one in POPULATION.arrests() if standing(one) is Standing.OPEN and one.number > 40]
    return [one for one in found if len({offence.cjs_code for offence in one.offences}) == len(one.offences)][:4]


ARRESTS = open_arrests()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """The courts and both back ends."""
    async with running_mesh(tmp_path_factory.mktemp("s"), systems=("libra", "pnc", "leds")) as rig:
        yield rig


def case_of(arrest: Arrest) -> SubmitCaseRequest:
    """The case of an arrest, as the force submits it."""
    request = SubmitCaseRequest.FromString(SUBMITTED.case.request.value)
    person, defendant = POPULATION.person(arrest.person_number), request.defendants[0]
    request.pti_urn.CopyFrom(PtiUrn(value=arrest.pti_urn))
    request.access.reference = arrest.pti_urn
    defendant.arrest_summons_number.CopyFrom(ArrestSummonsNumber(value=arrest.asn))
    name = defendant.individual.details.name
    name.family_name = person.surname
    name.given_names[:] = person.forenames[:1]
    charge = defendant.offences[0]
    del defendant.offences[:]
    for number, offence in enumerate(arrest.offences, 1):
        one = defendant.offences.add()
        one.CopyFrom(charge)
        on = offence.committed_on
        one.details.sequence_number, one.details.offence_code = number, offence.cjs_code
        one.details.start_date.CopyFrom(CivilDate(year=on.year, month=on.month, day=on.day))
    return request


async def on_file(mesh: MeshRig, channel: Any, system: str, arrest: Arrest) -> GetArrestSummonsResponse:
    """What a back end tells of an arrest, through the edge."""
    request = GetArrestSummonsRequest(
        access=AccessContext(purpose=PURPOSE_PROSECUTION), arrest_summons_number=ArrestSummonsNumber(value=arrest.asn)
    )
    async with mesh.served_by(system, ASK):
        reply = await channel.unary_unary(ASK.path)(request.SerializeToString(), metadata=mesh.token(), timeout=10)
    return GetArrestSummonsResponse.FromString(reply)


def story(reply: GetArrestSummonsResponse, system: str) -> list[str]:
    """An answer without what must differ: who gave it, and when."""
    assert reply.provenance.system == system.upper()
    reply.ClearField("provenance")
    return str(reply).splitlines()


async def test_a_result_reaches_both_back_ends_and_both_tell_the_same_story(mesh: MeshRig) -> None:
    channel = mesh.channel()
    before = {arrest.asn: [story(await on_file(mesh, channel, one, arrest), one) for one in BACK_ENDS] for arrest in ARRESTS}
    assert all(one == other for one, other in before.values())
    courts: Any = CaseServiceStub(channel)
    await asyncio.gather(*(courts.SubmitCase(case_of(arrest), metadata=mesh.token(), timeout=10) for arrest in ARRESTS))

    async def recorded() -> bool:
        accounts = (await metip(mesh.home.root, "messages", "subscriptions", "--json")).json
        done = {one["subscription"].partition(":")[0]: one["counts"].get("processed", 0) for one in accounts}
        return all(done.get(system) == len(ARRESTS) for system in BACK_ENDS)

    await until(recorded, within=40)
    for arrest in ARRESTS:
        one, other = [await on_file(mesh, channel, system, arrest) for system in BACK_ENDS]
        decided = [offence for case in one.court_cases for offence in case.offences]
        assert [offence.number for offence in decided if offence.adjudication.finding and offence.disposals] == [
            offence.number for offence in decided
        ]
        told = story(one, "pnc")
        assert told == story(other, "leds")
        assert told not in before[arrest.asn]
    assert (await mesh.exchanges("pnc"))["DISARR"] == len(ARRESTS)
    assert (await mesh.exchanges("leds"))["court-case-disposal-result"] == len(ARRESTS)


async def test_a_person_is_the_same_in_both(mesh: MeshRig) -> None:
    person = POPULATION.person(ARRESTS[0].person_number)
    access = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="A test of two back ends")
    replies = []
    for system in BACK_ENDS:
        request = GetPersonRequest(access=access)
        request.pnc_id.value = person.pnc_id
        async with mesh.served_by(system, GET_PERSON):
            call: Any = mesh.channel().unary_unary(GET_PERSON.path)
            reply = GetPersonResponse.FromString(await call(request.SerializeToString(), metadata=mesh.token(), timeout=10))
        assert reply.provenance.system == system.upper()
        reply.ClearField("provenance")
        replies.append(reply)
    assert replies[0] == replies[1]


async def test_a_typed_update_by_weight_changes_one_record_and_not_the_other(mesh: MeshRig) -> None:
    """Which is why the weight of updates is moved as a whole: each back end keeps its own record."""
    request = RecordRemandRequest.FromString(REMAND.case.request.value)
    before = [(await mesh.exchanges(system)) for system in BACK_ENDS]
    async with mesh.served_by("leds", REMAND.operation):
        stub: Any = CaseUpdateServiceStub(mesh.channel())
        reply = await stub.RecordRemand(request, metadata=mesh.token(), timeout=10)
    after = [(await mesh.exchanges(system)) for system in BACK_ENDS]
    assert reply.receipt.code == "A0031"
    assert after[0] == before[0]
    assert after[1]["basic-remands"] == before[1].get("basic-remands", 0) + 1
