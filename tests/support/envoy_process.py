"""A real Envoy for a test: started, waited for by its own `/ready`, its log kept, and killed at the end.

    async with running_envoy(bootstrap, tmp_path) as envoy:
        assert "cluster.birch" in await envoy.get("/stats")

The bootstrap is a plain dictionary as in Envoy's own JSON; the admin port is put on a unix socket in the directory.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ENVOY = Path(sys.executable).parent / "envoy"
ALWAYS = ("--use-dynamic-base-id", "--disable-hot-restart", "--log-level", "warning")
POLL = 0.02
"""Seconds between two looks at a condition."""


class EnvoyDiedError(Exception):
    """Envoy ended, or was not ready in time; the message ends with its log."""


@dataclass(frozen=True)
class RunningEnvoy:
    """One Envoy process with its admin interface."""

    process: subprocess.Popen[bytes]
    admin: Path
    log_file: Path

    async def get(self, path: str) -> str:
        """The body of an admin page; raises aiohttp.ClientError when there is no answer."""
        return (await self._ask("GET", path))[1]

    async def post(self, path: str) -> str:
        """The body of the answer to an admin command."""
        return (await self._ask("POST", path))[1]

    async def json(self, path: str) -> Any:
        """An admin page that is JSON."""
        return json.loads(await self.get(path))

    async def stat(self, name: str) -> int:
        """One counter or gauge; 0 when Envoy does not have it (yet)."""
        found = await self.json(f"/stats?format=json&filter=^{name}$")
        return next((int(stat["value"]) for stat in found["stats"] if stat.get("name") == name), 0)

    async def is_live(self) -> bool:
        """Whether Envoy has its first configuration and serves."""
        try:
            return (await self._ask("GET", "/ready"))[0] == 200
        except aiohttp.ClientError:
            return False

    async def is_up(self) -> bool:
        """Whether the admin interface answers at all, with or without configuration."""
        try:
            await self._ask("GET", "/ready")
        except aiohttp.ClientError:
            return False
        return True

    async def until_live(self, within: float = 10.0) -> None:
        """Wait for the first configuration to be served; raises EnvoyDiedError."""
        await self._until(self.is_live, within)

    def memory(self) -> int:
        """Bytes that the process holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> str:
        """Everything that Envoy has written so far."""
        return self.log_file.read_text(errors="replace")

    async def _until(self, condition: Callable[[], Any], within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not await condition():
                    if self.process.poll() is not None:
                        raise EnvoyDiedError(f"Envoy ended with {self.process.returncode}\n{self.log()}")
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise EnvoyDiedError(f"Envoy was not ready within {within} s\n{self.log()}") from None

    async def _ask(self, method: str, path: str) -> tuple[int, str]:
        connector = aiohttp.UnixConnector(path=str(self.admin))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.request(method, f"http://admin{path}") as answer,
        ):
            return answer.status, await answer.text()


@asynccontextmanager
async def running_envoy(
    bootstrap: Mapping[str, Any],
    directory: Path,
    *,
    arguments: Sequence[str] = (),
    concurrency: int = 1,
    live: bool = True,
    within: float = 10.0,
) -> AsyncIterator[RunningEnvoy]:
    """Start Envoy in a directory, wait until it serves (with live=False: until its admin answers), kill it at the end.

    The directory's path has to be short, since a unix socket's may not exceed 107 bytes: see `short_directory`.
    Raises EnvoyDiedError with the log when Envoy ends or does not get there within so many seconds.
    """
    admin = directory / "admin.sock"
    configuration = directory / "bootstrap.json"
    configuration.write_text(json.dumps({**bootstrap, "admin": {"address": {"pipe": {"path": str(admin)}}}}, indent=1))
    log_file = directory / "envoy.log"
    with log_file.open("ab") as log:
        command = [str(ENVOY), "-c", str(configuration), *ALWAYS, "--concurrency", str(concurrency), *arguments]
        # Not asyncio's own: uvloop forks, and gRPC's threads make one child in fifty crash before it becomes Envoy.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=directory)  # noqa: ASYNC220
    envoy = RunningEnvoy(process, admin, log_file)
    try:
        await envoy._until(envoy.is_live if live else envoy.is_up, within)
        yield envoy
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


@contextmanager
def short_directory() -> Iterator[Path]:
    """A new directory with a path short enough for sockets, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="metip-", dir="/tmp") as path:
        yield Path(path)


def ads_bootstrap(control_plane: Path, *, node_id: str = "edge-1", delta: bool = False) -> dict[str, Any]:
    """A bootstrap that takes everything over ADS from a control plane on a unix socket."""
    return {
        "node": {"id": node_id, "cluster": "edge"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "control_plane"}}],
            },
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "control_plane",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {
                                "http2_protocol_options": {"connection_keepalive": {"interval": "1s", "timeout": "5s"}}
                            },
                        }
                    },
                    "load_assignment": {
                        "cluster_name": "control_plane",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": str(control_plane)}}}}]}],
                    },
                }
            ]
        },
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
    }
