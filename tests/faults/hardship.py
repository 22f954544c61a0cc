"""Hardships that are no death: no room on the disk, a disk that takes its time, a clock that is put back, a subscriber away for days."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import filing
import grpc
from engines import NOW, Time, arrival, settled, subscription
from exchange_rig import PROBE, ROOT, ExchangeRig, kind, probe, running_exchange
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from hub.exchange.clock import SteadyClock
from hub.exchange.life import Event, State
from hub.exchange.records import Accepted, BrokenError, FullError
from hub.exchange.sqlite import SqliteEngine
from tests.faults import backlog
from tests.faults.checking import Finding
from tests.faults.disk import Disk, Vfs
from tests.faults.planted import CLOCK

Told = Callable[[str], None]

filing.soon()

ROOM = 24
"""MiB of the small disk."""
BALLAST = 6
FILLER = 50_000
HOUR = 3600.0
PATIENCE = 10.0
FLOOD = 12_000
CAPACITY = 10_000
"""Requests that may wait for the disk, as the engine has it."""
SLOW_SYNC = 0.1


# No room on the disk.


def why_no_small_disk() -> str:
    """Why no small disk can be mounted here; empty when one can."""
    try:
        with tempfile.TemporaryDirectory() as folder, _small_disk(Path(folder)):
            return ""
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        return f"can't mount a small tmpfs, which needs root: {error}"


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}m,mode=700", "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


async def full_disk(told: Told) -> list[Finding]:
    """A real hub whose state lies on a small disk, until there is no room and then there is again."""
    with tempfile.TemporaryDirectory(prefix="metip-full-") as folder:
        state = Path(folder) / "home" / "state"
        state.mkdir(parents=True)
        with _small_disk(state):
            ballast = state / "ballast"
            ballast.write_bytes(bytes(BALLAST << 20))
            async with running_exchange(Path(folder)) as rig:
                return await _until_full_and_on(rig, ballast, told)


async def _until_full_and_on(rig: ExchangeRig, ballast: Path, told: Told) -> list[Finding]:
    call: Any = rig.channel().unary_unary(f"/{PROBE}")
    kept: list[str] = []
    await _until_one_is_kept(call, "first")
    before, refusal, refused = rig.pid("hub"), None, 0
    for number in range(1000):
        try:
            await call(probe(f"full-{number}", filler=FILLER), timeout=PATIENCE)
            kept.append(f"full-{number}")
        except grpc.aio.AioRpcError as error:
            refusal, refused = error, refused + 1
            if refused == 20:
                break
    told(f"{len(kept)} kept until the disk was full, then {refusal.code().name if refusal else 'nothing'}")
    await asyncio.sleep(3)  # registrations, leases and deliveries go on for a while on a disk without room
    ballast.unlink()
    for number in range(10):
        await _until_one_is_kept(call, f"room-{number}")
        kept.append(f"room-{number}")
    lost = await _missing(rig, kept)
    hint = _retry_hint(refusal) if refusal is not None else 0.0
    refused_well = refusal is not None and refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and hint > 0
    said = f"{refusal.code().name}, come again in {hint:.0f} s" if refusal is not None else "nothing"
    return [
        Finding("I1", not lost, f"disk full: acknowledged {len(kept)}, lost {len(lost)}"),
        Finding("I10", refused_well, f"disk full: producers are told {said}"),
        Finding(
            "I11", rig.pid("hub") == before, f"disk full: it goes on when there is room, {'the same process' * (rig.pid('hub') == before)}"
        ),
    ]


async def _until_one_is_kept(call: Any, name: str) -> None:
    """Sends a probe until it is acknowledged: at the beginning Envoy may not listen yet, at the end there may be no room yet."""
    async with asyncio.timeout(30):
        while True:
            try:
                await call(probe(name), timeout=PATIENCE)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.2)
                continue
            return


async def _missing(rig: ExchangeRig, kept: list[str]) -> list[str]:
    """Probes that did not arrive in time."""
    deadline = time.monotonic() + 30
    while True:
        arrived = {row[1] for row in rig.effects()}
        missing = [one for one in kept if one not in arrived]
        if not missing or time.monotonic() > deadline:
            return missing
        await asyncio.sleep(0.1)


def _retry_hint(error: grpc.aio.AioRpcError) -> float:
    """Seconds of the RetryInfo; 0 when there is none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # its stub knows the synchronous call only
    for detail in status.details if status is not None else ():
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            return float(info.retry_delay.ToTimedelta().total_seconds())
    return 0.0


# A disk that takes its time.


async def slow_disk() -> list[Finding]:
    """More requests than may wait, on a disk whose every sync takes long."""
    disk, broken = Disk(), list[BrokenError]()
    vfs, said = Vfs(disk), subscription()
    with tempfile.TemporaryDirectory(prefix="metip-slow-") as folder:
        engine = await SqliteEngine.open(Path(folder) / "exchange.sqlite", broken.append, vfs=vfs.name)
        await engine.subscribe((said,), lambda _name: None)
        disk.slow = SLOW_SYNC
        memory, began = _resident(), time.perf_counter()
        answers = await asyncio.gather(*(engine.accept([arrival(f"k{number}")]) for number in range(FLOOD)))
        took, grown = time.perf_counter() - began, _resident() - memory
        disk.slow = 0.0
        found = [one for (one,) in answers]
        kept = [one for one in found if isinstance(one, Accepted)]
        (account,) = await engine.accounts()
        await engine.close()
    vfs.unregister()
    refused = sum(isinstance(one, FullError) for one in found)
    lost = len(kept) - account.counts.get(State.PENDING, 0)
    words = f"a sync takes {SLOW_SYNC * 1000:.0f} ms: {FLOOD} at once, kept {len(kept)} at {len(kept) / took:.0f} a second"
    return [
        Finding("I1", lost == 0 and not broken, f"{words}, lost {lost}"),
        Finding(
            "I10",
            0 < refused <= FLOOD - CAPACITY and grown < 200,
            f"{words}, refused past {CAPACITY} {refused}, memory grew by {grown:.0f} MiB",
        ),
    ]


def _resident() -> float:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024


# A clock that is put back.


async def clock_back(told: Told) -> list[Finding]:
    """An hour back: in the engine's injected clock, and in a whole hub whose wall clock says so."""
    return [await _engine_clock_back(), await _hub_clock_back(told)]


async def _engine_clock_back() -> Finding:
    moment, said, problems = Time(), subscription(), list[str]()
    wall = {"back": 0.0}
    clock = SteadyClock(wall=lambda: moment.now - wall["back"], steady=lambda: moment.now)
    with tempfile.TemporaryDirectory(prefix="metip-clock-") as folder:
        engine = await SqliteEngine.open(Path(folder) / "exchange.sqlite", lambda _error: None, clock=clock)
        await engine.subscribe((said,), lambda _name: None)
        await engine.accept([arrival("a")])
        (attempt,) = (await engine.turn(said.name, [], 1)).attempts
        await engine.turn(said.name, [settled(attempt, Event.FAILED, retry_at=NOW + 5)], 0)
        wall["back"] = HOUR
        moment.now += 5
        (again,) = await engine.accept([arrival("a")])
        (second,) = await engine.accept([arrival("b")])
        if not (isinstance(again, Accepted) and again.duplicate_of):
            problems.append("a duplicate was taken for another message")
        if not (isinstance(second, Accepted) and second.accepted >= NOW + 5):
            problems.append("a later message was accepted earlier")
        if [one.body for one in (await engine.turn(said.name, [], 9)).attempts] != [b"a", b"b"]:
            problems.append("what was due did not come")
        await engine.close()
    return Finding(
        "I1", not problems, f"the engine's clock an hour back: problems {len(problems)}" + "".join(f"; {one}" for one in problems)
    )


async def _hub_clock_back(told: Told) -> Finding:
    moment = time.time() + 8
    environment = {CLOCK: f"{moment}"}
    with tempfile.TemporaryDirectory(prefix="metip-clock-") as folder:
        async with running_exchange(Path(folder), environment=environment, hub_module="tests.faults.planted") as rig:
            call: Any = rig.channel().unary_unary(f"/{PROBE}")
            rig.kill("subscriber-0", signal.SIGSTOP)
            kept, times, number, restarted = [], [], 0, False
            while time.time() < moment + 6:
                try:
                    reply = await call(probe(f"clock-{number}", "line", number), timeout=PATIENCE)
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.2)
                    continue
                receipt: Any = kind("metip.exchange.v1.Receipt").FromString(reply)
                times.append(receipt.accepted.ToNanoseconds())
                kept.append(f"clock-{number}")
                number += 1
                if time.time() > moment + 1.5 and not restarted:
                    restarted = rig.kill("hub")
                await asyncio.sleep(0.1)
            rig.kill("subscriber-0", signal.SIGCONT)
            lost = await _missing(rig, kept)
            told(f"{len(kept)} accepted around the step of the clock")
    back = sum(later < earlier for earlier, later in pairwise(times))
    words = f"acknowledged {len(kept)}, lost {len(lost)}, said to be accepted before its predecessor {back}"
    return Finding("I1", not lost and not back, f"the hub's clock an hour back, and the hub killed since: {words}")


# A subscriber that was away.


async def away(messages: int) -> list[Finding]:
    """72 hours of messages, measured in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="metip-away-") as folder:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "support"), str(ROOT)))}
        command = (sys.executable, "-m", "tests.faults.backlog", folder, str(messages))
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        said, _ = await child.communicate()
    one = json.loads(said)
    words = (
        f"away for 72 h, {messages} waiting: kept at {one['accepted_a_second']:.0f} a second, opened anew in {one['open_seconds']:.2f} s,"
        f" first turn {one['first_turn_seconds'] * 1000:.0f} ms, slowest of 200 {one['slowest_turn_seconds'] * 1000:.0f} ms,"
        f" accounts {one['accounts_seconds'] * 1000:.1f} ms"
    )
    return [
        Finding("I1", one["pending"] == messages, f"away for 72 h: kept {messages}, waiting {one['pending']}"),
        Finding("I4", one["out_of_order"] == 0, f"given {one['given']} on return, out of order {one['out_of_order']}"),
        Finding(
            "I10", one["peak_mib"] < 300, f"largest resident set {one['peak_mib']:.0f} MiB, 300 allowed; file {one['file_mib']:.0f} MiB"
        ),
        Finding("I11", one["given"] == backlog.TURNS * backlog.ROOM, f"{words}: as much at each turn as it asked for"),
    ]
