"""One contract, two back ends: PNC's own cases, and everything that both have on file, asked of both; only the platform's name differs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from adapter_rig import TODAY, Rig, from_envoy, running_adapter
from cases import case_files, case_id, play, problems, read_case
from google.protobuf import descriptor_pool, message_factory

from adapters.kit.serving import installed_contracts
from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import ArrestSummonsNumber, CroNumber, PncId, Vrm
from metip.options.v1.options_pb2 import PURPOSE_CRIME_INVESTIGATION, PURPOSE_PROSECUTION
from metip.pnc.v1.arrest_summons_service_pb2 import GetArrestSummonsRequest
from metip.pnc.v1.arrest_summons_service_pb2_grpc import ArrestSummonsServiceStub
from metip.pnc.v1.person_enquiry_service_pb2 import GetPersonRequest
from metip.pnc.v1.person_enquiry_service_pb2_grpc import PersonEnquiryServiceStub
from metip.pnc.v1.vehicle_enquiry_service_pb2 import GetVehicleRequest
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "leds"
UPSTREAM: dict[str, Any] = {"failures_to_open": 1000}
WHY = AccessContext(purpose=PURPOSE_CRIME_INVESTIGATION, justification="A test of two back ends, word by word")
SERVED = {name for one in installed_contracts(TODAY).back_ends if one.system == SYSTEM for name in one.serves}
CASES = [path for path in case_files(("pnc",)) if not (case := read_case(path).case).faults and case.operation in SERVED]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pnc(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """The other back end."""
    async with running_adapter("pnc", tmp_path_factory.mktemp("pnc"), **UPSTREAM) as running:
        yield running


@pytest.mark.parametrize("path", CASES, ids=case_id)
async def test_what_pnc_answers_leds_answers(rig: Rig, pnc: Rig, path: Any) -> None:
    recorded = read_case(path)
    await play(recorded, pnc.channel, from_envoy())  # so that what the cases record is on file in both
    for reply in recorded.case.answered.replies:
        message: Any = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(reply.TypeName()))()
        reply.Unpack(message)
        if "provenance" in message.DESCRIPTOR.fields_by_name and message.provenance.system:
            message.provenance.system = "LEDS"
        reply.Pack(message)
    if recorded.case.WhichOneof("outcome") == "refused":
        recorded.case.refused.metadata.pop("code", None)  # the far system's own
    assert problems(recorded, await play(recorded, rig.channel, from_envoy())) == []


def alike(one: Any, other: Any) -> None:
    assert (one.provenance.system, other.provenance.system) == ("LEDS", "PNC")
    for reply in (one, other):
        reply.ClearField("provenance")
    assert str(one).splitlines() == str(other).splitlines()


async def test_every_arrest_tells_the_same(rig: Rig, pnc: Rig) -> None:
    for arrest in rig.population.arrests():
        access = AccessContext(purpose=PURPOSE_PROSECUTION)
        request = GetArrestSummonsRequest(access=access, arrest_summons_number=ArrestSummonsNumber(value=arrest.asn))
        replies = [await one.stub(ArrestSummonsServiceStub).GetArrestSummons(request, metadata=from_envoy()) for one in (rig, pnc)]
        alike(*replies)


async def test_people_are_the_same(rig: Rig, pnc: Rig) -> None:
    known = [person for person in rig.population.people()[:400] if person.pnc_id]
    for place, person in enumerate(known):
        key: dict[str, Any] = (
            {"pnc_id": PncId(value=person.pnc_id)} if place % 3 or not person.cro else {"cro_number": CroNumber(value=person.cro)}
        )
        request = GetPersonRequest(access=WHY, **key)
        alike(*[await one.stub(PersonEnquiryServiceStub).GetPerson(request, metadata=from_envoy()) for one in (rig, pnc)])


async def test_vehicles_are_the_same(rig: Rig, pnc: Rig) -> None:
    for vehicle in rig.population.vehicles()[:300]:
        request = GetVehicleRequest(access=WHY, vrm=Vrm(value=vehicle.vrm))
        alike(*[await one.stub(VehicleEnquiryServiceStub).GetVehicle(request, metadata=from_envoy()) for one in (rig, pnc)])
