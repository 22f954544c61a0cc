"""Looks at an estate for the bundle: settings, checks, hub, Envoy, exchange, ledger, traffic, migration, logs. What fails is left out."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hub.cli import gathering
from hub.cli.client import Place, hub_channel, place
from hub.cli.doctor import machine
from hub.cli.doctor.bundle import Bundle
from hub.cli.options import Problem
from hub.laptop.layout import Home
from hub.mesh.admin import EnvoyGoneError
from metip.masking import masked

if TYPE_CHECKING:
    from google.protobuf.message import Message

LINES: Final = 400
"""Of the end of each log."""
BYTES: Final = 256 * 1024
"""Of the end of each log, in which those lines are looked for."""
CHANGES: Final = 500
PATIENCE: Final = 10.0
ENVOY: Final = {
    # Name in the bundle: page of Envoy's admin interface.
    "config_dump": "/config_dump?include_eds",
    "server_info": "/server_info",
    "clusters": "/clusters?format=json",
    "listeners": "/listeners?format=json",
    "certs": "/certs",
    "runtime": "/runtime",
    "memory": "/memory",
}


async def look(home: Path, bundle: Bundle) -> None:
    """Fills the bundle. Raises `Problem` where there is no mesh at all."""
    where = place(home)
    bundle.add("versions.json", machine.versions())
    bundle.add("machine.json", machine.machine((where.home.root, where.home.run, Path("/tmp"))))  # noqa: S108 - looked at, not used
    looks: dict[str, Callable[[], Awaitable[None]]] = {
        "settings": lambda: _settings(where, bundle),
        "checks.json": lambda: _checks(home, bundle),
        "mesh": lambda: _mesh(where, bundle),
        "envoy": lambda: _envoy(where, bundle),
        "exchange.json": lambda: _exchange(where, bundle),
        "hub": lambda: _hub(where, bundle),
        "logs": lambda: _logs(where.home, bundle),
    }
    for name, work in looks.items():
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a bundle is asked for when something is broken, so no part may spoil the rest
            bundle.leave_out(name, why(error))


def why(error: BaseException) -> str:
    """Why a part is not there, in a few words."""
    code = getattr(error, "code", None)
    if callable(code):
        return f"refused with {code().name}"
    if isinstance(error, Problem):
        return error.message
    return str(error) if isinstance(error, EnvoyGoneError) else f"{type(error).__name__}: {error}"


async def _settings(where: Place, bundle: Bundle) -> None:
    """Settings by their contracts' annotations, without comments; what they name is not opened."""
    from metip.hub.v1.settings_pb2 import AccessPolicy, Retention, Settings, Traffic
    from metip.hub.v1.witness_settings_pb2 import WitnessSettings
    from metip.migration.v1.plan_pb2 import MigrationPlan
    from metip.settings import SettingsError, read_settings

    home = where.home
    kinds: dict[Path, type[Message]] = {
        home.hub_settings: Settings,
        home.access: AccessPolicy,
        home.traffic: Traffic,
        home.retention: Retention,
        home.migration: MigrationPlan,
        home.witness_settings: WitnessSettings,
    }
    for path, kind in kinds.items():
        try:
            bundle.add(f"settings/{path.stem}.json", masked(read_settings(path, kind)))
        except SettingsError as error:
            bundle.leave_out(f"settings/{path.stem}.json", str(error))


async def _checks(home: Path, bundle: Bundle) -> None:
    from hub.cli.checking import SECTIONS, examine

    found = [finding.document() async for finding in examine(home, None, SECTIONS, "developer")]
    bundle.add("checks.json", found)


async def _mesh(where: Place, bundle: Bundle) -> None:
    state = await gathering.gather(where, changes=CHANGES)
    bundle.add(
        "processes.json",
        [
            {"name": one.name, "state": one.state, "alive": one.alive, "restarts": one.restarts, **machine.process(one.pid)}
            for one in state.processes
        ],
    )
    if state.mesh is None:
        bundle.leave_out("registry.json", "the hub does not answer")
        return
    bundle.add("registry.json", masked(state.mesh))
    bundle.add("interfaces.json", masked(state.catalogue) if state.catalogue is not None else None)
    bundle.add("history.json", [masked(one) for one in state.changes])


async def _envoy(where: Place, bundle: Bundle) -> None:
    for name, page in ENVOY.items():
        bundle.add(f"envoy/{name}.json", json.loads(await where.admin.get(page)))
    stats = await where.admin.get("/stats?usedonly")
    pairs = (line.split(": ", 1) for line in stats.splitlines() if ": " in line)
    bundle.add("envoy/stats.json", {name: int(value) if value.isdigit() else value for name, value in pairs})


async def _exchange(where: Place, bundle: Bundle) -> None:
    """Deliveries by state, of each subscription."""
    from hub.cli.exchange import documents
    from hub.cli.exchange.asking import through, token_of
    from hub.cli.messages import contracts

    found = await through(where, contracts(), token_of(where, ""), lambda exchange: exchange.subscriptions())
    bundle.add("exchange.json", [documents.subscription(one) for one in found])


async def _hub(where: Place, bundle: Bundle) -> None:
    """What the ledger, traffic and migration say of themselves."""
    from hub.cli.ledger.asking import operator
    from metip.ledger.v1.ledger_service_pb2 import GetStatusRequest
    from metip.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest
    from metip.migration.v1.migration_service_pb2_grpc import MigrationServiceStub
    from metip.traffic.v1.traffic_service_pb2 import GetTrafficRequest
    from metip.traffic.v1.traffic_service_pb2_grpc import TrafficServiceStub

    async with hub_channel(where) as channel:
        asks: dict[str, tuple[Any, Message]] = {
            "ledger.json": (LedgerServiceStub(channel).GetStatus, GetStatusRequest()),
            "traffic.json": (TrafficServiceStub(channel).GetTraffic, GetTrafficRequest()),
            "migration.json": (MigrationServiceStub(channel).ListStates, ListStatesRequest()),
        }
        for name, (ask, request) in asks.items():
            try:
                bundle.add(name, masked(await ask(request, metadata=[("x-metip-operator", operator())], timeout=PATIENCE)))
            except Exception as error:  # noqa: BLE001 - as above
                bundle.leave_out(name, why(error))


async def _logs(home: Home, bundle: Bundle) -> None:
    for path in sorted(home.logs.glob("*.log")):
        bundle.add_lines(f"logs/{path.name}", tail(path))


def tail(path: Path) -> list[str]:
    """The last lines of a file, of so many bytes at its end; the first of them, which may be cut, is left out."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - BYTES))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return lines[1 if size > BYTES else 0 :][-LINES:]
