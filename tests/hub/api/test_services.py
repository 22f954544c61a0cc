"""The hub's own services, served by a whole hub on its unix socket: each rpc, each refusal, and reflection of every contract.

Long because all services are asked on one running hub, which every case needs and which is slow to start.
"""

import asyncio
import io
import json
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from sample_contract import INTERFACE, STRICT, sample_contracts
from waiting import until

import hub.contracts
from hub.api.reflection import SERVICES
from hub.server import Hub
from hub.settings import read
from metip.hub.v1 import catalogue_service_pb2 as catalogue
from metip.hub.v1 import mesh_service_pb2 as mesh
from metip.hub.v1 import registry_service_pb2 as registry
from metip.hub.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from metip.hub.v1.mesh_service_pb2_grpc import MeshServiceStub
from metip.hub.v1.registry_service_pb2_grpc import RegistryServiceStub
from metip.ledger.v1.action_service_pb2 import RecordActionRequest
from metip.ledger.v1.action_service_pb2_grpc import ActionServiceStub
from metip.logs import Log
from metip.parity.v1 import parity_service_pb2 as parity
from metip.parity.v1.parity_service_pb2_grpc import ParityServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONSUMER = "spiffe://metip.local/consumer/one"
SETTINGS = """
trust_domain: metip.local
socket: hub.sock
state: state
access: access.yaml
edge:
  {port: 8443, json_port: 8444, certificate: any, key: any, authority: any, token_keys: any, token_issuer: issuer, token_audience: metip}
"""
ADDRESS = "unix:/run/sample-0.sock"
OWN = {"metip.hub.v1.CatalogueService", "metip.hub.v1.MeshService"}


def contracts_with_a_fault() -> bytes:
    """The installed contracts and the sample's, of which one interface forgot its option."""
    found = FileDescriptorSet.FromString(hub.contracts.load(date(2026, 11, 23)).descriptor_set)
    known = {file.name for file in found.file}
    for file in FileDescriptorSet.FromString(sample_contracts().descriptor_set).file:
        if file.name not in known:
            added = found.file.add()
            added.CopyFrom(file)
            for service in added.service:
                if service.name == "StrictService":
                    service.ClearField("options")
    return found.SerializeToString()


@dataclass
class Running:
    """A hub and its stubs."""

    folder: Path
    channel: grpc.aio.Channel
    written: io.StringIO
    task: "asyncio.Task[None]"

    def __post_init__(self) -> None:
        self.registry: Any = RegistryServiceStub(self.channel)
        self.catalogue: Any = CatalogueServiceStub(self.channel)
        self.mesh: Any = MeshServiceStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    async def register(self, name: str = "sample-0-1", *interfaces: str, address: str = ADDRESS, system: str = "sample") -> Any:
        """Registers an instance."""
        instance = registry.Instance(id=name, system=system, interfaces=interfaces or (INTERFACE,), address=address, version="1.0")
        return await self.registry.Register(registry.RegisterRequest(instance=instance), timeout=5)

    async def leave(self, name: str = "sample-0-1") -> None:
        """Takes an instance out."""
        await self.registry.Deregister(registry.DeregisterRequest(instance_id=name), timeout=5)

    async def state(self) -> mesh.GetMeshResponse:
        """The state of the mesh."""
        found: mesh.GetMeshResponse = await self.mesh.GetMesh(mesh.GetMeshRequest(), timeout=5)
        return found

    async def explained(self, operation: str = f"{INTERFACE}/GetSample") -> catalogue.ExplainOperationResponse:
        """An operation explained."""
        request = catalogue.ExplainOperationRequest(operation=operation)
        found: catalogue.ExplainOperationResponse = await self.catalogue.ExplainOperation(request, timeout=5)
        return found

    async def instances(self) -> dict[str, str]:
        """Addresses by instance, as the mesh has them."""
        return {one.id: one.address for one in (await self.state()).instances}


def write(path: Path, content: str | bytes) -> None:
    """Writes a file."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def policy(*consumers: str) -> str:
    """A policy under which these may call the sample."""
    grants = [{"consumer": consumer, "operations": [f"{INTERFACE}/*"]} for consumer in consumers]
    return json.dumps({"grants": grants})


@asynccontextmanager
async def running(folder: Path, **more: Any) -> AsyncIterator[Running]:
    """A hub for the length of the block; its folder is kept from one to the next. `more` is what a `Hub` takes."""
    write(folder / "hub.yaml", SETTINGS)
    write(folder / "any", "any")
    write(folder / "access.yaml", policy(CONSUMER))
    written, stop = io.StringIO(), asyncio.Event()
    hub_itself = Hub(read(folder / "hub.yaml"), Log(written), descriptor_set=contracts_with_a_fault(), **more)
    task = asyncio.create_task(hub_itself.run(stop))
    try:
        async with grpc.aio.insecure_channel(f"unix:{folder / 'hub.sock'}") as channel:
            found = Running(folder, channel, written, task)
            await until(lambda: task.done() or any(line["event"] == "started" for line in found.lines), within=30)
            yield found
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One hub for the module."""
    async with running(tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def one(served: Running) -> AsyncIterator[Running]:
    """The hub, with nobody registered afterwards."""
    yield served
    for name in await served.instances():
        if name != "hub":
            await served.leave(name)
    await until(lambda: _only_itself(served))


async def _only_itself(hub_itself: Running) -> bool:
    return set(await hub_itself.instances()) == {"hub"}


async def refusal(asking: Any) -> grpc.aio.AioRpcError:
    """The error that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    return caught.value


# The registry.


async def test_an_instance_that_registers_is_in_the_mesh_and_gets_a_lease(one: Running) -> None:
    reply = await one.register()
    assert reply.lease.ToTimedelta().total_seconds() == 9
    await until(lambda: _is(one, "sample-0-1", ADDRESS))


async def _is(hub_itself: Running, name: str, address: str | None) -> bool:
    return (await hub_itself.instances()).get(name) == address


async def test_an_instance_that_leaves_is_out_of_the_mesh(one: Running) -> None:
    await one.register()
    await until(lambda: _is(one, "sample-0-1", ADDRESS))
    await one.leave()
    await until(lambda: _is(one, "sample-0-1", None))
    await one.leave()


async def test_an_instance_at_the_same_address_takes_the_place_of_the_one_before(one: Running) -> None:
    await one.register()
    await one.register("sample-0-2")
    await until(lambda: _is(one, "sample-0-2", ADDRESS))
    await until(lambda: _is(one, "sample-0-1", None))


PRIVATE = "metip.simulator.v1.SimulatorService"


@pytest.mark.parametrize("interface", ["metip.nowhere.v1.NowhereService", STRICT, PRIVATE], ids=["unknown", "not-loaded", "private"])
async def test_an_interface_that_is_not_on_the_mesh_is_refused_by_name(one: Running, interface: str) -> None:
    error = await refusal(one.register("sample-0-1", INTERFACE, interface))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert interface in str(error.details())
    assert INTERFACE not in str(error.details())
    assert set(await one.instances()) == {"hub"}


# A registration that breaks the contract's rules, and the field that does.
BAD_INSTANCES: list[tuple[dict[str, Any], str]] = [
    ({}, "instance.id"),
    ({"id": "x" * 101}, "instance.id"),
    ({"system": "Not A Folder"}, "instance.system"),
    ({"address": ""}, "instance.address"),
    ({"address": "nonsense"}, "instance.address"),
    ({"address": "unix:relative"}, "instance.address"),
    ({"address": "unix:/" + "x" * 107}, "instance.address"),
    ({"address": "far.example:4711"}, "instance.address"),
    ({"address": "127.0.0.1:65536"}, "instance.address"),
    ({"address": "127.0.0.1:0"}, "instance.address"),
    ({"address": "[::1]:4711"}, "instance.address"),
]


@pytest.mark.parametrize(("changed", "field"), BAD_INSTANCES, ids=[str(changed)[:40] for changed, _ in BAD_INSTANCES])
async def test_a_registration_that_breaks_a_rule_is_refused_by_field_and_the_hub_lives(
    one: Running, changed: dict[str, Any], field: str
) -> None:
    good = {"id": "sample-0-1", "system": "sample", "interfaces": [INTERFACE], "address": ADDRESS}
    instance = registry.Instance(**(good | changed if changed else {}))
    error = await refusal(one.registry.Register(registry.RegisterRequest(instance=instance), timeout=5))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"{field}: " in str(error.details())
    await one.register("sample-1-1", address="unix:/run/sample-1.sock")
    await until(lambda: _is(one, "sample-1-1", "unix:/run/sample-1.sock"))


@pytest.mark.parametrize("address", ["127.0.0.1:4711", "unix:/" + "x" * 106], ids=["ipv4", "longest-path"])
async def test_every_kind_of_address_that_envoy_takes_is_taken(one: Running, address: str) -> None:
    await one.register(address=address)
    await until(lambda: _is(one, "sample-0-1", address))


async def test_an_empty_registration_is_refused(one: Running) -> None:
    error = await refusal(one.registry.Register(registry.RegisterRequest(), timeout=5))
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST: instance: value is required")
    error = await refusal(one.registry.Deregister(registry.DeregisterRequest(), timeout=5))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_hub_itself_can_not_be_taken_out_for_long(one: Running) -> None:
    await one.leave("hub")
    await until(lambda: any(line.get("cause") == "the hub is back among its instances" for line in one.lines))
    await until(lambda: _is(one, "hub", f"unix:{one.folder / 'hub.sock'}"))


# The catalogue.


async def test_every_interface_on_the_mesh_is_listed_with_its_operations(one: Running) -> None:
    listed = await one.catalogue.ListInterfaces(catalogue.ListInterfacesRequest(), timeout=5)
    expected = hub.contracts.load(date.today(), descriptor_set=contracts_with_a_fault())  # noqa: DTZ011 - as the hub does
    public = {interface.name: interface for interface in expected.interfaces if not interface.private}
    assert {found.name for found in listed.interfaces} == set(public)
    assert INTERFACE in public
    assert public.keys() >= OWN
    for found in listed.interfaces:
        interface = public[found.name]
        assert list(found.operations) == [operation.method for operation in interface.operations]
        assert (found.system, found.owner, found.dpia) == (interface.system, interface.owner, interface.dpia.reference)
        assert found.dpia_review_by == interface.dpia.review_by.isoformat()
        assert "_" not in found.classification


async def test_an_interface_that_did_not_load_is_told_with_what_to_write(one: Running) -> None:
    listed = await one.catalogue.ListInterfaces(catalogue.ListInterfacesRequest(), timeout=5)
    assert [(fault.element, fault.problem) for fault in listed.faults] == [(STRICT, "has no interface option")]
    assert listed.faults[0].fix
    assert [line["element"] for line in one.lines if line["event"] == "contract_refused"] == [STRICT]


async def test_the_number_of_instances_is_told(one: Running) -> None:
    await one.register()
    await one.register("sample-1-1", address="unix:/run/sample-1.sock")
    await until(lambda: _has_endpoints(one, ADDRESS, "unix:/run/sample-1.sock"))
    listed = await one.catalogue.ListInterfaces(catalogue.ListInterfacesRequest(), timeout=5)
    counts = {found.name: found.instances for found in listed.interfaces}
    assert counts[INTERFACE] == 2
    assert {counts[own] for own in OWN} == {1}


async def _has_endpoints(hub_itself: Running, *addresses: str) -> bool:
    return list((await hub_itself.explained()).endpoints) == list(addresses)


async def test_an_operation_is_explained_from_its_contract(one: Running) -> None:
    found = await one.explained()
    assert (found.operation, found.delivery_class, found.verb) == (f"{INTERFACE}/GetSample", "READ", "CONSULTATION")
    assert list(found.purposes) == ["STREET_STOP", "AUDIT"]
    assert list(found.consumers) == [CONSUMER]
    assert (found.officer_required, found.justification_required) == (True, False)
    assert found.timeout.ToTimedelta().total_seconds() == 5
    assert (found.retries, found.max_request_bytes, found.mirror) == (2, 2000, "NEVER")
    assert (found.request, found.reply) == ("metip.sample.v1.Asked", "metip.sample.v1.Told")


async def test_a_write_is_never_retried_and_a_stream_is_called_one(one: Running) -> None:
    written = await one.explained(f"{INTERFACE}/RecordSample")
    assert (written.delivery_class, written.retries, written.officer_required) == ("WRITE_ONCE", 0, False)
    assert (await one.explained(f"{INTERFACE}/WatchSamples")).reply == "stream metip.sample.v1.Told"


async def test_every_operation_that_is_loaded_can_be_explained(one: Running) -> None:
    loaded = hub.contracts.load(date.today(), descriptor_set=contracts_with_a_fault())  # noqa: DTZ011 - as the hub does
    for operation in loaded.operations:
        assert (await one.explained(operation)).operation == operation


async def test_an_operation_that_is_not_loaded_is_not_found(one: Running) -> None:
    for operation in (f"{STRICT}/GetStrictly", "nonsense"):
        error = await refusal(one.explained(operation))
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert operation in str(error.details())
    assert (await refusal(one.explained(""))).code() is grpc.StatusCode.INVALID_ARGUMENT


# The mesh.


async def test_the_state_of_the_mesh_is_told(one: Running) -> None:
    before = await one.state()
    assert list(before.envoys) == []
    assert before.snapshot
    age = datetime.now(UTC) - before.started.ToDatetime(UTC)
    assert 0 <= age.total_seconds() < 120
    await one.register()
    await until(lambda: _is(one, "sample-0-1", ADDRESS))
    after = await one.state()
    (instance,) = (found for found in after.instances if found.id == "sample-0-1")
    assert (instance.system, list(instance.interfaces), instance.version) == ("sample", [INTERFACE], "1.0")
    assert after.snapshot != before.snapshot


async def test_changes_are_listed_newest_first_with_cause_and_effect(one: Running) -> None:
    await one.register()
    await until(lambda: _is(one, "sample-0-1", ADDRESS))
    await one.leave()
    await until(lambda: _is(one, "sample-0-1", None))
    changes = (await one.mesh.ListChanges(mesh.ListChangesRequest(limit=2), timeout=5)).changes
    assert [(change.cause, change.author) for change in changes] == [
        ("sample-0-1 left", "registry"),
        ("sample-0-1 registered", "adapter sample"),
    ]
    assert changes[0].id == changes[1].id + 1
    for change in changes:
        assert change.outcome == mesh.CHANGE_OUTCOME_ACCEPTED
        assert list(change.resources) == [f"~endpoint {INTERFACE}"]
        assert change.started.ToDatetime() <= change.finished.ToDatetime()


async def test_the_first_change_is_the_start(one: Running) -> None:
    changes = (await one.mesh.ListChanges(mesh.ListChangesRequest(limit=500), timeout=5)).changes
    assert (changes[-1].id, changes[-1].cause, changes[-1].author) == (1, "the hub started", "hub")
    assert (await refusal(one.mesh.ListChanges(mesh.ListChangesRequest(limit=501), timeout=5))).code() is grpc.StatusCode.INVALID_ARGUMENT


# Health.


async def test_health_of_an_interface_says_whether_anybody_serves_it(one: Running) -> None:
    async def is_served(interface: str) -> bool:
        reply = await one.health.Check(health_pb2.HealthCheckRequest(service=interface), timeout=5)
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)

    for own in ("", *OWN):
        assert await is_served(own)
    assert not await is_served(INTERFACE)
    await one.register()
    await until(lambda: is_served(INTERFACE))
    await one.leave()
    await until(lambda: _not(is_served(INTERFACE)))


async def _not(answer: Any) -> bool:
    return not await answer


# Reflection.


class Reflection:
    """One stream of one version."""

    def __init__(self, channel: grpc.aio.Channel, version: str) -> None:
        self._method: Any = channel.stream_stream(
            f"/{version}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )

    async def ask(self, *requests: reflection_pb2.ServerReflectionRequest) -> list[Any]:
        """Answers in turn, all on one stream."""
        call = self._method(iter(requests), timeout=10)
        return [response async for response in call]


def _files(responses: Iterator[Any] | list[Any]) -> dict[str, FileDescriptorProto]:
    found = (FileDescriptorProto.FromString(data) for one in responses for data in one.file_descriptor_response.file_descriptor_proto)
    return {file.name: file for file in found}


@pytest.mark.parametrize("version", SERVICES)
async def test_reflection_lists_every_contract_on_the_mesh(one: Running, version: str) -> None:
    (listed,) = await Reflection(one.channel, version).ask(reflection_pb2.ServerReflectionRequest(list_services=""))
    names = {service.name for service in listed.list_services_response.service}
    interfaces = (await one.catalogue.ListInterfaces(catalogue.ListInterfacesRequest(), timeout=5)).interfaces
    assert names == {interface.name for interface in interfaces} | set(SERVICES)
    assert PRIVATE not in names


@pytest.mark.parametrize("version", SERVICES)
async def test_reflection_describes_every_contract_with_all_that_it_needs(one: Running, version: str) -> None:
    interfaces = (await one.catalogue.ListInterfaces(catalogue.ListInterfacesRequest(), timeout=5)).interfaces
    requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=interface.name) for interface in interfaces]
    files = _files(await Reflection(one.channel, version).ask(*requests))
    pool: Any = DescriptorPool()
    waiting = dict(files)
    while waiting:
        ready = [name for name, file in waiting.items() if not set(file.dependency) & waiting.keys()]
        assert ready, f"something is missing: {sorted(waiting)}"
        for name in ready:
            pool.Add(waiting.pop(name))
    for interface in interfaces:
        assert [method.name for method in pool.FindServiceByName(interface.name).methods] == list(interface.operations)


@pytest.mark.parametrize("version", SERVICES)
async def test_reflection_of_what_does_not_exist_is_not_found_and_the_stream_goes_on(one: Running, version: str) -> None:
    unknown, known = await Reflection(one.channel, version).ask(
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="metip.nowhere.v1.NowhereService"),
        reflection_pb2.ServerReflectionRequest(file_by_filename="metip/hub/v1/mesh_service.proto"),
    )
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert known.file_descriptor_response.file_descriptor_proto


# Assessments.


async def test_assessments_that_are_to_be_reviewed_soon_are_told_at_the_start_each_new_day_and_whenever_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.server.NEW_DAY_INTERVAL", 0.01)
    due = min(one.dpia.review_by for one in hub.contracts.load(date.min, descriptor_set=contracts_with_a_fault()).interfaces)
    day = [due - timedelta(days=61)]
    async with running(tmp_path, today=lambda: day[0]) as found:
        assert list((await found.state()).reviews_due) == []
        day[0] += timedelta(days=1)
        await until(lambda: _warned(found))
        (told, *_), (line, *_) = (await found.state()).reviews_due, await _warnings(found)
        assert (told.element, told.review_by, told.days) == (line["element"], line["review_by"], line["days"])
        assert (told.review_by, told.days, bool(told.reference)) == (due.isoformat(), 60, True)
        count = len(await _warnings(found))
        assert len({one["element"] for one in await _warnings(found)}) == count, "each is told once a day"
        day[0] += timedelta(days=61)
        await until(lambda: _warned(found, more_than=count))
        assert (await found.state()).reviews_due[0].days == -1, "a contract that went over its date while it was loaded"


async def _warnings(hub_itself: Running) -> list[dict[str, Any]]:
    return [line for line in hub_itself.lines if line["event"] == "assessment_due"]


async def _warned(hub_itself: Running, more_than: int = 0) -> bool:
    return len(await _warnings(hub_itself)) > more_than


async def test_a_hub_without_a_journal_records_no_action(one: Running) -> None:
    said: Any = {"action": "call/unmask", "author": "os://desk/somebody", "purpose": "PURPOSE_AUDIT", "detail": "Complaint 2026/17"}
    stub: Any = ActionServiceStub(one.channel)
    error = await refusal(stub.RecordAction(RecordActionRequest(**said), timeout=5))
    assert (error.code(), str(error.details()).partition(":")[0]) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL")


# Parity.


async def test_the_hub_says_what_it_compared(one: Running) -> None:
    stub: Any = ParityServiceStub(one.channel)
    found = await stub.ListAcceptances(parity.ListAcceptancesRequest(), timeout=5)
    assert (list(found.operations), found.failed) == ([], 0)
    error = await refusal(stub.GetReport(parity.GetReportRequest(interface=INTERFACE), timeout=5))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert _mode(one.folder / "state" / "parity.sqlite") == 0o600


async def test_figures_that_can_not_be_read_stop_no_hub(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    write(tmp_path / "state" / "parity.sqlite", b"this is no database at all, however long one looks at it" * 40)
    async with running(tmp_path) as found:
        assert "parity_unreadable" in {line["event"] for line in found.lines}
        stub: Any = ParityServiceStub(found.channel)
        assert (await stub.ListAcceptances(parity.ListAcceptancesRequest(), timeout=5)).failed == 0
    assert (tmp_path / "state" / "parity.sqlite").read_bytes().startswith(b"this is no database")


# The process.


async def test_only_its_own_user_can_reach_the_hub(one: Running) -> None:
    assert _mode(one.folder / "hub.sock") == 0o600
    assert _mode(one.folder / "state") == 0o700


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_hub_that_starts_again_knows_who_served_and_lives_through_nonsense_in_its_files(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        await first.register()
        await until(lambda: _is(first, "sample-0-1", ADDRESS))
        snapshot = (await first.state()).snapshot
    async with running(tmp_path) as second:
        assert await _is(second, "sample-0-1", ADDRESS)
        assert (await second.state()).snapshot == snapshot
        write(tmp_path / "access.yaml", b"\xff\xfe nonsense")
        await until(lambda: any(line["event"] == "file_refused" for line in second.lines))
        assert list((await second.explained()).consumers) == [CONSUMER]
        write(tmp_path / "access.yaml", policy(CONSUMER, "spiffe://metip.local/consumer/two"))
        await until(lambda: _allows(second, CONSUMER, "spiffe://metip.local/consumer/two"))
        assert not second.task.done()


async def _allows(hub_itself: Running, *consumers: str) -> bool:
    return list((await hub_itself.explained()).consumers) == list(consumers)
