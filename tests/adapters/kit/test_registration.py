"""A worker's lease at the registry: kept through every absence of the hub, and given back at the end."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from registry_stand_in import StandIn, registry_at
from waiting import until

from adapters.kit import registration
from adapters.kit.registration import Registration
from metip.hub.v1.registry_service_pb2 import Instance
from metip.logs import Log

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = Instance(id="sample-0-1", system="sample", interfaces=["metip.sample.v1.SampleService"], address="unix:/run/sample-0.sock")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "AGAIN", 0.02)
    monkeypatch.setattr(registration, "PATIENCE", 0.3)


class Kept:
    """A registration that is being kept, and its log."""

    def __init__(self, socket: Path) -> None:
        self.written = io.StringIO()
        names = tuple(SAMPLE.interfaces)
        self.registration = Registration(f"unix:{socket}", SAMPLE.id, SAMPLE.system, names, SAMPLE.address, Log(self.written))

    @property
    def events(self) -> list[str]:
        """Events that were logged."""
        return [json.loads(line)["event"] for line in self.written.getvalue().splitlines()]


@asynccontextmanager
async def kept(socket: Path) -> AsyncIterator[Kept]:
    """Keeps a registration for the length of the block."""
    found = Kept(socket)
    keeping = asyncio.create_task(found.registration.keep())
    try:
        yield found
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await found.registration.end()


async def test_a_worker_announces_what_it_is(tmp_path: Path) -> None:
    hub = StandIn()
    async with registry_at(tmp_path / "hub", hub), kept(tmp_path / "hub") as worker:
        await until(lambda: hub.registered)
        assert hub.registered[0] == SAMPLE
    assert worker.events == []


async def test_the_lease_is_renewed_well_before_it_ends(tmp_path: Path) -> None:
    hub = StandIn(lease=0.9)
    async with registry_at(tmp_path / "hub", hub), kept(tmp_path / "hub"):
        await until(lambda: hub.registered)
        async with asyncio.timeout(hub.lease):
            await until(lambda: len(hub.registered) >= 3)


async def test_a_hub_that_comes_late_is_found_and_its_absence_told_once(tmp_path: Path) -> None:
    hub = StandIn()
    async with kept(tmp_path / "hub") as worker:
        await until(lambda: worker.events)
        async with registry_at(tmp_path / "hub", hub):
            await until(lambda: hub.registered)
            await until(lambda: worker.events[-1] == "registry_back")
            assert worker.events == ["registry_lost", "registry_back"]


async def test_a_hub_that_goes_and_comes_back_hears_of_the_worker_again(tmp_path: Path) -> None:
    first, second = StandIn(lease=0.1), StandIn()
    async with kept(tmp_path / "hub") as worker:
        async with registry_at(tmp_path / "hub", first):
            await until(lambda: first.registered)
        await until(lambda: worker.events == ["registry_lost"])
        async with registry_at(tmp_path / "hub", second):
            await until(lambda: second.registered)
            await until(lambda: worker.events == ["registry_lost", "registry_back"])
        assert second.registered[0] == SAMPLE


async def test_a_hub_that_refuses_is_asked_again(tmp_path: Path) -> None:
    hub = StandIn(refusal=grpc.StatusCode.FAILED_PRECONDITION)
    async with registry_at(tmp_path / "hub", hub), kept(tmp_path / "hub") as worker:
        await until(lambda: worker.events)
        assert json.loads(worker.written.getvalue())["status"] == "FAILED_PRECONDITION"
        hub.refusal = None
        await until(lambda: hub.registered)


async def test_a_worker_that_ends_takes_itself_out(tmp_path: Path) -> None:
    hub = StandIn()
    async with registry_at(tmp_path / "hub", hub):
        async with kept(tmp_path / "hub"):
            await until(lambda: hub.registered)
        assert hub.deregistered == [SAMPLE.id]


async def test_a_worker_can_end_while_the_hub_is_away(tmp_path: Path) -> None:
    async with asyncio.timeout(3):
        async with kept(tmp_path / "hub") as worker:
            pass
    assert worker.events[-1] == "deregistration_failed"
