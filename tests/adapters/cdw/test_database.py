"""The simulator's PostgreSQL: it is there for a block, ends with it or with its process, and says what it needs."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import asyncpg
import pytest
from checkout import ROOT
from waiting import until

from adapters.cdw import database
from adapters.cdw.database import ACCOUNT, NoDatabaseError, running_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAM = """
import asyncio
from adapters.cdw.database import running_database
async def main():
    async with running_database() as socket:
        print(socket, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def postmaster(socket: Path) -> int:
    """Process id of the server that listens there."""
    return int((socket.parent / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def runs(process: int) -> bool:
    """Whether that process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_server_is_there_for_the_block_and_leaves_nothing() -> None:
    async with running_database() as socket:
        process = postmaster(socket)
        connection = await asyncpg.connect(host=str(socket.parent), user=ACCOUNT, database=ACCOUNT)
        assert await connection.fetchval("SELECT current_setting('server_version_num')::int") >= 180000
        assert await connection.fetchval("SHOW listen_addresses") == ""
        assert socket.parent.stat().st_mode & 0o077 == 0
        await connection.close()
        assert runs(process)
    assert not runs(process)
    assert not socket.parent.exists()


async def test_two_servers_do_not_meet() -> None:
    async with running_database() as one, running_database() as other:
        assert one != other
        assert postmaster(one) != postmaster(other)


async def test_a_server_ends_with_the_process_that_was_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/protos"}
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=environment)
    assert parent.stdout
    socket = Path((await parent.stdout.readline()).decode().strip())
    process = postmaster(socket)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: not runs(process))
    shutil.rmtree(socket.parent)


async def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PACKAGE", "metip_nobody_has_this")
    with pytest.raises(NoDatabaseError, match="needs the package metip_nobody_has_this, which is a development dependency"):
        async with running_database():
            pass


async def test_programs_that_nobody_else_can_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "private" / "far_package"
    (package / database.PROGRAMS / "bin").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / database.PROGRAMS / "bin" / "postgres").touch()
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setattr(database, "PACKAGE", package.name)
    monkeypatch.setattr(database, "_as_root", lambda: True)
    package.parent.chmod(0o700)
    (tmp_path / "run").mkdir()
    assert database._programs(tmp_path / "run") == tmp_path / "run" / database.PROGRAMS / "bin"
    assert (tmp_path / "run" / database.PROGRAMS / "bin" / "postgres").exists()
    monkeypatch.setattr(database, "_as_root", lambda: False)
    assert database._programs(tmp_path / "run") == package / database.PROGRAMS / "bin"
