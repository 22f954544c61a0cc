"""How long a change of traffic takes until Envoy carries it out, on a running estate while calls flow.

Each change gives all calls to the other of two systems. It counts from the request to the hub's answer, and on to the first call made after
that answer, which must reach the system that was named.
"""

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cases import case_files, read_case
from mesh_rig import load, running_mesh
from traffic_client import traffic_of

from adapters.kit.serving import installed_contracts
from hub.traffic.settings import Shares
from metip.contracts import DeliveryClass
from tests.bench.sample import percentiles

BUDGET: float = 250.0
"""Milliseconds that the slowest change of a hundred may take (DESIGN.md's table)."""
WORKERS = 4


@dataclass(frozen=True)
class Changes:
    """What a number of changes took, in milliseconds: p50, p90 and p99."""

    made: int
    active: tuple[float, ...]
    calls: int
    failed: int
    astray: int
    """Calls that reached the other system although they began after the hub's answer."""


async def measure_changes(number: int, told: Callable[[str], None]) -> Changes:
    """Makes that many changes, and as many warm ones before as fill caches."""
    contracts = installed_contracts(date.min)
    second = contracts.back_ends[0].system
    case = next(
        one
        for one in map(read_case, case_files())
        if one.case.sample
        and second in contracts.serving(one.operation.name)
        and one.operation.delivery_class is DeliveryClass.READ
        and not one.operation.server_streams
    )
    interface, systems = case.operation.interface, (case.system, second)
    told("starting an estate with two systems behind one interface")
    with tempfile.TemporaryDirectory(prefix="metip-bench-") as folder:
        async with running_mesh(Path(folder), systems=systems) as mesh, traffic_of(mesh.home.hub_socket) as traffic:
            channel, metadata = mesh.channel(), mesh.token()

            async def call() -> str:
                ask: Any = channel.unary_unary(case.operation.path)
                sent = ask(case.case.request.value, timeout=10, metadata=metadata)
                await sent
                return next((str(value) for key, value in await sent.initial_metadata() if key == "x-metip-served-by"), "")

            took, astray = [], 0
            async with load(call, workers=WORKERS) as calls:
                for place in range(number + len(systems)):
                    system = systems[place % 2]
                    started = time.perf_counter()
                    await traffic.change(Shares(interface, ((system, 100),)))
                    astray += await call() != system
                    if place >= len(systems):
                        took.append(time.perf_counter() - started)
            found = Changes(number, tuple(1000 * one for one in percentiles(took)), calls.done, len(calls.failed), astray)
    told(f"{number} changes of traffic, p99 {found.active[-1]:.0f} ms")
    return found


def rows(found: Changes) -> Iterable[tuple[str, ...]]:
    """The table's one line."""
    yield (str(found.made), *(f"{one:.0f}" for one in found.active), str(found.calls), str(found.failed), str(found.astray))


COLUMNS = ("changes", "p50 ms", "p90 ms", "p99 ms", "calls meanwhile", "failed", "astray")
