"""Drives one path: h2load for closed loops, our own generator for fixed rates and for everything where there is no h2load."""

import asyncio
import json
import re
import resource
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from hdrh.histogram import HdrHistogram

from tests.bench.client import DIGITS, HIGHEST, LOWEST, Asked, Outcome, Plan
from tests.bench.estate import Estate, Target
from tests.bench.sample import PERCENTILES, Sample, cpu_seconds, percentiles

CLIENTS = 2
"""Processes of our own generator."""
CONNECTIONS = {8: 4, 64: 8, 100: 10}
"""Connections by calls in flight; each carries as many streams as are left."""
FRAME = 5
"""Bytes before a message on the wire."""
_REQUESTS = re.compile(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded")
_DATA = re.compile(r"\((\d+)\) data")
_FINISHED = re.compile(r"finished in ([\d.]+)(us|ms|s|m)\b")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class LoadError(Exception):
    """A generator ended otherwise than it should; the text is what it said."""


@dataclass(frozen=True)
class Load:
    """A closed loop of so many calls in flight, or a fixed rate."""

    in_flight: int = 0
    rate: float = 0.0

    @property
    def name(self) -> str:
        """`64 in flight` or `1000/s`."""
        return f"{self.in_flight} in flight" if self.in_flight else f"{self.rate:g}/s"


def has_h2load() -> bool:
    """Whether h2load is there."""
    return shutil.which("h2load") is not None


async def drive(estate: Estate, target: Target, load: Load, seconds: float, *, expected: float, h2load: bool) -> Sample:
    """Runs a load over a path for about so many seconds. `expected` is the rate to be expected, in calls a second. Raises `LoadError`."""
    before, answered = cpu_seconds(target.processes), await target.answered() if target.answered else 0
    statuses = Counter[str]()
    if load.in_flight and h2load:
        number = max(load.in_flight * 5, int(expected * seconds))
        calls, replies, took, latencies, client = await _h2load(estate, target, load.in_flight, number)
        not_ok = calls - (await target.answered() - answered if target.answered else replies)
    else:
        statuses, took, latencies, client = await _own(estate, target, load, seconds)
        calls, not_ok = statuses.total(), statuses.total() - statuses["OK"]
    after = cpu_seconds(target.processes)
    cpu = {"client": client} | {role: after[role] - before[role] for role in after}
    return Sample(calls, not_ok, took, latencies, cpu, statuses)


async def _h2load(estate: Estate, target: Target, in_flight: int, calls: int) -> tuple[int, int, float, tuple[float, ...], float]:
    """Calls, replies by their bytes, seconds, latencies and the generator's CPU seconds. A call that is refused has no reply."""
    with tempfile.TemporaryDirectory(prefix="metip-h2load-") as folder:
        body, log = Path(folder) / "request", Path(folder) / "log"
        request = estate.exchange.request.SerializeToString()
        body.write_bytes(b"\0" + len(request).to_bytes(4, "big") + request)
        before = _children()
        output = await _output(None, *h2load_command(estate, target, in_flight, calls, str(body)), f"--log-file={log}")
        client = _children() - before
        counted, data, finished = _REQUESTS.search(output), _DATA.search(output), _FINISHED.search(output)
        if counted is None or data is None or finished is None or counted[1] != counted[2]:
            raise LoadError(output)
        taken = [int(line.split("\t")[2]) / 1000 for line in log.read_text(encoding="ascii").splitlines()]
    replies = int(data[1]) // (FRAME + estate.exchange.reply.ByteSize())
    return int(counted[2]), replies, float(finished[1]) * _UNITS[finished[2]], percentiles(taken), client


def h2load_command(estate: Estate, target: Target, in_flight: int, calls: int, body: str) -> tuple[str, ...]:
    """The command that drives a path, through the sidecar where that has a port for it."""
    connections = CONNECTIONS.get(in_flight, 1) if target.port else 1
    streams = -(-in_flight // connections)
    headers = (("content-type", "application/grpc"), ("te", "trailers"), *target.headers)
    said = [word for name, value in headers for word in ("-H", f"{name}: {value}")]
    path = estate.exchange.operation.path
    where = (f"http://127.0.0.1:{target.port}{path}",) if target.port else ("-B", target.address, f"http://localhost{path}")
    return ("h2load", "-n", str(calls), "-c", str(connections), "-m", str(streams), "-d", body, *said, *where)


async def _own(estate: Estate, target: Target, load: Load, seconds: float) -> tuple[Counter[str], float, tuple[float, ...], float]:
    outcomes = await _clients(estate, target, load, seconds)
    histogram, statuses = HdrHistogram(LOWEST, HIGHEST, DIGITS), Counter[str]()
    for one in outcomes:
        histogram.add(HdrHistogram.decode(one.histogram))
        statuses.update(one.statuses)
    latencies = tuple(histogram.get_value_at_percentile(share) / 1000 for share in PERCENTILES)
    took = max(one.seconds for one in outcomes)
    return statuses, took, latencies, sum(one.cpu for one in outcomes)


async def each_call(estate: Estate, target: Target, load: Load, seconds: float) -> list[Asked]:
    """Runs a load with our own generator, and gives each call, in the order in which they were due. Raises `LoadError`."""
    return sorted(call for one in await _clients(estate, target, load, seconds, each=True) for call in one.calls)


async def _clients(estate: Estate, target: Target, load: Load, seconds: float, *, each: bool = False) -> list[Outcome]:
    files = estate.identity if target.secured else None
    clients = min(CLIENTS, load.in_flight or CLIENTS)
    plan = Plan(
        address=target.address,
        path=estate.exchange.operation.path,
        request=estate.exchange.request.SerializeToString().hex(),
        metadata=target.headers,
        certificate=str(files.certificate) if files else "",
        key=str(files.key) if files else "",
        authority=str(files.authority) if files else "",
        in_flight=load.in_flight // clients,
        rate=load.rate / clients,
        seconds=seconds,
        each=each,
    )
    command = (sys.executable, "-m", "tests.bench.client")
    said = await asyncio.gather(*(_output(json.dumps(asdict(plan)), *command) for _ in range(clients)))
    return [Outcome(**json.loads(one)) for one in said]


async def _output(text: str | None, *command: str) -> str:
    """Standard output of a command. Raises `LoadError`."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await process.communicate(text.encode() if text else None)
    if process.returncode:
        raise LoadError(f"{command[0]} ended with {process.returncode}: {wrong.decode(errors='replace')[-1000:]}")
    return said.decode()


def _children() -> float:
    """CPU seconds of all children that have ended; h2load is the only one that ends meanwhile."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
