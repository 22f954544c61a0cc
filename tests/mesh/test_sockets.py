"""Sockets of adapters and of the hub: another user of the machine can't reach them, whichever of the two locks is looked at alone."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest

import hub.server
from adapters.kit import serving
from adapters.kit.serving import Worker

pytestmark = pytest.mark.asyncio
NOBODY = 65534
CONNECT = """
import os, socket, sys
os.setgroups([]); os.setgid({user}); os.setuid({user})
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
"""
LISTENING = {
    "an adapter's": lambda server, path: serving._listen(server, Worker("some", 0, path, "")),
    "the hub's": hub.server._listen,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may pass, unlike those of pytest."""
    found = Path(tempfile.mkdtemp(prefix="metip-sockets-"))
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


def connecting(path: Path, user: int) -> int:
    """How a process of that user ends that connects: 0, or 13 where it may not."""
    command = [sys.executable, "-I", "-S", "-c", CONNECT.format(user=user), str(path)]
    return subprocess.run(command, check=False, timeout=30).returncode


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user: run it in CI as root")
@pytest.mark.parametrize("listen", LISTENING.values(), ids=LISTENING)
async def test_a_process_of_another_user_can_not_connect(listen: "partial[None]", folder: Path) -> None:
    path = folder / "run" / "some.sock"
    server = grpc.aio.server()
    listen(server, path)
    await server.start()
    try:
        assert connecting(path, 0) == 0, "its own user can"
        assert connecting(path, NOBODY) == 13
        path.parent.chmod(0o755)
        assert connecting(path, NOBODY) == 13, "the socket alone keeps it out, from the moment it is there"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o666)
        assert connecting(path, NOBODY) == 0, "the guard of this test: with both locks open it would come in"
        path.parent.chmod(0o700)
        assert connecting(path, NOBODY) == 13, "the folder alone keeps it out"
    finally:
        await server.stop(None)
