"""Hub, Envoy, an adapter and its simulator run as a user who owns nothing but the home folder, and who can't change the code.

The test has to be root to become somebody else, and says so where it is not. Where the checkout lies in a folder that only root may
enter, the user gets the one capability to read past that (CAP_DAC_READ_SEARCH), with which nothing can be written.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from checkout import ROOT
from command_line import environment
from free_ports import free_ports
from samples import query

from hub.cli.gathering import processes
from hub.laptop.layout import Home

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="NOT RUN: needs root and setpriv to become nobody"),
]
NOBODY = "nobody"
READY_WITHIN = 150.0
DAC_READ_SEARCH = 1 << 2
CODE = ("hub/server.py", "adapters/kit/serving.py", "protos/metip/faults.py", "envoy/bootstrap.yaml")


def _as_nobody(*command: str, reading: bool) -> list[str]:
    user = pwd.getpwnam(NOBODY)
    # `no_setuid_fixup`, or access(2) would forget the capability; of what it keeps besides, the bounding set lets nothing through exec.
    reads = ["--securebits=+no_setuid_fixup", "--bounding-set=-all,+dac_read_search"]
    reads += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]
    more = reads if reading else ["--inh-caps=-all", "--bounding-set=-all"]
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs", *more, *command]


def _needs_reading() -> bool:
    """Whether nobody can't read the code, or can't start from it what runs."""
    code = "import subprocess, sys, hub.server, envoy; from hub.laptop.estate import envoy_binary as e; "
    code += "subprocess.run([sys.executable, '-c', ''], check=True); subprocess.run([e(), '--version'], check=True)"
    tried = subprocess.run(_as_nobody(sys.executable, "-c", code, reading=False), cwd="/", capture_output=True, check=False)
    return tried.returncode != 0


def _prepared(owner: int, group: int) -> Path:
    """A folder of nobody's own, with a path short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="metip-", dir="/tmp"))
    os.chown(directory, owner, group)
    return directory


def _refused_to_change(path: str, *, reading: bool) -> bool:
    tried = _as_nobody(sys.executable, "-c", f"open({str(ROOT / path)!r}, 'a')", reading=reading)
    return "PermissionError" in subprocess.run(tried, cwd="/", capture_output=True, text=True, check=False).stderr


async def test_everything_runs_as_nobody_with_code_that_nobody_can_change() -> None:
    user, reading, (port, json_port, console_port) = pwd.getpwnam(NOBODY), _needs_reading(), free_ports(3)
    directory = _prepared(user.pw_uid, user.pw_gid)
    home, case = Home.at(directory / "home"), query()
    assert [path for path in CODE if not _refused_to_change(path, reading=reading)] == []
    ports = ("--port", str(port), "--json-port", str(json_port), "--console-port", str(console_port))
    command = ("-m", "hub.cli", "up", *ports, "--system", case.system)
    log = directory / "up.log"
    with log.open("wb") as output:
        said = {**environment(home.root), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(directory)}
        started = _as_nobody(sys.executable, *command, reading=reading)
        process = subprocess.Popen(started, cwd=directory, env=said, stdout=output, stderr=subprocess.STDOUT)  # noqa: ASYNC220
    try:
        async with asyncio.timeout(READY_WITHIN):
            while "Ctrl-C stops everything" not in log.read_text():
                assert process.poll() is None, log.read_text()
                await asyncio.sleep(0.1)
        shown = log.read_text()
        assert "a sample question" in shown, "it was asked, through the edge, as the home's own consumer"
        assert "✗" not in shown
        running = {one.name: one.pid for one in processes(home) if one.pid}
        assert {"hub", "envoy", f"adapter-{case.system}"} <= running.keys()
        assert {name: _user(pid) for name, pid in running.items()} == dict.fromkeys(running, user.pw_uid)
        assert {_capabilities(pid) for pid in running.values()} <= {0, DAC_READ_SEARCH}
    finally:
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(process.wait, 30)
        finally:
            process.kill()
            shutil.rmtree(directory, ignore_errors=True)


def _capabilities(pid: int) -> int:
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("CapEff:"))
    return int(line.split()[1], 16)


def _user(pid: int) -> int:
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("Uid:"))
    real, effective, *_ = map(int, line.split()[1:])
    assert real == effective
    return effective
