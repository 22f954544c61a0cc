"""Envoy's admin interface over its unix socket: health of clusters, counters, configuration as Envoy has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PATIENCE = 5.0
WEIGHT_KEY = "weight."
SHAPING = (WEIGHT_KEY, "fault.", "limit.", "circuit_breakers.")
"""How runtime keys begin that shape traffic."""


class EnvoyGoneError(Exception):
    """Envoy's admin interface does not answer."""


@dataclass(frozen=True)
class Host:
    """One endpoint as Envoy sees it."""

    address: str
    healthy: bool
    ejected: bool


@dataclass(frozen=True)
class Admin:
    """Envoy's admin interface at a unix socket."""

    socket: Path

    async def get(self, path: str) -> str:
        """The body of a page. Raises `EnvoyGoneError`."""
        return await self._ask("GET", path)

    async def post(self, path: str) -> str:
        """The answer to a command, such as `/runtime_modify?key=value`. Raises `EnvoyGoneError`."""
        return await self._ask("POST", path)

    async def json(self, path: str) -> Any:
        """A page that is JSON. Raises `EnvoyGoneError`."""
        return json.loads(await self.get(path))

    async def version(self) -> str:
        """Envoy's version, such as `1.40.0`. Raises `EnvoyGoneError`."""
        info = await self.json("/server_info")
        return str(info["version"].split("/")[1])

    async def hosts(self) -> dict[str, tuple[Host, ...]]:
        """Endpoints by cluster. Raises `EnvoyGoneError`."""
        page = await self.json("/clusters?format=json")
        return {one["name"]: tuple(_host(host) for host in one.get("host_statuses", ())) for one in page.get("cluster_statuses", ())}

    async def weights(self) -> dict[str, int]:
        """Weights of clusters as the runtime has them, which go before those of the routes. Raises `EnvoyGoneError`."""
        entries = (await self.json("/runtime")).get("entries", {})
        found = {name.removeprefix(WEIGHT_KEY): str(said["final_value"]) for name, said in entries.items() if name.startswith(WEIGHT_KEY)}
        return {name: int(value) for name, value in found.items() if value.isdigit()}

    async def shaping(self) -> dict[str, str]:
        """What somebody set by hand of all that shapes traffic, by runtime key. Raises `EnvoyGoneError`."""
        entries = (await self.json("/runtime")).get("entries", {})
        return {name: str(said["final_value"]) for name, said in entries.items() if name.startswith(SHAPING) and said["final_value"]}

    async def set_runtime(self, values: Mapping[str, str]) -> None:
        """Sets runtime keys; an empty value takes one back. Raises `EnvoyGoneError`."""
        if values:
            await self.post(f"/runtime_modify?{urlencode(values)}")

    async def in_progress(self) -> dict[str, dict[str, int]]:
        """Calls in progress by cluster and endpoint. Raises `EnvoyGoneError`."""
        page = await self.json("/clusters?format=json")
        return {
            one["name"]: {_where(host): _active(host) for host in one.get("host_statuses", ())} for one in page.get("cluster_statuses", ())
        }

    async def healthy(self, clusters: set[str]) -> bool:
        """Whether each of these clusters has a healthy host; False too when Envoy does not answer."""
        try:
            hosts = await self.hosts()
        except EnvoyGoneError:
            return False
        return all(any(host.healthy for host in hosts.get(cluster, ())) for cluster in clusters)

    async def live(self) -> bool:
        """Whether it has its first configuration and serves; False too when Envoy does not answer."""
        try:
            return (await self.get("/ready")).startswith("LIVE")
        except EnvoyGoneError:
            return False

    async def listens(self, ports: set[int]) -> bool:
        """Whether it takes connections at each of these TCP ports; False too when Envoy does not answer, and while it starts: it names
        listeners before it opens them."""
        try:
            if not await self.live():
                return False
            page = await self.json("/listeners?format=json")
        except EnvoyGoneError:
            return False
        addresses = (one["local_address"].get("socket_address", {}) for one in page.get("listener_statuses", ()))
        return ports <= {int(one.get("port_value", 0)) for one in addresses}

    async def _ask(self, method: str, path: str) -> str:
        import aiohttp  # late, since it takes longer to load than the CLI commands that need no Envoy take to run

        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.socket)), timeout=timeout) as http,
                http.request(method, f"http://envoy{path}") as response,
            ):
                return await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise EnvoyGoneError(f"Envoy's admin interface at {self.socket} does not answer") from error


def _where(said: dict[str, Any]) -> str:
    address = said["address"]
    return str(address.get("pipe", {}).get("path") or "{address}:{port_value}".format(**address["socket_address"]))


def _active(said: dict[str, Any]) -> int:
    return next((int(one.get("value", 0)) for one in said.get("stats", ()) if one.get("name") == "rq_active"), 0)


def _host(said: dict[str, Any]) -> Host:
    where = _where(said)
    health = said.get("health_status", {})
    ejected = bool(health.get("failed_outlier_check"))
    return Host(
        where, not health.get("failed_active_health_check") and not ejected and health.get("eds_health_status") != "UNHEALTHY", ejected
    )
