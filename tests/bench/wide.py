"""An estate as wide as a force's: synthetic contracts, and an Envoy that only writes its log and answers for its statistics.

As a process of its own (`python -m tests.bench.wide LOG SOCKET RATE INTERFACES`): lines at a rate, pages at a socket, until it is ended.
"""

import asyncio
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

import grpc_tools
from aiohttp import web
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from metip.contracts import DESCRIPTORS

OPERATIONS: Final = ("Get", "Find", "List", "Check")
A_SYSTEM: Final = 10
"""Interfaces that a system owns."""
CONSUMERS: Final = 10
WRITTEN_EVERY: Final = 0.25
"""Seconds between two lots of lines; Envoy's own is twice that here, and the same amount in all."""
BOUNDS: Final = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1.8e6, 3.6e6)
"""Those of Envoy's histograms."""
HEAD: Final = """
syntax = "proto3";
package metip.{system}.v1;
import "metip/options/v1/options.proto";
message Asked {{ option (metip.options.v1.message).personal = PERSONAL_DATA_NONE; string one = 1; }}
message Told {{ option (metip.options.v1.message).personal = PERSONAL_DATA_NONE; string one = 1; }}
"""
SERVICE: Final = """
service {name} {{
  option (metip.options.v1.interface) = {{
    owner: "Benchmark" dpia: {{reference: "not-personal" review_by: "2099-01-01"}}
    classification: CLASSIFICATION_OFFICIAL legal_regime: LEGAL_REGIME_UK_GDPR
  }};
{operations}
}}
"""
OPERATION: Final = """  rpc {name}(Asked) returns (Told) {{
    option idempotency_level = NO_SIDE_EFFECTS;
    option (metip.options.v1.operation) = {{timeout: {{seconds: 5}} verb: VERB_NONE}};
  }}"""


def system_of(number: int) -> str:
    """The system that owns an interface, by the interface's number."""
    return f"wide{number // A_SYSTEM:03}"


def interface_of(number: int) -> str:
    """An interface by its number."""
    return f"metip.{system_of(number)}.v1.Wide{number:03}Service"


def wide_contracts(interfaces: int) -> bytes:
    """The installed contracts and so many interfaces more."""
    installed = resources.files("metip.contracts").joinpath(DESCRIPTORS).read_bytes()
    with tempfile.TemporaryDirectory(prefix="metip-bench-") as folder:
        root, by_system = Path(folder), dict[str, io.StringIO]()
        (root / "installed.binpb").write_bytes(installed)
        for number in range(interfaces):
            text = by_system.setdefault(system_of(number), io.StringIO())
            name = interface_of(number).rpartition(".")[2]
            operations = "\n".join(OPERATION.format(name=f"{verb}{number:03}") for verb in OPERATIONS)
            text.write(SERVICE.format(name=name, operations=operations))
        for system, text in by_system.items():
            path = root / "metip" / system / "v1" / "wide.proto"
            path.parent.mkdir(parents=True)
            path.write_text(HEAD.format(system=system) + text.getvalue(), encoding="utf-8")
        names = sorted(str(path.relative_to(root)) for path in root.rglob("*.proto"))
        known = Path(grpc_tools.__file__).parent / "_proto"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", f"-I{known}", f"--descriptor_set_in={root / 'installed.binpb'}"]
        subprocess.run([*command, f"--descriptor_set_out={root / 'out.binpb'}", *names], check=True)
        found = FileDescriptorSet.FromString(installed)
        found.file.extend(FileDescriptorSet.FromString((root / "out.binpb").read_bytes()).file)
    return found.SerializeToString()


class Writer:
    """Writes lines to a log as Envoy does."""

    def __init__(self, log: Path, rate: float, interfaces: int) -> None:
        self._log, self._rate = log, rate
        self._random = random.Random(7)
        self._consumers = [f"spiffe://metip.local/consumer/bench{number}" for number in range(CONSUMERS)]
        self._interfaces = interfaces
        self.calls: Counter[int] = Counter()

    async def run(self) -> None:
        """Writes for ever."""
        began, written = time.monotonic(), 0
        with self._log.open("a", encoding="utf-8") as file:
            while True:
                await asyncio.sleep(WRITTEN_EVERY)
                due = int((time.monotonic() - began) * self._rate)
                now = time.time()
                file.writelines(self._line(now) for _ in range(due - written))
                file.flush()
                written = due

    def _line(self, now: float) -> str:
        pick = self._random
        number, ms = pick.randrange(self._interfaces), int(pick.lognormvariate(3, 1))
        failed = pick.random() < 0.01
        self.calls[number] += 1
        at = datetime.fromtimestamp(now - ms / 1000 - pick.random() * WRITTEN_EVERY, UTC).isoformat(timespec="milliseconds")
        said = {
            "at": at.replace("+00:00", "Z"),
            "attempts": 1,
            "call_id": f"{pick.getrandbits(32):08x}-16cd-43dd-8448-eb211c80319c",
            "cluster": interface_of(number),
            "consumer": pick.choice(self._consumers),
            "details": "via_upstream",
            "flags": "-",
            "from": "127.0.0.1",
            "grpc_status": 14 if failed else 0,
            "http_status": 200,
            "kind": "call",
            "ms": ms,
            "path": f"/{interface_of(number)}/{pick.choice(OPERATIONS)}{number:03}",
            "received": 294,
            "sent": 57,
            "upstream": f"/run/{system_of(number)}.sock",
            "upstream_sent": 609,
        }
        return json.dumps(said, separators=(",", ":")) + "\n"


class Pages:
    """Envoy's admin pages, as far as a hub reads them."""

    def __init__(self, writer: Writer, interfaces: int) -> None:
        self._writer, self._interfaces, self._began = writer, interfaces, time.monotonic()
        self.asked: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        """One page."""
        path = request.path
        if path == "/asked":
            return web.json_response(dict(self.asked))
        self.asked[path] += 1
        if path == "/stats":
            return web.Response(text="\n".join(self._stats()))
        return web.json_response(self._clusters() if path == "/clusters" else {})

    def _stats(self) -> list[str]:
        found = [f"server.uptime: {int(time.monotonic() - self._began)}"]
        for number in range(self._interfaces):
            name, calls = f"cluster.{interface_of(number)}", self._writer.calls[number]
            found += [f"{name}.membership_healthy: 1", f"{name}.membership_total: 1", f"{name}.upstream_rq_active: {number % 3}"]
            found += [f"{name}.upstream_rq_pending_active: 0", f"{name}.upstream_rq_retry: 0", f"{name}.upstream_rq_total: {calls}"]
            buckets = " ".join(f"B{bound:g}(0,{calls * min(place, 10) // 10})" for place, bound in enumerate(BOUNDS))
            found.append(f"{name}.upstream_rq_time: {buckets}")
        return found

    def _clusters(self) -> dict[str, object]:
        host = {"health_status": {"eds_health_status": "HEALTHY"}, "stats": [{"name": f"stat{one}", "value": "1"} for one in range(10)]}
        return {
            "cluster_statuses": [
                {"name": interface_of(one), "host_statuses": [host | {"address": {"pipe": {"path": f"/run/{system_of(one)}.sock"}}}]}
                for one in range(self._interfaces)
            ]
        }


async def _main(log: Path, socket: Path, rate: float, interfaces: int) -> None:
    writer = Writer(log, rate, interfaces)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", Pages(writer, interfaces).answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    await writer.run()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
