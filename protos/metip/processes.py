"""Children that do not outlive their parent.

Run as a script it is a step between parent and child: it asks the kernel to be ended with its parent, and becomes the child. Code between
fork and exec (`preexec_fn`) would do without that step, but in a parent with threads, such as gRPC's, a fork may never reach its exec.
"""

import ctypes
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ends this process (SIGTERM) when its parent dies, even by kill -9. Does nothing where the system can't."""
    if sys.platform == "linux":
        prctl: Callable[..., int] = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def dying_with_parent(command: Sequence[str]) -> tuple[str, ...]:
    """The command by which a command is started that dies with its parent. Raises `FileNotFoundError` for a program that is not there."""
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), program, *command[1:])


def _become(parent: int, command: Sequence[str]) -> None:
    die_with_parent()
    if os.getppid() == parent:  # otherwise it died before the kernel was asked
        os.execv(command[0], list(command))  # noqa: S606 - the command is the one that the parent was going to start


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
