"""Runs one simulator: its own protocol on TCP, its dials on a unix socket that only this user can open."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import grpc

from adapters.kit import discovery
from adapters.kit.population import Population
from adapters.kit.simulation.dials import Dial, Dials
from adapters.kit.simulation.subjects import subjects
from metip.cases.v1.case_pb2 import Fault
from metip.logs import Log
from metip.simulator.v1 import simulator_service_pb2 as control
from metip.simulator.v1.simulator_service_pb2_grpc import (
    SimulatorServiceServicer,
    add_SimulatorServiceServicer_to_server,
)


class Transport(Protocol):
    """A wire on which a simulator listens."""

    def listening(self, host: str, port: int, dials: Dials) -> AbstractAsyncContextManager[str]:
        """Listens for the length of the block and gives the address."""


class Simulated(Protocol):
    """What `adapters.<system>.simulator.Simulator` is: built of the population and the dials, it has a transport."""

    transport: Transport


def control_socket(run_directory: Path, system: str) -> Path:
    """Where the dials of a system's simulator are turned."""
    return run_directory / f"sim-{system}.sock"


async def run_simulators(systems: Sequence[str], run_directory: Path, listen: str, seed: int, stop: asyncio.Event) -> int:
    """Runs simulators of several systems in one process, over one population, until `stop`.

    `listen` is `host:port`; port 0, which several systems need, picks a free one for each, which `GetSimulator` tells.
    """
    population = Population(seed)
    async with asyncio.TaskGroup() as group:
        for system in systems:
            group.create_task(_run_simulator(system, population, run_directory, listen, seed, stop))
    return 0


async def _run_simulator(system: str, population: Population, run_directory: Path, listen: str, seed: int, stop: asyncio.Event) -> None:
    log = Log(simulator=system)
    module: Any = discovery.simulator(system)
    own: Mapping[str, str] = module.DIALS
    dials = Dials(own, seed=seed)
    simulated: Simulated = module.Simulator(population, dials)
    host, _, port = listen.rpartition(":")
    async with simulated.transport.listening(host, int(port), dials) as address:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        add_SimulatorServiceServicer_to_server(Control(system, address, dials, population), server)
        socket = control_socket(run_directory, system)
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            server.add_insecure_port(f"unix:{socket}")
        finally:
            os.umask(old)
        await server.start()
        log.line("started", address=address)
        await stop.wait()
        await server.stop(None)
    log.line("stopped")


class Control(SimulatorServiceServicer):
    """Turns dials."""

    def __init__(self, system: str, address: str, dials: Dials, population: Population) -> None:
        self._system, self._address, self._dials, self._population = system, address, dials, population

    async def SetFaults(self, request: control.SetFaultsRequest, context: Any) -> control.SetFaultsResponse:  # noqa: N802 - the rpc's name
        """Sets dials, all or none."""
        wanted = [Dial(one.dial, one.setting, one.share or 1.0, one.times, one.lasts.ToNanoseconds() / 1e9) for one in request.faults]
        try:
            self._dials.set(wanted)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return control.SetFaultsResponse(faults=self._faults())

    async def ClearFaults(self, request: control.ClearFaultsRequest, context: Any) -> control.ClearFaultsResponse:  # noqa: N802
        """Puts every dial back."""
        self._dials.clear()
        return control.ClearFaultsResponse()

    async def GetSimulator(self, request: control.GetSimulatorRequest, context: Any) -> control.GetSimulatorResponse:  # noqa: N802
        """Tells about the simulator."""
        return control.GetSimulatorResponse(
            system=self._system,
            address=self._address,
            dials=dict(self._dials.known),
            faults=self._faults(),
            exchanges=dict(self._dials.exchanges),
        )

    async def DrawSubjects(self, request: control.DrawSubjectsRequest, context: Any) -> control.DrawSubjectsResponse:  # noqa: N802
        """Draws people. Where a number is drawn, a load follows: it is not to wait for what the population makes when first asked."""
        population = self._population
        try:
            if not request.numbers:
                await asyncio.to_thread(population.prepare)
            drawn = await asyncio.to_thread(lambda: list(subjects(population, request.count, request.seed, request.numbers)))
        except LookupError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return control.DrawSubjectsResponse(subjects=[control.Subject(facts=facts) for facts in drawn])

    def _faults(self) -> list[Fault]:
        found = []
        for dial in self._dials.current:
            fault = Fault(dial=dial.name, setting=dial.setting, share=dial.share, times=dial.times)
            if dial.lasts:
                fault.lasts.FromNanoseconds(int(dial.lasts * 1e9))
            found.append(fault)
        return found
