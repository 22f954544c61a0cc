"""Several workers of one adapter: each with its number, started again when it dies, and all gone when the parent is told to stop."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from adapters.kit import workers
from adapters.kit.workers import Launch, run_workers

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Stands in for the interpreter, which is asked to become itself in a process that dies with its parent: writes down process and arguments,
# then does what the file `fate` says.
SCRIPT = """#!/bin/sh
echo "$$ $*" >> {folder}/started
. {folder}/fate
"""


class Fleet:
    """A parent of workers that only write down that they were started."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        self._said = ""
        self.stop = asyncio.Event()

    def started(self) -> list[tuple[int, str]]:
        """Process and arguments of each start."""
        file = self.folder / "started"
        rows = [line.split(" ", 1) for line in file.read_text().splitlines()] if file.exists() else []
        return [(int(pid), arguments) for pid, arguments in rows]

    def fate(self, script: str) -> None:
        """What the next workers do."""
        (self.folder / "fate").write_text(script)

    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        self._said += self._capture.readouterr().err
        return [json.loads(line) for line in self._said.splitlines()]


def is_alive(pid: int) -> bool:
    """Whether a process of this user runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def fleet(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], *, fate: str = "exec sleep 1000", count: int = 2
) -> AsyncIterator[Fleet]:
    """Workers for the length of the block; in the end the parent returns 0 and none is left."""
    found = Fleet(folder, capture)
    interpreter = folder / "interpreter"
    interpreter.write_text(SCRIPT.format(folder=folder))
    interpreter.chmod(0o700)
    found.fate(fate)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    launch = Launch("sample", folder, "", "", None)
    task = asyncio.create_task(run_workers(launch, None, count, -1, ["serve", "sample"], found.stop))
    try:
        yield found
    finally:
        found.stop.set()
        assert await asyncio.wait_for(task, 5) == 0
        assert not [pid for pid, _ in found.started() if is_alive(pid)]


async def test_each_worker_is_started_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with fleet(tmp_path, monkeypatch, capsys, count=3) as parent:
        await until(lambda: len(parent.started()) == 3)
        became = sorted(arguments.partition(f"{sys.executable} ")[2] for _, arguments in parent.started())
        assert became == [f"-m adapters.kit serve sample --worker={n}" for n in range(3)]


async def test_a_worker_that_dies_is_started_again_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "FIRST_DELAY", 0.02)
    async with fleet(tmp_path, monkeypatch, capsys) as parent:
        await until(lambda: len(parent.started()) == 2)
        pid, arguments = parent.started()[0]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: len(parent.started()) == 3)
        assert parent.started()[2][1] == arguments
        (line,) = parent.lines()
        assert (line["event"], line["worker"], line["code"]) == ("worker_ended", int(arguments[-1]), -signal.SIGKILL)


async def test_a_worker_that_keeps_dying_is_started_again_ever_more_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "FIRST_DELAY", 0.02)
    async with fleet(tmp_path, monkeypatch, capsys, fate="exit 3") as parent:
        await until(lambda: len(parent.started()) >= 8)
        again = [line["again_in"] for line in parent.lines() if line["worker"] == 0]
        assert again[:3] == [0.02, 0.04, 0.08]


async def test_a_parent_that_is_told_to_stop_does_not_wait_to_start_a_worker_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "FIRST_DELAY", 60.0)
    async with fleet(tmp_path, monkeypatch, capsys, fate="exit 1") as parent:
        await until(lambda: len(parent.lines()) == 2)
    assert len(parent.started()) == 2


async def test_a_worker_that_takes_its_time_to_stop_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = f"trap 'sleep 0.1; echo gone >> {tmp_path}/gone; kill $!; exit 0' TERM; sleep 1000 & echo ready >> {tmp_path}/ready; wait"
    async with fleet(tmp_path, monkeypatch, capsys, fate=slow) as parent:
        await until(lambda: (tmp_path / "ready").exists() and _count(tmp_path / "ready") == 2)
        parent.stop.set()
    assert _count(tmp_path / "gone") == 2


def _count(file: Path) -> int:
    return len(file.read_text().splitlines())
