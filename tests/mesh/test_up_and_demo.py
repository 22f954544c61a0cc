"""`metip up` and `metip demo` from their start to their end: what they show, and that nothing is left behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from command_line import environment, metip
from free_ports import free_ports
from mesh_rig import until

from hub.cli.gathering import processes
from hub.cli.stories import stories
from hub.laptop.claiming import holder
from hub.laptop.layout import Home

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

READY_WITHIN = 150.0
"""Seconds, on a machine that is busy with other tests."""


async def test_up_shows_the_mesh_at_work_and_stops_without_a_trace(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    port, json_port, console_port = free_ports(3)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.cli", "up", "--port", str(port), "--json-port", str(json_port), "--console-port", str(console_port)),
        env={**environment(home.root), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not lines or "Ctrl-C stops everything" not in lines[-1]:
                line = await process.stdout.readline()
                assert line, "".join(lines)
                lines.append(line.decode())
        pids = _pids(home)
        assert holder(home) == process.pid
        process.send_signal(signal.SIGINT)
        rest, _ = await asyncio.wait_for(process.communicate(), READY_WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    shown = "".join(lines)
    assert "a sample question" in shown
    assert "complete: " in shown
    assert "✗" not in shown
    assert "  metip status" in shown
    assert "grpcurl -cacert " in shown
    assert f"https://127.0.0.1:{json_port}/metip." in shown
    assert f"https://127.0.0.1:{console_port}/" in shown
    assert "#token=" not in shown, "what is no terminal may end in a log"
    assert process.returncode == 0
    assert "nothing left running" in rest.decode()
    assert len(pids) > 2
    assert not [pid for pid in pids if _exists(pid)]
    assert not home.processes.exists()
    assert holder(home) is None


async def test_up_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    port, json_port, console_port = free_ports(3)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.cli", "up", "--port", str(port), "--json-port", str(json_port), "--console-port", str(console_port)),
        env=environment(home.root),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )

    async def some_run() -> bool:
        return len(_pids(home)) > 1

    try:
        await until(some_run, within=READY_WITHIN)
        pids = _pids(home)
        process.send_signal(signal.SIGTERM)
        shown, _ = await asyncio.wait_for(process.communicate(), READY_WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert "nothing left running" in shown.decode()
    assert not [pid for pid in pids if _exists(pid)]
    assert holder(home) is None


async def test_demo_plays_every_scenario_as_expected(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "demo")
    done = await metip(tmp_path, "demo", "--json", "--home", str(home.root), within=350)
    outcomes = done.json["outcomes"]
    assert [one for one in outcomes if not one["right"]] == [], home.log("hub").read_text()[-4000:]
    assert done.code == 0
    assert {one["scenario"] for one in outcomes} == {one.title for one in stories()} | {
        "each operation's sample",
        "one question, several sources",
        "the same, one source silent",
        "who may not call is refused",
        "messages reach whoever subscribes",
        "a message is replayed",
        "every message is accounted for",
        "the hub is killed",
    }
    assert "nothing left running" in done.err


def _pids(home: Home) -> list[int]:
    return [one.pid for one in processes(home) if one.pid is not None]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
