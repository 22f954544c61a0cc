"""A running simulator: where it listens, what it tells about itself, and how its dials are turned."""

import asyncio
import os
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import pytest_asyncio
from waiting import until

from adapters.kit import discovery
from adapters.kit.simulation import STANDARD, Dials, Framed, run_simulators
from adapters.kit.simulation.running import control_socket
from metip.cases.v1.case_pb2 import Fault
from metip.simulator.v1 import simulator_service_pb2 as api
from metip.simulator.v1.simulator_service_pb2_grpc import SimulatorServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = {"lie": "answers about somebody else"}
SEED = 7


class Echo:
    """A simulator that repeats what it is asked, or lies."""

    def __init__(self, population: Any, dials: Dials) -> None:
        self._dials = dials
        self.transport = Framed(self.answer)

    async def answer(self, question: bytes) -> bytes:
        """Counts and repeats."""
        self._dials.exchanges["Echo"] += 1
        return b"a lie" if self._dials.strike("lie") is not None else question


@asynccontextmanager
async def running(monkeypatch: pytest.MonkeyPatch, directory: Path) -> AsyncIterator[Any]:
    """The stub of a running simulator's control."""
    monkeypatch.setattr(discovery, "simulator", lambda system: SimpleNamespace(DIALS=OWN, Simulator=Echo))
    stop = asyncio.Event()
    task = asyncio.create_task(run_simulators(["echo"], directory / "run", "127.0.0.1:0", SEED, stop))
    socket = control_socket(directory / "run", "echo")
    try:
        await until(lambda: task.done() or socket.exists())
        async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            yield SimulatorServiceStub(channel)
    finally:
        stop.set()
        assert await asyncio.wait_for(task, 5) == 0


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Any]:
    """One for each test."""
    async with running(monkeypatch, tmp_path) as stub:
        yield stub


async def about(simulator: Any) -> api.GetSimulatorResponse:
    """What it tells."""
    found: api.GetSimulatorResponse = await simulator.GetSimulator(api.GetSimulatorRequest(), timeout=5)
    return found


async def set_faults(simulator: Any, *faults: Fault) -> list[Fault]:
    """Sets dials and gives those that are set."""
    return list((await simulator.SetFaults(api.SetFaultsRequest(faults=faults), timeout=5)).faults)


async def echo(address: str, content: bytes = b"hello") -> bytes:
    """Speaks the system's own protocol."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(struct.pack(">I", len(content)) + content)
        return await reader.readexactly(struct.unpack(">I", await reader.readexactly(4))[0])
    finally:
        writer.close()


async def test_it_tells_its_system_its_address_and_all_its_dials(simulator: Any) -> None:
    told = await about(simulator)
    assert told.system == "echo"
    assert dict(told.dials) == {**STANDARD, **OWN}
    assert list(told.faults) == []
    assert await echo(told.address) == b"hello"


async def test_it_counts_exchanges(simulator: Any) -> None:
    address = (await about(simulator)).address
    for _ in range(3):
        await echo(address)
    assert dict((await about(simulator)).exchanges) == {"Echo": 3}


async def test_a_dial_that_is_set_is_told_and_strikes(simulator: Any) -> None:
    lie = Fault(dial="lie", share=1.0, times=1)
    assert await set_faults(simulator, lie) == [lie]
    told = await about(simulator)
    assert list(told.faults) == [lie]
    assert await echo(told.address) == b"a lie"
    assert await echo(told.address) == b"hello"
    assert list((await about(simulator)).faults) == []


async def test_a_share_that_is_not_given_is_all_of_them(simulator: Any) -> None:
    assert await set_faults(simulator, Fault(dial="delay", setting="2s")) == [Fault(dial="delay", setting="2s", share=1.0)]


async def test_dials_that_are_not_named_stay(simulator: Any) -> None:
    await set_faults(simulator, Fault(dial="lie"))
    assert {fault.dial for fault in await set_faults(simulator, Fault(dial="hang"))} == {"lie", "hang"}


# What is refused, and a word of why.
REFUSED = [
    (Fault(dial="nonsense"), "there is no dial 'nonsense'"),
    (Fault(dial="delay", setting="soon"), "delay needs a time"),
    (Fault(dial="lie", share=1.5), "lie: the share"),
    (Fault(dial="lie", share=-0.1), "lie: the share"),
]


@pytest.mark.parametrize(("fault", "why"), REFUSED, ids=[why for _, why in REFUSED])
async def test_a_dial_that_makes_no_sense_is_refused_and_none_is_set(simulator: Any, fault: Fault, why: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await set_faults(simulator, Fault(dial="hang"), fault)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert why in str(caught.value.details())
    assert list((await about(simulator)).faults) == []


async def test_clearing_puts_every_dial_back(simulator: Any) -> None:
    await set_faults(simulator, Fault(dial="hang"), Fault(dial="lie"))
    await simulator.ClearFaults(api.ClearFaultsRequest(), timeout=5)
    told = await about(simulator)
    assert list(told.faults) == []
    assert await echo(told.address) == b"hello"


async def test_only_its_own_user_can_turn_its_dials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        async with running(monkeypatch, tmp_path):
            socket = control_socket(tmp_path / "run", "echo")
            assert stat.S_IMODE(socket.stat().st_mode) == 0o600
            assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


async def test_a_simulator_that_stopped_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with running(monkeypatch, tmp_path) as stub:
        address = (await about(stub)).address
    with pytest.raises(OSError):
        await echo(address)
