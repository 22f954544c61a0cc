"""The adapter as it runs: it reads for as long as it serves, in the first worker only, and publishes over gRPC."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from waiting import until

from adapters.custody.adapter import serve
from adapters.custody.detentions import versions
from adapters.custody.simulator import AT_START, DIALS, Simulator
from adapters.kit import Log, Site, discovery
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.site import Identity, Mesh
from metip.custody.v1.custody_record_service_pb2 import PublishCustodyRecordRequest
from metip.custody.v1.custody_record_service_pb2_grpc import (
    CustodyRecordServiceServicer,
    add_CustodyRecordServiceServicer_to_server,
)
from metip.exchange.v1.receipt_pb2 import Receipt
from metip.settings import read_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPULATION = Population()
ALL = 4 * AT_START


class Plain(Mesh):
    """A way to the exchange without Envoy."""

    def channel(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self.address)
        return self._channel


@dataclass
class Exchange(CustodyRecordServiceServicer):
    """An exchange that first is not there, and then keeps what it is given."""

    unavailable: int = 0
    kept: list[tuple[str, int]] = field(default_factory=list)

    async def PublishCustodyRecord(self, request: PublishCustodyRecordRequest, context: Any) -> Receipt:
        if self.unavailable:
            self.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        self.kept.append((request.custody_record_number.value, request.version))
        return Receipt(message_id="1")


@asynccontextmanager
async def exchange(directory: Path, unavailable: int = 0) -> AsyncIterator[tuple[Exchange, Plain]]:
    server, taking = grpc.aio.server(), Exchange(unavailable)
    add_CustodyRecordServiceServicer_to_server(taking, server)
    server.add_insecure_port(f"unix:{directory}/exchange.sock")
    await server.start()
    mesh = Plain(f"unix:{directory}/exchange.sock", Identity(directory, directory, directory))
    try:
        yield taking, mesh
    finally:
        await mesh.close()
        await server.stop(None)


@asynccontextmanager
async def custody_system() -> AsyncIterator[tuple[Simulator, Any]]:
    """A custody system, and the settings of the adapter that reads it."""
    dials = Dials(DIALS, seed=1)
    simulator = Simulator(POPULATION, dials)
    settings: Any = read_settings(discovery.FOLDER / "custody" / "settings.yaml", discovery.settings_type("custody"))
    async with simulator.transport.listening("127.0.0.1", 0, dials) as settings.upstream.address:
        settings.poll_every.FromMilliseconds(50)
        yield simulator, settings


async def test_records_are_published_while_the_adapter_serves(tmp_path: Path) -> None:
    async with custody_system() as (simulator, settings), exchange(tmp_path) as (taking, mesh):
        async with serve(settings, Site(Log(io.StringIO()), mesh)) as servicers:
            assert servicers == ()
            await until(lambda: len(taking.kept) == ALL)
            simulator.detain()
            await until(lambda: len(taking.kept) == ALL + 4)
            await until(lambda: not list((simulator.folder / "outbox").iterdir()))
        simulator.detain()
        assert len(taking.kept) == ALL + 4


async def test_an_exchange_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async with (
        custody_system() as (_, settings),
        exchange(tmp_path, unavailable=2) as (taking, mesh),
        serve(settings, Site(Log(io.StringIO()), mesh)),
    ):
        await until(lambda: len(taking.kept) == ALL)


async def test_an_adapter_that_starts_again_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    async with custody_system() as (_, settings), exchange(tmp_path) as (taking, mesh):
        for stop_at in (1, 5, ALL):
            async with serve(settings, Site(Log(io.StringIO()), mesh)):
                await until(lambda: len(set(taking.kept)) >= stop_at)  # noqa: B023 - it is awaited in this round
        # What was handed over and not yet put aside is handed over again; the exchange knows it, and the order of the rest is kept.
        told = [(record.number, record.version) for number in range(1, AT_START + 1) for record in versions(POPULATION, number)]
        assert list(dict.fromkeys(taking.kept)) == told


@pytest.mark.parametrize("first", [True, False], ids=["no way to the exchange", "not the first worker"])
async def test_nothing_is_read_without_a_way_to_the_exchange_or_in_another_worker(tmp_path: Path, first: bool) -> None:
    lines = io.StringIO()
    async with custody_system() as (simulator, settings), exchange(tmp_path) as (taking, mesh):
        async with serve(settings, Site(Log(lines), None if first else mesh, first=first)) as servicers:
            assert servicers == ()
        assert taking.kept == []
        assert simulator._dials.exchanges["list"] == 0
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == (["not_publishing"] if first else [])


async def test_an_error_in_the_reading_ends_the_serving(tmp_path: Path) -> None:
    class Broken(Plain):
        def channel(self) -> grpc.aio.Channel:
            raise ZeroDivisionError

    async with custody_system() as (_, settings):
        mesh = Broken("", Identity(tmp_path, tmp_path, tmp_path))
        with pytest.raises(ExceptionGroup) as raised:
            async with serve(settings, Site(Log(io.StringIO()), mesh)):
                await until(lambda: False)
    assert raised.group_contains(ZeroDivisionError)
