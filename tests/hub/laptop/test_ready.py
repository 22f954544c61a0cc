"""When an estate is ready: once Envoy sends calls to all that it was started with, the hub itself among them."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from hub.laptop import estate
from hub.laptop.layout import Home
from hub.laptop.preparing import Ports
from hub.mesh.admin import Host
from metip.hub.v1.registry_service_pb2 import Instance

PARTS = {"hub": ("metip.hub.v1.CatalogueService", "metip.exchange.v1.ExchangeService"), "one": ("metip.one.v1.OneService",)}
CLUSTERS = frozenset(interface for part in PARTS.values() for interface in part)
PRIVATE, ASKING = "metip.hub.v1.RegistryService", "asking"
"""An interface of the hub that is no cluster, and a system that serves nothing."""


class Envoy:
    """What its admin interface says, for whoever waits for it."""

    well: frozenset[str] = frozenset()
    open = configured = False

    def __init__(self, _socket: Path) -> None:
        pass

    async def hosts(self) -> dict[str, tuple[Host, ...]]:
        """Its clusters; of the hub's interfaces one is none."""
        return dict.fromkeys(CLUSTERS, ()) if self.configured else {}

    async def healthy(self, clusters: set[str]) -> bool:
        """Whether it has a healthy host for each."""
        return clusters <= self.well

    async def listens(self, _ports: set[int]) -> bool:
        """Whether its doors are open."""
        return self.open


async def instances(_home: Home) -> tuple[Instance, ...]:
    """All that registered."""
    private = {"hub": (PRIVATE,)}
    serving = ((one, (*interfaces, *private.get(one, ()))) for one, interfaces in PARTS.items())
    return tuple(Instance(id=one, system=one, interfaces=interfaces) for one, interfaces in (*serving, (ASKING, ())))


async def ready(told: list[str]) -> bool:
    """Whether the estate is, or soon will be."""
    options = estate.Options(ports=Ports(grpc=1, json=2), only=("one", ASKING))
    with suppress(TimeoutError):
        async with asyncio.timeout(5 * estate.POLL):
            await estate._until_served(Home.at(Path("home")), options, told.append)
            return True
    return False


@pytest.mark.parametrize("missing", [*sorted(CLUSTERS), "its configuration", "a door", ""])
@pytest.mark.asyncio(loop_scope="function")
async def test_an_estate_is_ready_once_all_of_it_is_served(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estate, "Admin", Envoy)
    monkeypatch.setattr(estate, "_instances", instances)
    monkeypatch.setattr(Envoy, "well", frozenset() if missing == "its configuration" else CLUSTERS - {missing})
    monkeypatch.setattr(Envoy, "configured", missing != "its configuration")
    monkeypatch.setattr(Envoy, "open", missing != "a door")
    told: list[str] = []
    assert await ready(told) is (missing == "")
    served = [system for system, interfaces in sorted(PARTS.items()) if missing not in interfaces and missing != "its configuration"]
    assert told == [f"{system} is served" for system in sorted((ASKING, *served))]
