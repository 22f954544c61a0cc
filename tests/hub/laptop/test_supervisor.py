"""The supervisor with real processes: started again when they die, stopped in order, and none left behind, whatever happens."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from waiting import until

from hub.laptop import supervisor as module
from hub.laptop.supervisor import Process, Supervisor

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREVER = ("sleep", "1000")
FIRST = 0.02


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def content(path: Path) -> str:
    """What a file holds; nothing while it is not there."""
    return path.read_text() if path.exists() else ""


class Rig:
    """A supervisor in a folder of its own, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "processes.json"
        self.told: list[tuple[float, str, str]] = []
        self.pids: set[int] = set()
        self.supervisor = Supervisor(self.record, self._hear)

    def _hear(self, process: Process, words: str) -> None:
        self.told.append((asyncio.get_running_loop().time(), process.name, words))

    def start(self, name: str, *command: str) -> Process:
        """Starts a process."""
        process = Process(name, command, self.folder / f"{name}.log")
        self.supervisor.start(process)
        return process

    async def started(self, name: str, *command: str) -> Process:
        """Starts a process and waits until it runs."""
        process = self.start(name, *(command or FOREVER))
        await until(lambda: process.pid)
        assert process.pid is not None
        self.pids.add(process.pid)
        return process

    async def shell(self, name: str, script: str) -> Process:
        """Starts a shell that says when it has come so far as to be told to stop."""
        process = await self.started(name, "sh", "-c", f"{script}; echo ready; sleep 1000 & wait")
        await until(lambda: "ready" in content(process.log))
        return process

    def recorded(self) -> dict[str, Any]:
        """The record, by name."""
        return {row["name"]: row for row in json.loads(content(self.record))["processes"]}


@pytest_asyncio.fixture(loop_scope="module")
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """A supervisor of nothing; at the end everything is stopped and gone."""
    monkeypatch.setattr(module, "FIRST_DELAY", FIRST)
    found = Rig(tmp_path)
    yield found
    await found.supervisor.stop_all()
    assert not [pid for pid in found.pids if is_alive(pid)]
    assert not found.record.exists()


async def test_a_process_runs_and_is_on_record_with_its_log(rig: Rig) -> None:
    process = await rig.started("one", "sh", "-c", "echo out; echo err >&2; sleep 1000")
    assert process.state == "running"
    await until(lambda: content(process.log) == "out\nerr\n")
    assert rig.recorded() == {"one": {"name": "one", "state": "running", "pid": process.pid, "restarts": 0, "log": str(process.log)}}


async def test_a_process_has_a_session_of_its_own_and_nothing_to_read(rig: Rig) -> None:
    process = await rig.started("one", "sh", "-c", "cat; echo the end; sleep 1000")
    assert process.pid is not None
    assert os.getsid(process.pid) == process.pid
    await until(lambda: content(process.log) == "the end\n")


async def test_a_process_that_is_killed_is_started_again_and_told_of(rig: Rig) -> None:
    process = await rig.started("one")
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: process.pid not in (None, first))
    assert process.restarts == 1
    assert [(name, words) for _, name, words in rig.told] == [("one", f"ended with signal SIGKILL; see {process.log}")]
    await until(lambda: rig.recorded()["one"]["state"] == "running")
    assert rig.recorded()["one"]["pid"] == process.pid
    assert rig.recorded()["one"]["restarts"] == 1


@pytest.mark.parametrize(("script", "words"), [("exit 0", "code 0"), ("exit 3", "code 3"), ("kill -40 $$", "signal 40")])
async def test_a_process_that_ends_by_itself_is_told_of_by_its_code(rig: Rig, script: str, words: str) -> None:
    rig.start("one", "sh", "-c", script)
    await until(lambda: len(rig.told) >= 2)
    assert rig.told[0][2].startswith(f"ended with {words}; see ")


async def test_a_process_that_keeps_dying_is_started_again_ever_more_slowly(rig: Rig) -> None:
    process = rig.start("one", "sh", "-c", "exit 1")
    await until(lambda: len(rig.told) >= 5)
    times = [at for at, _, _ in rig.told]
    gaps = [after - before for before, after in pairwise(times[:5])]
    assert all(gap >= FIRST * 2**number for number, gap in enumerate(gaps)), gaps
    assert process.restarts >= 5


async def test_one_process_that_dies_leaves_the_others_alone(rig: Rig) -> None:
    well = await rig.started("well")
    rig.start("ill", "sh", "-c", "exit 1")
    await until(lambda: len(rig.told) >= 2)
    assert (well.state, well.restarts) == ("running", 0)
    assert {name for _, name, _ in rig.told} == {"ill"}


async def test_workers_that_outlive_their_process_are_ended_too(rig: Rig) -> None:
    left = rig.folder / "left"
    rig.start("one", "sh", "-c", f"sleep 1000 & echo $! >> {left}; exit 1")
    await until(lambda: len(rig.told) >= 2)
    workers = [int(line) for line in content(left).split()][:2]
    await until(lambda: not [worker for worker in workers if is_alive(worker)])


async def test_a_command_that_does_not_exist_has_failed_and_harms_nobody(rig: Rig) -> None:
    well = await rig.started("well")
    lost = rig.start("lost", "/nowhere/to/be/found")
    await until(lambda: rig.told)
    assert (lost.state, lost.pid) == ("failed", None)
    assert rig.told[0][1:] == ("lost", "can't be started: No such file or directory")
    assert rig.recorded()["lost"]["state"] == "failed"
    assert well.state == "running"


async def test_a_log_that_can_not_be_opened_has_failed_the_same_way(rig: Rig) -> None:
    process = Process("one", FOREVER, rig.folder / "no such folder" / "log")
    rig.supervisor.start(process)
    await until(lambda: process.state == "failed")
    await rig.supervisor.stop("one")


async def test_a_record_that_can_not_be_written_keeps_nothing_from_running_or_stopping(rig: Rig) -> None:
    (rig.record.with_suffix(".new")).mkdir()
    process = await rig.started("one")
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: process.pid not in (None, first))
    await rig.supervisor.stop("one")
    assert process.state == "stopped"


# Stopping.


async def test_a_process_that_is_stopped_is_gone_and_stays_so(rig: Rig) -> None:
    process = await rig.started("one")
    pid = process.pid
    assert pid is not None
    await rig.supervisor.stop("one")
    assert not is_alive(pid)
    assert (process.state, process.pid, rig.told) == ("stopped", None, [])
    assert rig.recorded()["one"]["state"] == "stopped"


async def test_only_those_that_are_named_are_stopped(rig: Rig) -> None:
    one, other = await rig.started("one"), await rig.started("other")
    await rig.supervisor.stop("one", "nobody")
    assert (one.state, other.state) == ("stopped", "running")


async def test_a_process_may_end_in_its_own_way(rig: Rig) -> None:
    farewell = rig.folder / "farewell"
    await rig.shell("one", f"trap 'echo bye > {farewell}; exit 0' TERM")
    await rig.supervisor.stop("one")
    assert content(farewell) == "bye\n"


async def test_a_process_that_lingers_is_killed_with_all_its_own(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    child = rig.folder / "child"
    process = await rig.shell("one", f"trap '' TERM; sleep 1000 & echo $! > {child}")
    worker = int(content(child))
    assert is_alive(worker)
    await rig.supervisor.stop("one")
    assert not is_alive(process._child.pid if process._child else 0)
    await until(lambda: not is_alive(worker))


async def test_a_process_that_waits_to_be_started_again_can_be_stopped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 60.0)
    process = rig.start("one", "sh", "-c", "exit 1")
    await until(lambda: process.state == "restarting" and rig.told)
    await asyncio.wait_for(rig.supervisor.stop("one"), 5)
    assert process.state == "stopped"


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 20])
async def test_a_process_that_is_stopped_while_it_starts_leaves_nothing_behind(rig: Rig, steps: int) -> None:
    mark = f"9{os.getpid()}.{steps}"
    process = rig.start("one", "sleep", mark)
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.wait_for(rig.supervisor.stop("one"), 5)
    assert process.state == "stopped"
    await until(lambda: not running_with(mark))


def running_with(argument: str) -> list[int]:
    """Processes that were started with this argument."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and argument.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


async def test_everything_is_stopped_in_order_and_the_rest_last(rig: Rig) -> None:
    order = rig.folder / "order"
    for name in ("hub", "adapter-b", "simulator", "envoy", "adapter-a"):
        await rig.shell(name, f"trap 'sleep 0.05; echo {name} >> {order}; exit 0' TERM")
    first: Callable[[str], bool] = lambda name: name.startswith("adapter-")  # noqa: E731 - the type is what the name is for
    await rig.supervisor.stop_all(first, lambda name: name == "envoy", lambda name: name == "hub")
    stopped = content(order).split()
    assert set(stopped[:2]) == {"adapter-a", "adapter-b"}
    assert stopped[2:] == ["envoy", "hub", "simulator"]
    assert all(process.state == "stopped" for process in rig.supervisor.processes)


async def test_one_that_failed_keeps_no_other_from_being_stopped(rig: Rig) -> None:
    rig.start("lost", "/nowhere/to/be/found")
    well = await rig.started("well")
    await rig.supervisor.stop_all(lambda name: name == "lost")
    assert well.pid is None


async def test_stopping_twice_or_nothing_is_no_error(rig: Rig) -> None:
    await rig.supervisor.stop_all()
    await rig.started("one")
    await rig.supervisor.stop_all()
    await rig.supervisor.stop_all()


# The supervisor's own death.

PARENT = """
import asyncio, sys
from pathlib import Path
from hub.laptop.supervisor import Process, Supervisor

async def main(folder):
    supervisor = Supervisor(folder / "processes.json")
    for name in ("one", "two"):
        supervisor.start(Process(name, ("sleep", "1000"), folder / f"{name}.log"))
    await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path))
    record = tmp_path / "processes.json"

    def children() -> list[int]:
        rows = json.loads(content(record) or '{"processes": []}')["processes"]
        return [row["pid"] for row in rows if row["pid"]]

    try:
        await until(lambda: len(children()) == 2, within=20)
        pids = children()
        assert all(is_alive(pid) for pid in pids)
    finally:
        parent.kill()
        await parent.wait()
    await until(lambda: not [pid for pid in pids if is_alive(pid)])
