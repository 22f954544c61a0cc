"""The key to the enquiry service: from a file, read anew for each request, and never without which an adapter starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.ivma.records import Enquiry
from adapters.ivma.simulator import DIALS, Simulator
from adapters.ivma.upstream import Register
from adapters.kit import Fault, Log, Reason
from adapters.kit.errands import errand
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from metip.adapter.v1.settings_pb2 import Upstream
from metip.ivma.v1.settings_pb2 import Settings
from metip.settings import SettingsError

pytestmark = pytest.mark.asyncio
STOLEN = Enquiry(registration_number="UJ50DNP")


@asynccontextmanager
async def register(folder: Path, key_file: str) -> AsyncIterator[tuple[Register, Simulator]]:
    """The way to a simulated service."""
    dials = Dials(DIALS, seed=1)
    simulator = Simulator(Population(2026), dials)
    async with simulator.transport.listening("127.0.0.1", 0, dials) as address:
        settings = Settings(upstream=Upstream(address=address), key_file=key_file)
        with (folder / "log").open("a") as log:
            async with Register.connected(settings, Log(log, system="ivma")) as connected:
                yield connected, simulator


async def test_a_new_key_needs_no_restart(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    async with register(tmp_path, str(file)) as (dvla, simulator):
        assert await dvla.vehicle(STOLEN, errand("test", within=5.0)) is not None
        file.write_text("second\n")
        assert await dvla.vehicle(STOLEN, errand("test", within=5.0)) is not None
        assert simulator.keys == ["first", "second"]


@pytest.mark.parametrize("content", ["", " \n", "two\nlines", "k" * 501, "schlüssel"], ids=["empty", "blank", "lines", "long", "no ASCII"])
async def test_no_adapter_starts_with_a_key_that_can_not_be_one(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(SettingsError) as raised:
        async with register(tmp_path, str(file)):
            pass
    assert str(tmp_path) not in str(raised.value)


async def test_a_key_that_is_gone_is_told_and_the_service_is_not_asked(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first")
    async with register(tmp_path, str(file)) as (dvla, simulator):
        file.unlink()
        with pytest.raises(Fault) as raised:
            await dvla.vehicle(STOLEN, errand("test", within=5.0))
        assert raised.value.reason is Reason.UPSTREAM_UNAVAILABLE
        assert simulator.keys == []


async def test_only_the_service_itself_can_say_that_there_is_no_such_vehicle(tmp_path: Path) -> None:
    async with register(tmp_path, "") as (dvla, _):
        assert await dvla.vehicle(Enquiry(registration_number="ZZ00ZZZ"), errand("test", within=5.0)) is None
        with pytest.raises(Fault) as raised:
            await dvla.vehicle(Enquiry(registration_number="NOT A MARK"), errand("test", within=5.0))
        assert (raised.value.reason, raised.value.metadata) == (Reason.UPSTREAM_REFUSED, {"code": "ENQ103"})
