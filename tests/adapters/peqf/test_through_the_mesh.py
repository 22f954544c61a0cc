"""The whole way, with the real hub and the real Envoy: what the partner puts is in the exchange, an enrolment is done when it says so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cases import case_files, read_case
from command_line import metip
from mesh_rig import MeshRig, running_mesh, until

from adapters.kit.population import Population
from adapters.kit.population.learners import NOT_BEGUN, learners
from metip.cases.v1.case_pb2 import Fault
from metip.peqf.v1.enrolment_service_pb2 import PublishEnrolmentRequest
from metip.peqf.v1.enrolment_service_pb2_grpc import EnrolmentServiceStub
from metip.peqf.v1.progress_service_pb2 import PublishProgressRequest
from metip.peqf.v1.progress_service_pb2_grpc import ProgressServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
SYSTEM = "peqf"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    async with running_mesh(tmp_path_factory.mktemp("mesh"), systems=(SYSTEM,)) as rig:
        yield rig


def sample(stem: str, into: Any) -> Any:
    path: Path = next(one for one in case_files((SYSTEM,)) if one.stem == stem)
    read_case(path).case.request.Unpack(into)
    return into


async def state(mesh: MeshRig, message_id: str) -> dict[str, Any]:
    tracked = await metip(mesh.home.root, "messages", "track", message_id, "--json")
    (delivery,) = tracked.json["deliveries"]
    return dict(delivery)


async def test_progress_that_the_partner_put_is_in_the_exchange_once(mesh: MeshRig) -> None:
    published = learners(Population())[NOT_BEGUN]
    request = sample("publish_progress", PublishProgressRequest())
    request.learner_id, request.sequence = published.learner_id, 1
    request.cohort = published.cohort
    stub: Any = ProgressServiceStub(mesh.channel())

    async def known() -> bool:
        return (await mesh.exchanges(SYSTEM)).get("rename", 0) >= 4  # the file, its receipt and its tally have each got their names

    await until(known, within=20)
    assert (await stub.PublishProgress(request, metadata=mesh.token())).duplicate_of


@pytest.mark.parametrize(("dial", "end"), [("", "processed"), ("reject", "refused")])
async def test_an_enrolment_ends_as_the_partner_says(mesh: MeshRig, dial: str, end: str) -> None:
    request = sample("publish_enrolment", PublishEnrolmentRequest())
    request.learner_id = f"LX26002{len(end):02d}"
    stub: Any = EnrolmentServiceStub(mesh.channel())
    faults = {SYSTEM: [Fault(dial=dial, setting="PROGRAMME_CLOSED")]} if dial else {}
    async with mesh.dials(faults):
        message_id = (await stub.PublishEnrolment(request, metadata=mesh.token())).message_id

        async def ended() -> bool:
            return str((await state(mesh, message_id))["state"]) == end

        await until(ended, within=20)
