"""Makes sure that a home and its ports are free before anything of them is written or started."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.laptop.layout import Home

LOOPBACK = "127.0.0.1"


class TakenError(Exception):
    """Somebody else has the home or a port; `problem` says which, `fix` what to do."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem, self.fix = problem, fix


@contextmanager
def claimed(home: Home) -> Iterator[None]:
    """The home for the length of the block, which nobody else can claim meanwhile. Raises `TakenError` naming who has it.

    The kernel lets go of the claim when this process ends, however it ends, so nothing stale is ever in the way.
    """
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home.root / "claim"
    with path.open("a+", encoding="ascii") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(
                f"a mesh already runs in {home.root} (process {_holder(path)})",
                "stop it with Ctrl-C, or give this one another --home and other ports",
            ) from None
        claim.truncate(0)
        claim.write(str(os.getpid()))
        claim.flush()
        yield


def holder(home: Home) -> int | None:
    """The process that runs a mesh in this home, or None when nobody does."""
    path = home.root / "claim"
    try:
        with path.open(encoding="ascii") as claim:
            fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(_holder(path) or 0)
    return None


def _holder(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def check_ports(*ports: int, choice: str = "--port {} --json-port {}") -> None:
    """Raises `TakenError` for the first of these ports on 127.0.0.1 that somebody listens on, or that may not be listened on; `choice` are
    the options by which others are chosen."""
    for port in ports:
        try:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that is only being let go of is free
                probe.bind((LOOPBACK, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            words = "is in use" if taken else f"can't be used: {error.strerror}"
            others = choice.format(*free_ports(choice.count("{}")))
            raise TakenError(f"port {port} on {LOOPBACK} {words}", f"choose others, such as {others}") from None


def free_ports(count: int) -> tuple[int, ...]:
    """Ports on 127.0.0.1 that nobody listens on at this moment, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()
