"""Gives the server a core of its own and everything else the rest, on every path alike.

Run as a module it starts a command that only gets what all others leave of all cores, as if it were on a machine of its own.

Left to the scheduler, Envoy, generator and server chase one another from core to core, and the same code is half as fast again in one
minute as in the next. One worker, one core is also how the kit is meant to run.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

SERVER: Final = "METIP_BENCH_SERVER_CORE"


def leave_one_to_the_server() -> None:
    """Keeps this process and all that it starts off the last core, and tells servers which that is. With one core, nothing happens."""
    if not hasattr(os, "sched_getaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.environ[SERVER] = str(cores[-1])
        os.sched_setaffinity(0, cores[:-1])


def serve_alone() -> None:
    """Moves this process to the server's core, before it has threads."""
    if SERVER in os.environ:
        os.sched_setaffinity(0, {int(os.environ[SERVER])})


def aside(command: Sequence[str]) -> tuple[str, ...]:
    """The command by which a command is started that stands aside. Where the system has no such policy, it is the same as any other."""
    return (sys.executable, "-m", "tests.bench.cores", *command)


if __name__ == "__main__":
    if SERVER in os.environ:
        os.sched_setaffinity(0, os.sched_getaffinity(0) | {int(os.environ[SERVER])})
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the benchmark's own
