"""The state of a mesh as its three witnesses tell it: the supervisor's record, the hub, and Envoy's admin interface."""

import asyncio
import json
import os
from dataclasses import dataclass, field

from hub.cli.client import HubClient, HubGoneError, Place, hub_client
from hub.cli.printing import FAILED, OK, SKIPPED
from hub.laptop.claiming import holder
from hub.laptop.layout import Home
from hub.mesh.admin import EnvoyGoneError, Host
from metip.hub.v1.catalogue_service_pb2 import InterfaceSummary, ListInterfacesResponse
from metip.hub.v1.mesh_service_pb2 import Change, GetMeshResponse

ADAPTER = "adapter-"
HUB_SYSTEM = "hub"


@dataclass(frozen=True)
class Running:
    """One process of the estate as the supervisor wrote it down."""

    name: str
    state: str
    pid: int | None
    restarts: int
    log: str

    @property
    def alive(self) -> bool:
        """Whether it runs now, as far as anybody can tell from outside: it exists, and it is not stopped (SIGSTOP) either."""
        return self.state == "running" and self.pid is not None and _runs(self.pid)


@dataclass(frozen=True)
class Behind:
    """One of several systems behind an interface."""

    system: str
    weight: int
    """By the traffic settings."""
    in_force: int
    """By Envoy's runtime where somebody set it there, otherwise the same."""
    instances: int
    hosts: tuple[Host, ...]


@dataclass(frozen=True)
class Served:
    """One interface and who serves it."""

    name: str
    system: str
    operations: tuple[str, ...]
    instances: int
    """Registered at the hub."""
    hosts: tuple[Host, ...]
    """As Envoy sees them."""
    expected: bool
    """Whether this estate was started with its adapter."""
    back_ends: tuple[Behind, ...] = ()
    """Where there are several, its owner first; their hosts are among `hosts`."""
    afar: bool = False
    """Whether Envoy could not be asked, since it is elsewhere."""

    @property
    def healthy(self) -> int:
        """Hosts that Envoy sends calls to."""
        return sum(host.healthy for host in self.hosts)

    @property
    def state(self) -> str:
        """How it is, as a mark."""
        if self.healthy or (self.afar and self.instances):
            return OK
        return FAILED if self.expected else SKIPPED


@dataclass(frozen=True)
class State:
    """What could be learnt at one instant; what could not is None."""

    supervisor: int | None = None
    processes: tuple[Running, ...] = ()
    mesh: GetMeshResponse | None = None
    catalogue: ListInterfacesResponse | None = None
    changes: tuple[Change, ...] = ()
    envoy_version: str | None = None
    hosts: dict[str, tuple[Host, ...]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    """Weights that somebody set in Envoy's runtime, by cluster."""
    afar: bool = False
    """Whether only the hub was asked: supervisor and Envoy's admin interface are on another machine."""

    @property
    def systems(self) -> frozenset[str] | None:
        """Systems whose adapters this estate was started with; None when nobody wrote that down (production)."""
        found = {one.name.removeprefix(ADAPTER) for one in self.processes if one.name.startswith(ADAPTER)}
        return frozenset(found | {HUB_SYSTEM}) if self.processes else None

    @property
    def interfaces(self) -> tuple[Served, ...]:
        """Every interface on the mesh."""
        if self.catalogue is None:
            return ()
        return tuple(map(self._served, self.catalogue.interfaces))

    def _served(self, one: InterfaceSummary) -> Served:
        back_ends = tuple(
            Behind(
                system=behind.system,
                weight=behind.weight,
                in_force=self.weights.get(behind.cluster, behind.weight),
                instances=len(behind.endpoints),
                hosts=self.hosts.get(behind.cluster, ()),
            )
            for behind in one.back_ends
        )
        serving = {one.system, *(behind.system for behind in back_ends)}
        return Served(
            name=one.name,
            system=one.system,
            operations=tuple(one.operations),
            instances=one.instances,
            hosts=tuple(host for behind in back_ends for host in behind.hosts) or self.hosts.get(one.name, ()),
            expected=self.systems is None or bool(serving & self.systems),
            back_ends=back_ends,
            afar=self.afar,
        )

    def process(self, name: str) -> Running | None:
        """A process by name."""
        return next((one for one in self.processes if one.name == name), None)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong as far as this tells."""
        answers = self.mesh is not None and (self.envoy_version is not None or self.afar)
        return answers and all(one.alive for one in self.processes) and all(one.state != FAILED for one in self.interfaces)


async def gather(where: Place, *, changes: int = 5) -> State:
    """Asks everybody at once; who does not answer is left out. From afar only the hub is asked."""
    if where.elsewhere:
        async with hub_client(where) as hub:
            heard = await _from_hub(hub, changes)
        mesh, catalogue, last = heard or (None, None, ())
        return State(mesh=mesh, catalogue=catalogue, changes=last, afar=True)
    async with hub_client(where) as hub:
        told, (version, hosts, weights) = await asyncio.gather(_from_hub(hub, changes), _from_envoy(where))
    return State(
        supervisor=holder(where.home),
        processes=processes(where.home),
        mesh=told[0] if told else None,
        catalogue=told[1] if told else None,
        changes=told[2] if told else (),
        envoy_version=version,
        hosts=hosts,
        weights=weights,
    )


async def _from_hub(hub: HubClient, changes: int) -> tuple[GetMeshResponse, ListInterfacesResponse, tuple[Change, ...]] | None:
    try:
        return await asyncio.gather(hub.mesh(), hub.interfaces(), hub.changes(changes))
    except HubGoneError:
        return None


async def _from_envoy(where: Place) -> tuple[str | None, dict[str, tuple[Host, ...]], dict[str, int]]:
    try:
        return await where.admin.version(), await where.admin.hosts(), await where.admin.weights()
    except EnvoyGoneError:
        return None, {}, {}


def processes(home: Home) -> tuple[Running, ...]:
    """What the supervisor last wrote down; empty when nothing runs here."""
    try:
        rows = json.loads(home.processes.read_text(encoding="utf-8"))["processes"]
    except (OSError, ValueError, KeyError):
        return ()
    return tuple(Running(row["name"], row["state"], row["pid"], row["restarts"], row["log"]) for row in rows)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123 - no other system has this file
            return stat.read().rpartition(")")[2].split()[0] not in ("T", "t", "Z")
    except OSError:
        return True
