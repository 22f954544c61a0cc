"""The whole way on a running estate: from the far room to the exchange, from the exchange to the far room, and never round in a circle."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from command_line import metip
from mesh_rig import MeshRig, running_mesh
from waiting import until

from metip.cad.v1 import incident_pb2 as cad
from metip.cad.v1.incident_event_service_pb2_grpc import IncidentEventServiceStub
from metip.cad.v1.incident_service_pb2 import CreateIncidentRequest as CreateDespatchRequest
from metip.cad.v1.incident_service_pb2 import GetIncidentRequest as GetDespatchRequest
from metip.cad.v1.incident_service_pb2 import SearchIncidentsRequest as SearchDespatchRequest
from metip.cad.v1.incident_service_pb2_grpc import IncidentServiceStub as DespatchStub
from metip.cases.v1.case_pb2 import Fault
from metip.command_control.v1 import incident_pb2 as contract
from metip.command_control.v1 import incident_service_pb2 as service
from metip.command_control.v1.handover_service_pb2_grpc import HandoverServiceStub
from metip.command_control.v1.incident_service_pb2_grpc import IncidentServiceStub
from metip.common.v1.time_pb2 import CivilDate, DateRange
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.simulator.v1.simulator_service_pb2 import GetSimulatorRequest
from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceStub
from tests.adapters.command_control.asking import ACCESS, OWN, create, handover, incident, opening, origin

pytestmark = pytest.mark.asyncio(loop_scope="module")

SYSTEM = "command_control"
PATIENT = 60.0
"""Seconds; a delivery that finds nobody at first is tried again 1, 2, 4, … s later."""
LEGACY = "cad:metip.command_control.v1.HandoverService/PublishHandover"
HANDOVERS = f"{SYSTEM}:metip.command_control.v1.HandoverService/PublishHandover"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    async with running_mesh(tmp_path_factory.mktemp("estate"), systems=(SYSTEM, "cad"), workers=2) as rig:
        yield rig


async def held(mesh: MeshRig, reference: str) -> service.HeldIncident:
    """An incident as the far room holds it; one that it does not know is asked for again."""
    stub: Any = IncidentServiceStub(mesh.channel())
    request = service.GetIncidentRequest(access=ACCESS, incident=origin(reference))
    found: list[service.HeldIncident] = []

    async def there() -> bool:
        with suppress(grpc.aio.AioRpcError):
            found.append((await stub.GetIncident(request, timeout=PATIENT, metadata=mesh.token())).incident)
        return bool(found)

    await until(there, within=PATIENT)
    return found[0]


async def accepted(mesh: MeshRig, ask: Any, request: Any) -> Receipt:
    """The exchange's receipt; handed over until there is one, as producers do."""
    found: list[Receipt] = []

    async def there() -> bool:
        with suppress(grpc.aio.AioRpcError):
            found.append(await ask(request, timeout=PATIENT, metadata=mesh.token()))
        return bool(found)

    await until(there, within=PATIENT)
    return found[0]


async def processed(mesh: MeshRig, subscription: str = HANDOVERS) -> int:
    """How many handovers are processed."""
    accounts = (await metip(mesh.home.root, "messages", "subscriptions", "--json")).json
    return int(next(one["counts"].get("processed", 0) for one in accounts if one["subscription"] == subscription))


async def told(mesh: MeshRig, content: str) -> int:
    """How many messages of that content the far room was sent."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.home.run}/sim-{SYSTEM}.sock") as channel:
        stub: Any = SimulatorServiceStub(channel)
        return int((await stub.GetSimulator(GetSimulatorRequest())).exchanges[content])


async def test_a_handover_reaches_the_far_room_by_the_exchange(mesh: MeshRig) -> None:
    stub: Any = HandoverServiceStub(mesh.channel())
    assert (await accepted(mesh, stub.PublishHandover, handover("through"))).message_id
    assert (await held(mesh, "through")).incident == incident("through")


async def test_a_line_of_the_legacy_log_reaches_the_far_room_by_the_exchange(mesh: MeshRig) -> None:
    stub: Any = IncidentEventServiceStub(mesh.channel())
    await accepted(mesh, stub.PublishIncidentEvent, opening(cad_number="90777/23NOV26"))
    found = await held(mesh, "90777/23NOV26")
    assert found.incident.cad_number.value == "90777/23NOV26"
    assert found.incident.origin.agency == OWN


async def test_an_incident_that_is_opened_in_the_legacy_system_appears_in_the_far_room(mesh: MeshRig) -> None:
    stub: Any = DespatchStub(mesh.channel())
    request = CreateDespatchRequest(
        access=ACCESS,
        client_reference=str(uuid.uuid4()),
        origin=cad.ORIGIN_EMERGENCY_CALL,
        grade=cad.GRADE_IMMEDIATE,
        opening_codes=["100"],
        location=cad.IncidentLocation(text="12 TEST ROAD"),
        text="SMOKE FROM THE ROOF",
    )
    number = (await stub.CreateIncident(request, timeout=PATIENT, metadata=mesh.token())).cad_number.value
    found = await held(mesh, number)
    assert (found.incident.cad_number.value, found.incident.priority) == (number, contract.PRIORITY_IMMEDIATE)
    assert "SMOKE FROM THE ROOF" in found.incident.narrative


async def test_what_the_far_room_hands_over_is_in_the_exchange_and_does_not_go_back(mesh: MeshRig) -> None:
    before, created = await processed(mesh), await told(mesh, "incident_create")
    stub: Any = IncidentServiceStub(mesh.channel())
    async with mesh.dials({SYSTEM: [Fault(dial="doubled", times=1)]}):
        await stub.CreateIncident(create("prompting"), timeout=PATIENT, metadata=mesh.token())

        async def taken() -> bool:
            return await processed(mesh) >= before + 3

        # The incident, which came twice under two ids, and two updates.
        await until(taken, within=PATIENT)
    assert await told(mesh, "incident_create") == created + 1, "the one that prompted it"
    assert await told(mesh, "incident_update") == 0


async def test_what_the_far_room_hands_over_is_opened_in_the_legacy_system_once_and_does_not_come_back(mesh: MeshRig) -> None:
    stub: Any = IncidentServiceStub(mesh.channel())
    despatch: Any = DespatchStub(mesh.channel())
    today = datetime.now(UTC)
    bounds = [CivilDate(year=day.year, month=day.month, day=day.day) for day in (today - timedelta(days=1), today)]
    request = SearchDespatchRequest(access=ACCESS, opened=DateRange(**{"from": bounds[0], "to": bounds[1]}), limit=200)

    async def handed_over() -> list[cad.Incident]:
        try:
            found = (await despatch.SearchIncidents(request, timeout=PATIENT, metadata=mesh.token())).incidents
        except grpc.aio.AioRpcError:
            return []
        asked = [GetDespatchRequest(access=ACCESS, cad_number=one.cad_number) for one in found]
        logs = [(await despatch.GetIncident(one, timeout=PATIENT, metadata=mesh.token())).incident for one in asked]
        return [log for log in logs if log.agency_reference]

    before = {log.headline.cad_number.value for log in await handed_over()}
    taken = await processed(mesh, LEGACY)
    created, words = await told(mesh, "incident_create"), await told(mesh, "free_text")
    async with mesh.dials({SYSTEM: [Fault(dial="doubled", times=1)]}):
        await stub.CreateIncident(create("prompting-too"), timeout=PATIENT, metadata=mesh.token())

        async def done() -> bool:
            return await processed(mesh, LEGACY) >= taken + 3

        await until(done, within=PATIENT)
    (log,) = [one for one in await handed_over() if one.headline.cad_number.value not in before]
    assert (log.origin, log.lines[0].WhichOneof("entry")) == (cad.ORIGIN_AGENCY, "opening")
    assert len(log.lines) > 1
    assert {line.agency for line in log.lines} == {log.agency_reference.partition(" ")[0]}
    assert (await told(mesh, "incident_create"), await told(mesh, "free_text")) == (created + 1, words)


async def test_each_worker_hears_what_is_said_to_it(mesh: MeshRig) -> None:
    stub: Any = IncidentServiceStub(mesh.channel())
    calls = (stub.CreateIncident(create(f"worker-{number}"), timeout=PATIENT, metadata=mesh.token()) for number in range(20))
    assert all(reply.acknowledgement.accepted for reply in await asyncio.gather(*calls))
